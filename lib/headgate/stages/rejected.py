"""Rejected rows as people look at them: counted, listed, and with their own typed columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.window import Window

from headgate.core.keys import SEALED
from headgate.core.lives import PRIVATE
from headgate.core.records import RunRecord
from headgate.core.spec import Clean, Ingested, Table
from headgate.stages.lake import Lake
from headgate.storage.quarantine import COLUMNS
from headgate.transforms.contract import converted
from headgate.transforms.hidden import user_columns

SCHEMA = (
    "_record string, _reasons array<string>, _window string, _run string, _file string,"
    " _row bigint, _state string"
)


def open_rows(lake: Lake, names: Sequence[str]) -> dict[str, int]:
    """How many rejected rows of each table wait for somebody: one job for all."""
    rows = _all(lake, names)
    if rows is None:
        return {}
    found = rows.where("_state = 'open'").groupBy("table").count().collect()
    return {row["table"]: row["count"] for row in found}


def counted(lake: Lake, names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows by table, window, reason and state; a row with two reasons counts under each."""
    rows = _all(lake, names)
    if rows is None:
        return []
    by = ("table", "window", "reason", "state")
    one = rows.select(
        "table",
        F.col("_window").alias("window"),
        F.explode("_reasons").alias("reason"),
        F.col("_state").alias("state"),
    )
    found = one.groupBy(*by).agg(F.count(F.lit(1)).alias("rows")).orderBy(*by).collect()
    return [row.asDict() for row in found]


def unsealed(lake: Lake, table: str, rows: DataFrame) -> DataFrame:
    """Rejected rows with their records in plain, where they are sealed and the key is at hand."""
    spec = lake.suite.tables[table]
    return lake.guard(spec).opened(rows, "_record") if lake.opens(spec) else rows


def listed(lake: Lake, names: Sequence[str], most: int) -> list[dict[str, Any]]:
    """Some rejected rows, whole: open ones first, then the newest windows."""
    rows = _all(lake, names, plain=True)
    if rows is None:
        return []
    order = (F.col("_state") != "open", F.col("_window").desc(), "table", "_file", "_row")
    shown = rows.orderBy(*order).limit(most)
    return [row.asDict() for row in shown.select("table", *_named()).collect()]


def _named() -> list[Column]:
    """The columns of quarantine under plain names; a record that no key has opened is not told."""
    sealed = F.col("_record").startswith(SEALED) | F.col("_record").isNull()
    made = {"_record": F.when(sealed, PRIVATE).otherwise(F.col("_record"))}
    return [made.get(name, F.col(name)).alias(name.removeprefix("_")) for name in COLUMNS]


def examples_of(lake: Lake, record: RunRecord, most: int) -> list[dict[str, Any]]:
    """Some rows that a run rejected, no two for the same reasons while there are others."""
    if not record.rows.quarantined or (rows := _all(lake, [record.table])) is None:
        return []
    alike = Window.partitionBy("_reasons").orderBy("_file", "_row", "_record")
    mine = rows.where(F.col("_run") == record.run).withColumn("nth", F.row_number().over(alike))
    shown = mine.orderBy("nth", "_file", "_row").limit(most).select(*_named())
    return [row.asDict() for row in shown.collect()]


def total(lake: Lake, names: Sequence[str]) -> int:
    """All rejected rows of some tables."""
    rows = _all(lake, names)
    return 0 if rows is None else rows.count()


def _all(lake: Lake, names: Sequence[str], *, plain: bool = False) -> DataFrame | None:
    """The quarantines of these tables as one; None where no run ever rejected a row."""
    rejecting = {r.table for r in lake.history.records if r.rows.quarantined} & set(names)
    found = []
    for name in names:
        rows = lake.quarantine(name).rows() if name in rejecting else None
        if rows is not None:
            rows = unsealed(lake, name, rows) if plain else rows
            found.append(rows.select(F.lit(name).alias("table"), *COLUMNS))
    return reduce(DataFrame.unionByName, found) if found else None


def typed(lake: Lake, table: Table) -> DataFrame:
    """Rejected rows with their own columns and types, as they entered the table."""
    rows = lake.quarantine(table.name).rows()
    if rows is None:
        rows = lake.spark.createDataFrame([], SCHEMA)
    rows = unsealed(lake, table.name, rows)
    if isinstance(table, Ingested):
        rows, own = _contract(rows, table)
    else:
        own = _parsed(lake, table)
    system = [name for name in COLUMNS if name != "_record"]
    return rows.select(*own, *system, "_record")


def _contract(rows: DataFrame, table: Ingested) -> tuple[DataFrame, list[Column]]:
    """The contract's columns from the texts of the file; null where they did not fit."""
    said = F.from_json("_record", "map<string,string>")
    texts, values = [], []
    for place, (name, spec) in enumerate(table.columns.items()):
        texts.append(said[name].alias(f"__{place}"))
        values.append(converted(f"__{place}", T.StringType(), spec)[0].alias(name))
    return rows.select("*", *texts), values


def _parsed(lake: Lake, table: Table) -> list[Column]:
    """The columns of the input, as its rows were when they were written down as JSON."""
    source = next(iter(table.reads.values())) if isinstance(table, Clean) else table.name
    schema = _schema(lake, source)
    names = user_columns(schema.names)
    if not names:
        return []
    parsed = F.from_json("_record", T.StructType([schema[name] for name in names]))
    return [parsed.getField(name).alias(name) for name in names]


def _schema(lake: Lake, name: str) -> T.StructType:
    """A table's columns as it stands, or as its contract says where it was never published."""
    if lake.version(name) is not None:
        return lake.delta(name).schema()
    table = lake.suite.tables[name]
    columns = table.columns if isinstance(table, Ingested) else {}
    kinds = {
        name: T._parse_datatype_string(spec.kept) for name, spec in columns.items() if spec.kept
    }
    return T.StructType([T.StructField(name, kind) for name, kind in kinds.items()])
