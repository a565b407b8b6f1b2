"""Which rules are in force for a window: `since`, waivers with an end, and what `gate` says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from headgate.conf.reading import suite_from
from headgate.core.errors import Misconfigured
from headgate.core.policy import in_force, rules_by_window, said_of, waived_by
from headgate.core.spec import Rule, Table
from headgate.core.windows import Grain
from headgate.quality.gate import Verdict, judge

MEAN = "expect_column_mean_to_be_between"
INGESTED: dict[str, Any] = {
    "source": {"files": "a/{window}.csv"},
    "columns": {"price": "double", "id": "int"},
    "quality": [
        {MEAN: {"column": "price", "min_value": 1}},
        {"row": {"price is positive": "price > 0"}, "since": "2026-12-01"},
    ],
}


def table(**more: Any) -> Table:
    suite = suite_from({"ingested.a": {**INGESTED, **more}}, raw="/raw", lake="/lake", root="/")
    return suite.tables["ingested.a"]


def waiver(**more: Any) -> dict[str, Any]:
    given = {"rule": "mean(price)", "until": "2026-11-15", "because": "a known slip of theirs"}
    return {key: value for key, value in {**given, **more}.items() if value is not None}


def verdict(found: Table, mean: float = 0.5, broken: int = 0, empty: bool = False) -> Verdict:
    return judge(
        found, {1: (broken, 100)}, {0: {"observed": mean}}, 100,
        broken, waived_by(found), empty,
    )  # fmt: skip


def test_a_rule_warns_before_its_day_and_counts_from_it_on() -> None:
    before, from_then = (in_force(table(), date(2026, *day)) for day in ((11, 30), (12, 1)))
    assert [rule.severity for rule in before.quality] == ["critical", "warning"]
    assert [rule.severity for rule in from_then.quality] == ["critical", "critical"]
    assert verdict(before, mean=2, broken=3).warnings == (
        "price is positive broken by 3 of 100 rows (3%)",
    )


def test_a_rule_in_force_is_the_same_as_one_without_a_day() -> None:
    plain = {**INGESTED, "quality": [INGESTED["quality"][0], {"row": {
        "price is positive": "price > 0"}}]}  # fmt: skip
    dated, always = rules_by_window(table(), Grain.day), rules_by_window(table(**plain), Grain.day)
    assert dated("2026-12-01") == always("2026-12-01") == always("2026-11-30")
    assert dated("2026-11-30") != dated("2026-12-01") == dated("2027-01-01")


def test_a_waiver_lets_a_rule_pass_until_its_last_day() -> None:
    found = table(waive=[waiver(since="2026-11-10", owner="ann")])
    days = {day: in_force(found, date(2026, 11, day)) for day in (9, 10, 15, 16)}
    assert {day: verdict(one).closed for day, one in days.items()} == {
        9: True, 10: False, 15: False, 16: True,
    }  # fmt: skip
    assert verdict(days[10]).gate.warned == 1
    assert said_of(days[10]) == (
        "; waived mean(price) until 2026-11-15 by ann: a known slip of theirs"
    )
    named = rules_by_window(found, Grain.day)
    assert named("2026-11-09") == named("2026-11-16") != named("2026-11-10")
    assert named("2026-11-10") == named("2026-11-15")
    assert rules_by_window(table(), Grain.day)("2026-11-16") == named("2026-11-16")


@pytest.mark.parametrize(
    ("gate", "closed", "warned"), [("close", True, 0), ("warn", False, 1), ("off", False, 0)]
)
def test_a_gate_may_only_warn_or_be_off(gate: str, closed: bool, warned: int) -> None:
    found = verdict(in_force(table(gate=gate), date(2026, 12, 1)))
    assert (found.closed, found.gate.warned) == (closed, warned)
    assert (found.message is not None) is closed


def test_too_many_rejected_rows_close_no_gate_that_only_warns() -> None:
    found = verdict(in_force(table(gate="warn"), date(2026, 12, 1)), mean=2, broken=60)
    assert not found.closed
    assert found.warnings[-1].startswith("60 of 100 rows rejected (60%)")


@pytest.mark.parametrize(
    ("on_empty", "closed", "warnings"),
    [("publish", False, ()), ("warn", False, ("no row would be published",)), ("close", True, ())],
)
def test_a_window_without_rows(on_empty: str, closed: bool, warnings: tuple[str, ...]) -> None:
    found = verdict(table(on_empty=on_empty), mean=2, empty=True)
    assert (found.closed, found.warnings) == (closed, warnings)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule": "mean(prise)"}, "unknown rule 'mean(prise)' (did you mean 'mean(price)'?)"),
        ({"until": None}, "key 'until' is missing: the last day whose windows it lets pass"),
        ({"because": None}, "key 'because' is missing: why"),
        ({"since": "2026-12-01"}, "'until' is before 'since'"),
        ({"untill": "2026-12-01"}, "unknown key 'untill' (did you mean 'until'?)"),
    ],
)
def test_slips_in_a_waiver(changes: Mapping[str, Any], said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        table(waive=[waiver(**changes)])
    assert [fault.what for fault in caught.value.faults] == [said]


def test_the_words_of_others() -> None:
    with pytest.raises(Misconfigured) as caught:
        table(waivers=[waiver()], on_failure="warn")
    assert sorted(fault.what for fault in caught.value.faults) == [
        "unknown key 'on_failure' (did you mean 'gate'?)",
        "unknown key 'waivers' (did you mean 'waive'?)",
    ]


def test_one_waiver_needs_no_list_and_a_rule_may_go_by_any_of_its_names() -> None:
    for name in ("mean(price)", MEAN, "max_rejected", "on_empty"):
        (one,) = table(waive=waiver(rule=name)).waive
        assert one.rule == name
    assert Rule(expectation="row").since is None
