"""Rows that a person wrote down as the inputs of a table: typed, in memory, no lake touched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import Usage
from headgate.core.records import History, RunRecord
from headgate.core.results import Gate, Rows
from headgate.core.spec import Features, Ingested, Mart, Suite, Table
from headgate.stages.counting import Counter
from headgate.stages.ingest import matched
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of
from headgate.stages.preview import accepted_rows, ended
from headgate.stages.slices import Slices, named_period
from headgate.stages.standing import grain_of
from headgate.stages.work import Due, Work
from headgate.storage.files import files_for
from headgate.storage.raw import Shape
from headgate.storage.records import Records, literal_rows
from headgate.storage.tables import DeltaTable
from headgate.storage.targets import ByWindow
from headgate.transforms.contract import cast_text, to_contract
from headgate.transforms.hidden import TEXT, column, user_columns
from headgate.transforms.marts import period_of

Given = Mapping[str, Sequence[Mapping[str, Any]]]
SYSTEM = {
    "_file": T.StringType(),
    "_row": T.LongType(),
    "_window": T.StringType(),
    "_ingested_at": T.TimestampType(),
    "_rescued": T.StringType(),
}
SOME_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - the time of rows that say none, in any zone
FILE = "example"


class InMemory(DeltaTable):
    """A table that is nowhere but in memory."""

    def __init__(self, spark: SparkSession, rows: DataFrame) -> None:
        self.spark, self.path, self._rows = spark, "memory", rows

    def versions(self) -> list[int]:
        return [0]

    def read(self, version: int | None = None) -> DataFrame:
        return self._rows


@dataclass
class GivenLake(Lake):
    """A lake that holds the given rows, and empty tables for all others."""

    rows: dict[str, DataFrame] = field(default_factory=dict)

    @staticmethod
    def of(spark: SparkSession, suite: Suite) -> GivenLake:
        nowhere = files_for("nowhere")
        return GivenLake(spark, suite, History(), Records(spark, "nowhere"), nowhere)

    def delta(self, table: str) -> DeltaTable:
        if table not in self.rows:
            schema = columns_of(self, self.suite.tables[table])
            self.rows[table] = self.spark.createDataFrame([], schema)
        return InMemory(self.spark, self.rows[table])

    def took(self, table: str, windows: Sequence[str]) -> None:
        """Put windows on this lake's record as published."""
        for place, window in enumerate(windows):
            at = SOME_DAY.isoformat()
            self.history.add(
                RunRecord(
                    run=f"{place}", suite=self.suite.name, job="", table=table, window=window,
                    status="published", started_at=at, finished_at=at, seconds=0.0, rows=Rows(),
                    gate=Gate(), version=0, message=None, exit_code=0, fingerprint="given",
                    causes="given",
                )  # fmt: skip
            )


def columns_of(lake: Lake, table: Table) -> T.StructType:
    """The columns that a table would have, from its contract or from what makes it."""
    if isinstance(table, Ingested):
        kinds = {n: T._parse_datatype_string(c.type) for n, c in table.columns.items()} | SYSTEM
        return T.StructType([T.StructField(name, kind) for name, kind in kinds.items()])
    slices = grain_of(lake, table).of(SOME_DAY)
    rows, _ = ended(layer_of(table).work(lake, table, [Due(slices, "given", "")]), None)
    return accepted_rows(rows).schema


def work_on(spark: SparkSession, suite: Suite, table: Table, given: Given) -> tuple[Work, int]:
    """The work of a table on given rows, and how many rows its main input has."""
    if isinstance(table, Ingested):
        return _ingest(spark, suite, table, given)
    lake = GivenLake.of(spark, suite)
    named = _inputs(table)
    for name, rows in given.items():
        if name not in named:
            raise _unknown("input", name, [n for n in named if "." not in n], table)
        source = named[name]
        lake.rows[source] = _typed(lake, suite.tables[source], rows, table, name)
        windows = {str(row.get("_window", _default_window(lake))) for row in rows}
        lake.took(source, sorted(windows))
    main = _main(table)
    counts = {named[name]: len(rows) for name, rows in given.items()}
    slices = _slices(lake, table, main)
    due = [Due(one, "given", "") for one in slices]
    return layer_of(table).work(lake, table, due), counts.get(main, 0)


def _main(table: Table) -> str:
    reads: Mapping[str, str] = getattr(table, "reads", {})
    return reads[table.period_input] if isinstance(table, Mart) else next(iter(reads.values()))


def _inputs(table: Table) -> dict[str, str]:
    """The tables that rows may be given of, by every name they have."""
    named: dict[str, str] = dict(getattr(table, "reads", {}))
    for full in table.inputs:
        named.setdefault(full.partition(".")[2], full)
        named.setdefault(full, full)
    return named


def _default_window(lake: Lake) -> str:
    return lake.suite.window.of(SOME_DAY)


def _slices(lake: GivenLake, table: Table, main: str) -> list[str]:
    """The slices that the given rows make due."""
    rows = lake.delta(main).read()
    if isinstance(table, Mart):
        grain = grain_of(lake, table)
        period = period_of(column(table.period_column), table.period.grain).cast("string")
        found = rows.select(period.alias("period")).distinct().collect()
        periods = {named_period(row["period"], grain) for row in found if row["period"]}
        return sorted(periods) or [grain.of(SOME_DAY)]
    if isinstance(table, Features):
        return [_newest(lake, table)]
    return sorted(lake.history.published(main)) or [_default_window(lake)]


