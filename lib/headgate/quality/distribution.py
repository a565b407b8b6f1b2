"""Rules on sorted values, and on rows that are held against a statistic of all rows.

Statistics first, of all such rules in one pass; then, for the rules on rows, one pass more that
counts the rows outside. Types are known here, so that no cast can fail.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.spec import Rule
from headgate.quality.compile import considered
from headgate.transforms.hidden import column

MEDIAN = "expect_column_median_to_be_between"
QUANTILES = "expect_column_quantile_values_to_be_between"
Z_SCORES = "expect_column_value_z_scores_to_be_less_than"
OUTLIERS = "expect_column_values_to_not_be_outliers"
OUTSIDE = (Z_SCORES, OUTLIERS)
STATISTICS = (MEDIAN, QUANTILES, *OUTSIDE)
EXACT = 2**31 - 1  # the finest that percentile_approx takes: exact up to two thousand million rows
Found = Mapping[int, Mapping[str, Any]]


def is_numeric(df: DataFrame, name: str) -> bool:
    """Whether a column holds numbers."""
    return isinstance(df.schema[name].dataType, T.NumericType)


def statistics(df: DataFrame, rules: Sequence[Rule], by: str) -> DataFrame | None:
    """One row for each value of `by`, with a struct for each such rule, called by its place."""
    made = {
        str(place): _statistics(df, rule)
        for place, rule in enumerate(rules)
        if rule.expectation in STATISTICS
    }
    if not made:
        return None
    return df.groupBy(column(by)).agg(*(value.alias(name) for name, value in made.items()))


def _asked(rule: Rule) -> Column:
    asked = considered(rule)
    return F.lit(True) if asked is None else asked


def _statistics(df: DataFrame, rule: Rule) -> Column:
    name = rule.arguments["column"]
    if not is_numeric(df, name):
        return F.struct(F.lit(None).cast("double").alias("observed"))
    value = F.when(_asked(rule), column(name).cast("double"))
    real = F.when(~F.isnan(value), value)
    if rule.expectation == MEDIAN:
        return F.struct(F.percentile(real, 0.5).alias("observed"))
    if rule.expectation == QUANTILES:
        error = float(rule.arguments.get("allow_relative_error") or 0)
        wanted = [float(one) for one in rule.arguments["quantile_ranges"]["quantiles"]]
        accuracy = round(1 / error) if error else EXACT
        return F.struct(F.percentile_approx(real, wanted, accuracy).alias("values"))
    if rule.arguments.get("method", "iqr") == "iqr" and rule.expectation == OUTLIERS:
        parts = [F.percentile(value, 0.25).alias("low"), F.percentile(value, 0.75).alias("high")]
    else:
        parts = [F.avg(value).alias("mean"), F.stddev_samp(value).alias("spread")]
    return F.struct(*parts)


def outside(
    df: DataFrame, rules: Sequence[Rule], by: str, known: Mapping[str, Found]
) -> DataFrame | None:
    """One row for each value of `by`, counting rows judged and rows outside for each such rule."""
    counted = []
    for place, rule in enumerate(rules):
        if rule.expectation not in OUTSIDE:
            continue
        name = rule.arguments["column"]
        judged = _asked(rule) & column(name).isNotNull()
        broken = judged
        if is_numeric(df, name):
            limits = {one: _limits(rule, found.get(place, {})) for one, found in known.items()}
            broken = judged & ~_within(column(name).cast("double"), rule, column(by), limits)
        counted.append(
            F.struct(
                F.count_if(judged).alias("total"), F.count_if(broken).alias("unexpected")
            ).alias(str(place))
        )
    return df.groupBy(column(by)).agg(*counted) if counted else None


def _limits(rule: Rule, found: Mapping[str, Any]) -> tuple[float, float] | None:
    """What rows are held against: a centre and a distance, or two ends; None: all fit."""
    if rule.expectation == Z_SCORES:
        mean, spread = _real(found.get("mean")), _real(found.get("spread"))
        return None if mean is None or not spread else (mean, spread)
    times = rule.arguments.get("multiplier")
    times = 1.5 if times is None else float(times)
    if rule.arguments.get("method", "iqr") == "iqr":
        low, high = _real(found.get("low")), _real(found.get("high"))
        if low is None or high is None:
            return None
        return low - times * (high - low), high + times * (high - low)
    mean, spread = _real(found.get("mean")), _real(found.get("spread"))
    return None if mean is None or spread is None else (mean, times * spread)


def _real(value: float | None) -> float | None:
    """A number that is neither infinite nor NaN."""
    return value if value is not None and math.isfinite(value) else None


def _within(
    value: Column, rule: Rule, by: Column, limits: Mapping[str, tuple[float, float] | None]
) -> Column:
    """Whether a row fits; never NULL."""
    pairs = [(F.lit(name), F.array(*map(F.lit, pair))) for name, pair in limits.items() if pair]
    if not pairs:
        return F.lit(True)
    held = F.try_element_at(F.create_map(*(part for pair in pairs for part in pair)), by)
    first, second = held[0], held[1]
    if rule.expectation == Z_SCORES:
        threshold = float(rule.arguments["threshold"])
        score = (value - first) / second
        fits = (
            F.abs(score) < abs(threshold) if rule.arguments["double_sided"] else score < threshold
        )
    elif rule.arguments.get("method", "iqr") == "iqr":
        fits = (value >= first) & (value <= second)
    else:
        near = F.abs(value - first) < second
        fits = F.when(second <= 0, value == first).otherwise(near)
    return F.coalesce(fits, F.lit(True))
