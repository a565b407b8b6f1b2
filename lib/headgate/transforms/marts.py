"""Marts: rows grouped by period and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.transforms.contract import quoted
from headgate.transforms.hidden import SIZE, column

REACHED = "__reached"  # the period that a row counts for


def period_of(value: Column, grain: str) -> Column:
    """The first day of the period that holds a moment; an hour stays a timestamp."""
    start = F.date_trunc(grain, value)
    return start if grain == "hour" else start.cast("date")


def around(rows: DataFrame, name: str, start: datetime, end: datetime) -> DataFrame:
    """At least the rows between two moments of the session's zone.

    A range of plain values is what files can be left out by, which a truncated one is not.
    """
    value = column(name)
    if rows.schema[name].dataType == T.DateType():
        last = (end - timedelta(microseconds=1)).date()
        return rows.where((value >= F.lit(start.date())) & (value <= F.lit(last)))
    first, after = (F.expr(f"timestamp'{moment}'") for moment in (start, end))
    return rows.where((value >= first) & (value < after))


def looking_back(rows: DataFrame, name: str, grain: str, wanted: DataFrame) -> DataFrame:
    """Each row once for each period that it counts for, which REACHED tells.

    `wanted` names periods (REACHED), and from when to when rows count (`__from`, `__until`). A
    period that has no row of its own is none.
    """
    there = rows.select(period_of(column(name), grain).alias("__there")).distinct()
    known = wanted.join(there, F.col(REACHED) == F.col("__there"), "left_semi")
    at = column(name)
    counts = (at >= F.col("__from")) & (at < F.col("__until"))
    return rows.join(F.broadcast(known), counts, "inner").drop("__from", "__until")


def grouped(
    rows: DataFrame,
    period: str,
    grain: str,
    group_by: Sequence[str],
    measures: Mapping[str, str],
    size: str | None = None,
) -> DataFrame:
    """One row for each period and group. Empty sums and counts are 0, empty means null.

    With the aggregate `size`, a column SIZE tells how large a group is. Of rows that look back,
    REACHED is the period.
    """
    at = REACHED if REACHED in rows.columns else period
    keys = [period_of(column(at), grain).alias(period)]
    keys += [column(name) for name in group_by]
    wanted = {**measures, **({SIZE: size} if size else {})}
    made = rows.groupBy(*keys).agg(*[F.expr(m).alias(name) for name, m in wanted.items()])
    return made.select(
        period,
        *[column(name) for name in group_by],
        *[empty_as_zero(made, name, wanted[name]) for name in wanted],
    )


def sized(of: str | None) -> str:
    """The SQL aggregate that tells how many there are in a group: rows, or different people."""
    return f"count(DISTINCT {quoted(of)})" if of else "count(*)"


def empty_as_zero(df: DataFrame, name: str, measure: str) -> Column:
    """A sum over nothing but nulls is 0."""
    kind = df.schema[name].dataType
    if measure.strip().lower().startswith("sum(") and isinstance(kind, T.NumericType):
        return F.coalesce(column(name), F.lit(0).cast(kind)).alias(name)
    return column(name)


def with_period(made: DataFrame, period: str, grain: str) -> DataFrame:
    """The result of a mart's SQL with its period column brought to the period's first day."""
    return made.select(
        [
            period_of(column(name), grain).alias(name) if name == period else column(name)
            for name in made.columns
        ]
    )
