"""What drift measures, on columns of every kind: by one pass that observes, and by groups."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyspark.sql import Observation, SparkSession
from pyspark.sql import functions as F

from headgate.core.contract import Column
from headgate.core.errors import StepFailed
from headgate.core.results import Metric
from headgate.core.rules import METRICS
from headgate.core.spec import Drift, Ingested, Table
from headgate.core.windows import Grain
from headgate.quality.profile_measures import metrics, probes

EVERY = Drift(metrics=tuple(METRICS), time="at")
ROWS = """
    SELECT * FROM VALUES
        (1, 2.5D, 10.00BD, 'NO', true, TIMESTAMP'2026-06-01 10:00:00', 7),
        (2, double('NaN'), 20.00BD, 'NO', false, TIMESTAMP'2026-06-01 23:30:00', 7),
        (3, double('Infinity'), NULL, 'SE', NULL, NULL, 7),
        (4, NULL, 30.00BD, NULL, true, TIMESTAMP'2026-06-01 00:00:00', 7),
        (5, 3.5D, 99.00BD, 'gone', true, NULL, 7)
    AS rows(id, `a.b`, price, country, paid, at, secret)
"""
END = Grain.day.end("2026-06-01")


def found(values: dict[str, Any]) -> dict[tuple[str | None, str], Metric]:
    return {(one.column, one.metric): one for one in metrics(values, END)}


def test_every_kind_of_column(spark: SparkSession) -> None:
    """Both ways give the same; NaN, endless numbers and nested columns stop nothing."""
    df = spark.sql(ROWS).select(
        "*",
        F.array("id").alias("listed"),
        F.create_map(F.lit("k"), "country").alias("mapped"),
        F.struct("id").alias("inner"),
        F.lit("2026-06-01").alias("_window"),
        F.expr("CAST(repeat('9', 38) AS decimal(38,0))").alias("huge"),
        F.encode("country", "utf-8").alias("raw"),
    )
    plain = Column.model_validate({"type": "int"})
    secret = plain.model_copy(update={"privacy": "mask"})
    table = Ingested.model_construct(name="ingested.a", drift=(EVERY,), columns={"secret": secret})
    alive = F.col("id") < 5
    observation = Observation()
    df.observe(
        observation, *[one.alias(name) for name, one in probes(table, df.schema, alive).items()]
    ).write.format("noop").mode("overwrite").save()
    kept = df.where(alive)
    wanted = probes(table, kept.schema)
    row = kept.groupBy("_window").agg(*[one.alias(name) for name, one in wanted.items()])
    (grouped,) = [found(one.asDict()) for one in row.collect()]
    assert found(observation.get) == grouped

    values = {name: one.value for name, one in grouped.items()}
    assert values[None, "row_count"] == 4
    assert values["a.b", "mean"] == 2.5
    assert values["price", "mean"] == 20
    assert grouped["price", "mean"].detail == {"rows": 3, "sd": 10.0}
    assert values["price", "quantiles"] == 20
    assert values["country", "null_share"] == 0.25
    assert values["country", "distinct"] == 2
    counts = grouped["country", "categories"].detail["counts"]
    bucket = kept.selectExpr("pmod(xxhash64('NO'), 1024) b").first()
    assert bucket is not None
    assert counts[str(bucket.b)] == 2
    assert sum(counts.values()) == 3
    assert values["at", "freshness"] == 0.5
    assert values["huge", "mean"] == pytest.approx(1e38)
    of = {column: {m for c, m in values if c == column} for column, _ in values}
    assert of["mapped"] == of["inner"] == of["listed"] == of["id"] == {"null_share"}
    assert of["secret"] == {"null_share", "distinct"}
    assert of["paid"] == of["raw"] == {"null_share", "distinct"}
    assert "_window" not in of
    assert "NO" not in json.dumps([one.plain() for one in grouped.values()])


def test_a_column_that_is_not_there_is_said(spark: SparkSession) -> None:
    df = spark.sql(ROWS)
    for rule, told in (
        (Drift(columns=("pice",)), "drift names the column pice"),
        (Drift(time="nope"), "drift names the column nope"),
        (Drift(time="price"), "no date or timestamp"),
    ):
        with pytest.raises(StepFailed, match=told):
            probes(Table(name="clean.a", drift=(rule,)), df.schema)
