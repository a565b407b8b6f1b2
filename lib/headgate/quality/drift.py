"""Drift: a window against earlier windows of its table. Plain Python, nothing is run or written.

Every number is held against its own past; what is out of line for one cause is told once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headgate.core.labels import DRIFT, is_waived
from headgate.core.results import Check, Gate, Metric
from headgate.core.rules import METRICS, USUAL_METRICS
from headgate.core.spec import Drift
from headgate.core.windows import Grain
from headgate.quality.against_past import Outcome, Watch, outcome
from headgate.quality.drift_words import told
from headgate.quality.evidence import drift_arguments, recorded
from headgate.quality.gate import Verdict
from headgate.quality.past import (
    DISMISSED,
    LEARNING,
    OUT,
    RULING,
    USUAL,
    Name,
    Past,
    Profile,
    Ruling,
    group_of,
    is_dismissed,
)
from headgate.quality.past import profile_of as profiled
from headgate.quality.wording import closing_line

WEIGHTIEST = ("critical", "warning", "info")
# The odds that a healthy window is called out of line, all of a rule's metrics together.
ODDS: Mapping[str, float] = {"low": 1e-4, "normal": 1e-2, "high": 5e-2}
VOLUME = 1 / 3  # the number of rows' part in these odds


@dataclass(frozen=True)
class Drifted:
    """What all drift rules of a table say about one window."""

    checks: tuple[Check, ...] = ()
    closing: tuple[str, ...] = ()
    closing_names: tuple[Name, ...] = ()  # what these lines are about
    warnings: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()  # with what they were compared with, and each rule's ruling


def watched(rule: Drift, metrics: Iterable[Metric]) -> list[Name]:
    """The metrics of a run that a rule watches."""
    wanted = set(rule.metrics or USUAL_METRICS) | ({"freshness"} if rule.time else set())
    return [
        (one.column, one.metric)
        for one in metrics
        if one.metric in wanted
        and (one.column is None or one.metric == "freshness" or _names(rule, one.column))
        and (one.metric != "freshness" or one.column == rule.time)
    ]


def _names(rule: Drift, column: str) -> bool:
    return not rule.columns or column in rule.columns


def drifted(
    rules: Sequence[Drift],
    metrics: Sequence[Metric],
    window: str,
    grain: Grain,
    past: Past,
    waived: frozenset[str] = frozenset(),
) -> Drifted:
    """Judge one window. What is told by a weightier rule is not told again."""
    now, before = profiled(metrics), past.before(window, grain)
    found: dict[Name, Outcome] = {}
    false_alarms = frozenset(
        name for name, one in now.items() if is_dismissed(one, past.dismissed.get(window, {}))
    )
    said = Drifted()
    ruled: list[Metric] = []
    told_already: set[Name] = set()
    for rule in sorted(rules, key=lambda one: WEIGHTIEST.index(one.severity)):
        outcomes = _outcomes(rule, now, before, grain, grain.index(window))
        for one in outcomes:
            known = found.get(one.name)
            found[one.name] = one if known is None or one.state == OUT else known
        ruling = _ruling(outcomes, told_already, false_alarms)
        recorded = past.rulings.get((window, rule.written))
        if rule.severity == "critical" and recorded is not None:
            # What was decided on this content stays decided, unless a person has dismissed it.
            ruling = recorded.without(false_alarms)
            found |= {
                name: replace(found[name], state=OUT) for name in ruling.names if name in found
            }
        passed = ruling.state == OUT and (is_waived(rule, waived) or ruling.waived)
        ruled.append(_ruled(rule, replace(ruling, waived=passed)))
        said = _with(said, rule, ruling, passed)
        told_already |= {group_of(one.name) for one in outcomes if one.state == OUT}
    compared = [_compared(one, found, false_alarms) for one in metrics]
    return replace(said, metrics=(*compared, *ruled))


def _compared(one: Metric, found: Mapping[Name, Outcome], false_alarms: frozenset[Name]) -> Metric:
    """A metric with what it was compared with, for the record."""
    name = (one.column, one.metric)
    if name not in found:
        return one
    said = {"dismissed": True} if name in false_alarms else {}
    return replace(one, detail={**one.detail, **found[name].detail(), **said})


def _outcomes(
    rule: Drift, now: Profile, before: Sequence[tuple[int, Profile]], grain: Grain, at: int
) -> list[Outcome]:
    names = watched(rule, now.values())
    odds = ODDS[rule.sensitivity]
    made = (
        outcome(name, now, before, Watch(grain, at, odds * _weight(name, names))) for name in names
    )
    return [one for one in made if one is not None]


def _weight(name: Name, names: Sequence[Name]) -> float:
    """A metric's part in the odds: the number of rows is watched more closely than the rest."""
    if len(names) == 1:
        return 1.0
    volume = (None, "row_count")
    if volume not in names:
        return 1 / len(names)
    return VOLUME if name == volume else (1 - VOLUME) / (len(names) - 1)


