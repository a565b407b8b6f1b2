"""Feature tables in the forms that Spark ML takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import Usage
from headgate.core.spec import Format
from headgate.transforms.hidden import column


def shaped(rows: DataFrame, form: Format, keys: Sequence[str]) -> DataFrame:
    """The rows as the table's `format` asks: as they are, with a vector, or labelled."""
    if form.kind == "table":
        return rows
    if form.kind not in ("vector", "labelled"):
        raise Usage(f"format kind '{form.kind}' is not yet there", next="table, vector or labelled")
    label = [form.label] if form.label else []
    names = form.columns or [n for n in rows.columns if n not in (*keys, "as_of", *label)]
    values = F.array(*[column(name).cast("double") for name in names])
    made = [*[column(key) for key in keys], F.col("as_of")]
    if form.kind == "labelled" and form.label:
        made.append(column(form.label).cast("double").alias("label"))
    return rows.select(*made, _vector(rows, values).alias("features"))


def _vector(rows: DataFrame, values: Column) -> Column:
    """`array_to_vector` without importing Spark's ML package in Python, which is slow."""
    jvm: Any = rows.sparkSession._jvm
    return Column(jvm.org.apache.spark.ml.functions.array_to_vector(values._jc))
