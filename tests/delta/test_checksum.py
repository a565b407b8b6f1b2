"""Small tables are read by their checksum: the rows are those that Delta reads, always."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from headgate.storage.tables import DeltaTable

Change = Callable[[SparkSession, str], object]
ONE = "SELECT 1 AS id, 'a b=c' AS `name`, '2026-11-01' AS _window"
MORE = "SELECT 2 AS id, 'x' AS `name`, '2026-11-02T05' AS _window, 3.5D AS later"


def sql(*statements: str) -> Change:
    """Statements on the table, which stands in them as `it`."""

    def change(spark: SparkSession, path: str) -> None:
        for statement in statements:
            spark.sql(re.sub(r"\bit\b", f"delta.`{path}`", statement))

    return change


def no_checksum(path: str) -> None:
    for one in Path(path, "_delta_log").glob("*.crc"):
        one.unlink()


PLAIN: dict[str, Change] = {
    "partitions": sql("INSERT INTO it VALUES (2, 'x', '2026-11-02T05'), (3, 'y', '2026 %:/')"),
    "a partition without a value": sql("INSERT INTO it VALUES (3, 'y', null)"),
    "no rows at all": sql("DELETE FROM it"),
}
NOT_PLAIN: dict[str, Change] = {
    "rows that are marked as deleted": sql(
        "ALTER TABLE it SET TBLPROPERTIES (delta.enableDeletionVectors = true)",
        "INSERT INTO it SELECT /*+ COALESCE(1) */ id, 'z', '2026-11-01' FROM range(5, 9)",
        "DELETE FROM it WHERE id = 7",
    ),
    "columns that are called otherwise in files": sql(
        "ALTER TABLE it SET TBLPROPERTIES (delta.columnMapping.mode = 'name', "
        "delta.minReaderVersion = 2, delta.minWriterVersion = 5)",
        "ALTER TABLE it RENAME COLUMN name TO other",
    ),
    "a later column, which leaves the files unsaid": lambda spark, path: (
        spark.sql(MORE).write.format("delta").mode("append").option("mergeSchema", True).save(path)
    ),
    "more files than are named": sql(
        "INSERT INTO it SELECT int(id), 'm', 'w' || id FROM range(60)"
    ),
    "no checksum": lambda _, path: no_checksum(path),
    "a checksum that is cut off": lambda _, path: Path(
        path, "_delta_log", f"{0:020d}.crc"
    ).write_text('{"allFiles": ['),
}


@pytest.mark.parametrize(
    ("change", "plain"),
    [*((c, True) for c in PLAIN), *((c, False) for c in NOT_PLAIN)],
)
def test_the_rows_are_those_that_delta_reads(
    change: str, plain: bool, spark: SparkSession, tmp_path: Path
) -> None:
    path = f"{tmp_path}/a table"
    spark.sql(ONE).write.format("delta").partitionBy("_window").save(path)
    (PLAIN | NOT_PLAIN)[change](spark, path)
    table = DeltaTable(spark, path)
    latest = table.latest()
    assert latest is not None
    told = table.checksum(latest)
    assert (told is not None and told.rows(spark, path) is not None) is plain
    for version in (None, latest, 0):
        reader = spark.read.format("delta")
        delta = reader.load(path) if version is None else (
            reader.option("versionAsOf", version).load(path)
        )  # fmt: skip
        mine = table.read(version)
        assert mine.schema == delta.schema == table.schema(version)
        assert sorted(map(str, mine.collect())) == sorted(map(str, delta.collect()))
    for windows in (["2026-11-01"], ["2026 %:/", "w3"]):
        some, whole = table.read(windows=windows), spark.read.format("delta").load(path)
        wanted = whole.where(whole["_window"].isin(windows))
        assert sorted(map(str, some.collect())) == sorted(map(str, wanted.collect()))


def test_a_window_of_many_files_is_read_by_its_own(spark: SparkSession, tmp_path: Path) -> None:
    path = f"{tmp_path}/t"
    spark.sql(ONE).write.format("delta").partitionBy("_window").save(path)
    sql("INSERT INTO it SELECT int(id), 'm', 'w' || id FROM range(60)")(spark, path)

    rows = DeltaTable(spark, path).read(windows=["w3", "w59"])

    assert sorted(row["id"] for row in rows.collect()) == [3, 59]
    assert len(rows.inputFiles()) == 2
    plan = rows._jdf.queryExecution().executedPlan().toString()
    assert "InMemoryFileIndex" in plan  # not Delta's, which asks by a job
