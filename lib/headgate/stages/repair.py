"""Records that a crash cut off are written again from the tables' commits, never the other way."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from headgate.core.records import MetricRecord, RunRecord
from headgate.core.results import Gate, Metric, Rows
from headgate.stages.lake import Lake


def repaired(lake: Lake, table: str, *, crashed: bool) -> bool:
    """Bring records and quarantine in line with the table's log; whether it was needed."""
    if not crashed:
        return False
    lake.reread()
    lost = lost_records(lake, table)
    if lost:
        lake.quarantine(table).supersede({record.window: record.run for record in lost})
        lake.records.add_runs(lost, (), _metrics(lake, table, lost))
        for record in lost:
            lake.history.add(record)
    known = [record.run for record in lake.history.records if record.table == table]
    forgotten = lake.quarantine(table).forget(known)
    return bool(lost or forgotten)


def _metrics(lake: Lake, table: str, lost: Sequence[RunRecord]) -> list[MetricRecord]:
    """What lost runs measured, as their commits tell it."""
    runs = {record.run: record for record in lost}
    oldest = min(record.version or 0 for record in lost)
    return [
        MetricRecord.of(Metric(*told), run.run, table, run.window, run.finished_at)
        for commit in lake.delta(table).commits(oldest - 1)
        for seed in commit.metadata.get("records", ())
        if (run := runs.get(seed["run"])) is not None
        for told in seed.get("metrics", ())
    ]


def absorb(lake: Lake, table: str) -> None:
    """Know what the table's commits say, without writing: whoever published may still record it."""
    for record in lost_records(lake, table):
        lake.history.add(record)
        lake.unrecorded.add(table)


def lost_records(lake: Lake, table: str) -> list[RunRecord]:
    """Runs that are in a commit of the table and on no record."""
    latest = lake.version(table)
    known = lake.history.version(table)
    if latest is None or (known is not None and known >= latest):
        return []
    recorded = {record.run for record in lake.history.records if record.table == table}
    found = []
    for commit in lake.delta(table).commits(known if known is not None else -1):
        for seed in commit.metadata.get("records", ()):
            if seed["run"] not in recorded:
                found.append(_record(lake, seed, commit.version))
    return found


def _record(lake: Lake, seed: Mapping[str, Any], version: int) -> RunRecord:
    at = datetime.now(timezone.utc).isoformat()
    return RunRecord(
        run=seed["run"],
        suite=lake.suite.name,
        job=seed["job"],
        table=seed["table"],
        window=seed["window"],
        status="published",
        started_at=at,
        finished_at=at,
        seconds=seed["seconds"],
        rows=Rows(**seed["rows"]),
        gate=Gate(**seed["gate"]),
        version=version,
        message=seed["message"],
        exit_code=0,
        fingerprint=seed["fingerprint"],
        causes=seed["causes"],
        parts=seed["parts"],
        inputs=seed["inputs"],
        through=seed["through"],
        sequence=time.time_ns(),
    )
