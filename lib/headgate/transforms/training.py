"""Labels with the newest features of their time: all tables of one key in one sort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from headgate.transforms.hidden import column

_AT, _LABEL = "__at", "__label"


@dataclass(frozen=True)
class Side:
    """One feature table as labels meet it."""

    rows: DataFrame  # its key, `as_of`, and features
    as_of: str  # the column that tells of which time the features are
    names: Mapping[str, str]  # its features, and what they are called beside the labels
    within: int | None = None  # seconds: features that are older do not count


def with_features(
    labels: DataFrame, keys: Sequence[str], time: str, sides: Sequence[Side]
) -> DataFrame:
    """Every label, with the features of each side as of its time or the newest before it.

    Labels and features lie behind one another in the order of time, and each label takes what was
    last: no row meets more than the one that it takes. Of a label without a key nothing is known.
    """
    whole = reduce(lambda one, other: one & other, [column(n).isNotNull() for n in (*keys, time)])
    known, unknown = labels.where(whole), labels.where(~whole)
    both = _told(known, keys, column(time), sides, None)
    for side in sides:
        told = _told(side.rows, keys, F.col("as_of"), sides, side)
        both = both.unionByName(told, allowMissingColumns=True)
    held = [f"__key{at}" for at in range(len(keys))]
    # Features as of the very time of a label are known to it.
    order = Window.partitionBy(*held).orderBy(_AT, F.col(_LABEL).isNotNull())
    past = order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    newest = [
        F.last(f"__side{at}", ignorenulls=True).over(past).alias(f"__side{at}")
        for at in range(len(sides))
    ]
    met = both.select(_AT, _LABEL, *newest).where(F.col(_LABEL).isNotNull())
    made = [one for at, side in enumerate(sides) for one in _taken(side, f"__side{at}")]
    found = met.select(f"{_LABEL}.*", *made)
    kinds = found.schema
    lacking = [n for n in found.columns if n not in labels.columns]
    empty = [F.lit(None).cast(kinds[n].dataType).alias(n) for n in lacking]
    return found.unionByName(unknown.select("*", *empty))


def _told(
    rows: DataFrame, keys: Sequence[str], at: Column, sides: Sequence[Side], mine: Side | None
) -> DataFrame:
    """Rows in the one form that labels and features share."""
    held = [column(key).alias(f"__key{place}") for place, key in enumerate(keys)]
    whole = F.struct(*map(column, rows.columns)).alias(_LABEL) if mine is None else None
    made = [whole] if whole is not None else []
    for place, side in enumerate(sides):
        if side is mine:
            own = F.struct("as_of", *map(column, side.names))
            made.append(own.alias(f"__side{place}"))
    return rows.select(*held, at.cast("timestamp").alias(_AT), *made)


def _taken(side: Side, name: str) -> list[Column]:
    """The features that a label takes, and of which time they are."""
    as_of = F.col(f"{name}.as_of")
    fresh = as_of.isNotNull()
    if side.within is not None:
        fresh = as_of >= F.col(_AT) - F.expr(f"INTERVAL {side.within} SECONDS")
    values = [(as_of, side.as_of)]
    values += [(F.col(name)[one], called) for one, called in side.names.items()]
    return [F.when(fresh, value).alias(called) for value, called in values]
