"""A suite as frozen values: what the files of a `conf/` folder say, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from headgate.core.contract import Column, Database, FileSource, OnChange, Value
from headgate.core.expects import Expects
from headgate.core.formats import Format
from headgate.core.privacy import Privacy
from headgate.core.steps import Step
from headgate.core.windows import Grain

Severity = Literal["critical", "warning", "info"]
CHANGE_COLUMNS = ("_op", "_sequence")  # what happened to the row, and when among all changes
VERSIONED = ("valid_from", "valid_to", "is_current")  # columns that a history table makes
ABSENT = "absent"  # in the place of a condition: who is not in a whole dump is deleted
KNOWN_AT = "_ingested_at"  # when the content of a row was first seen
PERIOD_GRAINS = ("hour", "day", "week", "month", "year")


class Rule(Value):
    """One expectation or SQL condition on a table."""

    expectation: str  # great-expectations' name, or "row"
    arguments: Mapping[str, Any] = {}  # without mostly, severity, row_condition
    mostly: float | None = None  # None: not written
    severity: Severity = "critical"
    row_condition: str | None = None  # SQL; rows where it is not true are not judged
    since: date | None = None  # for windows before this day it warns, and does no more
    written: str = ""  # the rule as a person wrote it: what `_reasons` and messages show
    place: str = ""  # file:line

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its arguments name."""
        named: list[str] = []
        for key in ("column", "column_A", "column_B", "column_list"):
            held = self.arguments.get(key) or ()
            named.extend((held,) if isinstance(held, str) else held)
        return tuple(named)

    @property
    def other(self) -> str | None:
        """The other table that the rows are held against."""
        named = self.arguments.get("table") or self.arguments.get("other_table_name")
        return None if named is None else str(named)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the other table that it names, one for each of its own."""
        there = self.arguments.get("key") or self.arguments.get("other_column") or ()
        return ((there,) if isinstance(there, str) else tuple(there)) or self.columns


class Drift(Value):
    """Windows are held against earlier windows of the table."""

    metrics: tuple[str, ...] = ()  # names of core.rules.METRICS; none: the usual ones
    columns: tuple[str, ...] = ()  # none: all that the metric fits
    time: str | None = None  # the column that tells how fresh the rows are
    sensitivity: Literal["low", "normal", "high"] = "normal"
    severity: Severity = "warning"
    since: date | None = None  # for windows before this day it warns, and does no more
    written: str = ""  # as a person wrote it
    place: str = ""  # file:line


class Waiver(Value):
    """A rule that need not hold for some windows, and why."""

    rule: str  # any name that the rule goes by
    until: date  # the last day whose windows it lets pass
    because: str
    owner: str | None = None  # none: the table's
    since: date | None = None  # the first such day
    place: str = ""  # file:line


class Example(Value):
    """Rows that document a table and are run by `headgate test`."""

    given: Mapping[str, tuple[Mapping[str, Any], ...]]
    written: tuple[Mapping[str, Any], ...] | None = None
    rejected: tuple[Mapping[str, Any], ...] | None = None
    place: str = ""


class Period(Value):
    """The column and grain by which a mart is sliced."""

    column: str
    grain: Literal["hour", "day", "week", "month", "year"] = "day"


class Over(Value):
    """How far back the rows of one period of a mart look: some periods, or since a turn."""

    last: int | None = None  # periods, its own among them
    to_date: Literal["week", "month", "year"] | None = None

    def first(self, period: str, grain: Grain) -> str:
        """The first period whose rows count for a period.

        >>> Over(last=7).first("2026-11-20", Grain.day)
        '2026-11-14'
        >>> Over(to_date="month").first("2026-11-20", Grain.day)
        '2026-11-01'
        """
        if self.to_date is None:
            return grain.shift(period, 1 - (self.last or 1))
        turn = Grain(self.to_date)
        return grain.of(turn.start(turn.of(grain.start(period))))

    def reaches(self, period: str, grain: Grain) -> str:
        """The last period for which the rows of a period count.

        >>> Over(last=7).reaches("2026-11-20", Grain.day)
        '2026-11-26'
        >>> Over(to_date="month").reaches("2026-11-20", Grain.day)
        '2026-11-30'
        """
        if self.to_date is None:
            return grain.shift(period, (self.last or 1) - 1)
        turn = Grain(self.to_date)
        return grain.shift(grain.of(turn.end(turn.of(grain.start(period)))), -1)


class Entity(Value):
    """Who gets a row in a feature table."""

    key: tuple[str, ...]
    from_: str | None = Field(None, alias="from")


class Feature(Value):
    """One feature, or the label: a measure over a stretch of days before (or after) `as_of`."""

    of: str
    measure: str
    last: int | None = None  # days
    next: int | None = None  # days; labels only
    else_: Any = Field(None, alias="else")


class Table(Value):
    """What all tables have."""

    name: str  # layer.name
    file: str = ""  # its file, for messages
    description: str | None = None
    owner: str | None = None
    fresh_within: str | None = None
    since: date | None = None
    quality: tuple[Rule, ...] = ()
    drift: tuple[Drift, ...] = ()  # listed under `quality` too
    max_rejected: float = 0.10  # a share of the rows judged
    gate: Literal["close", "warn", "off"] = "close"
    on_empty: Literal["publish", "warn", "close"] = "publish"
    keep_versions: int | None = None  # days; none: as the suite says
    waive: tuple[Waiver, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        return self.name.partition(".")[2]

    @property
    def sources(self) -> tuple[str, ...]:
        """The tables that its rows are made of, lookups included."""
        return ()

    @property
    def others(self) -> tuple[str, ...]:
        """The tables that its rules hold its rows against."""
        return tuple(dict.fromkeys(rule.other for rule in self.quality if rule.other))

    @property
    def inputs(self) -> tuple[str, ...]:
        """All tables that it reads."""
        return tuple(dict.fromkeys((*self.sources, *self.others)))

    @property
    def protection(self) -> Mapping[str, Privacy]:
        """The columns that it declares to hold personal data, and how they are protected."""
        return {}

    @property
    def private(self) -> frozenset[str]:
        """The columns that it declares to hold personal data."""
        return frozenset(self.protection)


class Ingested(Table):
    """A table of the ingested layer: a contract with a supplier."""

    source: FileSource  # of a database: the files in which its reads are kept
    columns: Mapping[str, Column]  # of a database: none, where they are left to it
    database: Database | None = None
    left_to_database: bool = False  # whether it says no columns: they are those of its reads
    on_change: OnChange = OnChange()
    window_by: str | None = None
    expects: Expects | None = None
    resent: Literal["take", "skip"] = "take"  # files whose content came under another name before

    @property
    def protection(self) -> Mapping[str, Privacy]:
        return {name: one.privacy for name, one in self.columns.items() if one.privacy}


class Clean(Table):
    """A table of the clean layer. The first of `reads` is the main input."""

    reads: Mapping[str, str]
    steps: tuple[Step, ...] = ()
    key: tuple[str, ...] = ()
    latest_by: tuple[str, ...] = ()
    write: Literal["replace", "upsert", "history"] = "replace"
    deletes: str | None = None  # a SQL condition: which rows are deletions; or `absent`
    untracked: tuple[str, ...] = ()  # history: columns whose change makes no new version
    privacy: Mapping[str, Privacy] = {}  # by column

    @property
    def protection(self) -> Mapping[str, Privacy]:
        return self.privacy

    @property
    def by_absence(self) -> bool:
        """Whether its windows are whole dumps, and a key that is in the last no more is gone."""
        return self.deletes == ABSENT

    @property
    def deletion(self) -> str | None:
        """SQL: the row says that its key is gone."""
        return None if self.by_absence else self.deletes

    @property
    def dated(self) -> bool:
        """History: whether rows say themselves from when they hold; else their window does."""
        return bool(self.latest_by) and not self.by_absence

    @property
    def one_each(self) -> tuple[str, ...]:
        """What tells rows of a window apart: of those that agree in it, one is kept."""
        events = self.write == "history" and self.dated
        return tuple(dict.fromkeys((*self.key, *self.latest_by))) if events else self.key

    @property
    def sources(self) -> tuple[str, ...]:
        names = [*self.reads.values()]
        names += [step.table for step in self.steps if step.name == "lookup"]  # type: ignore[attr-defined]
        return tuple(dict.fromkeys(names))


class Features(Table):
    """A table of the features layer: one row for each entity and `as_of`."""

    entity: Entity
    every: Literal["day", "month"] = "day"
    reads: Mapping[str, str]
    time: str | Mapping[str, str]  # event time column, or one for each input
    features: Mapping[str, Feature]
    label: Mapping[str, Feature] = {}
    format: Format = Format()
    known_at: str | None = None  # only rows whose value here is before `as_of` had arrived by then

    @property
    def sources(self) -> tuple[str, ...]:
        names = [*self.reads.values()] + ([self.entity.from_] if self.entity.from_ else [])
        return tuple(dict.fromkeys(names))

    def time_of(self, name: str) -> str:
        """The event time column of one input."""
        return self.time if isinstance(self.time, str) else self.time[name]


class Small(Value):
    """Which groups of a mart are withheld."""

    min_group: int  # those of fewer rows
    of: str | None = None  # or of fewer different values of this column: people, not rows


class Mart(Table):
    """A table of the marts layer, sliced by period."""

    reads: Mapping[str, str]
    period: Period
    group_by: tuple[str, ...] = ()
    measures: Mapping[str, str] = {}
    over: Over | None = None  # how far its measures look back; none: over their own period
    sql: str | None = None  # the text, also where the file names a file
    incomplete: Literal["publish", "hold"] = "publish"  # while a window of its inputs is held back
    privacy: Small | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.reads.values()))

    @property
    def period_input(self) -> str:
        """The name (in `reads`) of the input that holds the period's column."""
        name, dot, _ = self.period.column.partition(".")
        return name if dot else next(iter(self.reads))

    @property
    def period_column(self) -> str:
        """The period's column without its input's name."""
        return self.period.column.rpartition(".")[2]


