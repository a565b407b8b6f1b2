"""Rules on each row and the one before it: one sort for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.spec import Rule
from headgate.quality.compile import considered
from headgate.quality.conditions import read
from headgate.transforms.hidden import column

INCREASING = "expect_column_values_to_be_increasing"
DECREASING = "expect_column_values_to_be_decreasing"
ORDERED = (INCREASING, DECREASING)
ORDER = ("_file", "_row")
_AT = "__at"


def in_order(df: DataFrame, rules: Sequence[Rule], by: str) -> DataFrame | None:
    """One row for each value of `by`, counting rows judged and rows out of order for each rule.

    The order is that of `_file` and `_row`; where a table has neither, that of its files.
    """
    asked = [(place, rule) for place, rule in enumerate(rules) if rule.expectation in ORDERED]
    if not asked:
        return None
    there = [name for name in ORDER if name in df.columns]
    if not there:
        df, there = df.withColumn(_AT, F.monotonically_increasing_id()), [_AT]
    before = (
        Window.partitionBy(column(by))
        .orderBy(*map(column, there))
        .rowsBetween(Window.unboundedPreceding, -1)
    )
    marks = [_out_of_order(df, rule, before).alias(f"broken{place}") for place, rule in asked]
    counts = [
        F.struct(
            F.count_if(_judged(rule)).alias("total"),
            F.count_if(F.col(f"broken{place}")).alias("unexpected"),
        ).alias(str(place))
        for place, rule in asked
    ]
    return df.select("*", *marks).groupBy(column(by)).agg(*counts)


def _judged(rule: Rule) -> Column:
    there = column(rule.arguments["column"]).isNotNull()
    asked = considered(rule)
    return there if asked is None else asked & there


def _out_of_order(df: DataFrame, rule: Rule, before: WindowSpec) -> Column:
    name = rule.arguments["column"]
    value, kind = column(name), df.schema[name].dataType
    asked = considered(rule)
    kept = F.lit(True) if asked is None else asked
    if isinstance(kind, T.IntegerType | T.LongType | T.DoubleType):
        # As great-expectations has it: of these types, and no others, nulls are left out; of the
        # others a null is in order, and so is what comes after it.
        kept = kept & value.isNotNull() & ~F.isnan(value.cast("double"))
    dated = isinstance(kind, T.DateType | T.TimestampType | T.TimestampNTZType)
    if isinstance(kind, T.ByteType | T.ShortType | T.IntegerType | T.LongType):
        value = value.cast("decimal(38,0)")
    elif not (dated or isinstance(kind, T.NumericType)):
        value = read(name, "double")
    # The row before among those that are kept, in a struct: a null in it is a value too.
    last = F.last(F.when(kept, F.struct(value.alias("value"))), ignorenulls=True).over(before)
    last = last["value"]
    apart = F.datediff(value, last) if dated else F.try_subtract(value, last)
    strictly = bool(rule.arguments.get("strictly"))
    if rule.expectation == INCREASING:
        wrong = apart <= 0 if strictly else apart < 0
    else:
        wrong = apart >= 0 if strictly else apart > 0
    unread = value.isNull() & column(name).isNotNull()  # a text that is no number
    return kept & (unread | F.coalesce(wrong, F.lit(False)))
