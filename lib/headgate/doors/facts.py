"""What the records of a lake say about it, as a page or a person needs it. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from headgate.core.lines import parted
from headgate.core.records import Dismissal, History, RunRecord
from headgate.core.results import JOB_OF, Rows
from headgate.core.slicing import grain_of
from headgate.core.spec import Table
from headgate.core.windows import Grain, written

REGROUPING = ("feature-engineer", "aggregate")


@dataclass(frozen=True)
class Rejected:
    """How many rows of one table wait in one state for one reason."""

    table: str
    reason: str
    state: str
    rows: int
    windows: frozenset[str]


@dataclass(frozen=True)
class Slice:
    """One window of one table: how its last run ended, and what readers see."""

    window: str
    last: RunRecord
    visible: bool
    tries: int
    troubled: bool  # whether an earlier run of it was kept back

    @property
    def rows(self) -> Rows:
        return self.last.rows

    @property
    def regroups(self) -> bool:
        """Whether its rows go in as some and come out as others."""
        return self.last.job in REGROUPING


@dataclass(frozen=True)
class Standing:
    """One table as it stands."""

    table: Table
    slices: tuple[Slice, ...]

    @property
    def state(self) -> str:
        """The worst state of any window: failed, blocked, warned, published; or never run."""
        seen = {one.last.status for one in self.slices}
        for status in ("failed", "blocked"):
            if status in seen:
                return status
        if any(one.last.gate.warned for one in self.slices):
            return "warned"
        return "published" if self.slices else "never run"

    @cached_property
    def rows(self) -> Rows:
        """The fates of all rows, from the last run of each window."""
        return Rows.together(one.rows for one in self.slices)

    @property
    def regroups(self) -> bool:
        """Whether its rows go in as some and come out as others."""
        return JOB_OF[self.table.layer] in REGROUPING

    @property
    def newest(self) -> str | None:
        """The newest window that readers see."""
        return max((one.window for one in self.slices if one.visible), default=None)


@dataclass(frozen=True)
class Alert:
    """Something that somebody should look at, and has not been mended since."""

    table: str
    window: str
    severity: str
    text: str
    run: str
    raised_at: str

    @property
    def next(self) -> str:
        """What to type; a message may say it already."""
        return parted(self.text)[1] or f"headgate show {self.run}"

    @property
    def what(self) -> str:
        return parted(self.text)[0]


@dataclass(frozen=True)
class Batch:
    """Runs of one pass that ended the same way."""

    at: str
    table: str
    status: str
    windows: str
    count: int
    rows: Rows
    seconds: float
    why: str
    run: str


@dataclass(frozen=True)
class Facts:
    """All that is known of one lake at one moment."""

    suite: str
    env: str
    grain: Grain
    made_at: str  # in the suite's zone
    timezone: str
    tables: Mapping[str, Table]
    records: Sequence[RunRecord] = ()
    alerts: Sequence[Mapping[str, Any]] = ()
    rejected: Sequence[Rejected] = ()
    dismissals: Sequence[Dismissal] = ()

    @cached_property
    def history(self) -> History:
        return History(self.records)

    @cached_property
    def tries(self) -> dict[tuple[str, str], list[RunRecord]]:
        """The runs of each table and window that had something to do, oldest first."""
        found: dict[tuple[str, str], list[RunRecord]] = {}
        for record in self.history.records:
            if record.status != "unchanged":
                found.setdefault((record.table, record.window), []).append(record)
        return found

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Every table of the suite, in the order of dependencies."""
        found: dict[str, list[Slice]] = {name: [] for name in self.tables}
        for (name, window), runs in sorted(self.tries.items(), key=lambda item: item[0]):
            if name in found:
                found[name].append(_slice(window, runs, self.history.published(name)))
        return {name: Standing(self.tables[name], tuple(found[name])) for name in self.tables}

    @cached_property
    def open_alerts(self) -> tuple[Alert, ...]:
        """Alerts of runs that are still the last of their window; critical and new ones first."""
        found = {}
        for row in self.alerts:
            runs = self.tries.get((row["table"], row["window"]))
            if runs and runs[-1].run == row["run"] and row["table"] in self.tables:
                one = Alert(**{f.name: str(row[f.name]) for f in fields(Alert)})
                found[one.run, one.severity] = one
        newest = sorted(found.values(), key=lambda one: (one.window, one.raised_at), reverse=True)
        return tuple(sorted(newest, key=lambda one: one.severity != "critical"))

    def grain_of(self, table: str) -> Grain:
        """How long the windows of one table are."""
        spec = self.tables.get(table)
        return grain_of(spec, self.grain) if spec else self.grain

    def batches(self, limit: int) -> list[Batch]:
        """The last passes that had something to do, newest first."""
        groups: dict[tuple[str, str, str], list[RunRecord]] = {}
        for record in reversed(self.history.records):
            if record.status == "unchanged":
                continue
            key = (record.started_at, record.table, record.status)
            if key not in groups and len(groups) == limit:
                break
            groups.setdefault(key, []).append(record)
        return [self._batch(key, runs) for key, runs in groups.items()]

    def _batch(self, key: tuple[str, str, str], runs: list[RunRecord]) -> Batch:
        at, table, status = key
        windows = sorted({record.window for record in runs})
        return Batch(
            at=at,
            table=table,
            status=status,
            windows=_span(windows, self.grain_of(table)),
            count=len(runs),
            rows=Rows.together(record.rows for record in runs),
            seconds=sum(record.seconds for record in runs),
            why=_why([record.causes for record in runs]),
            run=runs[0].run,
        )


def _span(windows: Sequence[str], grain: Grain) -> str:
    try:
        return written(list(windows), grain)
    except ValueError:  # the suite had windows of another length then
        return ", ".join(windows)


def _why(causes: Sequence[str]) -> str:
    """Why windows ran together, in short."""
    first, *more = dict.fromkeys(causes)
    return f"{first} (and {len(more)} more causes)" if more else first


def _slice(window: str, runs: Sequence[RunRecord], published: Mapping[str, RunRecord]) -> Slice:
    return Slice(
        window=window,
        last=runs[-1],
        visible=window in published,
        tries=len(runs),
        troubled=any(run.status in ("blocked", "failed") for run in runs[:-1]),
    )
