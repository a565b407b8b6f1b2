"""What rows hold, whatever their order: counts and sums of hashes, by slice and by column."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.transforms.hidden import AS_JSON, column

SLICE, ROWS = "__slice", "__rows"
_DIGITS = "%.9e"  # of a fraction: sums of floating point differ with the order they are made in


def canonical(df: DataFrame, names: Sequence[str], kinds: T.StructType) -> DataFrame:
    """The rows with these columns, in forms that two ways of making them agree in."""
    there = {name.lower() for name in df.columns}
    made = []
    for name in names:
        if name.lower() not in there:
            made.append(F.lit(None).cast("string").alias(name))
        else:
            made.append(_form(column(name), kinds[name].dataType).alias(name))
    return df.select(*made)


def _form(value: Column, kind: T.DataType) -> Column:
    if isinstance(kind, T.DoubleType | T.FloatType):
        plain = value.cast("double") + F.lit(0.0)  # there is no minus zero
        return F.when(value.isNotNull(), F.format_string(_DIGITS, plain))
    if isinstance(kind, T.StructType | T.ArrayType | T.MapType):
        return F.to_json(value, AS_JSON)
    return value.cast("string")


def contents(df: DataFrame, slice_of: Column, names: Sequence[str]) -> DataFrame:
    """One row a slice: how many rows it has, and for all columns and each one the sum of hashes."""

    def total(value: Column) -> Column:
        return F.sum(F.xxhash64(value).cast("decimal(38,0)"))

    whole = F.struct(*map(column, names))
    sums = [total(column(name)).alias(f"__sum{at}") for at, name in enumerate(names)]
    return df.groupBy(slice_of.alias(SLICE)).agg(
        F.count(F.lit(1)).alias(ROWS), total(whole).alias("__sum"), *sums
    )
