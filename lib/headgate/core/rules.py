"""The rules that a gate knows: great-expectations' names, arguments and defaults, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Takes = Literal[
    "column", "columns", "bound", "number", "whole", "values", "regex", "flag", "word", "text"
]


@dataclass(frozen=True)
class Argument:
    """One argument of a rule: what it takes."""

    takes: Takes
    about: str
    required: bool = False
    words: tuple[str, ...] = ()  # of takes="word"; the first is the default


@dataclass(frozen=True)
class Expectation:
    """What a rule judges, and by which arguments."""

    kind: Literal["row", "table"]  # whether it rejects rows or closes the gate
    about: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    mostly: bool = False  # whether it takes a share of rows that have to fit


_COLUMN = {"column": Argument("column", "the column judged", required=True)}
_PAIR = {
    "column_A": Argument("column", "the first column", required=True),
    "column_B": Argument("column", "the second column", required=True),
}
_COLUMNS = {"column_list": Argument("columns", "two or more columns", required=True)}
_STRICT = {
    "strict_min": Argument("flag", "the least value itself does not fit (default false)"),
    "strict_max": Argument("flag", "the greatest value itself does not fit (default false)"),
}
_BOUNDS = {
    "min_value": Argument("bound", "the least value that fits: a number, or a date as text"),
    "max_value": Argument("bound", "the greatest value that fits: a number, or a date as text"),
    **_STRICT,
}
_NUMBERS = {
    "min_value": Argument("number", "the least number that fits"),
    "max_value": Argument("number", "the greatest number that fits"),
    **_STRICT,
}
_COUNTS = {
    "min_value": Argument("whole", "the least number that fits"),
    "max_value": Argument("whole", "the greatest number that fits"),
    **_STRICT,
}
_COUNT = {"value": Argument("whole", "the number itself", required=True)}
_SET = {"value_set": Argument("values", "the values", required=True)}
_REGEX = {"regex": Argument("regex", "found anywhere in the text", required=True)}
_IGNORE_PAIR = {
    "ignore_row_if": Argument(
        "word",
        "which rows are not judged",
        words=("both_values_are_missing", "either_value_is_missing", "neither"),
    )
}
_IGNORE_ROW = {
    "ignore_row_if": Argument(
        "word",
        "which rows are not judged",
        words=("all_values_are_missing", "any_value_is_missing", "never"),
    )
}
_GREATER = {"or_equal": Argument("flag", "equal values fit too (default false)")}
_TOTAL = {"sum_total": Argument("number", "what the columns add up to", required=True)}


def _row(about: str, *arguments: Mapping[str, Argument]) -> Expectation:
    named = {name: argument for some in arguments for name, argument in some.items()}
    return Expectation("row", about, named, mostly=True)


def _table(about: str, *arguments: Mapping[str, Argument], mostly: bool = False) -> Expectation:
    named = {name: argument for some in arguments for name, argument in some.items()}
    return Expectation("table", about, named, mostly=mostly)


RULES: Mapping[str, Expectation] = {
    "expect_column_values_to_not_be_null": _row("Values are not null.", _COLUMN),
    "expect_column_values_to_be_null": _row("Values are null.", _COLUMN),
    "expect_column_values_to_be_between": _row("Values lie in a range.", _COLUMN, _BOUNDS),
    "expect_column_values_to_be_in_set": _row("Values are in a set.", _COLUMN, _SET),
    "expect_column_values_to_not_be_in_set": _row("Values are not in a set.", _COLUMN, _SET),
    "expect_column_values_to_match_regex": _row(
        "A regular expression is found in texts.", _COLUMN, _REGEX
    ),
    "expect_column_values_to_not_match_regex": _row(
        "A regular expression is not found in texts.", _COLUMN, _REGEX
    ),
    "expect_column_value_lengths_to_be_between": _row(
        "The lengths of texts lie in a range.", _COLUMN, _COUNTS
    ),
    "expect_column_value_lengths_to_equal": _row("Texts have a length.", _COLUMN, _COUNT),
    "expect_column_pair_values_a_to_be_greater_than_b": _row(
        "The first column is greater than the second.", _PAIR, _GREATER, _IGNORE_PAIR
    ),
    "expect_column_pair_values_to_be_equal": _row(
        "Two columns hold the same.", _PAIR, _IGNORE_PAIR
    ),
    "expect_multicolumn_sum_to_equal": _row(
        "Some columns of a row add up to a total.", _COLUMNS, _TOTAL, _IGNORE_ROW
    ),
    "expect_select_column_values_to_be_unique_within_record": _row(
        "Some columns of a row all differ.", _COLUMNS, _IGNORE_ROW
    ),
    "expect_column_values_to_be_unique": _table("No value comes twice.", _COLUMN, mostly=True),
    "expect_compound_columns_to_be_unique": _table(
        "No combination of values comes twice.", _COLUMNS, _IGNORE_ROW, mostly=True
    ),
    "expect_table_row_count_to_be_between": _table("The number of rows.", _COUNTS),
    "expect_table_row_count_to_equal": _table("The number of rows.", _COUNT),
    "expect_column_mean_to_be_between": _table("The mean.", _COLUMN, _NUMBERS),
    "expect_column_min_to_be_between": _table("The least value.", _COLUMN, _BOUNDS),
    "expect_column_max_to_be_between": _table("The greatest value.", _COLUMN, _BOUNDS),
    "expect_column_sum_to_be_between": _table("The sum.", _COLUMN, _NUMBERS),
    "expect_column_stdev_to_be_between": _table(
        "The standard deviation of the sample.", _COLUMN, _NUMBERS
    ),
    "expect_column_unique_value_count_to_be_between": _table(
        "How many different values there are.", _COLUMN, _COUNTS
    ),
    "expect_column_proportion_of_unique_values_to_be_between": _table(
        "The number of different values as a share of all values that are not null.",
        _COLUMN,
        _NUMBERS,
    ),
    "row": _row(
        "A SQL condition; NULL breaks it.",
        {
            "name": Argument("text", "what it is called", required=True),
            "condition": Argument("text", "the SQL condition", required=True),
        },
    ),
}

# What `drift` can watch; the order is that in which one column's deviations are told.
METRICS: Mapping[str, str] = {
    "row_count": "the number of rows",
    "mean": "the mean of numbers",
    "null_share": "the share of nulls",
    "quantiles": "where 5, 25, 50, 75 and 95% of the numbers lie below",
    "categories": "the shares of a text column's values, where it has 50 at most; new values, and"
    " values that are gone",
    "distinct": "about how many different values there are",
    "freshness": "how long before the window's end the newest `time` lies",
}
USUAL_METRICS = ("row_count", "null_share", "mean", "categories")  # where a rule names none
