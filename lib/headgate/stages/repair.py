"""Records that a crash cut off are written again from the tables' commits, never the other way."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from headgate.core.records import MetricRecord, RunRecord
from headgate.core.results import Entry, Gate, Metric, Rows
from headgate.stages.alerting import note
from headgate.stages.lake import Lake


def repaired(lake: Lake, table: str, *, crashed: bool) -> bool:
    """Bring records and quarantine in line with the table's log; whether it was needed."""
    if not crashed:
        return False
    lake.reread(table)
    lost = lost_records(lake, table)
    if lost:
        lake.quarantine(table).supersede({record.window: record.run for record in lost})
        seeds = _seeds(lake, table, lost)
        alerts = note(lake, table, [_entry(run, seeds) for run in lost], lost[0].finished_at)
        lake.records.add_runs(lost, (), _metrics(lost, seeds), alerts)
        lake.recorded(lost)
    known = [record.run for record in lake.history.records if record.table == table]
    forgotten = lake.quarantine(table).forget(known)
    return bool(lost or forgotten)


def _seeds(lake: Lake, table: str, lost: Sequence[RunRecord]) -> dict[str, Mapping[str, Any]]:
    """What the commits of lost runs say of them."""
    oldest = min(record.version or 0 for record in lost)
    return {
        seed["run"]: seed
        for commit in lake.delta(table).commits(oldest - 1)
        for seed in commit.metadata.get("records", ())
    }


def _metrics(
    lost: Sequence[RunRecord], seeds: Mapping[str, Mapping[str, Any]]
) -> list[MetricRecord]:
    """What lost runs measured."""
    return [
        MetricRecord.of(Metric(*told), run.run, run.table, run.window, run.finished_at)
        for run in lost
        for told in seeds[run.run].get("metrics", ())
    ]


def _entry(run: RunRecord, seeds: Mapping[str, Mapping[str, Any]]) -> Entry:
    """What a lost run came to."""
    return Entry(
        run=run.run, job=run.job, table=run.table, window=run.window, status=run.status,
        rows=run.rows, gate=run.gate, version=run.version, seconds=run.seconds,
        warnings=tuple(seeds[run.run].get("warnings", ())),
    )  # fmt: skip


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
        message=seed["message"] or "; ".join(seed.get("warnings", ())) or None,
        exit_code=0,
        fingerprint=seed["fingerprint"],
        causes=seed["causes"],
        parts=seed["parts"],
        inputs=seed["inputs"],
        through=seed["through"],
        sequence=time.time_ns(),
    )
