"""Files that cannot be read, or came twice: left out of their windows, and told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from headgate.core.errors import HeadgateError, ShapeBroken, Unreadable
from headgate.core.spec import Ingested
from headgate.stages.lake import Lake
from headgate.stages.ledger import Batch, Known, copied
from headgate.stages.work import Fails


def refuse_known(lake: Lake, table: Ingested, file: Known) -> None:
    """Raise for a file of which it is known, before it is opened, that it cannot be read."""
    damaged = lake.damaged.get((table.name, file.path, file.content))
    if file.aside or damaged:
        then = "put a file there instead" if file.aside else "ask for it again"
        raise Unreadable(file.aside or str(damaged), where=file.path, next=then)


def stumbled(lake: Lake, table: Ingested, files: Sequence[Known], error: HeadgateError) -> bool:
    """Whether an error names one of these files as damaged; it is not read again in this call."""
    if not isinstance(error, Unreadable):
        return False
    said = f"/{error.where}"  # by Spark as a URI, by ourselves as it is
    wheres = said, unquote(said)
    named = [f for f in files if any(where.endswith(f"/{f.path}") for where in wheres)]
    if not named:
        return False
    file = max(named, key=lambda one: len(one.path))
    key = (table.name, file.path, file.content)
    again = key in lake.damaged
    lake.damaged[key] = error.what
    return not again


def warnings_of(
    lake: Lake,
    table: Ingested,
    batch: Batch,
    windows: Sequence[str],
    aside: Mapping[str, Unreadable],
    broken: dict[str, Fails],
) -> dict[str, tuple[str, ...]]:
    """What to say of windows that go on without some of their files; some cannot."""
    told = {}
    for window in windows:
        files = batch.windows.get(window, ())
        bad = [file for file in files if file.path in aside]
        held = window in lake.history.published(table.name)
        lost = next((file for file in bad if file.replaces and held), None)
        if window in broken:
            continue
        if bad and len(bad) == len(files):
            more = f" (and {len(bad) - 1} more of its files)" if len(bad) > 1 else ""
            error = aside[bad[0].path]
            broken[window] = fails(
                ShapeBroken(error.what + more, where=error.where, next=error.next)
            )
        elif lost is not None:
            what = f"{aside[lost.path].what}; it was read before, and without it the window would"
            broken[window] = fails(
                ShapeBroken(f"{what} lose its rows", where=lost.path, next=aside[lost.path].next)
            )
        again = f"then headgate run {table.name}"
        told[window] = tuple(
            f"{file.path} was set aside: {aside[file.path].what}. "
            f"Next: put a good one in its place, {again}" for file in bad
        ) + _copies(batch, window)  # fmt: skip
    return told


def _copies(batch: Batch, window: str) -> tuple[str, ...]:
    """What to say of files that were sent again."""
    files = batch.windows.get(window, ())
    here = {file.path for file in files}
    skipped = [f"{f.path} was skipped: {copied(f)}" for f in batch.skipped.get(window, ())]
    twice = [
        f"{file.path} was taken in: {copied(file)}, so their rows are there twice. "
        "Next: set resent: skip, or delete one"
        for file in files if file.copy_of in here
    ]  # fmt: skip
    return (*skipped, *twice)


def fails(error: HeadgateError) -> Fails:
    return error.exit_code, error.sentence
