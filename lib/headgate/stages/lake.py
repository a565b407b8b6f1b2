"""A suite's tables as they stand: where they are, which versions they have, what ran on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headgate.core.alerts import Alert
from headgate.core.fingerprint import digest
from headgate.core.privacy import keys_for
from headgate.core.records import KEYS, Dismissal, History, RunRecord
from headgate.core.results import Metric
from headgate.core.slicing import grain_of
from headgate.core.spec import Clean, Features, Ingested, Suite, Table
from headgate.core.windows import Grain
from headgate.privacy.guard import Guard
from headgate.storage.corrections import Corrections, corrected_tables
from headgate.storage.files import Files, files_for
from headgate.storage.ids import Ids
from headgate.storage.keys import keys_of, lacking
from headgate.storage.moved import Moves, moved_keys
from headgate.storage.quarantine import Quarantine
from headgate.storage.records import Records
from headgate.storage.tables import DeltaTable
from headgate.storage.transaction import fence_of
from headgate.storage.upkeep import whole_versions
from headgate.storage.vault import Vault
from headgate.transforms.hidden import AS_JSON


@dataclass
class Lake:
    """What planning and running share within one call."""

    spark: SparkSession
    suite: Suite
    history: History
    records: Records
    raw: Files
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    contents: dict[tuple[str, int, str], str] = field(default_factory=dict)
    moves: dict[tuple[str, int, int, tuple[str, ...]], Moves] = field(default_factory=dict)
    unrecorded: set[str] = field(default_factory=set)  # tables whose commits say more than records
    # Files below the folders of a table that its path does not match, as last listed whole.
    strangers: dict[str, list[str]] = field(default_factory=dict)
    moving: frozenset[str] = frozenset()  # files that are still being written: not there yet
    # Files that a pass of this call stumbled over: by table, path and content, what is wrong.
    damaged: dict[tuple[str, str, str], str] = field(default_factory=dict)
    # How far databases were asked in this call, by table: each is asked once for what is due.
    asked: dict[str, Any] = field(default_factory=dict)
    unrecordable: set[str] = field(default_factory=set)  # runs that could not be put on record
    untold: list[Alert] = field(default_factory=list)  # that the outbox could not take
    repaired: dict[str, Any] = field(default_factory=dict)  # corrections by table, seen once a call
    _corrected: frozenset[str] | None = None
    _recorded: list[RunRecord] = field(default_factory=list)  # by this call
    _ledger: dict[str, list[dict[str, Any]]] | None = None
    # Tables that run side by side share what was read: none may put it back to an older state.
    _one: Any = field(default_factory=threading.RLock)
    only_looks: ClassVar[bool] = False  # whether nothing may be taken in
    _dismissals: list[Dismissal] | None = None
    _erasures: list[dict[str, Any]] | None = None
    _whole: dict[str, frozenset[int]] = field(default_factory=dict)  # versions, by table
    _metrics: dict[str, list[Metric]] = field(default_factory=dict)  # by run

    @staticmethod
    def opened(spark: SparkSession, suite: Suite) -> Lake:
        """The lake with its records read once."""
        records = Records(spark, suite.environment.lake)
        history = History(records.runs())
        return Lake(spark, suite, history, records, files_for(suite.environment.raw, spark))

    def path(self, table: str) -> str:
        layer, _, name = table.partition(".")
        return f"{self.suite.environment.lake}/{layer}/{name}"

    def store(self, table: str) -> str:
        """Where an upsert table's accepted rows are kept by window."""
        return f"{self.suite.environment.lake}/ops/accepted/{table}"

    def delta(self, table: str) -> DeltaTable:
        return DeltaTable(self.spark, self.path(table))

    def quarantine(self, table: str) -> Quarantine:
        return Quarantine(self.spark, self.suite.environment.lake, table)

    def corrections(self, table: str) -> Corrections:
        return Corrections(self.spark, self.suite.environment.lake, table)

    def corrected_tables(self) -> frozenset[str]:
        """The tables that people repaired rows of; looked for once a call."""
        found = self._corrected
        if found is None:
            found = self._corrected = corrected_tables(self.spark, self.suite.environment.lake)
        return found

    def forget_corrections(self, table: str) -> None:
        """Look for those of a table again when they are asked for."""
        self._corrected = None
        self.repaired.pop(table, None)

    def vault(self, table: str) -> Vault:
        return Vault(self.spark, f"{self.suite.environment.vault_path}/{table}")

    def ids(self, table: str, name: str) -> Ids:
        """The ids that the values of a column were given."""
        return Ids(self.spark, self.suite.environment.lake, table, name)

    def ids_of(self, table: Table | None) -> list[Ids]:
        """All ids that a table's rows are known by."""
        names = table.format.listed if isinstance(table, Features) else ()
        return [self.ids(table.name, name) for name in names] if table else []

    def guard(self, table: Table) -> Guard:
        """How a table's rows are protected; the keys are asked for when they are needed."""
        return Guard(table.protection, self.keys, table.name, self.vault(table.name).rows)

    def keys(self, names: Iterable[str]) -> dict[str, list[bytes]]:
        """The suite's privacy keys of these names."""
        ring = keys_of(self.suite.keys, names, self.suite.root)
        return {name: [key.secret for key in each] for name, each in ring.items()}

    def opens(self, table: Table) -> bool:
        """Whether the keys that a table's records are closed by are at hand."""
        return bool(table.private) and not lacking(self.suite, [table.name])

    def keys_part(self, table: Table) -> dict[str, str]:
        """A name for the keys that a table's rows are protected by; empty where none is at hand."""
        needed = keys_for(table.protection)
        if not needed:
            return {}
        if lacking(self.suite, [table.name]):
            return {KEYS: ""}
        ring = keys_of(self.suite.keys, needed, self.suite.root)
        return {KEYS: digest({name: keys[0].id for name, keys in ring.items()})}

    def version(self, table: str) -> int | None:
        """The newest version that is there."""
        return self.delta(table).latest()

    def fence(self, table: str) -> int:
        """The newest token that the table itself knows: that of its lease may have been deleted."""
        ids = [one.path for one in self.ids_of(self.suite.tables.get(table))]
        paths = [self.path(table), self.store(table), *ids]
        there = [path for path in paths if DeltaTable(self.spark, path).latest() is not None]
        return max((fence_of(self.spark, path) for path in there), default=0)

    def by_window(self, table: str) -> bool:
        """Whether a table's rows are replaced window by window."""
        spec = self.suite.tables[table]
        return isinstance(spec, Ingested) or (isinstance(spec, Clean) and spec.write == "replace")

    def versioned(self, table: str) -> bool:
        """Whether a table holds versions of its keys."""
        spec = self.suite.tables.get(table)
        return isinstance(spec, Clean) and spec.write == "history"

    def grain(self, table: Table) -> Grain:
        """How long a slice of a table is."""
        return grain_of(table, self.suite.window)

    def now(self) -> datetime:
        """The time in the suite's zone, without it."""
        return self.local(self.clock())

    def local(self, moment: datetime) -> datetime:
        """A moment in the suite's zone, without it."""
        return self.suite.local(moment)

    def bounds(self, window: str) -> tuple[datetime, datetime]:
        """A window's first instant, and the first after it."""
        zone, grain = ZoneInfo(self.suite.timezone), self.suite.window
        return (
            grain.start(window).replace(tzinfo=zone),
            grain.end(window).replace(tzinfo=zone),
        )

    def content(self, table: str, version: int, columns: tuple[str, ...]) -> str:
        """A name for what columns of a table hold at a version, whatever the rows' order."""
        known = (table, version, ",".join(columns))
        if known not in self.contents:
            df = self.delta(table).read(version)
            names = columns or tuple(n for n in df.columns if not n.startswith("_"))
            row = F.xxhash64(F.to_json(F.struct(*[F.col(f"`{n}`") for n in names]), AS_JSON))
            total = df.agg(F.sum(row.cast("decimal(38,0)")), F.count(F.lit(1))).collect()[0]
            self.contents[known] = digest([str(total[0]), total[1]])
        return self.contents[known]

    def same_rows(self, table: str, before: int | None, after: int) -> bool:
        """Whether a version holds what an earlier one held, at most laid out anew."""
        if before is None or before > after:
            return False
        return before == after or self.delta(table).resting(before) >= after

    def whole(self, table: str, version: int) -> bool:
        """Whether all files of a version are there still, and its log."""
        with self._one:
            if table not in self._whole:
                self._whole[table] = whole_versions(self.spark, self.path(table))
            return version in self._whole[table]

    def moved(self, table: str, before: int, after: int, keys: tuple[str, ...]) -> Moves:
        """Which versions between two brought or took keys; looked at once a call."""
        known = (table, before, after, keys)
        if known not in self.moves:
            self.moves[known] = moved_keys(self.delta(table), before, after, keys)
        return self.moves[known]

    def refreshed(self, table: str) -> bool:
        """Read the records again where another run has published since; whether that was so."""
        if self.version(table) == self.history.version(table):
            return False
        self.reread(table)
        return True

    def reread(self, table: str) -> None:
        """Read the records anew, for the sake of a table."""
        found = self.records.runs()
        with self._one:
            known = {record.run for record in found}
            since = [record for record in self._recorded if record.run not in known]
            self.history = History([*found, *since])
            self._ledger = self._dismissals = self._erasures = None
        self.asked.pop(table, None)
        self.forget_corrections(table)

    def recorded(self, records: Iterable[RunRecord]) -> None:
        """Know runs that this call has just put on record."""
        with self._one:
            for record in records:
                self._recorded.append(record)
                self.history.add(record)

    def ledger(self, table: str) -> list[dict[str, Any]]:
        """The files that a table has taken in, oldest first; read once a call."""
        with self._one:
            if self._ledger is None:
                self._ledger = self.records.files()
            return self._ledger.setdefault(table, [])

    def measured(self, runs: Iterable[str]) -> dict[str, list[Metric]]:
        """What some runs measured; each is read once a call."""
        unknown = sorted(set(runs) - self._metrics.keys())
        self._metrics |= {run: [] for run in unknown} | self.records.metrics(unknown)
        return self._metrics

    def dismissed(self, table: str) -> list[Dismissal]:
        """What people called false alarms in a table; read once a call."""
        with self._one:
            if self._dismissals is None:
                self._dismissals = self.records.dismissals()
            return [one for one in self._dismissals if one.table == table]

    def erasures(self) -> list[dict[str, Any]]:
        """Who was erased, as keyed hashes; read once a call."""
        with self._one:
            if self._erasures is None:
                self._erasures = self.records.erasures()
            return self._erasures

    def note_erasures(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put on record who is erased."""
        self.records.add("erasures", rows)
        self._erasures = None

    def dismiss(self, made: Sequence[Dismissal]) -> None:
        """Put on record what a person calls a false alarm."""
        self.records.add("dismissals", [dict(vars(one)) for one in made])
        self._dismissals = None

    def pin(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Write down the files that a batch is about to read."""
        with self._one:
            known = self.ledger(table)
            self.records.add("files", rows)
            known.extend(rows)