def _newest(lake: GivenLake, table: Features) -> str:
    """The window that the newest event is in, or that rows name where they do."""
    grain, moments = grain_of(lake, table), []
    for name, source in table.reads.items():
        time = column(table.time_of(name)).cast("timestamp").cast("string")
        newest = lake.delta(source).read().agg(F.max(time).alias("at")).collect()[0]["at"]
        if newest:
            moments.append(datetime.fromisoformat(newest[:19]))
    at = max(moments, default=SOME_DAY)
    known = {w for source in table.reads.values() for w in lake.history.published(source)}
    named = sorted(known - {_default_window(lake)})
    for source in table.reads.values():
        lake.took(source, [lake.suite.window.of(at)])
    return grain.of(lake.suite.window.start(named[-1])) if named else grain.of(at)


def _typed(
    lake: Lake, source: Table, rows: Sequence[Mapping[str, Any]], table: Table, name: str
) -> DataFrame:
    """The given rows in the types of the table that they stand for."""
    schema = columns_of(lake, source)
    kinds = {field.name: field.dataType for field in schema.fields}
    for row in rows:
        for key in row:
            if key not in kinds:
                raise _unknown(f"column of {source.name}", key, user_columns(list(kinds)), table)
    window = _default_window(lake)
    at = str(lake.suite.window.start(window))
    defaults = {"_file": FILE, "_window": window, "_ingested_at": at}
    filled = [{**defaults, "_row": n, **row} for n, row in enumerate(rows, 1)]
    texts = _texts(lake.spark, filled, list(kinds))
    made = {
        key: F.expr(cast_text(f"c{place}", T.StringType(), kind, None))
        for place, (key, kind) in enumerate(kinds.items())
    }
    _all_fit(texts, made, kinds, table, name)
    return texts.select([value.alias(key) for key, value in made.items()])


def _all_fit(
    texts: DataFrame, made: Mapping[str, Any], kinds: Mapping[str, T.DataType], table: Table,
    name: str,
) -> None:  # fmt: skip
    """Say which written value is not of its column's type."""
    wrong = [
        F.count(F.when(F.col(f"c{place}").isNotNull() & value.isNull(), 1)).alias(f"c{place}")
        for place, value in enumerate(made.values())
    ]
    found = texts.agg(*wrong).collect()[0]
    for place, (key, kind) in enumerate(kinds.items()):
        if found[f"c{place}"]:
            raise Usage(
                f"a given value of {key} is not a {kind.simpleString()}",
                where=f"{table.name}, rows of {name}",
                next=f"write a {kind.simpleString()}, or null",
            )


def _texts(
    spark: SparkSession, rows: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> DataFrame:
    """Rows of texts, with the columns c0, c1, …"""
    made = [{f"c{n}": as_text(row.get(name)) for n, name in enumerate(names)} for row in rows]
    return literal_rows(spark, made, ", ".join(f"c{n} string" for n in range(len(names))))


def as_text(value: Any) -> str | None:
    """A Python value as a file would hold it.

    >>> as_text(True), as_text(2.5), as_text({"a": 1}), as_text(None)
    ('true', '2.5', '{"a": 1}', None)
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=str)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def _ingest(
    spark: SparkSession, suite: Suite, table: Ingested, given: Given
) -> tuple[Work, int]:
    """Given rows are texts under the file's own column names; what they leave out is null."""
    for name in given:
        if name not in (table.short, table.name, "file"):
            raise _unknown("input", name, [table.short], table)
    rows = [row for rows in given.values() for row in rows]
    lake = GivenLake.of(spark, suite)
    contract = [column.from_ or name for name, column in table.columns.items()]
    extras = [name for row in rows for name in row if not name.startswith("_")]
    names = list(dict.fromkeys((*contract, *extras)))
    window = _default_window(lake)
    windows = sorted({str(row.get("_window", window)) for row in rows}) or [window]

    def read(wanted: Sequence[str], *, with_record: bool, counter: Counter | None) -> DataFrame:
        chosen = [row for row in rows if str(row.get("_window", window)) in wanted]
        raw = _raw(spark, chosen, names, window, str(suite.window.start(window)))
        shape = Shape(tuple((f"c{n}", name) for n, name in enumerate(names)))
        sources, rest = matched(table, shape, FILE)
        return to_contract(
            raw, table.columns, sources, rest, table.on_change, with_record=with_record
        )

    work = Work(
        table=table,
        slices=Slices(tuple(windows), suite.window),
        due={one: Due(one, "given", "") for one in windows},
        read=read,
        target=ByWindow(spark, "nowhere"),
    )
    return work, len(rows)


def _raw(
    spark: SparkSession, rows: Sequence[Mapping[str, Any]], names: Sequence[str], window: str,
    at: str,
) -> DataFrame:  # fmt: skip
    """Rows as a reader of files gives them."""
    system = ("_file", "_row", "_window", "_ingested_at")
    defaults = {"_file": FILE, "_window": window, "_ingested_at": at}
    filled = [{**defaults, "_row": n, **row} for n, row in enumerate(rows, 1)]
    texts = _texts(spark, filled, [*names, *system])
    kept = [F.col(f"c{n}") for n in range(len(names))]
    own = [
        F.col(f"c{len(names) + n}").cast(SYSTEM[name]).alias(name) for n, name in enumerate(system)
    ]
    return texts.select(*kept, F.lit(None).cast("string").alias(TEXT), *own)


def _unknown(what: str, name: str, known: Sequence[str], table: Table) -> Usage:
    close = get_close_matches(name, known, 1, 0.5)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    return Usage(
        f"unknown {what}: '{name[:60]}'{hint}",
        where=table.name,
        next=f"one of {', '.join(list(known)[:20])}",
    )
