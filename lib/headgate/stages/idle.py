"""Named slices that did not run: they are unchanged, or there is nothing to make them from."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from headgate.core.errors import InputMissing
from headgate.core.results import JOB_OF, Entry
from headgate.core.spec import Clean, Features, Ingested, Mart, Table
from headgate.stages import clean, ingest
from headgate.stages.lake import Lake
from headgate.stages.slices import overlapping


def idle(lake: Lake, table: Table, named: Sequence[str], ran: Iterable[Entry]) -> list[Entry]:
    """An entry for each named slice that has none yet."""
    done = {entry.window for entry in ran}
    found = []
    for window in slices(lake, table, named):
        if window in done:
            continue
        lacking = without_input(lake, table, window)
        entry = Entry(
            run=secrets.token_hex(6),
            job=JOB_OF[table.layer],
            table=table.name,
            window=window,
            status="failed" if lacking else "unchanged",
            message=lacking.sentence if lacking else None,
            exit_code=lacking.exit_code if lacking else 0,
        )
        found.append(entry)
    return found


def slices(lake: Lake, table: Table, named: Sequence[str]) -> list[str]:
    """The slices of a table that named windows stand for: a mart's are periods."""
    if isinstance(table, Mart | Features):
        return sorted(overlapping(named, lake.suite.window, lake.grain(table)))
    return list(named)


def without_input(lake: Lake, table: Table, window: str) -> InputMissing | None:
    """The error for a slice for which there is nothing to read; None where there is."""
    if lake.history.last(table.name, window) is not None:
        return None
    if isinstance(table, Ingested):
        return ingest.missing(lake, table, window)
    if isinstance(table, Clean):
        there = clean.input_windows(lake, table)
        return None if window in there else _unpublished(clean.main_input(table), table, window)
    lacking = [name for name in table.inputs if lake.version(name) is None]
    return _unpublished(lacking[0], table, window) if lacking else None


def _unpublished(name: str, table: Table, window: str) -> InputMissing:
    return InputMissing(
        f"{name} has not published this window",
        where=f"{table.name} {window}",
        next=f"headgate run +{table.name} --window {window}",
    )
