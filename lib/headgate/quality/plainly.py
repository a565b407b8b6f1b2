"""Reasons of rejection as whoever sent the rows would say them: no names of rules, no SQL types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from headgate.core.labels import label
from headgate.core.spec import Rule
from headgate.quality.wording import bounds

_MISFIT = re.compile(
    r"(?:cast: \{(?P<cast>[^:]+): (?P<to>[^}]+)\}|(?P<name>.+): not a (?P<type>.+?)"
    r"(?: written (?P<form>.+))?)"
)
_KINDS = {
    "tinyint": "whole number", "smallint": "whole number", "int": "whole number",
    "bigint": "whole number", "float": "number", "double": "number", "boolean": "yes or no",
    "date": "date", "timestamp": "date and time",
}  # fmt: skip


def plainly(reason: str, rules: Sequence[Rule] = (), names: Mapping[str, str] | None = None) -> str:
    """A reason in plain words; `names` are what columns are called in the file.

    >>> plainly("at: not a date written d.M.yyyy", names={"at": "Ordered on"})
    'Ordered on is not a date written d.M.yyyy'
    >>> plainly("price: not a decimal(10,2)"), plainly("cast: {n: int}")
    ('price is not a number with up to 2 decimals', 'n is not a whole number')
    >>> rule = Rule(expectation="expect_column_values_to_not_be_null",
    ...             arguments={"column": "id"}, written="no null")
    >>> plainly("no null", [rule]), plainly("the record has 3 fields, 5 are expected")
    ('id is missing', 'the record has 3 fields, 5 are expected')
    """
    called = names or {}
    rule = next((one for one in rules if one.written == reason), None)
    if rule is not None:
        return _broken(rule, called)
    found = _MISFIT.fullmatch(reason)
    if found is None:
        return reason
    name, kind = found["name"] or found["cast"], found["type"] or found["to"]
    form = f" written {found['form']}" if found["form"] else ""
    return f"{called.get(name, name)} is not {_kind(kind)}{form}"


def _kind(sql: str) -> str:
    """A SQL type in plain words."""
    if sql.startswith("decimal"):
        scale = int([*re.findall(r"\d+", sql), "0", "0"][1])
        return f"a number with up to {scale} decimals" if scale else "a whole number"
    said = _KINDS.get(sql, sql)
    return said if said == "yes or no" else f"a {said}"


def _broken(rule: Rule, called: Mapping[str, str]) -> str:
    """What a row that breaks a rule has wrong."""
    given = rule.arguments
    name = " and ".join(called.get(one, one) for one in rule.columns)
    said = {
        "expect_column_values_to_not_be_null": "is missing",
        "expect_column_values_to_be_null": "should be empty",
        "expect_column_values_to_be_between": f"should be {bounds(given)}",
        "expect_column_values_to_be_in_set": f"should be one of {_listed(given)}",
        "expect_column_values_to_not_be_in_set": f"should be none of {_listed(given)}",
        "expect_column_values_to_match_regex": f"should have the form {given.get('regex')}",
        "expect_column_values_to_not_match_regex": f"should not have the form {given.get('regex')}",
        "expect_column_value_lengths_to_be_between": f"should have {bounds(given)} signs",
        "expect_column_value_lengths_to_equal": f"should have {given.get('value')} signs",
    }.get(rule.expectation)
    return f"{name} {said}" if said else f"against the rule: {label(rule)}"


def _listed(given: Mapping[str, object]) -> str:
    values = given.get("value_set")
    return ", ".join(map(str, values)) if isinstance(values, list | tuple) else str(values)
