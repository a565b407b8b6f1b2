"""Rules on repeated and distinct values: one grouped pass for all rules over one set of columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.spec import Rule
from headgate.quality.compile import considered
from headgate.quality.conditions import every, list_counted
from headgate.transforms.hidden import column

UNIQUE = "expect_column_values_to_be_unique"
COMPOUND = "expect_compound_columns_to_be_unique"
DISTINCT = "expect_column_unique_value_count_to_be_between"
PROPORTION = "expect_column_proportion_of_unique_values_to_be_between"
GROUPED = (UNIQUE, COMPOUND, DISTINCT, PROPORTION)
COLUMNS = ("rule", "unexpected", "total", "distinct")


def needs_grouping(rule: Rule) -> bool:
    """Whether a rule is judged by `uniqueness`."""
    return rule.expectation in GROUPED


def uniqueness(df: DataFrame, rules: Sequence[Rule], by: str = "_window") -> DataFrame | None:
    """One row for each value of `by` and grouped rule, which is named by its place in `rules`.

    `unexpected` counts all rows of a group of two and more, `total` the rows judged (not null),
    `distinct` their different values. A value of `by` without rows gives no row: read it as zeros.
    None where no rule needs it. Nothing is run.
    """
    keyed: dict[tuple[str, ...], list[int]] = {}
    for place, rule in enumerate(rules):
        if needs_grouping(rule):
            # Order does not matter to equality: (a, b) and (b, a) share their pass.
            keyed.setdefault(tuple(sorted(set(rule.columns))), []).append(place)
    passes = [_one_pass(df, rules, places, keys, by) for keys, places in keyed.items()]
    return reduce(DataFrame.unionByName, passes) if passes else None


def _counted(rule: Rule) -> Column:
    if rule.expectation == COMPOUND:
        there = list_counted(rule.arguments)
    else:
        there = column(rule.arguments["column"]).isNotNull()
    asked = considered(rule)
    return there if asked is None else every((asked, there))


def _one_pass(
    df: DataFrame, rules: Sequence[Rule], places: list[int], keys: tuple[str, ...], by: str
) -> DataFrame:
    counts = [
        F.count(F.when(_counted(rules[place]), F.lit(1))).alias(f"n{place}") for place in places
    ]
    # groupBy holds null equal to null, NaN to NaN and -0.0 to 0.0, as a window's partition does.
    # The keys get names of their own: one of them may be `by` itself, or be called like a count.
    named = [column(key).alias(f"key{at}") for at, key in enumerate(keys)]
    groups = df.groupBy(column(by).alias("by"), *named).agg(*counts)
    totals = groups.groupBy("by").agg(
        F.array(*(_totals(place) for place in places)).alias("totals")
    )
    row = totals.select(F.col("by").alias(by), F.explode("totals").alias("one"))
    return row.select(column(by), *(F.col(f"one.{name}") for name in COLUMNS))


def _totals(place: int) -> Column:
    count = F.col(f"n{place}")
    return F.struct(
        F.lit(place).alias("rule"),
        F.sum(F.when(count > 1, count).otherwise(0)).alias("unexpected"),
        F.sum(count).alias("total"),
        F.count(F.when(count > 0, F.lit(1))).alias("distinct"),
    )
