"""What was measured for one table rule, held against what it expects. Plain Python."""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headgate.core.across import FRESH, TOTALS
from headgate.core.rules import RULES
from headgate.core.spec import Rule
from headgate.core.windows import stretch
from headgate.quality.divergence import of_bins, of_values
from headgate.quality.wording import measured_line, number, rows_line, said_line

Measured = Mapping[str, Any]
NEAR, NEARER = 1e-4, 1e-8  # how far off an end a quantile may be, relative and absolute, as there


@dataclass(frozen=True)
class Outcome:
    """Whether a rule holds, and what is said of it: numbers, and no value of a private column."""

    success: bool
    line: str
    unexpected: int | None = None
    total: int | None = None
    observed: float | None = None
    found: str | None = None  # where no single number says it
    value: Any = None  # as great-expectations would tell it, where `observed` does not


def outcome(rule: Rule, measured: Measured, *, private: bool = False) -> Outcome:
    """What came out of a table rule; `private`: its column holds personal data."""
    known = RULES[rule.expectation]
    if known.how != "schema" and known.mostly:
        return _of_rows(rule, measured)
    came = _JUDGES.get(rule.expectation, _of_number)(rule, measured)
    return _without_values(rule, came) if private and rule.expectation in _VALUES else came


def _without_values(rule: Rule, came: Outcome) -> Outcome:
    """An outcome that tells no value of the data: a least value may be somebody's own."""
    return Outcome(came.success, measured_line(rule, None))


def fits(broken: int, judged: int, mostly: float | None) -> bool:
    """Whether enough rows fit, reckoned as great-expectations does; no rows fit anything.

    >>> fits(5, 100, 0.95), fits(6, 100, 0.95), fits(1, 100, None), fits(0, 0, None)
    (True, False, False, True)
    """
    return judged == 0 or (judged - broken) / judged >= (1.0 if mostly is None else mostly)


def _of_rows(rule: Rule, measured: Measured) -> Outcome:
    unexpected, total = _whole(measured, "unexpected"), _whole(measured, "total")
    success = fits(unexpected, total, rule.mostly)
    return Outcome(success, rows_line(rule, unexpected, total), unexpected, total)


def _of_number(rule: Rule, measured: Measured) -> Outcome:
    observed = _observed(rule, measured)
    success = _within(rule, observed)
    return Outcome(success, measured_line(rule, observed), observed=observed)


def _of_extreme(rule: Rule, measured: Measured) -> Outcome:
    observed = _observed(rule, measured)
    success = bool(measured.get("success"))
    return Outcome(success, measured_line(rule, observed), observed=observed)


def _of_set(rule: Rule, measured: Measured) -> Outcome:
    """The values of a set that are missing, and those that it does not have."""
    name, listed = rule.expectation, len(rule.arguments["value_set"] or ())
    missing = listed - _whole(measured, "found") if not name.endswith("be_in_set") else 0
    more = _whole(measured, "unexpected") if not name.endswith("contain_set") else 0
    parts = [f"lacks {missing:,} of the set's {_values(listed)}"] if missing else []
    parts += [f"has {_values(more)} that the set does not have"] if more else []
    found = " and ".join(parts) or f"{_values(_whole(measured, 'distinct'))}, as expected"
    return Outcome(not (missing or more), said_line(rule, found), found=found)


def _of_most_common(rule: Rule, measured: Measured) -> Outcome:
    common, listed = _whole(measured, "distinct"), _whole(measured, "found")
    ties = bool(rule.arguments.get("ties_okay"))
    success = listed > 0 if ties else common == 1 and listed == 1
    if common == 0:
        found = "has no value"
    elif common == 1:
        found = f"has one most common value, {'in' if listed else 'not in'} the set"
    else:
        found = f"has {common:,} values that are most common, {listed:,} of them in the set"
    return Outcome(success, said_line(rule, found), observed=None, found=found)


def _of_quantiles(rule: Rule, measured: Measured) -> Outcome:
    ranges = rule.arguments["quantile_ranges"]
    wanted: Sequence[float] = ranges["quantiles"]
    values = measured.get("values") or [None] * len(wanted)
    inside = [_in_range(v, *pair) for v, pair in zip(values, ranges["value_ranges"], strict=True)]
    found = ", ".join(
        f"{100 * quantile:g}% {'none' if value is None else number(value)}"
        for quantile, value in zip(wanted, values, strict=True)
    )
    told = {"quantiles": list(wanted), "values": list(values)}
    if all(inside):
        return Outcome(True, said_line(rule, found), found=found, value=told)
    away = [f"{100 * q:g}%" for q, fit in zip(wanted, inside, strict=True) if not fit]
    line = said_line(rule, f"{found}: out of range at {', '.join(away)}")
    return Outcome(False, line, found=found, value=told)


def _in_range(value: float | None, low: float | None, high: float | None) -> bool:
    if value is None or math.isnan(value):
        return False
    near = any(
        end is not None and abs(value - end) <= NEARER + NEAR * abs(end) for end in (low, high)
    )
    return near or ((low is None or low <= value) and (high is None or value <= high))


