"""The gate: from counts and measures to a verdict. Plain Python, nothing is run or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headgate.core.labels import MAX_REJECTED, ON_EMPTY, is_waived, label
from headgate.core.results import Check, Gate
from headgate.core.rules import RULES
from headgate.core.spec import Rule, Table
from headgate.quality import evidence
from headgate.quality.outcomes import Measured, fits, outcome
from headgate.quality.wording import allowed, closing_line, rows_line, share

WEIGHTS = {"expect_table_row_count_to_be_between": 4.0, "expect_table_row_count_to_equal": 4.0}


@dataclass(frozen=True)
class Verdict:
    """What the gate decided on one run."""

    closed: bool
    gate: Gate
    checks: tuple[Check, ...]
    message: str | None  # why it closed; None where it did not
    warnings: tuple[str, ...] = ()  # a line for each rule that failed and let the run pass


@dataclass(frozen=True)
class _Finding:
    """One check, what is said about it, and how much it matters."""

    check: Check
    line: str
    weight: float
    warns: bool = False


def judge(
    table: Table,
    counts: Mapping[int, tuple[int, int]],
    measured: Mapping[int, Measured],
    rows_judged: int,
    rows_rejected: int,
    waived: frozenset[str] = frozenset(),
    empty: bool = False,
) -> Verdict:
    """The verdict on one run.

    `counts` holds (broken, judged) for row rules and `measured` what was measured for table rules,
    both by the rule's place in `table.quality`; what is missing there had no rows.
    """
    findings = []
    lenient = table.gate != "close"
    for place, rule in enumerate(table.quality):
        if RULES[rule.expectation].kind == "row":
            broken, judged = counts.get(place, (0, 0))
            passes = lenient or is_waived(rule, waived)
            findings.append(_of_rows(rule, broken, judged, rows_judged, passes))
        else:
            found = measured.get(place, {})
            private = _is_private(table, rule)
            passes = lenient or is_waived(rule, waived)
            findings.append(_of_table(rule, found, private, passes))
    gate = Gate(
        rules=len(findings),
        failed=sum(one.check.closed for one in findings),
        warned=sum(one.warns for one in findings),
    )
    if rows_judged and rows_rejected / rows_judged > table.max_rejected:
        blamed = _most_broken(table, counts)
        closes = not lenient and MAX_REJECTED not in waived
        findings.append(_of_rejected(table, rows_judged, rows_rejected, blamed, closes))
    if empty and table.on_empty != "publish":
        closes = table.on_empty == "close" and not lenient and ON_EMPTY not in waived
        findings.append(_of_none(table, closes))
    closing = sorted((one for one in findings if one.check.closed), key=lambda one: -one.weight)
    return Verdict(
        closed=bool(closing),
        gate=gate,
        checks=tuple(one.check for one in findings),
        message=closing_line([one.line for one in closing], rows_judged) if closing else None,
        warnings=tuple(one.line for one in findings if one.warns),
    )


def _of_rows(rule: Rule, broken: int, judged: int, rows: int, waived: bool) -> _Finding:
    """A row rule: it closes only where `mostly` is written, else its rows just leave."""
    success = fits(broken, judged, rule.mostly)
    closes = rule.severity == "critical" and rule.mostly is not None
    return _Finding(
        check=_told(
            Check(
                rule=rule.written or label(rule),
                severity=rule.severity,
                success=success,
                closed=closes and not waived and not success,
                unexpected=broken,
                total=judged,
            ),
            rule,
            evidence.of_rows(rule, broken, judged, rows),
        ),
        line=rows_line(rule, broken, judged),
        weight=broken / judged if judged else 0.0,
        warns=not success and (rule.severity == "warning" or (closes and waived)),
    )


def _of_table(rule: Rule, found: Measured, private: bool, waived: bool) -> _Finding:
    """A table rule: it closes where it is critical and fails."""
    critical = rule.severity == "critical"
    came = outcome(rule, found, private=private)
    check = Check(
        rule=rule.written or label(rule),
        severity=rule.severity,
        success=came.success,
        closed=critical and not waived and not came.success,
        unexpected=came.unexpected,
        total=came.total,
        observed=came.observed,
        found=came.found,
    )
    warns = not came.success and (rule.severity == "warning" or (critical and waived))
    told = _told(check, rule, evidence.of_table(rule, came))
    return _Finding(told, came.line, WEIGHTS.get(rule.expectation, 3.0), warns)


def _told(check: Check, rule: Rule, result: Mapping[str, Any]) -> Check:
    return evidence.recorded(check, rule.expectation, evidence.arguments_of(rule), result)


def _is_private(table: Table, rule: Rule) -> bool:
    """Whether a rule looks at a column that was declared to hold personal data."""
    return not table.private.isdisjoint(rule.columns)


def _most_broken(table: Table, counts: Mapping[int, tuple[int, int]]) -> str:
    """What is said about the rule that rejects most rows."""
    critical = [
        (counts[place][0], label(rule))
        for place, rule in enumerate(table.quality)
        if rule.severity == "critical" and place in counts and counts[place][0]
    ]
    if not critical:
        return ""
    rows, name = max(critical, key=lambda one: one[0])
    return f", most by {name}: {rows:,}"


def _of_none(table: Table, closes: bool) -> _Finding:
    """A window that would hold no row."""
    check = Check(ON_EMPTY, "critical" if closes else "warning", success=False, closed=closes)
    wanted = {"on_empty": table.on_empty}
    check = evidence.recorded(check, ON_EMPTY, wanted, {"observed_value": 0})
    return _Finding(check, "no row would be published", weight=5.0, warns=not closes)


def _of_rejected(table: Table, judged: int, rejected: int, blamed: str, closes: bool) -> _Finding:
    """All rejected rows together, casts that failed among them."""
    check = Check(
        rule=MAX_REJECTED,
        severity="critical",
        success=False,
        closed=closes,
        unexpected=rejected,
        total=judged,
    )
    found = evidence.counted(rejected, judged)
    check = evidence.recorded(check, MAX_REJECTED, {"max_value": table.max_rejected}, found)
    line = (
        f"{rejected:,} of {judged:,} rows rejected ({share(rejected, judged)})"
        f"{blamed}, allowed {allowed(table.max_rejected)}"
    )
    return _Finding(check, line, weight=2.0, warns=not closes)
