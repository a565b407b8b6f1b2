"""What a run made of the rows that earlier runs of its windows had rejected."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.spec import Table
from headgate.stages.corrections import repaired
from headgate.stages.lake import Lake
from headgate.storage.tables import DeltaTable
from headgate.transforms.corrections import PLACE

REPLAY = "replay"  # how the reason begins why a replayed window ran, in its record
KEY = "__key"


def left(
    lake: Lake,
    table: Table,
    runs: Mapping[str, str],
    *,
    published: Collection[str],
    replays: Collection[str],
) -> None:
    """Settle the open rows of windows that a run has decided; `runs` are these by window.

    A row that a person repaired, or had replayed, is replayed once it is published; while the gate
    holds it back it stays open. Any other is superseded.
    """
    quarantine = lake.quarantine(table.name)
    if not runs or not quarantine.exists():
        return
    with_repairs = set(repaired(lake, table))
    looked = sorted(set(runs) & (with_repairs | set(replays)))
    quarantine.supersede({w: run for w, run in runs.items() if w not in looked})
    if not looked:
        return
    rows = quarantine.rows()
    assert rows is not None  # it exists
    rows = rows.where(F.col("_window").isin(looked)).withColumn(KEY, _key(F.col("_record")))
    mine = F.col("_run").isin([runs[window] for window in looked])
    again = _marked(rows.where(mine), "again")
    old = rows.where(~mine & (F.col("_state") == "open")).join(again, ["_window", KEY], "left")
    old = old.join(_marked(_repaired_rows(lake, table, looked), "fixed"), ["_window", KEY], "left")
    there = _there(lake, table, looked)
    known = F.lit(True)
    if there is not None:
        old = old.join(_marked(there, "there"), ["_window", KEY], "left")
        known = F.col("there").isNotNull() | F.col("_file").isNull() | F.col("_row").isNull()
    meant = F.col("fixed").isNotNull() | F.col("_window").isin(list(replays))
    shown = F.col("_window").isin(list(published))
    state = (
        F.when(F.col("again").isNotNull() | ~meant, "superseded")
        .when(~shown, "open")
        .when(known, "replayed")
        .otherwise("superseded")
    )
    quarantine.settle_each(old.withColumn("state", state).where("state <> 'open'"))


def _key(otherwise: Column) -> Column:
    """What tells a row apart within its window: its place, or else what it holds."""
    placed = F.col("_file").isNotNull() & F.col("_row").isNotNull()
    return F.when(placed, F.concat_ws("\0", *PLACE)).otherwise(otherwise)


def _marked(rows: DataFrame, name: str) -> DataFrame:
    return rows.select("_window", KEY).distinct().withColumn(name, F.lit(True))


def _repaired_rows(lake: Lake, table: Table, windows: Collection[str]) -> DataFrame:
    rows = lake.corrections(table.name).rows() if repaired(lake, table) else None
    if rows is None:
        return lake.spark.createDataFrame([], f"_window string, `{KEY}` string")
    mine = rows.where(F.col("_window").isin(list(windows)))
    return mine.withColumn(KEY, _key(F.lit(None).cast("string")))


def _there(lake: Lake, table: Table, windows: Collection[str]) -> DataFrame | None:
    """The accepted rows of windows; None where the table does not tell where its rows are from."""
    path = lake.path(table.name) if lake.by_window(table.name) else lake.store(table.name)
    target = DeltaTable(lake.spark, path)
    if target.latest() is None or not {*PLACE, "_window"} <= set(target.schema().names):
        return None
    return target.read(windows=windows).withColumn(KEY, _key(F.lit(None).cast("string")))
