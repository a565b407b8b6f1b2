"""Row rules on several columns: pairs and lists of them, and which rows they judge."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Mapping
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.quality.conditions import (
    Arguments,
    RowRule,
    every,
    is_dated,
    is_text,
    read,
    same,
    some,
)
from headgate.transforms.hidden import column

Compare = Callable[[Column, Column], Column]


def _compared(a: str, b: str, compare: Compare) -> Column:
    """Two columns held against each other; a text that cannot be read as the other's type fails."""

    def as_read(kind: str) -> Column:
        one, two = read(a, kind), read(b, kind)
        unread = (one.isNull() & column(a).isNotNull()) | (two.isNull() & column(b).isNotNull())
        return F.when(unread, F.lit(False)).otherwise(compare(one, two))

    dated = is_dated(column(a)) | is_dated(column(b))
    return (
        F.when(is_text(column(a)) == is_text(column(b)), compare(column(a), column(b)))
        .when(dated, as_read("timestamp"))
        .otherwise(as_read("double"))
    )


def _a_greater(arguments: Arguments) -> Column:
    def fits(a: Column, b: Column) -> Column:
        return (a >= b) | a.eqNullSafe(b) if arguments.get("or_equal") else a > b

    return _compared(arguments["column_A"], arguments["column_B"], fits)


def _pair_equal(arguments: Arguments) -> Column:
    return _compared(arguments["column_A"], arguments["column_B"], Column.eqNullSafe)


def _all_different(arguments: Arguments) -> Column:
    pairs = itertools.combinations(arguments["column_list"], 2)
    return ~some(_compared(a, b, Column.eqNullSafe) for a, b in pairs)


def _sum_equal(arguments: Arguments) -> Column:
    names = arguments["column_list"]
    # A sum that overflows, or holds a text that is no number, equals nothing.
    plain = reduce(F.try_add, (F.coalesce(column(name), F.lit(0)) for name in names))
    added = reduce(operator.add, (_or_zero(name) for name in names))
    texts = some(is_text(column(name)) for name in names)
    equal = F.when(texts, added == F.lit(arguments["sum_total"])).otherwise(
        plain == F.lit(arguments["sum_total"])
    )
    return F.coalesce(equal, F.lit(False))


def _or_zero(name: str) -> Column:
    return F.when(column(name).isNull(), F.lit(0.0)).otherwise(read(name, "double"))


def _pair_counted(arguments: Arguments) -> Column:
    there = [column(arguments[name]).isNotNull() for name in ("column_A", "column_B")]
    ignored = arguments.get("ignore_row_if", "both_values_are_missing")
    if ignored == "neither":
        return F.lit(True)
    return every(there) if ignored == "either_value_is_missing" else some(there)


def list_counted(arguments: Arguments) -> Column:
    """The rows of a rule over several columns that `ignore_row_if` leaves in."""
    there = [column(name).isNotNull() for name in arguments["column_list"]]
    ignored = arguments.get("ignore_row_if", "all_values_are_missing")
    if ignored == "never":
        return F.lit(True)
    return every(there) if ignored == "any_value_is_missing" else some(there)


def _pair_in_set(arguments: Arguments) -> Column:
    pairs = arguments["value_pairs_set"]
    a, b = arguments["column_A"], arguments["column_B"]
    return some(same(a, one) & same(b, two) for one, two in pairs)


def _all_equal(arguments: Arguments) -> Column:
    first, *others = arguments["column_list"]
    return every(_compared(first, other, Column.eqNullSafe) for other in others)


COLUMNS_RULES: Mapping[str, RowRule] = {
    "expect_column_pair_values_a_to_be_greater_than_b": RowRule(_a_greater, _pair_counted),
    "expect_column_pair_values_to_be_equal": RowRule(_pair_equal, _pair_counted),
    "expect_column_pair_values_to_be_in_set": RowRule(_pair_in_set, _pair_counted),
    "expect_multicolumn_sum_to_equal": RowRule(_sum_equal, list_counted),
    "expect_multicolumn_values_to_be_equal": RowRule(_all_equal, list_counted),
    "expect_select_column_values_to_be_unique_within_record": RowRule(_all_different, list_counted),
}