def _ruling(outcomes: Sequence[Outcome], known: set[Name], dismissed: frozenset[Name]) -> Ruling:
    if outcomes and all(one.state == LEARNING for one in outcomes):
        return Ruling(LEARNING)
    out = [one for one in outcomes if one.state == OUT]
    left = [one for one in out if one.name not in dismissed]
    if not left:
        return Ruling(DISMISSED, names=_names_of(out)) if out else Ruling(USUAL)
    lines = told([one for one in left if group_of(one.name) not in known], tuple(METRICS))
    return Ruling(OUT, len(left), tuple(lines), names=_names_of(left))


def _names_of(outcomes: Sequence[Outcome]) -> tuple[Name, ...]:
    return tuple(one.name for one in outcomes)


def _ruled(rule: Drift, ruling: Ruling) -> Metric:
    """A ruling as it is put on record."""
    detail: dict[str, Any] = {"rule": rule.written, "state": ruling.state}
    if ruling.names:
        detail["names"] = [list(name) for name in ruling.names]
    if ruling.state == OUT:
        detail |= {"lines": list(ruling.lines), "waived": ruling.waived}
    return Metric(None, RULING, float(ruling.out), detail)


def _with(said: Drifted, rule: Drift, ruling: Ruling, passed: bool) -> Drifted:
    out = ruling.state == OUT
    closes = out and rule.severity == "critical" and not passed
    check = Check(
        rule=rule.written or DRIFT,
        severity=rule.severity,
        success=not out,
        closed=closes,
        observed=float(ruling.out),
    )
    line = "; ".join(ruling.lines)
    found = {"observed_value": line or ruling.state, "details": {"out_of_line": ruling.out}}
    check = recorded(check, DRIFT, drift_arguments(rule), found)
    # What a person has let pass needs nobody's attention.
    warns = out and not passed and rule.severity == "warning" and bool(line)
    return replace(
        said,
        checks=(*said.checks, check),
        closing=(*said.closing, line) if closes else said.closing,
        closing_names=(*said.closing_names, *ruling.names) if closes else said.closing_names,
        warnings=(*said.warnings, line) if warns else said.warnings,
    )


# Rules that are about the same number as a metric: what they say is not said again.
_SAME: Mapping[str, str] = {
    "expect_column_mean_to_be_between": "mean",
    "expect_column_values_to_not_be_null": "null_share",
    "expect_table_row_count_to_be_between": "row_count",
    "expect_table_row_count_to_equal": "row_count",
}


def _told_by(checks: Iterable[Check], names: Sequence[Name]) -> bool:
    """Whether rules that close the gate have told all of it."""
    told = {
        (json.loads(one.arguments).get("column"), _SAME[one.expectation])
        for one in checks if one.closed and one.expectation in _SAME
    }  # fmt: skip
    return bool(names) and told.issuperset(names)


def joined(verdict: Verdict, said: Drifted, rows_judged: int) -> Verdict:
    """The gate's verdict with what drift adds to it."""
    if not said.checks:
        return verdict
    gate = Gate(
        rules=verdict.gate.rules + len(said.checks),
        failed=verdict.gate.failed + len(said.closing),
        warned=verdict.gate.warned + len(said.warnings),
    )
    message = verdict.message
    if said.closing and not _told_by(verdict.checks, said.closing_names):
        lines = [line for line in said.closing if line]
        message = "; ".join([*lines, message]) if message else closing_line(lines, rows_judged)
    return Verdict(
        closed=verdict.closed or bool(said.closing),
        gate=gate,
        checks=(*verdict.checks, *said.checks),
        message=message,
        warnings=(*verdict.warnings, *said.warnings),
    )
