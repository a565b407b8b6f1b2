"""Table rules as aggregates that one pass can hold, also inside `observe`: nothing is distinct.

What a measure is called tells what it is:
- `observed`: a number (double), NULL where there is none: empty columns, NaN, texts;
- `success`: 0 or 1, where only Spark can tell because the value may be a date or a text;
- `counts` and `total`: how many numbers lie in each bin, as JSON, and how many there are.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.core.across import ROW_COUNT, SUM
from headgate.core.spec import Rule
from headgate.quality.compile import considered
from headgate.quality.conditions import bounded, is_text, read
from headgate.transforms.hidden import column

Measure = Callable[[Rule, Column], Mapping[str, Column]]
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
NUMERIC = "^(tinyint|smallint|int|bigint|float|double|decimal)"


def _number(value: Column) -> Column:
    """A numeric aggregate as double; NULL for NaN and for what is no number.

    The way over a text gives NaN a form that no type objects to; on one row it costs nothing.
    """
    kept = F.when(F.typeof(value).rlike(NUMERIC), value.cast("string"))
    return F.when(kept != "NaN", kept.cast("double"))


def _only(rule: Rule, alive: Column) -> Column:
    return F.when(alive, column(rule.arguments["column"]))


def _row_count(_: Rule, alive: Column) -> Mapping[str, Column]:
    return {"observed": F.count(F.when(alive, F.lit(1)))}


def _numeric(rule: Rule, alive: Column) -> Column:
    value = _only(rule, alive)
    # great-expectations refuses the mean of texts; casting them could stop the run.
    return F.when(is_text(value), F.lit(None)).otherwise(value)


def _mean(rule: Rule, alive: Column) -> Mapping[str, Column]:
    return {"observed": _number(F.avg(_numeric(rule, alive)))}


def _stdev(rule: Rule, alive: Column) -> Mapping[str, Column]:
    return {"observed": _number(F.stddev_samp(_numeric(rule, alive)))}


def _sum(rule: Rule, alive: Column) -> Mapping[str, Column]:
    # Decimals are summed exactly; whole numbers as doubles, which do not overflow.
    exact = F.sum(_numeric(rule, alive))
    inexact = F.sum(_numeric(rule, alive).cast("double"))
    decimal = F.typeof(exact).startswith("decimal")
    return {"observed": _number(F.when(decimal, exact.cast("double")).otherwise(inexact))}


def _extreme(of: Callable[[Column], Column]) -> Measure:
    def measure(rule: Rule, alive: Column) -> Mapping[str, Column]:
        value = of(_only(rule, alive))
        number = _number(value)
        # A text held against numbers never fits; NaN fits nowhere.
        within = bounded(value, rule.arguments, as_number=F.lit(None).cast("double"))
        if _by_day(rule):
            days = bounded(value.cast("date"), rule.arguments, as_number=F.lit(None))
            within = F.when(F.typeof(value).startswith("timestamp"), days).otherwise(within)
        real = ~F.typeof(value).isin("float", "double") | number.isNotNull()
        success = F.when(real & F.coalesce(within, F.lit(False)), 1).otherwise(0)
        return {"observed": number, "success": success}

    return measure


def _present_share(rule: Rule, alive: Column) -> Mapping[str, Column]:
    rows = F.count(F.when(alive, F.lit(1)))
    share = F.count(_only(rule, alive)) / F.greatest(rows, F.lit(1))
    return {"observed": share.cast("double")}


def _in_bins(rule: Rule, alive: Column) -> Mapping[str, Column]:
    """How many numbers lie below all bins, in each of them, and above, as JSON.

    A bin holds its lower end, the last one its upper end too. NaN is above all and in no bin.
    """
    partition = rule.arguments["partition_object"]
    if "bins" not in partition:
        return {}
    bins = [float(edge) for edge in partition["bins"]]
    kind = F.typeof(column(rule.arguments["column"]))
    number = F.when(alive & kind.rlike(NUMERIC), read(rule.arguments["column"], "double"))
    real = ~F.isnan(number)
    within = [(number >= low) & (number < high) for low, high in itertools.pairwise(bins)]
    within[-1] = (number >= bins[-2]) & (number <= bins[-1]) & real
    counted = [number < bins[0], *within, number > bins[-1]]
    return {
        "counts": F.to_json(
            F.array(*(F.count_if(F.coalesce(one, F.lit(False))) for one in counted))
        ),
        "total": F.count(number),
    }


def _by_day(rule: Rule) -> bool:
    """Whether the bounds are days: great-expectations then takes the day of a timestamp."""
    bounds = [rule.arguments.get(name) for name in ("min_value", "max_value")]
    given = [bound for bound in bounds if bound is not None]
    return all(isinstance(bound, str) and DAY.fullmatch(bound) for bound in given)


MEASURES: Mapping[str, Measure] = {
    "expect_table_row_count_to_be_between": _row_count,
    "expect_table_row_count_to_equal": _row_count,
    ROW_COUNT: _row_count,
    SUM: _sum,
    "expect_column_mean_to_be_between": _mean,
    "expect_column_stdev_to_be_between": _stdev,
    "expect_column_sum_to_be_between": _sum,
    "expect_column_min_to_be_between": _extreme(F.min),
    "expect_column_max_to_be_between": _extreme(F.max),
    "expect_column_proportion_of_non_null_values_to_be_between": _present_share,
    "expect_column_kl_divergence_to_be_less_than": _in_bins,
}


def measures(rule: Rule, alive: Column | None = None) -> Mapping[str, Column]:
    """The aggregates that judge a table rule, over the rows that are `alive` (never NULL).

    Empty for rules that need a pass of their own (`uniqueness`) or none (row rules).
    """
    measure = MEASURES.get(rule.expectation)
    if measure is None:
        return {}
    asked = [one for one in (alive, considered(rule)) if one is not None]
    rows = asked[0] & asked[1] if len(asked) == 2 else (asked or [F.lit(True)])[0]
    return measure(rule, rows)
