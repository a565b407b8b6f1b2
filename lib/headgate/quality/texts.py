"""Row rules on texts: patterns, formats, JSON. What no built-in of Spark reads, Python does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.quality.conditions import Arguments, RowRule, every, present
from headgate.transforms.hidden import column

Fits = Callable[[str], bool]


def _found(arguments: Arguments, regex: str) -> Column:
    return column(arguments["column"]).cast("string").rlike(regex)


def _matches(arguments: Arguments) -> Column:
    return _found(arguments, arguments["regex"])


def _matches_not(arguments: Arguments) -> Column:
    return ~_matches(arguments)


def _matches_list(arguments: Arguments) -> Column:
    listed = arguments["regex_list"]
    if arguments.get("match_on") == "all":
        return every(_found(arguments, regex) for regex in listed)
    return _found(arguments, "|".join(listed))  # joined, as great-expectations does


def _matches_none(arguments: Arguments) -> Column:
    return every(~_found(arguments, regex) for regex in arguments["regex_list"])


def _read_by(fits: Fits, arguments: Arguments) -> Column:
    """What a Python function says of each text; it is asked about nulls too, and raises never."""
    value = column(arguments["column"]).cast("string")
    # PySpark warns of annotations that are texts; a lambda has none.
    asked = F.udf(lambda text: fits(text), "boolean")
    return asked(value)


# Each of these makes a function of its own: what is nested travels to the executors by value, so
# that they need no Headgate.


def _has_format(arguments: Arguments) -> Column:
    form = arguments["strftime_format"]

    def fits(text: str | None) -> bool:
        from datetime import datetime

        try:
            datetime.strptime(text or "", form)  # noqa: DTZ007
        except ValueError:
            return False
        return text is not None

    return _read_by(fits, arguments)


def _is_json(arguments: Arguments) -> Column:
    def fits(text: str | None) -> bool:
        import json

        try:
            json.loads(text or "")
        except (ValueError, RecursionError):
            return False
        return True

    return _read_by(fits, arguments)


def _fits_schema(arguments: Arguments) -> Column:
    # The reader of conf/ made lists into tuples, which JSON Schema does not know.
    schema: Any = json.loads(json.dumps(arguments["json_schema"]))

    def fits(text: str | None) -> bool:
        import json

        from jsonschema.validators import validator_for

        try:
            return bool(validator_for(schema)(schema).is_valid(json.loads(text or "")))
        except Exception:  # no JSON, or a schema that only shows on a value that it is wrong
            return False

    return _read_by(fits, arguments)


TEXT_RULES: Mapping[str, RowRule] = {
    "expect_column_values_to_match_regex": RowRule(_matches, present),
    "expect_column_values_to_not_match_regex": RowRule(_matches_not, present),
    "expect_column_values_to_match_regex_list": RowRule(_matches_list, present),
    "expect_column_values_to_not_match_regex_list": RowRule(_matches_none, present),
    "expect_column_values_to_match_strftime_format": RowRule(_has_format, present),
    "expect_column_values_to_be_json_parseable": RowRule(_is_json, present),
    "expect_column_values_to_match_json_schema": RowRule(_fits_schema, present),
}
