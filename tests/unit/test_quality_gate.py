"""The gate's policy: what rejects, what closes, what only warns, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.core.labels import MAX_REJECTED, is_waived, label
from headgate.core.rules import RULES
from headgate.core.spec import Rule, Table
from headgate.quality.gate import Verdict, judge

NOT_NULL = "expect_column_values_to_not_be_null"
MEAN = "expect_column_mean_to_be_between"
COUNT = "expect_table_row_count_to_be_between"
UNIQUE = "expect_column_values_to_be_unique"
MINIMUM = "expect_column_min_to_be_between"


def rule(expectation: str = NOT_NULL, **given: Any) -> Rule:
    own = {name: given.pop(name) for name in ("mostly", "severity", "written") if name in given}
    if expectation not in ("row", COUNT):
        given.setdefault("column", "price")
    return Rule(expectation=expectation, arguments=given, **own)


def verdict(
    *rules: Rule,
    counts: dict[int, tuple[int, int]] | None = None,
    measured: dict[int, dict[str, Any]] | None = None,
    judged: int = 100,
    rejected: int = 0,
    waived: frozenset[str] = frozenset(),
    max_rejected: float = 0.10,
) -> Verdict:
    table = Table(name="clean.orders", quality=rules, max_rejected=max_rejected)
    return judge(table, counts or {}, measured or {}, judged, rejected, waived)


@pytest.mark.parametrize(
    ("mostly", "broken", "closed"),
    [(None, 5, False), (0.95, 5, False), (0.95, 6, True), (1.0, 1, True), (1.0, 0, False)],
)
def test_a_critical_row_rule_closes_only_beyond_a_written_mostly(
    mostly: float | None, broken: int, closed: bool
) -> None:
    word = verdict(rule(mostly=mostly), counts={0: (broken, 100)}, rejected=broken)
    assert word.closed is closed
    assert word.gate.failed == int(closed)
    assert word.checks[0].unexpected == broken
    assert (word.message is None) is not closed


def test_a_critical_row_rule_without_mostly_fails_on_record_and_lets_the_run_pass() -> None:
    word = verdict(rule(), counts={0: (1, 100)}, rejected=1)
    assert (word.checks[0].success, word.closed, word.gate.warned) == (False, False, 0)


@pytest.mark.parametrize("severity", ["warning", "info"])
@pytest.mark.parametrize("expectation", [NOT_NULL, MEAN, UNIQUE])
def test_warnings_and_infos_never_close(severity: str, expectation: str) -> None:
    one = rule(expectation, severity=severity, min_value=1)
    word = verdict(one, counts={0: (100, 100)}, measured={0: {"unexpected": 9, "total": 9}})
    assert not word.closed
    assert not word.checks[0].success
    assert word.gate.warned == len(word.warnings) == int(severity == "warning")


@pytest.mark.parametrize(
    ("rejected", "limit", "closed"),
    [(10, 0.10, False), (11, 0.10, True), (5, 0.05, False), (1, 0.0, True), (100, 1.0, False)],
)
def test_all_rejected_rows_together_may_not_exceed_their_share(
    rejected: int, limit: float, closed: bool
) -> None:
    word = verdict(judged=100, rejected=rejected, max_rejected=limit)
    assert word.closed is closed
    assert word.gate.failed == 0  # it is no rule
    assert [check.rule for check in word.checks] == ([MAX_REJECTED] if closed else [])


def test_rows_rejected_for_bad_values_count_against_the_share_without_any_rule() -> None:
    word = verdict(judged=1000, rejected=120)
    assert word.message == ("120 of 1,000 rows rejected (12%), allowed 10%; 1,000 rows kept back")


def test_the_rule_that_rejects_most_is_named() -> None:
    rules = (rule(), rule("row", name="paid", condition="x"), rule(column="c", severity="warning"))
    word = verdict(*rules, counts={0: (3, 100), 1: (30, 100), 2: (90, 100)}, rejected=33)
    assert word.message == (
        "33 of 100 rows rejected (33%), most by paid: 30, allowed 10%; 100 rows kept back"
    )


def test_an_empty_window_closes_no_row_rule() -> None:
    word = verdict(rule(mostly=1.0), counts={0: (0, 0)}, judged=0)
    assert word.checks[0].success
    assert not word.closed


def test_rules_without_any_number_are_judged_as_empty() -> None:
    rules = [rule(mostly=1.0), rule(UNIQUE), rule(MEAN, min_value=0), rule(COUNT, min_value=1)]
    word = verdict(*rules, judged=0)
    assert [check.success for check in word.checks] == [True, True, False, False]


@pytest.mark.parametrize(
    ("observed", "bounds", "success"),
    [
        (3.0, {"min_value": 3}, True),
        (3.0, {"min_value": 3, "strict_min": True}, False),
        (5.0, {"max_value": 5}, True),
        (5.0, {"max_value": 5, "strict_max": True}, False),
        (4.0, {"min_value": 3, "max_value": 5}, True),
        (2.9, {"min_value": 3, "max_value": 5}, False),
        (None, {"min_value": 3}, False),
        (float("nan"), {"max_value": 3}, False),
    ],
)
def test_a_measure_lies_in_its_bounds(
    observed: float | None, bounds: dict[str, Any], success: bool
) -> None:
    word = verdict(rule(MEAN, **bounds), measured={0: {"observed": observed}})
    assert word.checks[0].success is success
    assert word.closed is not success


def test_the_least_value_is_judged_by_spark_as_it_may_be_a_date() -> None:
    one = rule(MINIMUM, min_value="2026-01-01")
    assert not verdict(one, measured={0: {"observed": None, "success": 1}}).closed
    word = verdict(one, measured={0: {"observed": None, "success": 0}})
    assert word.message == "min(price) not as expected (at least 2026-01-01); 100 rows kept back"


def test_uniqueness_closes_beyond_mostly() -> None:
    found = {0: {"unexpected": 2, "total": 100, "distinct": 99}}
    assert verdict(rule(UNIQUE), measured=found).closed
    assert not verdict(rule(UNIQUE, mostly=0.98), measured=found).closed


@pytest.mark.parametrize(
    ("name", "observed"), [("unique_value_count", 3.0), ("proportion_of_unique_values", 0.75)]
)
def test_distinct_values_are_counted_among_those_that_are_there(name: str, observed: float) -> None:
    one = rule(f"expect_column_{name}_to_be_between", min_value=0)
    assert verdict(one, measured={0: {"total": 4, "distinct": 3}}).checks[0].observed == observed
    assert verdict(one).checks[0].observed == 0.0


def test_the_message_names_the_weightiest_causes_first_and_is_bounded() -> None:
    rules = [rule(column=f"c{place}", mostly=1.0) for place in range(8)]
    rules += [rule(MEAN, min_value=3, max_value=5), rule(COUNT, min_value=200)]
    word = verdict(
        *rules,
        counts={place: (place + 1, 100) for place in range(8)},
        measured={8: {"observed": 41.2}, 9: {"observed": 100}},
    )
    assert word.message == (
        "row_count 100, expected at least 200; mean(price) 41.2, expected 3 to 5; "
        "not_be_null(c7) broken by 8 of 100 rows (8%), allowed none; and 7 more; "
        "100 rows kept back"
    )
    assert word.gate.failed == 10


def test_a_waiver_lets_the_run_pass_on_the_record() -> None:
    one = rule(mostly=1.0, written="expect_column_values_to_not_be_null: {column: price}")
    for named in (one.written, NOT_NULL, "not_be_null(price)"):
        word = verdict(one, counts={0: (5, 100)}, waived=frozenset([named]))
        assert (word.closed, word.checks[0].success, word.gate.warned) == (False, False, 1)
    assert verdict(one, counts={0: (5, 100)}, waived=frozenset(["not_be_null(other)"])).closed


def test_a_waiver_of_the_share_of_rejected_rows() -> None:
    word = verdict(rejected=50, waived=frozenset([MAX_REJECTED]))
    assert not word.closed
    assert word.warnings == ("50 of 100 rows rejected (50%), allowed 10%",)


def test_waiving_row_waives_no_condition_by_accident() -> None:
    one = rule("row", name="paid", condition="paid", written="paid: paid")
    assert not is_waived(one, frozenset(["row"]))
    assert is_waived(one, frozenset(["paid"]))


def test_every_rule_has_a_short_name() -> None:
    named = {name: label(Rule(expectation=name, arguments={"name": "paid"})) for name in RULES}
    assert not [short for short in named.values() if short.startswith("expect") or not short]
    assert named["row"] == "paid"
    assert named["expect_column_pair_values_a_to_be_greater_than_b"] == "a_greater_than_b"
    assert named["expect_compound_columns_to_be_unique"] == "be_unique"


def test_a_rule_of_any_length_leaves_a_short_line() -> None:
    one = rule("row", name="long " * 200, condition="x", mostly=1.0)
    word = verdict(*[one] * 9, counts=dict.fromkeys(range(9), (1, 2)))
    assert word.message is not None
    assert len(word.message) < 500


_SHARES = st.one_of(st.none(), st.floats(0, 1))


@given(st.lists(st.tuples(_SHARES, st.integers(0, 50), st.integers(0, 50)), max_size=6))
def test_a_gate_is_closed_exactly_when_a_check_closed_it(
    made: list[tuple[float | None, int, int]],
) -> None:
    rules = [rule(mostly=mostly, column=f"c{at}") for at, (mostly, _, _) in enumerate(made)]
    counts = {at: (min(one, two), max(one, two)) for at, (_, one, two) in enumerate(made)}
    word = verdict(*rules, counts=counts)
    assert word.closed == any(check.closed for check in word.checks) == (word.message is not None)
    assert word.gate.failed == sum(check.closed for check in word.checks)
    assert all(not check.closed or not check.success for check in word.checks)
