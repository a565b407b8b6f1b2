"""Whole numbers for values, in the order in which they were first seen: given once, kept for good.

A list of ids has the value, its `_id` from 1, and `_since`: the first `as_of` whose rows had it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from headgate.transforms.hidden import column

ID, SINCE = "_id", "_since"  # no column of a contract is called so


def first_seen(rows: DataFrame, name: str) -> DataFrame:
    """Each value of a column with the first `as_of` that has it, and how many rows it had then."""
    counted = rows.where(column(name).isNotNull()).groupBy(column(name).alias(name), "as_of")
    by_moment = counted.agg(F.count(F.lit(1)).alias("__rows"))
    return by_moment.groupBy(column(name).alias(name)).agg(
        F.min("as_of").alias(SINCE), F.min_by("__rows", "as_of").alias("__rows")
    )


def without_known(seen: DataFrame, known: DataFrame | None, name: str) -> DataFrame:
    """The values that have no id yet."""
    if known is None:
        return seen
    return seen.join(known.select(column(name)), [name], "left_anti")


def given(seen: DataFrame, known: DataFrame | None, name: str) -> DataFrame:
    """Ids for the values that have none: those seen first come first, then what more rows have.

    So windows that run together give the ids that they give one after the other. An id whose value
    was forgotten is not given again.
    """
    order = Window.orderBy(SINCE, F.col("__rows").desc(), column(name))
    place = F.row_number().over(order)
    new = without_known(seen, known, name)
    if known is None:
        return new.select(column(name), place.alias(ID), SINCE)
    last = known.agg(F.coalesce(F.max(ID), F.lit(0)).alias("__last"))
    numbered = new.crossJoin(F.broadcast(last))
    return numbered.select(column(name), (F.col("__last") + place).cast("int").alias(ID), SINCE)


def first_categories(
    rows: DataFrame, names: Sequence[str], known: Mapping[str, Collection[str | None]], most: int
) -> DataFrame:
    """The next categories of some columns: `name`, `value`, `_since`, in the order of their ids."""
    pairs = [F.struct(F.lit(n).alias("name"), column(n).cast("string").alias("value"))
             for n in names]  # fmt: skip
    shown = rows.select(F.explode(F.array(*pairs)).alias("one"), "as_of").select("one.*", "as_of")
    shown = shown.where(F.col("value").isNotNull())
    counted = shown.groupBy("name", "value", "as_of").agg(F.count(F.lit(1)).alias("__rows"))
    seen = counted.groupBy("name", "value").agg(
        F.min("as_of").alias(SINCE), F.min_by("__rows", "as_of").alias("__rows")
    )
    for name, values in known.items():
        told = [value for value in values if value is not None]
        if told:
            seen = seen.where((F.col("name") != name) | ~F.col("value").isin(told))
    order = Window.partitionBy("name").orderBy(SINCE, F.col("__rows").desc(), "value")
    placed = seen.select("name", "value", SINCE, F.row_number().over(order).alias("__place"))
    return placed.where(F.col("__place") <= most).orderBy("name", "__place")
