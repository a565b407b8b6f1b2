"""The rules that a gate knows: great-expectations' names, arguments and defaults, as plain data."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.core import arguments as take
from headgate.core.across import ACROSS_ROWS, ACROSS_TABLES
from headgate.core.arguments import Argument
from headgate.core.expectation import Expectation
from headgate.core.expectation import rule as _rule

_TEXT_AS_NUMBER = (
    "A text is read as a number where it is held against one; one that cannot be read "
    "does not fit. great-expectations stops with an error."
)
_TEXT = "Values that are no texts are judged by their text; great-expectations stops with an error."
_NO_NUMBERS = "A column that holds no numbers fails; great-expectations stops with an error."
_DATES = "Texts in the set match dates, as they do in SQL; there they never do."
_CLOSES = (
    "Rejects no rows: which of them break it depends on all the others, and would change "
    "as soon as some had left."
)
_ORDER = (
    "The order is that of `_file` and `_row`; there it is whatever order Spark reads rows in. "
    "Rejects no rows. Dates and timestamps are compared by day, as there."
)
_OWN = "Columns that begin with _ are not looked at."

ROW_RULES: Mapping[str, Expectation] = {
    "expect_column_values_to_not_be_null": _rule("row", "Values are not null.", take.COLUMN),
    "expect_column_values_to_be_null": _rule("row", "Values are null.", take.COLUMN),
    "expect_column_values_to_be_between": _rule(
        "row", "Values lie in a range.", take.COLUMN, take.BOUNDS, differs=_TEXT_AS_NUMBER
    ),
    "expect_column_values_to_be_in_set": _rule(
        "row", "Values are in a set.", take.COLUMN, take.SET, differs=_TEXT_AS_NUMBER
    ),
    "expect_column_values_to_not_be_in_set": _rule(
        "row", "Values are not in a set.", take.COLUMN, take.SET, differs=_TEXT_AS_NUMBER
    ),
    "expect_column_values_to_match_regex": _rule(
        "row", "A regular expression is found in texts.", take.COLUMN, take.REGEX
    ),
    "expect_column_values_to_not_match_regex": _rule(
        "row", "A regular expression is not found in texts.", take.COLUMN, take.REGEX
    ),
    "expect_column_values_to_match_regex_list": _rule(
        "row",
        "Any, or all, of some regular expressions are found in texts.",
        take.COLUMN,
        take.REGEXES,
        take.MATCH_ON,
    ),
    "expect_column_values_to_not_match_regex_list": _rule(
        "row", "No regular expression of a list is found in texts.", take.COLUMN, take.REGEXES
    ),
    "expect_column_values_to_match_strftime_format": _rule(
        "row",
        "Texts are dates or times in a format of Python's.",
        take.COLUMN,
        take.STRFTIME,
        differs=_TEXT,
    ),
    "expect_column_values_to_be_json_parseable": _rule(
        "row",
        "Texts are JSON.",
        take.COLUMN,
        differs="Values that are no texts are judged by their text; there they never fit.",
    ),
    "expect_column_values_to_match_json_schema": _rule(
        "row",
        "Texts are JSON that fits a JSON Schema.",
        take.COLUMN,
        take.JSON_SCHEMA,
        differs="A text that is no JSON does not fit; great-expectations stops with an error. "
        "Needs the Python package jsonschema.",
    ),
    "expect_column_value_lengths_to_be_between": _rule(
        "row", "The lengths of texts lie in a range.", take.COLUMN, take.COUNTS
    ),
    "expect_column_value_lengths_to_equal": _rule(
        "row", "Texts have a length.", take.COLUMN, take.COUNT
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": _rule(
        "row",
        "The first column is greater than the second.",
        take.PAIR,
        take.GREATER,
        take.IGNORE_PAIR,
        differs=_TEXT_AS_NUMBER,
    ),
    "expect_column_pair_values_to_be_equal": _rule(
        "row",
        "Two columns hold the same.",
        take.PAIR,
        take.IGNORE_PAIR,
        differs=_TEXT_AS_NUMBER,
    ),
    "expect_column_pair_values_to_be_in_set": _rule(
        "row",
        "Pairs of values are in a set of pairs.",
        take.PAIR,
        take.PAIRS,
        take.IGNORE_PAIR,
        differs=_TEXT_AS_NUMBER,
    ),
    "expect_multicolumn_sum_to_equal": _rule(
        "row",
        "Some columns of a row add up to a total.",
        take.COLUMNS,
        take.TOTAL,
        take.IGNORE_ROW,
        differs="A sum that overflows, or that holds a text which is no number, does not fit; "
        "great-expectations stops with an error.",
    ),
    "expect_multicolumn_values_to_be_equal": _rule(
        "row",
        "Some columns of a row hold the same.",
        take.COLUMNS,
        take.IGNORE_ROW,
        differs=_TEXT_AS_NUMBER,
    ),
    "expect_select_column_values_to_be_unique_within_record": _rule(
        "row",
        "Some columns of a row all differ.",
        take.COLUMNS,
        take.IGNORE_ROW,
        differs=_TEXT_AS_NUMBER,
    ),
    **ACROSS_ROWS,
}
TABLE_RULES: Mapping[str, Expectation] = {
    "expect_column_values_to_be_unique": _rule(
        "grouped",
        "No value comes twice.",
        take.COLUMN,
        mostly=True,
        differs="Rejects no rows: `key` and `latest_by` say which of two stays.",
    ),
    "expect_compound_columns_to_be_unique": _rule(
        "grouped",
        "No combination of values comes twice.",
        take.COLUMNS,
        take.IGNORE_ROW,
        mostly=True,
        differs="Rejects no rows: `key` and `latest_by` say which of two stays.",
    ),
    "expect_table_row_count_to_be_between": _rule("aggregate", "The number of rows.", take.COUNTS),
    "expect_table_row_count_to_equal": _rule("aggregate", "The number of rows.", take.COUNT),
    "expect_column_mean_to_be_between": _rule(
        "aggregate", "The mean.", take.COLUMN, take.NUMBERS, differs=_NO_NUMBERS
    ),
    "expect_column_min_to_be_between": _rule(
        "aggregate", "The least value.", take.COLUMN, take.BOUNDS
    ),
    "expect_column_max_to_be_between": _rule(
        "aggregate", "The greatest value.", take.COLUMN, take.BOUNDS
    ),
    "expect_column_sum_to_be_between": _rule(
        "aggregate", "The sum.", take.COLUMN, take.NUMBERS, differs=_NO_NUMBERS
    ),
    "expect_column_stdev_to_be_between": _rule(
        "aggregate",
        "The standard deviation of the sample.",
        take.COLUMN,
        take.NUMBERS,
        differs=_NO_NUMBERS,
    ),
    "expect_column_proportion_of_non_null_values_to_be_between": _rule(
        "aggregate",
        "The share of values that are not null; 0 where there are no rows.",
        take.COLUMN,
        take.NUMBERS,
    ),
    "expect_column_median_to_be_between": _rule(
        "statistic",
        "The median, the mean of the middle two where there are two; NaN is left out.",
        take.COLUMN,
        take.NUMBERS,
        differs=_NO_NUMBERS,
    ),
    "expect_column_quantile_values_to_be_between": _rule(
        "statistic",
        "Quantiles lie in ranges; NaN is left out.",
        take.COLUMN,
        take.QUANTILES,
        differs=_NO_NUMBERS,
    ),
    "expect_column_kl_divergence_to_be_less_than": _rule(
        "grouped",
        "The distribution is near to an expected one (Kullback-Leibler divergence).",
        take.COLUMN,
        take.DIVERGENCE,
        differs="`partition_object` is needed: without it great-expectations compares the data "
        "with themselves. A column without values fails, where it stops with an error. -0.0 is "
        "in the bin that begins at 0.",
    ),
    "expect_column_value_z_scores_to_be_less_than": _rule(
        "statistic",
        "Values are fewer standard deviations than a threshold away from the mean.",
        take.COLUMN,
        take.Z_SCORES,
        mostly=True,
        differs=f"{_CLOSES} {_NO_NUMBERS}",
    ),
    "expect_column_values_to_not_be_outliers": _rule(
        "statistic",
        "Values are not far from the others.",
        take.COLUMN,
        take.OUTLIERS,
        mostly=True,
        differs=f"{_CLOSES} {_NO_NUMBERS}",
    ),
    "expect_column_unique_value_count_to_be_between": _rule(
        "grouped", "How many different values there are.", take.COLUMN, take.COUNTS
    ),
    "expect_column_proportion_of_unique_values_to_be_between": _rule(
        "grouped",
        "The number of different values as a share of all values that are not null.",
        take.COLUMN,
        take.NUMBERS,
    ),
    "expect_column_distinct_values_to_be_in_set": _rule(
        "grouped", "No value is outside a set.", take.COLUMN, take.SET
    ),
    "expect_column_distinct_values_to_contain_set": _rule(
        "grouped", "Every value of a set is there.", take.COLUMN, take.SET
    ),
    "expect_column_distinct_values_to_equal_set": _rule(
        "grouped", "The values that are there are those of a set.", take.COLUMN, take.SET
    ),
    "expect_column_most_common_value_to_be_in_set": _rule(
        "grouped",
        "The most common value is in a set.",
        take.COLUMN,
        take.SET,
        take.TIES,
        differs=_DATES,
    ),
    "expect_column_values_to_be_increasing": _rule(
        "order",
        "Each value is at least the one before it.",
        take.COLUMN,
        take.STRICTLY,
        mostly=True,
        differs=_ORDER,
    ),
    "expect_column_values_to_be_decreasing": _rule(
        "order",
        "Each value is at most the one before it.",
        take.COLUMN,
        take.STRICTLY,
        mostly=True,
        differs=_ORDER,
    ),
    "expect_column_to_exist": _rule(
        "schema", "A column is there.", take.NAMED, take.POSITION, differs=_OWN
    ),
    "expect_column_type_to_be": _rule(
        "schema", "A column is of a type, or of one that it stands for.", take.COLUMN, take.TYPE
    ),
    "expect_column_values_to_be_of_type": _rule(
        "schema",
        "A column is of a type, or of one that it stands for.",
        take.COLUMN,
        take.TYPE,
        mostly=True,
    ),
    "expect_column_values_to_be_in_type_list": _rule(
        "schema",
        "A column is of one of some types.",
        take.COLUMN,
        take.TYPES,
        mostly=True,
    ),
    "expect_table_column_count_to_equal": _rule(
        "schema", "The number of columns; those in structs count too.", take.COUNT, differs=_OWN
    ),
    "expect_table_column_count_to_be_between": _rule(
        "schema",
        "The number of columns; those in structs count too.",
        take.PLAIN_COUNTS,
        differs=_OWN,
    ),
    "expect_table_columns_to_match_ordered_list": _rule(
        "schema",
        "The columns are those of a list, in its order.",
        take.ORDERED,
        differs=_OWN,
    ),
    "expect_table_columns_to_match_set": _rule(
        "schema", "The columns are those of a set.", take.COLUMN_SET, differs=_OWN
    ),
    **ACROSS_TABLES,
}
RULES: Mapping[str, Expectation] = {
    **ROW_RULES,
    **TABLE_RULES,
    "row": _rule(
        "row",
        "A SQL condition; NULL breaks it.",
        {
            "name": Argument("text", "what it is called", required=True),
            "condition": Argument("text", "the SQL condition", required=True),
        },
    ),
}
NAMES_COLUMNS = (  # rules that say which columns there are: one that is missing is their finding
    "expect_column_to_exist",
    "expect_table_columns_to_match_ordered_list",
    "expect_table_columns_to_match_set",
)

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
    "schema": "which columns have values, and their types: what is new, empty, or of another type",
    "bytes": "the size of the raw files (ingested tables whose path tells the window)",
    "seconds": "the run time; windows that ran alone are compared with such",
}
USUAL_METRICS = ("row_count", "null_share", "mean", "categories")  # where a rule names none
