"""Feature rows in the shapes that ratings, graphs and baskets have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.formats import FIRST, MISSING, OTHER, Format, Split
from headgate.transforms.hidden import column
from headgate.transforms.ids import ID

_OF_ALL = 10_000  # shares of the entities are told to a hundredth of a percent


def with_ids(rows: DataFrame, name: str, made: str, ids: DataFrame) -> DataFrame:
    """The rows with the id of one of their columns, which all of its values have."""
    there = ids.where(column(name).isNotNull()).select(
        column(name).alias("__value"), F.col(ID).cast("int").alias(made)
    )
    return rows.join(there, column(name) == F.col("__value"), "inner").drop("__value")


def ratings(
    rows: DataFrame, form: Format, keys: Sequence[str], ids: Mapping[str, DataFrame]
) -> DataFrame:
    """Who rates what, and how much, as ALS takes it."""
    assert form.rating is not None  # the reader saw to it
    for name, made in form.numbered.items():
        rows = with_ids(rows, name, made, ids[name])
    return rows.select(
        *map(column, keys), "as_of", "user", "item",
        column(form.rating).cast("float").alias("rating"),
    )  # fmt: skip


def edges(rows: DataFrame, form: Format, keys: Sequence[str]) -> DataFrame:
    """Edges with their weight. The ends stay what they are."""
    assert form.src is not None  # the reader saw to it
    assert form.dst is not None
    assert form.weight is not None
    made = {"src": column(form.src), "dst": column(form.dst)}
    ends = [value.alias(name) for name, value in made.items() if name not in keys]
    weight = column(form.weight).cast("double").alias("weight")
    return rows.select(*map(column, keys), "as_of", *ends, weight)


def vertices(rows: DataFrame) -> DataFrame:
    """What edges begin or end at, once each."""
    ends = rows.select(column("src").alias("id")).unionAll(rows.select(column("dst").alias("id")))
    return ends.distinct()


def baskets(rows: DataFrame, form: Format, keys: Sequence[str]) -> DataFrame:
    """What each entity has, once each and in order: the same rows make the same basket."""
    assert form.items is not None  # the reader saw to it
    return rows.select(*map(column, keys), "as_of", _sorted_set(column(form.items)).alias("items"))


def _sorted_set(items: Column) -> Column:
    return F.coalesce(F.array_sort(F.array_distinct(F.array_compact(items))), F.array())


def place(value: Column, ids: Mapping[str | None, int]) -> Column:
    """Where a category stands: what has no id is `other`, and null has a place of its own."""
    known = [F.lit(one) for text, at in ids.items() if text is not None  # erased, but its id stays
             for one in (text, at + FIRST - 1)]  # fmt: skip
    found = F.try_element_at(F.create_map(*known), value.cast("string")) if known else F.lit(None)
    return F.when(value.isNull(), F.lit(MISSING)).otherwise(
        F.coalesce(found.cast("int"), F.lit(OTHER))
    )


def one_hot(at: Column, places: int) -> Column:
    """An array of so many numbers: 1 at a place, else 0."""
    every = F.sequence(F.lit(0), F.lit(places - 1))
    return F.transform(every, lambda one: (one == at).cast("double"))


def weighted(rows: DataFrame) -> DataFrame:
    """The rows with a `weight`: as of each moment all labels together weigh the same."""
    counts = (
        rows.where("label IS NOT NULL")
        .groupBy("as_of", "label")
        .agg(F.count(F.lit(1)).alias("__rows"))
    )
    whole = counts.groupBy("as_of").agg(
        F.sum("__rows").alias("__all"), F.count(F.lit(1)).alias("__labels")
    )
    weight = F.col("__all") / (F.col("__labels") * F.col("__rows"))
    weights = counts.join(whole, "as_of").select("as_of", "label", weight.alias("weight"))
    return rows.join(F.broadcast(weights), ["as_of", "label"], "left").select(
        *rows.columns, "weight"
    )


def part_of(split: Split, keys: Sequence[str], ahead: int = 0) -> Column:
    """Whether a row is to train, validate or test.

    By time, a label that looks `ahead` into the days of the next part is in none of them.
    """
    if split.by == "entity":
        return _by_entity(split, keys)
    until = F.col("as_of") + F.expr(f"INTERVAL {ahead} DAYS")
    found, next_part = F.lit(None).cast("string"), None
    for name, first in (
        ("test", split.test),
        ("validation", split.validation),
        ("train", date.min),
    ):
        if not isinstance(first, date):
            continue
        whole = F.lit(True) if next_part is None else until <= next_part
        begins = F.to_timestamp(F.lit(first.isoformat()))
        mine = F.col("as_of") > begins if name != "train" else F.lit(True)
        later = F.col("as_of") <= next_part if next_part is not None else F.lit(True)
        found = F.when(mine & later & whole, F.lit(name)).otherwise(found)
        next_part = begins
    return found


def _by_entity(split: Split, keys: Sequence[str]) -> Column:
    """By a hash of the key as text: it stays when data grows, and when a number gets wider."""
    place = F.pmod(F.xxhash64(*[column(key).cast("string") for key in keys]), F.lit(_OF_ALL))
    validation = round(float(split.validation or 0) * _OF_ALL)  # type: ignore[arg-type]
    test = round(float(split.test or 0) * _OF_ALL)  # type: ignore[arg-type]
    return (
        F.when(place < validation, F.lit("validation"))
        .when(place < validation + test, F.lit("test"))
        .otherwise(F.lit("train"))
    )
