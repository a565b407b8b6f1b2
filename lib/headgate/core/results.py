"""What a run leaves behind: rows and their fates, one entry a window, and the result object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from headgate.core.errors import worst

STATUSES = ("published", "unchanged", "blocked", "failed")
JOBS = {
    "ingest": "ingested",
    "clean": "clean",
    "feature-engineer": "features",
    "aggregate": "marts",
}
LAYERS = tuple(JOBS.values())
JOB_OF = {layer: job for job, layer in JOBS.items()}


@dataclass(frozen=True)
class Rows:
    """The fate of every row of one run.

    >>> Rows(read=10, written=8, quarantined=1, filtered=1).balanced
    True
    """

    read: int = 0
    added: int = 0
    written: int = 0
    quarantined: int = 0
    deduplicated: int = 0
    filtered: int = 0
    withheld: int = 0

    @staticmethod
    def together(many: Iterable[Rows]) -> Rows:
        """The fates of the rows of several runs as one.

        >>> Rows.together([Rows(read=2, written=2), Rows(read=1, filtered=1)])
        Rows(read=3, added=0, written=2, quarantined=0, deduplicated=0, filtered=1, withheld=0)
        """
        every = [vars(one) for one in many]
        return Rows(**{name: sum(rows[name] for rows in every) for name in vars(Rows())})

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for."""
        gone = self.quarantined + self.deduplicated + self.filtered
        return self.read + self.added == self.written + self.withheld + gone


@dataclass(frozen=True)
class Gate:
    """How many rules were judged, closed the gate, and only warned."""

    rules: int = 0
    failed: int = 0
    warned: int = 0


@dataclass(frozen=True)
class Check:
    """The outcome of one rule on one run: numbers only, never values of the data."""

    rule: str
    severity: str
    success: bool
    closed: bool
    unexpected: int | None = None
    total: int | None = None
    observed: float | None = None
    found: str | None = None  # what was found, where no single number says it
    expectation: str = ""  # great-expectations' name, or row, drift, max_rejected, on_empty
    arguments: str = "{}"  # JSON: as great-expectations takes them
    result: str = "{}"  # JSON: what is known of great-expectations' result


@dataclass(frozen=True)
class Metric:
    """One number that describes what a run would publish; what it was compared with in `detail`."""

    column: str | None  # None: of the table as a whole
    metric: str
    value: float | None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> list[Any]:
        """As short as a commit should hold it."""
        return [self.column, self.metric, self.value, dict(self.detail)]


@dataclass(frozen=True)
class Entry:
    """One (table, window) of a call: what the result object shows."""

    run: str
    job: str
    table: str
    window: str
    status: str
    rows: Rows = Rows()
    gate: Gate = Gate()
    version: int | None = None
    seconds: float = 0.0
    message: str | None = None
    exit_code: int = 0
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()  # what failed and let the run pass, a line each
    reasons: tuple[tuple[str, int], ...] = ()  # why rows were filtered or added, with counts
    metrics: tuple[Metric, ...] = ()  # measured where the table has a `drift` rule

    def shown(self) -> dict[str, Any]:
        """The entry as the result object writes it."""
        rows = asdict(self.rows)
        if self.job in ("aggregate", "feature-engineer"):
            rows = {"read": self.rows.read, "written": self.rows.written}
        return {
            "run": self.run,
            "job": self.job,
            "table": self.table,
            "window": self.window,
            "status": self.status,
            "rows": rows,
            "gate": asdict(self.gate),
            "version": self.version,
            "seconds": round(self.seconds, 3),
            "message": self.message,
        }


@dataclass(frozen=True)
class Result:
    """What a call came to."""

    suite: str
    runs: tuple[Entry, ...] = ()
    errors: tuple[str, ...] = ()
    codes: tuple[int, ...] = field(default=(), repr=False)

    @property
    def exit_code(self) -> int:
        """The code of the worst that happened."""
        return worst([*self.codes, *(entry.exit_code for entry in self.runs)])

    @property
    def status(self) -> str:
        """The worst run's status."""
        seen = {entry.status for entry in self.runs}
        if self.errors and not seen:
            return "failed"
        order = ("failed", "blocked", "published", "unchanged")
        return next((status for status in order if status in seen), "unchanged")

    def plus(self, *entries: Entry) -> Result:
        """This result with more entries."""
        return replace(self, runs=(*self.runs, *entries))

    def shown(self) -> dict[str, Any]:
        """The result object."""
        return {
            "suite": self.suite,
            "status": self.status,
            "exit_code": self.exit_code,
            "errors": list(self.errors),
            "runs": [entry.shown() for entry in self.runs],
        }
