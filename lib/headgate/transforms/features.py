"""Features: measures over the days before (a label: after) each `as_of`, for every entity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.spec import Feature
from headgate.transforms.hidden import column

RECENCY = "days_since_last"


def before(
    events: DataFrame, time: str, moments: DataFrame, feature: Feature, known_at: str | None = None
) -> DataFrame:
    """The events that a feature may see as of each moment, with that moment as `as_of`.

    With `known_at` these are rows that had arrived by then. A label is known later anyway.
    """
    at, as_of = column(time), F.col("as_of")
    if feature.next is not None:
        seen = (at >= as_of) & (at < F.expr(f"as_of + INTERVAL {feature.next} DAYS"))
    else:
        seen = at < as_of
        if feature.last is not None:
            seen = seen & (at >= F.expr(f"as_of - INTERVAL {feature.last} DAYS"))
        if known_at is not None:
            seen = seen & (column(known_at) < as_of)
    return events.join(F.broadcast(moments), seen, "inner")


def measured(
    events: DataFrame,
    time: str,
    keys: Sequence[str],
    moments: DataFrame,
    features: Mapping[str, Feature],
    known_at: str | None = None,
) -> DataFrame:
    """One row for each entity and moment with events: features that look equally far, together."""
    one = next(iter(features.values()))
    seen = before(events, time, moments, one, known_at)
    values = [F.expr(_sql(f, time)).alias(name) for name, f in features.items()]
    grouped = seen.groupBy(*[column(key) for key in keys], "as_of").agg(*values)
    return grouped.where(_all_known(keys))


def _sql(feature: Feature, time: str) -> str:
    if feature.measure.strip().removesuffix("()") == RECENCY:
        # 0: the last event was on the last day that `as_of` closes.
        return f"datediff(any_value(as_of) - INTERVAL 1 SECOND, max(`{time}`))"
    return feature.measure


def _all_known(keys: Sequence[str]) -> Column:
    return reduce(lambda left, right: left & right, [column(key).isNotNull() for key in keys])


def reach(
    features: Iterable[Feature], first: datetime, last: datetime
) -> tuple[datetime, datetime] | None:
    """The stretch of time in which features look as of moments between two; None: it has no start.

    >>> week = Feature(of="a", measure="count(*)", last=7)
    >>> reach([week], datetime(2026, 3, 9), datetime(2026, 3, 10))
    (datetime.datetime(2026, 3, 2, 0, 0), datetime.datetime(2026, 3, 10, 0, 0))
    """
    starts, ends = [first], [last]
    for one in features:
        try:
            if one.next is not None:
                ends.append(last + timedelta(days=one.next))
            elif one.last is not None:
                starts.append(first - timedelta(days=one.last))
            else:
                return None
        except OverflowError:  # before the first day that there is
            return None
    return min(starts), max(ends)


def empty_values(
    events: DataFrame, time: str, moments: DataFrame, features: Mapping[str, Feature]
) -> DataFrame:
    """What the measures come to over no event at all: one row."""
    nothing = before(events.limit(0), time, moments, next(iter(features.values())))
    kept = {name: f for name, f in features.items() if _sql(f, time) == f.measure}
    values = [F.expr(f.measure).alias(f"__empty_{name}") for name, f in kept.items()]
    return nothing.agg(F.lit(1).alias("__one"), *values).drop("__one")


def completed(
    rows: DataFrame, made: DataFrame, empty: DataFrame, keys: Sequence[str],
    features: Mapping[str, Feature],
) -> DataFrame:  # fmt: skip
    """Entities and moments with their features; where there was no event, what nothing comes to."""
    right = made.select(
        *[column(key).alias(f"__{key}") for key in keys],
        F.col("as_of").alias("__as_of"),
        F.lit(True).alias("__seen"),
        *[column(name) for name in features],
    )
    same = [column(key) == F.col(f"`__{key}`") for key in keys]
    same.append(F.col("as_of") == F.col("__as_of"))
    joined = rows.join(right, reduce(lambda a, b: a & b, same), "left")
    if empty.columns:
        joined = joined.crossJoin(F.broadcast(empty))
    values = [_value(joined, empty, name, f).alias(name) for name, f in features.items()]
    return joined.select(*[column(name) for name in rows.columns], *values)


def _value(joined: DataFrame, empty: DataFrame, name: str, feature: Feature) -> Column:
    value, kind = column(name), joined.schema[name].dataType
    if f"__empty_{name}" in empty.columns:
        value = F.when(F.col("__seen"), value).otherwise(F.col(f"__empty_{name}"))
    if feature.else_ is not None:
        return F.coalesce(value, F.lit(feature.else_).cast(kind))
    summed = feature.measure.strip().lower().startswith("sum(")
    if summed and isinstance(kind, T.NumericType):
        return F.coalesce(value, F.lit(0).cast(kind))
    return value
