"""What a run leaves in the records, and what is told from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headgate.core.results import Check, Entry, Gate, Metric, Rows

KEYS = "keys"  # the part of a run that tells which keys protected its rows
ERASED = "erased"  # the part that tells who of its rows' people was erased


@dataclass(frozen=True)
class RunRecord:
    """One run: what it did, to what, and from what."""

    run: str
    suite: str
    job: str
    table: str
    window: str
    status: str
    started_at: str  # ISO 8601, UTC
    finished_at: str
    seconds: float
    rows: Rows
    gate: Gate
    version: int | None
    message: str | None
    exit_code: int
    fingerprint: str
    causes: str  # why it ran
    parts: Mapping[str, str] = field(default_factory=dict)  # what the fingerprint is made of
    inputs: Mapping[str, int] = field(default_factory=dict)  # versions of the tables it read
    through: bool = False  # whether its pass brought the whole table up to these versions
    sequence: int = 0  # orders the records of one table

    @property
    def effective(self) -> bool:
        """Whether it decided what the window holds."""
        return self.status == "published"

    @staticmethod
    def of(entry: Entry, **more: Any) -> RunRecord:
        """The record of a result's entry."""
        return RunRecord(
            run=entry.run, job=entry.job, table=entry.table, window=entry.window,
            status=entry.status, seconds=round(entry.seconds, 3), rows=entry.rows,
            gate=entry.gate, version=entry.version,
            message=entry.message or "; ".join(entry.warnings) or None,
            exit_code=entry.exit_code, **more,
        )  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """The record as JSON-ready values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {
            "rows": dict(vars(self.rows)),
            "gate": dict(vars(self.gate)),
            "parts": dict(self.parts),
            "inputs": dict(self.inputs),
        }

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> RunRecord:
        """The record that `plain` wrote; missing numbers are zero."""
        rows = {k: v or 0 for k, v in (values.get("rows") or {}).items()}
        gate = {k: v or 0 for k, v in (values.get("gate") or {}).items()}
        return RunRecord(
            **{
                **{k: values[k] for k in RunRecord.__dataclass_fields__ if k in values},
                "rows": Rows(**rows),
                "gate": Gate(**gate),
                "parts": dict(values.get("parts") or {}),
                "inputs": {k: int(v) for k, v in (values.get("inputs") or {}).items()},
            }
        )


@dataclass(frozen=True)
class CheckRecord:
    """One rule judged on one run."""

    run: str
    table: str
    window: str
    rule: str
    severity: str
    success: bool
    closed: bool
    unexpected: int | None
    total: int | None
    observed: float | None
    found: str | None
    expectation: str
    arguments: str  # JSON
    result: str  # JSON
    judged_at: str

    @staticmethod
    def of(check: Check, entry: Entry, at: str) -> CheckRecord:
        return CheckRecord(
            entry.run, entry.table, entry.window, check.rule, check.severity, check.success,
            check.closed, check.unexpected, check.total, check.observed, check.found,
            check.expectation, check.arguments, check.result, at,
        )  # fmt: skip


@dataclass(frozen=True)
class MetricRecord:
    """One number that describes what a run would publish."""

    run: str
    table: str
    window: str
    column: str | None
    metric: str
    value: float | None
    detail: str | None  # JSON
    recorded_at: str

    @staticmethod
    def of(metric: Metric, run: str, table: str, window: str, at: str) -> MetricRecord:
        detail = json.dumps(dict(metric.detail), sort_keys=True) if metric.detail else None
        return MetricRecord(
            run, table, window, metric.column, metric.metric, metric.value, detail, at
        )


@dataclass(frozen=True)
class Dismissal:
    """One deviation that a person called a false alarm."""

    run: str  # that found it
    table: str
    window: str
    column: str | None
    metric: str
    value: float | None
    content: str  # a name for what was measured: another content of the window is judged anew
    text: str  # the deviation in words
    because: str
    who: str
    dismissed_at: str

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> Dismissal:
        """The dismissal as its row tells it; what is null there may be left out."""
        return Dismissal(**{name: values.get(name) for name in Dismissal.__dataclass_fields__})  # type: ignore[arg-type]


class History:
    """The runs of a lake, newest last, as planning needs them."""

    def __init__(self, records: Iterable[RunRecord] = ()) -> None:
        self._last: dict[tuple[str, str], RunRecord] = {}
        self._published: dict[str, dict[str, RunRecord]] = {}
        self._through: dict[str, RunRecord] = {}
        self.records: list[RunRecord] = []
        for record in sorted(records, key=lambda r: (r.sequence, r.started_at)):
            self.add(record)

    def add(self, record: RunRecord) -> None:
        """Take in a newer record."""
        self.records.append(record)
        idle = record.status != "published" and not record.fingerprint
        if idle or record.status == "unchanged":
            return  # there was nothing to do, or nothing to do it with
        self._last[record.table, record.window] = record
        if record.effective:
            self._published.setdefault(record.table, {})[record.window] = record
        if record.through:
            self._through[record.table] = record

    def last(self, table: str, window: str) -> RunRecord | None:
        """The last try that was not `unchanged`."""
        return self._last.get((table, window))

    def published(self, table: str) -> Mapping[str, RunRecord]:
        """For each window, the run that decided what it holds; undone ones that left it are out."""
        found = self._published.get(table, {})
        return {window: r for window, r in found.items() if r.fingerprint}

    def before(self, record: RunRecord) -> RunRecord | None:
        """The run that decided what the window held before another one did."""
        earlier = [
            r for r in self.records
            if r.table == record.table and r.window == record.window and r.effective
            and r.sequence < record.sequence
        ]  # fmt: skip
        return earlier[-1] if earlier else None

    def blocked(self, table: str) -> list[str]:
        """The windows that the last try left blocked."""
        last = self._last.items()
        return sorted(w for (name, w), r in last if name == table and r.status == "blocked")

    def windows(self, table: str) -> list[str]:
        """All windows that were ever tried."""
        return sorted(window for name, window in self._last if name == table)

    def through(self, table: str) -> Mapping[str, int]:
        """The input versions up to which every slice of a table has been brought."""
        record = self._through.get(table)
        return record.inputs if record else {}

    def read_by(self, table: str) -> frozenset[str]:
        """The tables that the last try of some slice of a table has read."""
        return frozenset(
            name for (one, _), r in self._last.items() if one == table for name in r.inputs
        )

    def version(self, table: str) -> int | None:
        """The newest version that any record names."""
        versions = [r.version for r in self.records if r.table == table and r.version is not None]
        return max(versions, default=None)
