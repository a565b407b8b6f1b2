"""What runs have to tell goes into the outbox, before the runs are on record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from headgate.core.alerts import Alert, news, noted, raised_by, raised_without_run
from headgate.core.errors import HeadgateError
from headgate.core.results import Entry
from headgate.core.spec import Suite
from headgate.stages.lake import Lake
from headgate.storage.files import files_for
from headgate.storage.logs import log
from headgate.storage.outbox import Kept, Outbox

SILENT = (21, 130)  # another run does the work; a person broke it off


def note(
    lake: Lake, table: str, entries: Sequence[Entry], at: str, *, quietly: bool = False
) -> list[dict[str, Any]]:
    """Put what runs have to tell into the outbox; the rows of it for `ops.alerts`.

    This comes before the runs are on record: an alert of a run that is not is told by nobody, and
    one that were lost would be missed for ever.
    """
    ended = [entry for entry in entries if entry.status != "unchanged"]
    raised = {entry.run: raised_by(entry, at) for entry in ended}
    fresh = [one for told in raised.values() for one in told]

    def changed(kept: Kept) -> Kept | None:
        known, new = list(kept.alerts), list[Alert]()
        for entry in ended:
            new += news(known, raised[entry.run])
            known = noted(known, entry, raised[entry.run], at)
        fresh[:] = new
        if quietly:
            known = [one for one in known if one.severity != "info" or one in kept.alerts]
        return None if tuple(known) == kept.alerts else replace(kept, alerts=tuple(known))

    if ended:
        try:
            outbox = outbox_of(lake)
            left = outbox.change(table, changed)
            if left.content is not None and not left.alerts:
                outbox.forget(table)
        except Exception as error:  # told all the same, as long as this process lives
            log("alerts.unnoted", level="warning", table=table, error=type(error).__name__)
            lake.untold += fresh
    new = {id(one) for one in fresh}
    return [
        {
            "run": one.run, "table": one.table, "window": one.window, "severity": one.severity,
            "text": one.text, "raised_at": at, "cause": one.cause, "news": id(one) in new,
        }
        for told in raised.values() for one in told
    ]  # fmt: skip


def outbox_of(lake: Lake) -> Outbox:
    return Outbox(files_for(lake.suite.environment.lake, lake.spark))


def file_of(suite: Suite, table: str) -> str:
    return table or f"suite.{suite.name}"


def note_faults(
    lake: Lake,
    outbox: Outbox,
    faults: Mapping[str, HeadgateError],
    looked_at: Collection[str],
    there: Collection[str],
) -> set[str]:
    """What kept a table from being looked at is open until it is looked at."""
    at = datetime.now(timezone.utc).isoformat()
    found = {
        name: raised_without_run(error, lake.suite.name, name, at)
        for name, error in faults.items()
        if error.exit_code not in SILENT
    }
    calm = {name for name in looked_at if name not in faults and file_of(lake.suite, name) in there}
    for name in [*found, *calm]:
        raised = [found[name]] if name in found else []

        def changed(kept: Kept, raised: list[Alert] = raised) -> Kept | None:
            known = noted(kept.alerts, Entry("", "", "", "", "failed"), raised, at)
            return None if tuple(known) == kept.alerts else replace(kept, alerts=tuple(known))

        try:
            outbox.change(file_of(lake.suite, name), changed)
        except Exception as error:
            log("alerts.unnoted", level="warning", table=name, error=type(error).__name__)
            lake.untold += raised
    return {file_of(lake.suite, name) for name in found}
