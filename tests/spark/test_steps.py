"""The built-in steps: the example of each docstring runs, and what else they promise of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.conf.nodes import Listing, from_python, to_python
from headgate.conf.shapes import At
from headgate.conf.steps import STEPS, told
from headgate.core import steps as S
from headgate.core.errors import Fault
from headgate.stages.examples import same_value
from headgate.stages.shape import shape
from headgate.transforms.hidden import REASONS, RECORD, user_columns
from headgate.transforms.steps import Around

Row = Mapping[str, Any]
WINDOW = "2026-11-01"


def made(written: Any) -> tuple[S.Step, ...]:
    """Steps as a file writes them."""
    faults: list[Fault] = []
    node = written if isinstance(written, Listing) else from_python(written, "steps")
    found: tuple[S.Step, ...] = STEPS.read(node, At(faults))
    assert faults == []
    return found


def frame(spark: SparkSession, rows: Sequence[Row], types: Mapping[str, str]) -> DataFrame:
    """Rows as an ingested table holds them, of one window unless they say another."""
    kinds = {bool: "boolean", int: "int", float: "double", str: "string"}
    names = dict.fromkeys(name for row in rows for name in row)
    shown = {n: next((v for row in rows if (v := row.get(n)) is not None), "") for n in names}
    schema = {n: types.get(n) or kinds[type(value)] for n, value in shown.items()}
    texts = [[*(_as_text(row.get(n)) for n in names), str(at)] for at, row in enumerate(rows)]
    told_by = [F.from_json if kind[-1] == ">" else None for kind in schema.values()]
    raw = spark.createDataFrame(texts, ", ".join(f"`{n}` string" for n in [*names, "_row"]))
    columns = [
        (F.from_json(F.col(n), kind) if nested else F.col(n).cast(kind)).alias(n)
        for (n, kind), nested in zip(schema.items(), told_by, strict=True)
    ]
    own = [] if "_window" in names else [F.lit(WINDOW).alias("_window")]
    typed = raw.select(*columns, *own, F.lit("a.csv").alias("_file"), F.col("_row").cast("int"))
    return typed.select("*", F.struct("*").alias(RECORD)).localCheckpoint()


def _as_text(value: Any) -> str | None:
    import json

    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def after(
    spark: SparkSession,
    steps: Any,
    rows: Sequence[Row],
    types: Mapping[str, str] | None = None,
    beside: Mapping[str, Sequence[Row]] | None = None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], DataFrame]:
    """The good rows and the rejected ones, and the frame that holds them."""
    tables = {name: frame(spark, given, {}) for name, given in (beside or {}).items()}
    given = frame(spark, rows, types or {})
    shaped = shape(given, made(steps), Around(tables), None, WINDOW)
    found = [row.asDict(recursive=True) for row in shaped.df.collect()]
    good = [row for row in found if row.get(REASONS) is None]
    thrown = [row for row in found if row.get(REASONS) is not None]
    came = [{**row, **row[RECORD]} for row in thrown]
    return good, came, shaped.df


def alike(expected: Row, actual: Row) -> bool:
    reasons = [expected["reasons"]] if "reasons" in expected else []
    named = {name: value for name, value in expected.items() if name != "reasons"}
    said = all(list(one) == actual[REASONS] for one in reasons)
    return said and all(n in actual and same_value(v, actual[n]) for n, v in named.items())


def assert_like(expected: Sequence[Row], actual: Sequence[Row]) -> None:
    left = list(actual)
    for one in expected:
        found = next((row for row in left if alike(one, row)), None)
        assert found is not None, (one, actual)
        left.remove(found)
    assert not left


@pytest.mark.parametrize("step", S.BUILT_IN, ids=lambda step: step.name)
def test_the_example_of_each_docstring(spark: SparkSession, step: type[S.Step]) -> None:
    node = told(step).node
    example = to_python(node)
    assert {*example} <= {"given", "types", "beside", "steps", "written", "rejected"}
    good, rejected, df = after(
        spark, node.get("steps"), example["given"], example.get("types"), example.get("beside")
    )
    assert_like(example["written"], good)
    assert_like(example.get("rejected", ()), rejected)
    columns: S.Columns = tuple(dict.fromkeys(n for row in example["given"] for n in row))
    for one in made(node.get("steps")):
        columns = one.columns_after(columns)
    assert columns is None or {*columns} == {*user_columns(df.columns)}