class SparkSettings(Value):
    """How a session is made."""

    master: str | None = None
    quick: bool = False  # starts twice as fast, long work runs slower: for tests and small data
    conf: Mapping[str, str] = {}


class Environment(Value):
    """Where a suite runs: one file of `conf/env/`."""

    name: str
    raw: str  # absolute path or URI
    lake: str
    vault: str | None = None
    spark: SparkSettings = SparkSettings()
    parallel: int = 1  # tables at once

    @property
    def places(self) -> tuple[str, ...]:
        """All that a session reads from or writes to."""
        return (self.raw, self.lake, *([self.vault] if self.vault else []))

    @property
    def vault_path(self) -> str:
        """Where what tokens stand for is kept."""
        return self.vault or f"{self.lake}/ops/vault"


class AlertRoute(Value):
    """Where alerts of some severities and tables go. An address may be a secret: never shown."""

    to: str = Field(repr=False)
    severity: tuple[Severity, ...] = ("critical", "warning", "info")
    tables: tuple[str, ...] = ()  # names, layers, patterns with *; none: all
    owner: tuple[str, ...] = ()  # of tables whose `owner` is one of these; none: all
    smtp: str | None = Field(default=None, repr=False)  # the mail server
    from_: str | None = Field(default=None, alias="from")  # who the mail is from

    @property
    def kind(self) -> str:
        """How it goes: log, file, slack, …; the only part of `to` that may be shown."""
        return self.to.partition(":")[0]

    @property
    def address(self) -> str:
        """Where it goes; it may hold `${secret:name}`."""
        return self.to.partition(":")[2]


class Suite(Value):
    """One `conf/` folder, read whole."""

    name: str
    timezone: str = "UTC"
    window: Grain = Grain.day
    alerts: tuple[AlertRoute, ...] = ()
    keys: str = "env"
    keep_versions: int = 30  # days, of tables that do not say it themselves
    environment: Environment
    tables: Mapping[str, Table]  # in the order of dependencies
    root: str = ""  # the folder that holds conf/ and lib/
    conf: str = ""  # the conf folder, as given
    overrides: tuple[str, ...] = Field(default=(), repr=False)  # `--set`, as given
    # Databases of which all tables are wanted, by the file that says so; they are yet to be asked.
    every: Mapping[str, Database] = {}

    def local(self, moment: datetime) -> datetime:
        """A moment in the suite's zone, without it."""
        return moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)

    def now(self) -> datetime:
        """The time in the suite's zone, without it."""
        return self.local(datetime.now(timezone.utc))
