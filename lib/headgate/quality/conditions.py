"""Row rules as SQL conditions: what is expected of a row, and which rows are judged at all.

Meanings are great-expectations' own. Three facts of Spark shape the code:
- Under ANSI mode (Spark 4's default) a text that is compared with a number is cast, and a text that
  is no number stops the whole run. Texts are therefore read with try_cast, and one that cannot be
  read breaks its rule.
- A rule does not know its column's type. `typeof` is a constant once the plan is analysed, so the
  branches that are for other types vanish before anything runs.
- NaN is not null, equals itself and is greater than every other number.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.transforms.hidden import column

Arguments = Mapping[str, Any]
Condition = Callable[[Arguments], Column]
Compare = Callable[[Column, Column], Column]


@dataclass(frozen=True)
class RowRule:
    """What one expectation asks of a row; where the condition is NULL the row passes."""

    expected: Condition
    counted: Condition  # rows that are in the denominator; the others never break the rule


def is_text(value: Column) -> Column:
    """A constant: whether this column holds texts."""
    return F.typeof(value).startswith("string")


def is_dated(value: Column) -> Column:
    """A constant: whether this column holds dates or timestamps."""
    return F.typeof(value).rlike("^(date|timestamp)")


def is_number(value: Any) -> bool:
    """Whether an argument is a number; True and False are not."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def every(conditions: Iterable[Column]) -> Column:
    """All of them."""
    return reduce(operator.and_, conditions, F.lit(True))


def some(conditions: Iterable[Column]) -> Column:
    """At least one of them."""
    return reduce(operator.or_, conditions, F.lit(False))


def _read(name: str, kind: str) -> Column:
    # Over a text, which any type can become: other types must pass the analysis too. SQL, because
    # Column.try_cast is new in Spark 4.0 and the function is in 3.5.
    escaped = name.replace("`", "``")
    return F.expr(f"try_cast(CAST(`{escaped}` AS string) AS {kind})")


def _number(name: str) -> Column:
    return _read(name, "double")


def _bounded(value: Column, arguments: Arguments) -> Column:
    """Between `min_value` and `max_value`, either of which may be left out."""
    above = operator.gt if arguments.get("strict_min") else operator.ge
    below = operator.lt if arguments.get("strict_max") else operator.le
    low, high = arguments.get("min_value"), arguments.get("max_value")
    tests = [] if low is None else [above(value, F.lit(low))]
    return every(tests if high is None else [*tests, below(value, F.lit(high))])


def bounded(value: Column, arguments: Arguments, as_number: Column) -> Column:
    """As `_bounded`; `as_number` stands for a text that is held against numbers."""
    bounds = (arguments.get("min_value"), arguments.get("max_value"))
    plain = _bounded(value, arguments)
    if not any(is_number(bound) for bound in bounds):
        return plain
    read = F.coalesce(_bounded(as_number, arguments), F.lit(False))
    return F.when(is_text(value), read).otherwise(plain)


def _between(arguments: Arguments) -> Column:
    name = arguments["column"]
    return bounded(column(name), arguments, _number(name))


def member(name: str, values: Sequence[Any]) -> Column:
    """Whether the column's value is one of these; NULL among them makes every miss unknown."""
    value = column(name)
    numbers = [one for one in values if is_number(one)]
    texts = [one for one in values if isinstance(one, str)]
    others = [one for one in values if not is_number(one) and not isinstance(one, str)]
    tests = []
    if numbers:
        read = F.coalesce(_number(name).isin(numbers), F.lit(False))
        tests.append(F.when(is_text(value), read).otherwise(value.isin(numbers)))
    if texts:
        # A number is held against texts as text: casting "n/a" to its type would stop the run.
        typed = is_text(value) | is_dated(value)
        tests.append(F.when(typed, value.isin(texts)).otherwise(value.cast("string").isin(texts)))
    tests.extend(value.isin([one]) for one in others if one is not None)
    if None in others:
        tests.append(F.lit(None).cast("boolean"))
    return some(tests)


def _in_set(arguments: Arguments) -> Column:
    values = arguments["value_set"]
    return F.lit(True) if values is None else member(arguments["column"], list(values))


def _not_in_set(arguments: Arguments) -> Column:
    values = arguments["value_set"]
    return F.lit(True) if values is None else ~member(arguments["column"], list(values))


def _lengths_between(arguments: Arguments) -> Column:
    return _bounded(F.length(column(arguments["column"])), arguments)


def _lengths_equal(arguments: Arguments) -> Column:
    return F.length(column(arguments["column"])) == F.lit(arguments["value"])


def _matches(arguments: Arguments) -> Column:
    return column(arguments["column"]).rlike(arguments["regex"])


def _compared(a: str, b: str, compare: Compare) -> Column:
    """Two columns held against each other; a text that cannot be read as the other's type fails."""

    def read(kind: str) -> Column:
        one, two = _read(a, kind), _read(b, kind)
        unread = (one.isNull() & column(a).isNotNull()) | (two.isNull() & column(b).isNotNull())
        return F.when(unread, F.lit(False)).otherwise(compare(one, two))

    dated = is_dated(column(a)) | is_dated(column(b))
    return (
        F.when(is_text(column(a)) == is_text(column(b)), compare(column(a), column(b)))
        .when(dated, read("timestamp"))
        .otherwise(read("double"))
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
    read = reduce(operator.add, (_or_zero(name) for name in names))
    texts = some(is_text(column(name)) for name in names)
    equal = F.when(texts, read == F.lit(arguments["sum_total"])).otherwise(
        plain == F.lit(arguments["sum_total"])
    )
    return F.coalesce(equal, F.lit(False))


def _or_zero(name: str) -> Column:
    return F.when(column(name).isNull(), F.lit(0.0)).otherwise(_number(name))


def _present(arguments: Arguments) -> Column:
    return column(arguments["column"]).isNotNull()


def _missing(arguments: Arguments) -> Column:
    return column(arguments["column"]).isNull()


def all_rows(_: Arguments) -> Column:
    """Every row is judged."""
    return F.lit(True)


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


ROW_RULES: Mapping[str, RowRule] = {
    "expect_column_values_to_not_be_null": RowRule(_present, all_rows),
    "expect_column_values_to_be_null": RowRule(_missing, all_rows),
    "expect_column_values_to_be_between": RowRule(_between, _present),
    "expect_column_values_to_be_in_set": RowRule(_in_set, _present),
    "expect_column_values_to_not_be_in_set": RowRule(_not_in_set, _present),
    "expect_column_values_to_match_regex": RowRule(_matches, _present),
    "expect_column_values_to_not_match_regex": RowRule(lambda of: ~_matches(of), _present),
    "expect_column_value_lengths_to_be_between": RowRule(_lengths_between, _present),
    "expect_column_value_lengths_to_equal": RowRule(_lengths_equal, _present),
    "expect_column_pair_values_a_to_be_greater_than_b": RowRule(_a_greater, _pair_counted),
    "expect_column_pair_values_to_be_equal": RowRule(_pair_equal, _pair_counted),
    "expect_multicolumn_sum_to_equal": RowRule(_sum_equal, list_counted),
    "expect_select_column_values_to_be_unique_within_record": RowRule(_all_different, list_counted),
}
