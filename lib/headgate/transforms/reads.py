"""Rows of an increment of a database: without those that are held, and with what changed."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.transforms.contract import literal, quoted
from headgate.transforms.hidden import column

OF_A_READ = ("Op", "_read")  # what is told of each row where keys are compared
_HELD = "__held"


def without_known(rows: DataFrame, held: DataFrame, by: str, lower: str | None) -> DataFrame:
    """Rows less those that are held, one for one; `lower` is where the overlap begins.

    A row that was read again as it was is held; one that was changed meanwhile is not.
    """
    kinds = {field.name: field.dataType for field in rows.schema.fields}
    there = set(held.columns)
    alike = [
        (column(name) if name in there else F.lit(None)).cast(kind).alias(name)
        for name, kind in kinds.items()
    ]
    if lower is not None and by in there:
        held = held.where(_from(by, lower, held))
    return rows.exceptAll(held.select(alike))


def _from(by: str, lower: str, held: DataFrame) -> Column:
    """Whether a row stands in the overlap; in doubt it does."""
    if held.schema[by].dataType.simpleString() != "string":
        return column(by) >= F.lit(lower).cast("decimal(38,10)")
    moment, begin = (f"try_cast({one} AS timestamp)" for one in (quoted(by), literal(lower)))
    return F.coalesce(F.expr(f"{moment} >= {begin}"), F.lit(True))


def still_there(held: DataFrame, keys: Sequence[str]) -> DataFrame:
    """The keys that were there when they were read last."""
    names = [column(name) for name in keys]
    last = held.groupBy(*names).agg(
        # Of a table that compared no keys at first, some reads tell nothing.
        F.max_by(F.coalesce("Op", F.lit("I")), F.coalesce("_read", F.lit(""))).alias(_HELD)
    )
    return last.where(F.col(_HELD) != "D").select(*names)


def of_keys(rows: DataFrame, known: DataFrame, keys: Sequence[str]) -> DataFrame:
    """The rows of some keys, without deletions."""
    there = rows.where(F.coalesce("Op", F.lit("I")) != "D")
    return _same(there, known, keys, "left_semi")


def with_changes(
    rows: DataFrame, known: DataFrame | None, now: DataFrame, keys: Sequence[str], number: str
) -> DataFrame:
    """Rows with what happened to them, and a deletion for each key that is there no more.

    `known` are the keys that were there before, `now` those that are there.
    """
    names = [column(name) for name in keys]
    if known is None:
        return rows.withColumns({"Op": F.lit("I"), "_read": F.lit(number)})
    here = _same(rows, known, keys, "left", mark=True)
    op = F.when(F.col(_HELD), F.lit("U")).otherwise(F.lit("I"))
    told = here.select(*map(column, rows.columns), op.alias("Op"), F.lit(number).alias("_read"))
    gone = _same(known, now.select(*names), keys, "left_anti")
    empty = [
        column(field.name) if field.name in keys
        else F.lit(None).cast(field.dataType).alias(field.name)
        for field in rows.schema.fields
    ]  # fmt: skip
    deleted = gone.select(*empty, F.lit("D").alias("Op"), F.lit(number).alias("_read"))
    return told.unionByName(deleted)


def _same(
    left: DataFrame, right: DataFrame, keys: Sequence[str], how: str, *, mark: bool = False
) -> DataFrame:
    """A join by keys; a row without a key is nobody's."""
    there = right.distinct().select(*[column(one).alias(f"__{one}") for one in keys])
    if mark:
        there = there.withColumn(_HELD, F.lit(True))
    alike = F.lit(True)
    for one in keys:
        alike = alike & (column(one) == column(f"__{one}"))
    return left.join(there, alike, how)