def _of_divergence(rule: Rule, measured: Measured) -> Outcome:
    partition, threshold = rule.arguments["partition_object"], rule.arguments["threshold"]
    cells = partition["values"] if "values" in partition else partition["bins"]
    counts = json.loads(measured.get("counts") or "null") or [0] * (len(cells) + 1)
    total = _whole(measured, "total")
    if "values" in partition:
        *named, logs = counts
        others = _whole(measured, "unexpected")
        apart = of_values(rule.arguments, named, total, others, float(logs))
    else:
        apart = of_bins(rule.arguments, counts, total)
    success = apart <= threshold
    observed = apart if math.isfinite(apart) else None
    expected = f"expected at most {number(threshold)}"
    if observed is not None:
        return Outcome(
            success, said_line(rule, f"{number(observed)}, {expected}"), observed=observed
        )
    found = "is infinite" if math.isinf(apart) else "has no value"
    return Outcome(success, said_line(rule, f"{found}, {expected}"), found=found)


def _of_total(rule: Rule, measured: Measured) -> Outcome:
    """A total, and that of another table; no rows make 0."""
    mine, theirs = (float(measured.get(name) or 0) for name in ("observed", "expected"))
    success = abs(mine - theirs) <= rule.arguments.get("tolerance", 0)
    found = f"{number(mine)}, {rule.other} has {number(theirs)}"
    told = {"self": mine, "other": theirs}
    return Outcome(success, said_line(rule, found), found=found, value=told)


def _of_age(rule: Rule, measured: Measured) -> Outcome:
    hours, within = measured.get("observed"), rule.arguments["within"]
    if hours is None:
        return Outcome(False, said_line(rule, "no window is published"), found="no window")
    success = hours <= stretch(within).total_seconds() / 3600
    found = f"{number(hours)} hours before, allowed {within}"
    return Outcome(success, said_line(rule, found), observed=hours, found=found)


def _of_schema(rule: Rule, measured: Measured) -> Outcome:
    found = str(measured.get("said", ""))
    wanted = rule.arguments.get("type_") or ", ".join(rule.arguments.get("type_list", ()))
    line = said_line(rule, f"{found}, expected {wanted}" if wanted else found)
    return Outcome(bool(measured.get("success")), line, found=found)


_JUDGES: Mapping[str, Callable[[Rule, Measured], Outcome]] = {
    "expect_column_min_to_be_between": _of_extreme,
    "expect_column_max_to_be_between": _of_extreme,
    "expect_column_distinct_values_to_be_in_set": _of_set,
    "expect_column_distinct_values_to_contain_set": _of_set,
    "expect_column_distinct_values_to_equal_set": _of_set,
    "expect_column_most_common_value_to_be_in_set": _of_most_common,
    "expect_column_quantile_values_to_be_between": _of_quantiles,
    "expect_column_kl_divergence_to_be_less_than": _of_divergence,
    **dict.fromkeys(TOTALS, _of_total),
    FRESH: _of_age,
    "expect_column_to_exist": _of_schema,
    "expect_column_type_to_be": _of_schema,
    "expect_column_values_to_be_of_type": _of_schema,
    "expect_column_values_to_be_in_type_list": _of_schema,
    "expect_table_columns_to_match_ordered_list": _of_schema,
    "expect_table_columns_to_match_set": _of_schema,
}
_VALUES = (  # what these tell is a value of the data
    "expect_column_min_to_be_between",
    "expect_column_max_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_quantile_values_to_be_between",
)
_COUNTED = (  # without rows these are 0, others have no value
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
    "expect_column_proportion_of_non_null_values_to_be_between",
)


def _observed(rule: Rule, measured: Measured) -> float | None:
    """The number that a rule measured; None where there is none (empty, all null, NaN)."""
    if rule.expectation == "expect_column_unique_value_count_to_be_between":
        return float(_whole(measured, "distinct"))
    if rule.expectation == "expect_column_proportion_of_unique_values_to_be_between":
        total = _whole(measured, "total")
        return _whole(measured, "distinct") / total if total else 0.0
    value = measured.get("observed")
    if rule.expectation in _COUNTED:
        return float(value or 0)
    return None if value is None or math.isnan(value) else float(value)


def _within(rule: Rule, observed: float | None) -> bool:
    """Whether a number lies in the rule's bounds; no number lies in any."""
    if observed is None:
        return False
    if "value" in rule.arguments:
        return observed == float(rule.arguments["value"])
    low, high = rule.arguments.get("min_value"), rule.arguments.get("max_value")
    above = operator.gt if rule.arguments.get("strict_min") else operator.ge
    below = operator.lt if rule.arguments.get("strict_max") else operator.le
    return (low is None or above(observed, low)) and (high is None or below(observed, high))


def _whole(measured: Measured, name: str) -> int:
    return int(measured.get(name) or 0)


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"
