"""Row rules on one column as SQL conditions: what is expected of a row, and which rows are judged.

Meanings are great-expectations' own. Three facts of Spark shape the code:
- Under ANSI mode (Spark 4's default) a text that is compared with a number is cast, and a text that
  is no number stops the whole run. Texts are therefore read with try_cast, and one that cannot be
  read breaks its rule.
- A rule does not know its column's type. `typeof` is a constant once the plan is analysed, so the
  branches that are for other types vanish before anything runs.
- NaN is not null, equals itself and is greater than every other number.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.core.moments import is_moment
from headgate.transforms.hidden import column

Arguments = Mapping[str, Any]
Condition = Callable[[Arguments], Column]


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


def read(name: str, kind: str) -> Column:
    """A column's text as another type; NULL where it cannot be read."""
    # Over a text, which any type can become: other types must pass the analysis too. SQL, because
    # Column.try_cast is new in Spark 4.0 and the function is in 3.5.
    escaped = name.replace("`", "``")
    return F.expr(f"try_cast(CAST(`{escaped}` AS string) AS {kind})")


def _number(name: str) -> Column:
    return read(name, "double")


def _bounded(
    value: Column, arguments: Arguments, kind: Callable[[Any], Any] = lambda b: b
) -> Column:
    """Between `min_value` and `max_value`, either of which may be left out."""
    above = operator.gt if arguments.get("strict_min") else operator.ge
    below = operator.lt if arguments.get("strict_max") else operator.le
    low, high = arguments.get("min_value"), arguments.get("max_value")
    tests = [] if low is None else [above(value, F.lit(kind(low)))]
    return every(tests if high is None else [*tests, below(value, F.lit(kind(high)))])


def bounded(value: Column, arguments: Arguments, as_number: Column) -> Column:
    """As `_bounded`, without a cast that could fail; `as_number` stands for a text read as one."""
    given = [arguments.get("min_value"), arguments.get("max_value")]
    bounds = [bound for bound in given if bound is not None]
    plain, never = _bounded(value, arguments), F.lit(False)
    if any(is_number(bound) for bound in bounds):
        return F.when(is_text(value), F.coalesce(_bounded(as_number, arguments), never)).otherwise(
            plain
        )
    if not any(isinstance(bound, str) for bound in bounds):
        return plain
    dated = plain if all(map(is_moment, bounds)) else never
    try:
        read_as = F.coalesce(_bounded(as_number, arguments, float), never)
    except ValueError:
        read_as = never
    return F.when(is_text(value), plain).when(is_dated(value), dated).otherwise(read_as)


def _between(arguments: Arguments) -> Column:
    name = arguments["column"]
    return bounded(column(name), arguments, _number(name))


def member(name: str, values: Sequence[Any]) -> Column:
    """Whether the column's value is one of these; NULL among them makes every miss unknown."""
    value = column(name)
    numbers = [one for one in values if is_number(one)]
    texts = [one for one in values if isinstance(one, str)]
    truths = [one for one in values if isinstance(one, bool)]
    others = [one for one in values if not isinstance(one, int | float | Decimal | str)]
    tests = []
    if numbers:
        as_number = F.coalesce(_number(name).isin(numbers), F.lit(False))
        tests.append(F.when(is_text(value), as_number).otherwise(value.isin(numbers)))
    if texts:
        # A number is held against texts as text: casting "n/a" to its type would stop the run.
        moments = [text for text in texts if is_moment(text)]
        dated = value.isin(moments) if moments else F.lit(False)
        as_text = value.cast("string").isin(texts)
        tests.append(F.when(is_dated(value), dated).otherwise(as_text))
    if truths:
        tests.append(F.coalesce(read(name, "boolean").isin(truths), F.lit(False)))
    tests.extend(value.isin([one]) for one in others if one is not None)
    if None in others:
        tests.append(F.lit(None).cast("boolean"))
    return some(tests)


def same(name: str, value: Any) -> Column:
    """Whether the column holds this value, null for null; never NULL."""
    if value is None:
        return column(name).isNull()
    return F.coalesce(member(name, [value]), F.lit(False))


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


def present(arguments: Arguments) -> Column:
    """Rows whose value is not null."""
    return column(arguments["column"]).isNotNull()


def _missing(arguments: Arguments) -> Column:
    return column(arguments["column"]).isNull()


def all_rows(_: Arguments) -> Column:
    """Every row is judged."""
    return F.lit(True)


COLUMN_RULES: Mapping[str, RowRule] = {
    "expect_column_values_to_not_be_null": RowRule(present, all_rows),
    "expect_column_values_to_be_null": RowRule(_missing, all_rows),
    "expect_column_values_to_be_between": RowRule(_between, present),
    "expect_column_values_to_be_in_set": RowRule(_in_set, present),
    "expect_column_values_to_not_be_in_set": RowRule(_not_in_set, present),
    "expect_column_value_lengths_to_be_between": RowRule(_lengths_between, present),
    "expect_column_value_lengths_to_equal": RowRule(_lengths_equal, present),
}
