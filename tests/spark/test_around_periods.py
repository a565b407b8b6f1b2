"""The range around periods: no row of theirs is left out, and files can be."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headgate.core.windows import Grain
from headgate.transforms.marts import around, period_of

MOMENTS = (
    "2026-03-28 23:59:59.999999", "2026-03-29 00:00:00", "2026-03-29 03:00:00",
    "2026-03-29 23:59:59.999999", "2026-03-30 00:00:00", "2026-10-25 02:30:00",
    "2025-12-31 23:00:00", "2026-01-01 00:00:00", "1969-12-31 23:59:59", "9999-12-31 12:00:00",
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "zone"),
    [
        ("timestamp", "Europe/Berlin"),
        ("timestamp", "America/Sao_Paulo"),
        ("timestamp_ntz", "Europe/Berlin"),
        ("date", "UTC"),
    ],
)
def test_the_rows_of_each_period_are_in_its_range(
    spark: SparkSession, zone: str, kind: str
) -> None:
    session = spark.newSession()
    session.conf.set("spark.sql.session.timeZone", zone)
    texts = session.createDataFrame([(text,) for text in MOMENTS], "text string")
    rows = texts.select(F.col("text").cast("timestamp_ntz").cast(kind).alias("at"))
    for grain in Grain:
        start = period_of(F.col("at"), grain.value).cast("string").alias("start")
        wanted = Counter(row["start"] for row in rows.select(start).collect())
        found = rows.limit(0).select(start)
        for text in wanted:
            window = grain.of(datetime.fromisoformat(text))
            if window.startswith("9999"):
                continue  # what ends there has no end
            near = around(rows, "at", grain.start(window), grain.end(window)).select(start)
            found = found.unionAll(near.where(F.col("start") == text))
        held = Counter(row["start"] for row in found.collect())
        assert held == Counter({k: n for k, n in wanted.items() if not k.startswith("9999")})


@pytest.mark.parametrize("kind", ["timestamp", "date"])
def test_files_of_other_days_are_left_out(spark: SparkSession, kind: str, tmp_path: Path) -> None:
    path = (tmp_path / "t").as_posix()
    days = spark.sql("SELECT explode(sequence(date'2026-11-01', date'2026-11-20')) AS day")
    rows = days.select(F.col("day").cast(kind).alias("at"), F.col("day").cast("string").alias("d"))
    rows.write.format("delta").partitionBy("d").save(path)  # a file a day

    table = spark.read.format("delta").load(path)
    near = around(table, "at", datetime(2026, 11, 3), datetime(2026, 11, 5))  # noqa: DTZ001

    assert near.count() == 2
    near.collect()
    scan = near._jdf.queryExecution().executedPlan().collectLeaves().head()
    assert scan.metrics().apply("numFiles").value() == 2
