"""The arguments that rules take, by great-expectations' names, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Takes = Literal[
    "bound",
    "column",
    "columns",
    "flag",
    "json_schema",
    "keys",
    "new_columns",
    "number",
    "pairs",
    "partition",
    "position",
    "quantiles",
    "regex",
    "regexes",
    "share",
    "some_columns",
    "stretch",
    "strftime",
    "table",
    "text",
    "type",
    "types",
    "values",
    "whole",
    "word",
]


@dataclass(frozen=True)
class Argument:
    """One argument of a rule: what it takes."""

    takes: Takes
    about: str
    required: bool = False
    words: tuple[str, ...] = ()  # of takes="word"; the first is the default


Arguments = Mapping[str, Argument]


def _flag(name: str, about: str) -> Arguments:
    return {name: Argument("flag", f"{about} (default false)")}


def _needed(name: str, takes: Takes, about: str) -> Arguments:
    return {name: Argument(takes, about, required=True)}


def _between(takes: Takes, kind: str, strict: bool = True) -> Arguments:
    return {
        "min_value": Argument(takes, f"the least {kind}"),
        "max_value": Argument(takes, f"the greatest {kind}"),
        **(STRICT if strict else {}),
    }


COLUMN = _needed("column", "column", "the column judged")
NAMED = _needed("column", "text", "the name of the column")
PAIR = {
    "column_A": Argument("column", "the first column", required=True),
    "column_B": Argument("column", "the second column", required=True),
}
COLUMNS = _needed("column_list", "columns", "two or more columns")
KEYS = _needed("column", "keys", "the column judged, or the columns of a key of several")
EXISTS_IN = {
    **_needed("table", "table", "the other table"),
    "key": Argument("keys", "the columns there, one for each here (default: of the same names)"),
}
OTHER_TABLE = _needed("other_table_name", "table", "the other table")
OTHER_COUNT = {
    "other_column": Argument("column", "a column there whose sum is the number, as a control file "
                             "tells it (default: the number of rows)"),
}  # fmt: skip
OTHER_SUM = {
    "other_column": Argument("column", "the column there (default: of the same name)"),
    "tolerance": Argument("number", "how far apart the sums may be (default 0)"),
}
FRESH = {
    **_needed("table", "table", "the other table"),
    "within": Argument("stretch", "how long before, as '1 day'", required=True),
}
ORDERED = _needed("column_list", "new_columns", "the names, in their order")
STRICT = {
    **_flag("strict_min", "the least value itself does not fit"),
    **_flag("strict_max", "the greatest value itself does not fit"),
}
BOUNDS = _between("bound", "value that fits: a number, or a date as text")
NUMBERS = _between("number", "number that fits")
COUNTS = _between("whole", "number that fits")
PLAIN_COUNTS = _between("whole", "number that fits", strict=False)
COUNT = _needed("value", "whole", "the number itself")
SET = _needed("value_set", "values", "the values")
PAIRS = _needed("value_pairs_set", "pairs", "pairs of values; null stands for a missing one")
REGEX = _needed("regex", "regex", "found anywhere in the text")
REGEXES = _needed("regex_list", "regexes", "regular expressions")
MATCH_ON = {"match_on": Argument("word", "how many of them have to be found", words=("any", "all"))}
STRFTIME = _needed("strftime_format", "strftime", "as Python's strptime reads it")
JSON_SCHEMA = _needed("json_schema", "json_schema", "a JSON Schema")
TYPE = _needed("type_", "type", "a type of pyspark.sql.types, such as IntegerType")
TYPES = _needed("type_list", "types", "types of pyspark.sql.types; others are not looked at")
IGNORE_PAIR = {
    "ignore_row_if": Argument(
        "word",
        "which rows are not judged",
        words=("both_values_are_missing", "either_value_is_missing", "neither"),
    )
}
IGNORE_ROW = {
    "ignore_row_if": Argument(
        "word",
        "which rows are not judged",
        words=("all_values_are_missing", "any_value_is_missing", "never"),
    )
}
GREATER = _flag("or_equal", "equal values fit too")
TOTAL = _needed("sum_total", "number", "what the columns add up to")
STRICTLY = _flag("strictly", "equal neighbours do not fit")
TIES = _flag("ties_okay", "of several that are most common, one in the set is enough")
QUANTILES = {
    **_needed("quantile_ranges", "quantiles", "`quantiles`, and for each of them a range in "
              "`value_ranges`: [least, greatest], null where it is open"),
    "allow_relative_error": Argument("share", "how far off the rank of a quantile may be "
                                     "(default 0: exact)"),
}  # fmt: skip
Z_SCORES = {
    **_needed("threshold", "number", "how many standard deviations from the mean no longer fit"),
    "double_sided": Argument("flag", "whether far below does not fit either", required=True),
}
OUTLIERS = {
    "method": Argument("word", "by quartiles, or by mean and standard deviation",
                       words=("iqr", "std")),
    "multiplier": Argument("number", "how many interquartile ranges, or standard deviations, "
                           "still fit (default 1.5)"),
}  # fmt: skip
DIVERGENCE = {
    **_needed("partition_object", "partition", "`values` or `bins`, with `weights` that add up "
              "to 1, and for bins `tail_weights`"),
    "threshold": Argument("number", "the greatest divergence that fits", required=True),
    "tail_weight_holdout": Argument("share", "weight of values that the partition does not have "
                                    "(default 0)"),
    "internal_weight_holdout": Argument("share", "weight of bins without any (default 0)"),
    **_flag("bucketize_data", "accepted, as great-expectations saves it"),
}  # fmt: skip
POSITION = {"column_index": Argument("position", "its place, from 0; 0 itself is not looked at")}
COLUMN_SET = {
    **_needed("column_set", "some_columns", "the names, in any order"),
    "exact_match": Argument("flag", "whether no other column may be there (default true)"),
}
