"""Feature rows with one vector, as the learners of Spark ML take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.formats import Format
from headgate.transforms.formats import one_hot, place
from headgate.transforms.hidden import column


def vectors(
    rows: DataFrame,
    form: Format,
    keys: Sequence[str],
    names: Sequence[str],
    ids: Mapping[str, Mapping[str | None, int]],
) -> DataFrame:
    """The rows with some columns as one vector, and with the label where they are labelled.

    `ids` are those of the categories that are encoded.
    """
    made = [*[column(key) for key in keys], F.col("as_of")]
    if form.kind == "labelled" and form.label:
        made.append(column(form.label).cast("double").alias("label"))
    values = F.concat(*[_values(name, form, ids.get(name, {})) for name in names])
    return rows.select(*made, _vector(rows, values).alias("features"))


def _values(name: str, form: Format, ids: Mapping[str | None, int]) -> Column:
    """What a column puts into the vector: one number, or one for each place."""
    how = form.encode.get(name)
    if how is None:
        return F.array(_known(column(name).cast("double")))
    at = place(column(name), ids)
    return one_hot(at, how.places) if how.as_ == "onehot" else F.array(at.cast("double"))


def _known(value: Column) -> Column:
    """A vector has no nulls: what is not known is no number."""
    return F.coalesce(value, F.lit(float("nan")))


def _vector(rows: DataFrame, values: Column) -> Column:
    """`array_to_vector` without importing Spark's ML package in Python, which is slow."""
    jvm: Any = rows.sparkSession._jvm
    return Column(jvm.org.apache.spark.ml.functions.array_to_vector(values._jc))


def as_arrays(rows: DataFrame) -> DataFrame:
    """The rows with arrays of numbers in the place of vectors."""
    jvm: Any = rows.sparkSession._jvm
    made = []
    for each in rows.schema.fields:
        value = column(each.name)
        if type(each.dataType).__name__ == "VectorUDT":
            plain = jvm.org.apache.spark.ml.functions.vector_to_array(value._jc, "float64")
            # Of a label that met nothing there is no vector, which the function does not take.
            value = F.when(value.isNotNull(), Column(plain)).alias(each.name)
        made.append(value)
    return rows.select(*made)
