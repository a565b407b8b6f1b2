"""A table published without the rows of some people, where running it again does not do it.

Its raw files may have gone, or its gate may close without them: who is to be erased is erased.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.fingerprint import whole
from headgate.core.records import RunRecord
from headgate.core.results import JOB_OF, Entry, Rows
from headgate.core.spec import Clean, Ingested
from headgate.stages.alerting import note
from headgate.stages.erased import BECAUSE, part_of
from headgate.stages.finding import Trail
from headgate.stages.holding import holding
from headgate.stages.layers import layer_of
from headgate.stages.undo import seed_of
from headgate.storage.targets import Publication
from headgate.transforms.hidden import THEIRS


def left_out(trail: Trail, table: Ingested | Clean, *, break_lease: bool) -> list[Entry]:
    """Publish the windows that still hold them without them; none where no window does."""
    if not _windows(_held(trail, table)):
        return []
    run = secrets.token_hex(6)
    with holding(trail.lake, table, run, break_lease=break_lease) as lease:
        return _published(trail, table, lease.token)


def _held(trail: Trail, table: Ingested | Clean) -> DataFrame | None:
    """The rows that the table is a function of, marked."""
    if trail.lake.by_window(table.name):
        return trail.in_table(table.name)
    return trail.in_store(table.name)


def _windows(rows: DataFrame | None) -> dict[str, Any]:
    """How many rows each window has that holds them, and how many are theirs."""
    if rows is None:
        return {}
    theirs = F.sum(F.col(THEIRS).cast("bigint"))
    counted = rows.groupBy("_window").agg(F.count(F.lit(1)).alias("rows"), theirs.alias("theirs"))
    return {row["_window"]: row for row in counted.where("theirs > 0").collect()}


def _published(trail: Trail, table: Ingested | Clean, fence: int) -> list[Entry]:
    lake, started, now = trail.lake, time.monotonic(), datetime.now(timezone.utc).isoformat()
    rows = _held(trail, table)
    counts = _windows(rows)
    last = lake.history.published(table.name)
    windows = tuple(sorted(one for one in counts if one in last))
    if rows is None or not windows:
        return []
    target = layer_of(table).target(lake, table)
    draft = target.draft(fence)
    try:
        kept = rows.where(~F.col(THEIRS) & F.col("_window").isin(list(windows))).drop(THEIRS)
        draft.write(target.prepared(kept, draft, windows))
        records = [_record(trail, table, last[one], counts[one], now) for one in windows]
        metadata = {
            "pass": secrets.token_hex(6), "suite": lake.suite.name, "windows": list(windows),
            "records": [seed_of(one) for one in records],
        }  # fmt: skip
        version = target.publish(draft, Publication(windows, frozenset(), metadata, fence))
    except BaseException:
        draft.abandon()
        raise
    records = [replace(one, version=version) for one in records]
    entries = [
        Entry(
            run=one.run, job=JOB_OF[table.layer], table=table.name, window=one.window,
            status="published", rows=one.rows, version=version, message=one.message,
            seconds=(time.monotonic() - started) / len(records),
        )
        for one in records
    ]  # fmt: skip
    note(lake, table.name, entries, now, quietly=True)
    lake.records.add_runs(records)
    lake.recorded(records)
    return entries


def _record(
    trail: Trail, table: Ingested | Clean, last: RunRecord, counted: Any, now: str
) -> RunRecord:
    """The record of a window whose rows are as they were, but for theirs."""
    parts = dict(last.parts)
    if isinstance(table, Ingested):
        parts |= part_of(trail.lake, table)(last.window)
    run, theirs = secrets.token_hex(6), int(counted["theirs"])
    rows = Rows(read=counted["rows"], written=counted["rows"] - theirs, filtered=theirs)
    return replace(
        last, run=run, rows=rows, version=None, parts=parts, causes=BECAUSE, through=False,
        fingerprint=whole({**parts, "run": run}), started_at=now, finished_at=now,
        message=f"{theirs:,} rows left out: {BECAUSE}", sequence=time.time_ns(),
    )  # fmt: skip
