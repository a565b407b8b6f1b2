"""A verdict in words: one line that can be acted on, without a value of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.core.labels import cut, label
from headgate.core.spec import Rule

CAUSES_SHOWN = 3


def number(value: float) -> str:
    """A number for people.

    >>> number(1000), number(41.2), number(0.123456), number(2_000_000.5), number(3.0)
    ('1,000', '41.2', '0.123456', '2,000,000.5', '3')
    """
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.6g}" if abs(value) < 1_000_000 else f"{value:,.1f}"


def share(part: int, whole: int) -> str:
    """A share in percent, never rounded to none or all.

    >>> share(12, 100), share(1, 3), share(1, 1_000_000), share(999_999, 1_000_000), share(3, 3)
    ('12%', '33.3%', 'under 0.1%', 'over 99.9%', '100%')
    """
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 0.1:
        return "under 0.1%"
    if 99.9 < percent < 100:
        return "over 99.9%"
    return f"{percent:.1f}".removesuffix(".0") + "%"


def allowed(part: float) -> str:
    """A share that is allowed.

    >>> allowed(0.05), allowed(0.0), allowed(1 - 0.999)
    ('5%', 'none', '0.1%')
    """
    return f"{100 * part:.6g}%" if round(part, 9) else "none"


def bounds(arguments: Mapping[str, Any]) -> str:
    """What a rule between bounds expects.

    >>> bounds({"min_value": 3, "max_value": 5}), bounds({"min_value": 1, "strict_min": True})
    ('3 to 5', 'more than 1')
    """
    if "value" in arguments:
        return _bound(arguments["value"])
    low, high = arguments.get("min_value"), arguments.get("max_value")
    strict_low, strict_high = arguments.get("strict_min"), arguments.get("strict_max")
    if low is not None and high is not None and not (strict_low or strict_high):
        return f"{_bound(low)} to {_bound(high)}"
    said = []
    if low is not None:
        said.append(f"{'more than' if strict_low else 'at least'} {_bound(low)}")
    if high is not None:
        said.append(f"{'less than' if strict_high else 'at most'} {_bound(high)}")
    return " and ".join(said) or "any value"


def _bound(value: Any) -> str:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return number(value) if plain else cut(str(value))


def rows_line(rule: Rule, broken: int, judged: int) -> str:
    """How many rows break a rule, and how many may.

    >>> rule = Rule(expectation="row", arguments={"name": "paid"}, mostly=0.9)
    >>> rows_line(rule, 120, 1000)
    'paid broken by 120 of 1,000 rows (12%), allowed 10%'
    """
    part = f"{broken:,} of {judged:,} rows ({share(broken, judged)})"
    may = "" if rule.mostly is None else f", allowed {allowed(1 - rule.mostly)}"
    return f"{label(rule)} broken by {part}{may}"


def measured_line(rule: Rule, observed: float | None) -> str:
    """What was measured, and what was expected."""
    expected = bounds(rule.arguments)
    if observed is not None:
        return f"{label(rule)} {number(observed)}, expected {expected}"
    return f"{label(rule)} not as expected ({expected})"


def said_line(rule: Rule, found: str) -> str:
    """What was found where it takes words.

    >>> said_line(Rule(expectation="expect_column_to_exist", arguments={"column": "a"}), "is there")
    'column(a) is there'
    """
    return f"{label(rule)} {found}"


def closing_line(causes: list[str], rows: int) -> str:
    """Why a gate closed: the weightiest causes, and what is kept back.

    >>> closing_line(["row_count 10, expected at least 20"], 10)
    'row_count 10, expected at least 20; 10 rows kept back'
    """
    shown = causes[:CAUSES_SHOWN]
    more = len(causes) - len(shown)
    if more:
        shown.append(f"and {more} more")
    return "; ".join([*shown, f"{rows:,} rows kept back"])
