"""A table's work on given rows: in memory, on a lake that is nowhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.records import History, RunRecord
from headgate.core.results import Gate, Rows
from headgate.core.spec import (
    CHANGE_COLUMNS,
    VERSIONED,
    Clean,
    Features,
    Ingested,
    Mart,
    Suite,
    Table,
)
from headgate.stages.across import pinned
from headgate.stages.counting import Counter
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of
from headgate.stages.matching import matched
from headgate.stages.preview import accepted_rows, ended
from headgate.stages.sample import FILE, SYSTEM, raw_rows, typed_rows, unknown
from headgate.stages.slices import Slices, named_period
from headgate.stages.work import Due, Work
from headgate.storage.files import files_for
from headgate.storage.heads import Shape
from headgate.storage.ids import Ids
from headgate.storage.records import Records
from headgate.storage.tables import DeltaTable, of_windows
from headgate.storage.targets import ByWindow
from headgate.transforms.contract import to_contract
from headgate.transforms.hidden import column
from headgate.transforms.marts import period_of

Given = Mapping[str, Sequence[Mapping[str, Any]]]
SOME_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - the time of rows that say none, in any zone
NOWHERE = "nowhere"


class InMemory(DeltaTable):
    """A table that is nowhere but in memory: it has one version."""

    def __init__(self, spark: SparkSession, rows: DataFrame) -> None:
        self.spark, self.path, self._rows = spark, NOWHERE, rows

    def versions(self) -> list[int]:
        return [0]

    def read(
        self,
        version: int | None = None,  # noqa: ARG002 - there is one
        windows: Collection[str] | None = None,
    ) -> DataFrame:
        return self._rows if windows is None else of_windows(self._rows, windows)

    def checksum(self, version: int) -> None:  # noqa: ARG002 - it is in no file
        return None


@dataclass
class GivenLake(Lake):
    """A lake that holds given rows, and empty tables for all others."""

    rows: dict[str, DataFrame] = field(default_factory=dict)

    @staticmethod
    def of(spark: SparkSession, suite: Suite) -> GivenLake:
        return GivenLake(spark, suite, History(), Records(spark, NOWHERE), files_for(NOWHERE))

    def delta(self, table: str) -> DeltaTable:
        if table not in self.rows:
            schema = columns_of(self, self.suite.tables[table])
            self.rows[table] = self.spark.createDataFrame([], schema)
        return InMemory(self.spark, self.rows[table])

    def ids(self, table: str, name: str) -> Ids:
        return Ids(self.spark, NOWHERE, table, name)

    def corrected_tables(self) -> frozenset[str]:
        return frozenset()

    @property
    def window(self) -> str:
        """The window of rows that say none."""
        return self.suite.window.of(SOME_DAY)

    def take(self, table: str, rows: DataFrame, windows: Sequence[str]) -> None:
        """Hold a table's rows, with these windows on record as published."""
        self.rows[table] = rows
        self.took(table, windows)

    def took(self, table: str, windows: Sequence[str]) -> None:
        at = SOME_DAY.isoformat()
        for window in windows:
            record = RunRecord(
                run=window, suite=self.suite.name, job="", table=table, window=window,
                status="published", started_at=at, finished_at=at, seconds=0.0, rows=Rows(),
                gate=Gate(), version=0, message=None, exit_code=0, fingerprint="given",
                causes="given",
            )  # fmt: skip
            self.history.add(record)


def columns_of(lake: Lake, table: Table) -> T.StructType:
    """The columns that a table would have, from its contract or from what makes it."""
    if isinstance(table, Ingested):
        kept = {name: one.kept for name, one in table.columns.items() if one.kept}
        kinds = {name: T._parse_datatype_string(kind) for name, kind in kept.items()} | SYSTEM
        kinds |= dict.fromkeys(CHANGE_COLUMNS if table.source.changes else (), T.StringType())
        return T.StructType([T.StructField(name, kind) for name, kind in kinds.items()])
    due = Due(lake.grain(table).of(SOME_DAY), "given", "")
    rows, _ = ended(layer_of(table).work(lake, table, [due]), None)
    schema = accepted_rows(rows).schema
    if not (isinstance(table, Clean) and lake.versioned(table.name)):
        return schema
    at = schema[table.latest_by[0]].dataType if table.dated else T.TimestampType()
    own = zip(VERSIONED, (at, at, T.BooleanType()), strict=True)
    return T.StructType([*schema.fields, *(T.StructField(name, kind) for name, kind in own)])


