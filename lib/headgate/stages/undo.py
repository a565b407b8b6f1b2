"""Undo: a window goes back to what it held before its last publish, in one recorded commit."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from datetime import datetime, timezone

from pyspark.sql import DataFrame

from headgate.core.errors import Usage
from headgate.core.records import RunRecord
from headgate.core.results import JOB_OF, Entry, Rows
from headgate.core.spec import Table
from headgate.stages.alerting import note
from headgate.stages.holding import holding
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of
from headgate.storage.changes import vacuumed
from headgate.storage.targets import Publication, Target

UNDO = "undo"  # why the run is there, in its record


def undone(lake: Lake, table: Table, window: str, *, break_lease: bool) -> Entry:
    """Publish what the window held before. It is due again only when something new comes."""
    run, started = secrets.token_hex(6), time.monotonic()
    with holding(lake, table, run, break_lease=break_lease) as lease:
        return _back(lake, table, window, run, lease.token, started)


def _back(lake: Lake, table: Table, window: str, run: str, fence: int, started: float) -> Entry:
    last = lake.history.published(table.name).get(window)
    if last is None or last.version is None:
        raise Usage(
            f"{table.name} {window} has no publish to undo", next=f"headgate runs {table.name}"
        )
    earlier = lake.history.before(last)
    target = layer_of(table).target(lake, table)
    rows, count = _before(target, table, last if earlier else None)
    draft = target.draft(fence)
    try:
        draft.write(target.prepared(rows, draft, [window]))
        record = replace(
            last,
            run=run,
            rows=Rows(read=count, written=count),
            version=None,
            message=f"undone: back to run {earlier.run}"
            if earlier
            else "undone: nothing was before",
            # What was undone stays the last try, so that it is not simply done again.
            fingerprint=earlier.fingerprint if earlier else "",
            causes=UNDO,
            through=False,
            sequence=time.time_ns(),
        )
        metadata = {
            "pass": run, "suite": lake.suite.name, "windows": [window],
            "records": [seed_of(record)],
        }  # fmt: skip
        version = target.publish(draft, Publication((window,), frozenset(), metadata, fence))
    except BaseException:
        draft.abandon()
        raise
    record = replace(record, version=version, seconds=time.monotonic() - started)
    quarantine = lake.quarantine(table.name)
    quarantine.supersede({window: run})
    if earlier:
        quarantine.reopen(earlier.run)
    entry = Entry(
        run=run, job=JOB_OF[table.layer], table=table.name, window=window, status="published",
        rows=record.rows, version=version, seconds=record.seconds, message=record.message,
    )  # fmt: skip
    # Whatever was wrong with the window is over; whoever undoes it need not be told so.
    note(lake, table.name, [entry], datetime.now(timezone.utc).isoformat(), quietly=True)
    lake.records.add_runs([record])
    lake.recorded([record])
    return entry


def _before(target: Target, table: Table, last: RunRecord | None) -> tuple[DataFrame, int]:
    """What a window held before a run, and how many rows those are; none without such a run."""
    try:
        held = target.held(last.window, last.version) if last and last.version is not None else None
        rows = target.nothing() if held is None else held
        return rows, rows.count()
    except Exception as error:
        if last is None or not vacuumed(error):
            raise
        raise Usage(
            f"what {table.name} {last.window} held before is not kept any more: it is older than"
            " `keep_versions` says",
            next=f"correct its input, then headgate run +{table.name} --window {last.window}",
        ) from None


def seed_of(record: RunRecord) -> dict[str, object]:
    """What a commit says of a run."""
    plain = record.plain()
    names = (
        "run", "job", "table", "window", "rows", "gate", "seconds", "message", "fingerprint",
        "parts", "causes", "inputs", "through",
    )  # fmt: skip
    return {name: plain[name] for name in names}
