"""What a check leaves on record, in great-expectations' words: arguments and result, as JSON.

Arguments are configuration, results are numbers and Headgate's own words: never a row's values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headgate.core.results import Check
from headgate.core.rules import RULES
from headgate.core.spec import Drift, Rule
from headgate.quality.outcomes import Outcome

JUDGE_NULLS = (  # for them every row counts, a null too
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_null",
    "row",
)


def as_json(values: Mapping[str, Any]) -> str:
    """Values as one line that a record keeps.

    >>> as_json({"b": (1, 2), "a": None})
    '{"a": null, "b": [1, 2]}'
    """
    return json.dumps(dict(values), sort_keys=True, default=str, ensure_ascii=False)


def arguments_of(rule: Rule) -> dict[str, Any]:
    """A rule's arguments as great-expectations takes them.

    >>> arguments_of(Rule(expectation="expect_x", arguments={"column": "a"}, mostly=0.9))
    {'column': 'a', 'mostly': 0.9}
    """
    given = dict(rule.arguments)
    if rule.mostly is not None:
        given["mostly"] = rule.mostly
    if rule.row_condition is not None:
        given["row_condition"] = rule.row_condition
    return given


def drift_arguments(rule: Drift) -> dict[str, Any]:
    """What a drift rule watches, and how closely.

    >>> drift_arguments(Drift(columns=("price",)))
    {'columns': ('price',), 'sensitivity': 'normal'}
    """
    named = {"metrics": rule.metrics, "columns": rule.columns, "time": rule.time}
    return {name: one for name, one in named.items() if one} | {"sensitivity": rule.sensitivity}


def counted(unexpected: int, judged: int, rows: int | None = None) -> dict[str, Any]:
    """The result of a rule that counts rows; `rows` includes those whose values are missing.

    Where these were not counted apart, `element_count` is the number of rows judged.

    >>> counted(1, 4)
    {'element_count': 4, 'unexpected_count': 1, 'unexpected_percent': 25.0}
    >>> counted(1, 4, 5)["missing_count"], counted(1, 4, 5)["unexpected_percent_total"]
    (1, 20.0)
    """
    share = _percent(unexpected, judged)
    found: dict[str, Any] = {
        "element_count": judged if rows is None else rows,
        "unexpected_count": unexpected,
        "unexpected_percent": share,
    }
    if rows is not None:
        found |= {
            "missing_count": rows - judged,
            "missing_percent": _percent(rows - judged, rows),
            "unexpected_percent_total": _percent(unexpected, rows),
            "unexpected_percent_nonmissing": share,
        }
    return found


def _percent(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None


def of_rows(rule: Rule, broken: int, judged: int, rows: int) -> dict[str, Any]:
    """What a row rule found. Missing values are counted apart only where a share is asked for."""
    apart = rule.mostly is not None and rule.row_condition is None
    known = apart and rule.expectation not in JUDGE_NULLS and rows >= judged
    found = counted(broken, judged, rows if known else None)
    # great-expectations' own expectation in SQL observes how many rows its query finds.
    return {"observed_value": broken, **found} if rule.expectation == "row" else found


def of_table(rule: Rule, came: Outcome) -> dict[str, Any]:
    """What a table rule found: a number, or words where no single number says it."""
    if came.unexpected is not None and came.total is not None:
        return counted(came.unexpected, came.total)
    if came.value is not None:
        return {"observed_value": came.value}
    if came.observed is not None:
        whole = any(one.takes == "whole" for one in RULES[rule.expectation].arguments.values())
        return {"observed_value": int(came.observed) if whole else came.observed}
    return {} if came.found is None else {"observed_value": came.found}


def recorded(
    check: Check, name: str, arguments: Mapping[str, Any], result: Mapping[str, Any]
) -> Check:
    """A check with all that is needed to tell it again without the configuration."""
    return replace(check, expectation=name, arguments=as_json(arguments), result=as_json(result))