def work_on(spark: SparkSession, suite: Suite, table: Table, given: Given) -> tuple[Work, int]:
    """The work of a table on given rows, and how many rows its main input has."""
    lake, named, counts = GivenLake.of(spark, suite), _inputs(table), dict[str, int]()
    raw: list[Mapping[str, Any]] = []  # what the files of an ingested table hold
    for name, rows in given.items():
        if name not in named:
            known = [each for each in named if "." not in each]
            raise unknown("input", name, known, table.name)
        if named[name] == table.name:
            raw += rows
            continue
        source = suite.tables[named[name]]
        at = str(suite.window.start(lake.window))
        where = f"{table.name}, rows of {name}"
        df = typed_rows(spark, rows, columns_of(lake, source), lake.window, at, where)
        lake.take(source.name, df, sorted({str(r.get("_window", lake.window)) for r in rows}))
        counts[source.name] = len(rows)
    if isinstance(table, Ingested):
        return pinned(lake, _ingest(spark, suite, table, raw)), len(raw)
    main = _main(table)
    due = [Due(one, "given", "") for one in _slices(lake, table, main)]
    return layer_of(table).work(lake, table, due), counts.get(main, 0)


def _main(table: Table) -> str:
    reads: Mapping[str, str] = getattr(table, "reads", {})
    return reads[table.period_input] if isinstance(table, Mart) else next(iter(reads.values()))


def _inputs(table: Table) -> dict[str, str]:
    """The tables that rows may be given of, by every name they have."""
    named: dict[str, str] = dict(getattr(table, "reads", {}))
    own = (table.name,) if isinstance(table, Ingested) else ()
    for full in (*own, *table.inputs):
        named.setdefault(full.partition(".")[2], full)
        named.setdefault(full, full)
    return named


def _slices(lake: GivenLake, table: Table, main: str) -> list[str]:
    """The slices that the given rows make due."""
    if isinstance(table, Mart):
        grain = lake.grain(table)
        period = period_of(column(table.period_column), table.period.grain).cast("string")
        found = lake.delta(main).read().select(period.alias("period")).distinct().collect()
        periods = {named_period(row["period"], grain) for row in found if row["period"]}
        return sorted(periods) or [grain.of(SOME_DAY)]
    if isinstance(table, Features):
        return [_as_of(lake, table)]
    return sorted(lake.history.published(main)) or [lake.window]


def _as_of(lake: GivenLake, table: Features) -> str:
    """The window whose end features are as of: the newest that rows name, else the newest event's.

    What is known of a label ends with the newest event.
    """
    grain, moments = lake.grain(table), [SOME_DAY]
    for name, source in table.reads.items():
        time = column(table.time_of(name)).cast("timestamp").cast("string")
        newest = lake.delta(source).read().agg(F.max(time).alias("at")).collect()[0]["at"]
        if newest:
            moments.append(datetime.fromisoformat(newest[:19]))
    at = max(moments[1:], default=SOME_DAY)
    sources = set(table.reads.values())
    named = {w for source in sources for w in lake.history.published(source)} - {lake.window}
    for source in sources:
        lake.took(source, [lake.suite.window.of(at)])
    return grain.of(lake.suite.window.start(max(named)) if named else at)


def _ingest(
    spark: SparkSession, suite: Suite, table: Ingested, rows: Sequence[Mapping[str, Any]]
) -> Work:
    """Given rows are texts under the file's own column names; what they leave out is null."""
    contract = [column.from_ or name for name, column in table.columns.items()]
    extras = [name for row in rows for name in row if not name.startswith("_")]
    told = CHANGE_COLUMNS if table.source.changes else ()
    names = list(dict.fromkeys((*contract, *extras, *told)))
    window = suite.window.of(SOME_DAY)
    found = sorted({str(row.get("_window", window)) for row in rows}) or [window]

    def read(windows: Sequence[str], *, with_record: bool, counter: Counter | None) -> DataFrame:
        raw = raw_rows(spark, rows, names, window, str(suite.window.start(window)))
        raw = raw.where(F.col("_window").isin(list(windows)))
        shape = Shape.of([name for name in names if name not in told])
        sources, rest = matched(table, shape, FILE)
        usual = (F.lit("insert"), F.lpad(F.col("_row").cast("string"), 12, "0"))
        more = [
            F.coalesce(F.col(f"c{names.index(name)}"), value).alias(name)
            for name, value in zip(told, usual, strict=False)
        ]
        return to_contract(
            raw, table.columns, sources, rest, table.on_change, with_record=with_record, more=more
        )

    return Work(
        table=table,
        slices=Slices(tuple(found), suite.window),
        due={one: Due(one, "given", "") for one in found},
        read=read,
        target=ByWindow(spark, NOWHERE),
    )
