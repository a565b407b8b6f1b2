"""Windows against earlier windows, as plain numbers: what is told, and what is not."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from headgate.core.contract import Column
from headgate.core.results import Check, Gate, Metric
from headgate.core.spec import Ingested, Table
from headgate.core.windows import Grain
from headgate.quality.drift import Drifted, joined
from headgate.quality.drift_causes import caused, deviations, name_of
from headgate.quality.gate import Verdict
from headgate.quality.past import OUT, Dismissed, Past, content_of, profile_of, rulings_of
from headgate.quality.profile_measures import identifies, metrics
from unit.drifting import CRITICAL, RULE, judged, lines, mean, noisy, nulls, rows, window


def test_one_line_says_what_it_is_and_what_is_usual() -> None:
    days = [(*rows(1000), mean(value)) for value in noisy(4.2, 30)]
    (line,) = lines(judged(days, (*rows(1000), mean(41.2))))
    assert line.startswith("price mean 41.2, usual 3.")
    assert " to 4." in line


def test_it_learns_before_it_speaks() -> None:
    days = [rows(1000)] * 6
    said = judged(days, rows(1))
    assert not said.warnings
    assert said.metrics[0].detail == {"state": "learning", "windows": 6}
    assert said.metrics[-1].detail["state"] == "learning"
    assert lines(judged([*days, rows(1000)], rows(1))) == [
        "row_count 1, usual 736 to 1,359 (from only 7 windows)"
    ]


def test_weekends_are_no_news() -> None:
    """From the second week on, weekends of half the rows pass, and half a weekday does not."""
    counts = noisy(1000, 70)
    days = [rows(round(c * (0.5 if at % 7 >= 5 else 1))) for at, c in enumerate(counts)]
    for at in range(7, 70):
        assert not judged(days[:at], days[at]).warnings, at
    assert lines(judged(days[:63], rows(500)))
    assert lines(judged(days[:68], rows(1000)))  # a weekend that is a weekday


def test_a_trend_is_followed() -> None:
    days = [rows(round(c * 1.02**at)) for at, c in enumerate(noisy(1000, 60))]
    assert not [at for at in range(20, 60) if judged(days[:at], days[at]).warnings]
    assert lines(judged(days, rows(round(0.6 * 1000 * 1.02**60))))


def test_one_outlier_does_not_hide_the_next() -> None:
    values = noisy(4.2, 30)
    values[20] = values[27] = 42.0
    days = [(*rows(1000), mean(value)) for value in values]
    assert lines(judged(days, (*rows(1000), mean(42.0))))
    assert not lines(judged(days, (*rows(1000), mean(4.2))))


def test_a_new_level_becomes_usual_when_windows_agree() -> None:
    days = [(*rows(1000), mean(value)) for value in [*noisy(4.2, 30), *noisy(6.0, 4)]]
    assert lines(judged(days[:31], (*rows(1000), mean(6.0))))
    assert not lines(judged(days, (*rows(1000), mean(6.1))))


def test_a_level_that_a_person_let_pass_is_usual_at_once() -> None:
    days = [(*rows(1000), mean(value)) for value in noisy(4.2, 30)]
    said = judged(days, (*rows(1000), mean(6.0)), CRITICAL, waived=frozenset({"drift"}))
    assert not said.closing
    assert not said.warnings
    assert not said.checks[0].success  # on record all the same
    after = [*days, said.metrics]
    assert not lines(judged(after, (*rows(1000), mean(6.1))))
    assert not lines(judged(after, (*rows(1000), mean(4.2))))  # it may have been that one day
    assert lines(judged(after, (*rows(1000), mean(9.0))))


def test_later_windows_and_the_window_itself_are_no_past() -> None:
    profiles = {window(at): profile_of(rows(1000)) for at in range(10, 40)}
    said = judged([rows(1)] * 10, rows(1), past=Past(profiles))
    assert said.metrics[0].detail == {"state": "learning", "windows": 0}


def test_small_tables_have_room() -> None:
    days = [(*rows(20), nulls(0.0)) for _ in range(30)]
    assert not lines(judged(days, (*rows(11), nulls(3 / 11))))
    assert lines(judged(days, (*rows(200), nulls(0.0))))


def test_what_has_one_cause_is_told_once() -> None:
    def profile(price: float, count: float = 1000) -> tuple[Metric, ...]:
        listed = {"quantiles": [price * q for q in (0.2, 0.5, 1.0, 1.5, 2.0)]}
        different = Metric("price", "distinct", 0.4 * count)
        other = Metric("sku", "distinct", 0.3 * count)
        return (*rows(count), mean(price), Metric("price", "quantiles", price, listed), different,
                other)  # fmt: skip

    days = [profile(value, 1000 * value / 4.2) for value in noisy(4.2, 30)]
    (line,) = lines(judged(days, profile(42.0)))
    assert line.startswith("price mean 42")
    (line,) = lines(judged(days, profile(4.2, 300)))
    assert line.startswith("row_count 300")


def test_many_columns_with_one_deviation_are_told_together() -> None:
    names = ("a", "b", "c", "d")
    days = [(*rows(1000), *(nulls(0.02, name) for name in names))] * 20
    last = (*rows(1000), *(nulls(0.5 + 0.1 * at, name) for at, name in enumerate(names)))
    assert lines(judged(days, last)) == [
        "null_share of 4 columns, most of all d null_share 80%, usual 0.661% to 4.04%"
    ]


def test_a_critical_rule_speaks_for_a_warning_that_says_the_same() -> None:
    days = [(*rows(1000), mean(value)) for value in noisy(4.2, 30)]
    said = judged(days, (*rows(1000), mean(42.0)), RULE, CRITICAL)
    assert len(said.closing) == 1
    assert not said.warnings
    assert [(one.severity, one.closed) for one in said.checks] == [
        ("critical", True), ("warning", False),
    ]  # fmt: skip


def test_a_rule_that_only_records_silences_no_other() -> None:
    days = [(*rows(1000), mean(value)) for value in noisy(4.2, 30)]
    quiet = RULE.model_copy(update={"severity": "info", "written": "drift: {severity: info}"})
    assert len(judged(days, (*rows(1000), mean(42.0)), quiet, RULE).warnings) == 1
    assert not judged(days, (*rows(1000), mean(42.0)), quiet).warnings


def test_what_was_decided_on_this_content_stays_decided() -> None:
    days = [(*rows(1000), mean(value)) for value in noisy(4.2, 30)]
    last = (*rows(1000), mean(42.0))
    first = judged(days, last, CRITICAL)
    again = Past({}, rulings_of(window(30), first.metrics))
    assert judged(days, last, CRITICAL, past=again).closing == first.closing
    assert not judged(days, last, RULE, past=again).warnings  # a warning is made anew


def counts(**shares: float) -> Metric:
    listed = {name[1:]: round(1000 * share) for name, share in shares.items() if share}
    return Metric("country", "categories", float(len(listed)), {"counts": listed})


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (counts(b1=0.5, b2=0.3, b3=0.2), None),
        (counts(b1=0.46, b2=0.33, b3=0.21), None),
        (counts(b1=0.2, b2=0.6, b3=0.2), "country values are spread otherwise: distance 0."),
        (counts(b1=0.4, b2=0.3, b3=0.2, b9=0.1), "country has new values in 10% of rows"),
        (counts(b1=0.6, b2=0.4), "country lacks values that usually are in 2"),
    ],
    ids=["the same", "by chance", "shifted", "new", "gone"],
)
def test_categories(last: Metric, told: str | None) -> None:
    chance = random.Random(3)
    days = []
    for _ in range(25):
        a, b = 0.5 + chance.gauss(0, 0.015), 0.3 + chance.gauss(0, 0.015)
        days.append((*rows(1000), counts(b1=a, b2=b, b3=1 - a - b)))
    said = lines(judged(days, (*rows(1000), last)))
    assert [line.startswith(told or "?") for line in said] == ([True] if told else [])


def test_many_values_are_no_categories() -> None:
    def profile(seed: int) -> tuple[Metric, ...]:
        listed = {str(at): 10 for at in range(seed * 50, seed * 50 + 50)} | {"rest": 500}
        return (*rows(1000), Metric("name", "categories", 300.0, {"counts": listed}))

    assert not lines(judged([profile(at) for at in range(20)], profile(99)))


def test_rows_that_come_late() -> None:
    days = [(*rows(1000), Metric("at", "freshness", age)) for age in noisy(2.0, 20)]
    (line,) = lines(judged(days, (*rows(1000), Metric("at", "freshness", 30.0))))
    assert line.startswith("at freshness 30 hours, usual up to ")
    assert not lines(judged(days, (*rows(1000), Metric("at", "freshness", 0.1))))


def test_numbers_in_a_sequence_go_on() -> None:
    days = [(*rows(1000), mean(1000.0 * at + 500, sd=290)) for at in range(20)]
    assert not lines(judged(days, (*rows(1000), mean(20_500.0))))
    assert lines(judged(days, (*rows(1000), mean(400_000.0))))


def test_months_have_no_weekdays() -> None:
    days = [rows(c) for c in noisy(1000, 12)]
    assert lines(judged(days, rows(200), grain=Grain.month))
    assert not lines(judged(days, rows(1010), grain=Grain.month))


def test_a_closed_gate_says_all_that_closed_it() -> None:
    days = [(*rows(1000), mean(value)) for value in noisy(4.2, 30)]
    said = judged(days, (*rows(1000), mean(42.0)), CRITICAL)
    word = joined(Verdict(False, Gate(rules=2), (), None), said, 1000)
    assert word.closed
    assert (word.gate.rules, word.gate.failed) == (3, 1)
    assert word.message is not None
    assert word.message.endswith("; 1,000 rows kept back")
    both = joined(Verdict(True, Gate(2, 1), (), "x broken; 1,000 rows kept back"), said, 1000)
    assert both.message is not None
    assert both.message.endswith("; x broken; 1,000 rows kept back")
    assert joined(word, Drifted(), 1000) is word


def test_what_was_measured_becomes_metrics() -> None:
    end = Grain.day.end("2026-06-01")
    found: dict[str, Any] = {
        "rows": 4, "nulls:note": 1, "n:price": 3, "mean:price": 2.0, "sd:price": 1.0,
        "quantiles:price": "[1.0,1.0,2.0,3.0,3.0]", "distinct:note": 3,
        "buckets:note": '[{"x":7.0,"y":2.0},{"x":6.9999999,"y":1.0}]',
        "newest:at": "2026-06-01T22:30:00",
    }  # fmt: skip
    made = {(one.column, one.metric): one for one in metrics(found, end)}
    assert {name: one.value for name, one in made.items()} == {
        (None, "row_count"): 4.0, ("note", "null_share"): 0.25, ("price", "mean"): 2.0,
        ("price", "quantiles"): 2.0, ("note", "distinct"): 3.0, ("note", "categories"): 1.0,
        ("at", "freshness"): 1.5,
    }  # fmt: skip
    assert made["note", "categories"].detail == {"counts": {"7": 3}}
    empty = {"rows": 0, "nulls:note": 0, "n:price": 0, "mean:price": None, "sd:price": None,
             "quantiles:price": None, "buckets:note": None, "newest:at": None}  # fmt: skip
    values = {one.metric: one.value for one in metrics(empty, end)}
    assert values.pop("row_count") == 0.0
    assert set(values.values()) == {None}


def test_private_columns_and_ids_are_known() -> None:
    plain = Column.model_validate({"type": "string"})
    columns = {"email": plain.model_copy(update={"privacy": "tokenise"}), "city": plain}
    table = Ingested.model_construct(name="ingested.a", columns=columns)
    assert table.private == {"email"}
    assert Table(name="clean.a").private == frozenset()
    assert [name for name in ("id", "ID", "order_id", "price") if identifies(name, table)] == [
        "id", "ID", "order_id",
    ]  # fmt: skip


def test_state_words() -> None:
    days = [rows(1000)] * 20
    kept = judged(days, rows(10)).metrics[0].detail
    assert kept["state"] == OUT
    assert kept["sure"] > 0.99
    assert kept["low"] < 1000 < kept["high"]


def test_a_value_that_was_no_fault_is_usual_and_what_lies_beyond_is_not() -> None:
    """One day of twice the rows was called a false alarm: such days are, for as long as it counts.

    Another number in that window is judged anew.
    """
    days = [rows(count) for count in noisy(1000, 30)]
    judged_then = judged(days, rows(2000))
    assert lines(judged_then)
    fault = next(one for one in judged_then.metrics if one.metric == "row_count")
    dismissed: dict[str, Dismissed] = {
        window(30): {(None, "row_count"): frozenset({content_of(fault)})}
    }
    profiles = {window(at): profile_of(one) for at, one in enumerate(days)}
    learnt = Past(profiles, {}, dismissed)

    again = judged(days, rows(2000), past=learnt)
    assert not again.warnings
    assert again.checks[0].success
    assert not judged(days, rows(2000), CRITICAL, past=learnt).closing
    assert lines(judged(days, rows(2100), past=learnt))

    after = learnt.plus(window(30), again.metrics)
    later = [*days, again.metrics]
    assert not lines(judged(later, rows(1900), past=after))
    assert not lines(judged(later, rows(1000), past=after))
    assert lines(judged(later, rows(4000), past=after))
    assert lines(judged(later, rows(500), past=after))


def test_a_recorded_verdict_stands_until_all_of_it_is_dismissed() -> None:
    days = [(*rows(1000), mean(value)) for value in noisy(4.2, 30)]
    now = (*rows(300), mean(42.0))
    first = judged(days, now, CRITICAL)
    recorded = rulings_of(window(30), first.metrics)
    contents: Dismissed = {
        (one.column, one.metric): frozenset({content_of(one)}) for one in first.metrics[:-1]
    }
    one_cause: Dismissed = {
        name: there for name, there in contents.items() if name == (None, "row_count")
    }
    for said, closes in (({}, True), (one_cause, True), (contents, False)):
        again = judged(days, now, CRITICAL, past=Past({}, recorded, {window(30): said}))
        assert bool(again.closing) is closes
        assert not closes or again.closing == first.closing
    moved = [(*rows(300), mean(42.0))] * 30  # a past in which the same would be usual
    profiles = {window(at): profile_of(one) for at, one in enumerate(moved)}
    repeated = judged(moved, now, CRITICAL, past=Past(profiles, recorded))
    assert repeated.closing == first.closing
    assert {name_of(one) for one in deviations(repeated.metrics)} == set(contents)


def test_columns_that_come_and_go_are_told_once() -> None:
    def profile(filled: dict[str, int], kind: str = "int") -> tuple[Metric, ...]:
        detail = {"filled": filled, "types": dict.fromkeys(filled, kind), "rows": 1000}
        share = nulls(1 - filled["note"] / 1000)
        return (*rows(1000), share, Metric(None, "schema", float(len(filled)), detail))

    usual = {"a": 1000, "note": 900, "seldom": 1, "later": 0}
    days = [profile(usual)] * 10
    assert not lines(judged(days, profile({**usual, "seldom": 0})))
    (line,) = lines(judged(days, profile({**usual, "later": 50})))
    assert line == "schema: later is new (from only 10 windows)"
    (line,) = lines(judged(days, profile({**usual, "note": 0})))  # and all nulls: the same
    assert line == "schema: note has no values (from only 10 windows)"
    (line,) = lines(judged(days, profile(usual, "text")))
    assert line.startswith("schema: a is text, was int, note is text")
    assert not lines(judged([*days, profile(usual, "text")], profile(usual, "text")))


def test_what_a_table_above_has_told_is_not_told_again() -> None:
    """Of one kind and one direction; another column's trouble is its own."""

    def out(column: str | None, metric: str, value: float, low: float, high: float) -> Metric:
        return Metric(column, metric, value, {"state": OUT, "low": low, "high": high})

    fewer, more = out(None, "row_count", 3, 9, 11), out(None, "row_count", 30, 9, 11)
    small = out("country", "distinct", 3, 9, 11)
    price, tax = out("price", "mean", 42, 3, 5), out("tax", "mean", 42, 3, 5)
    above = {"ingested.a": [fewer, price], "ingested.b": [fewer]}
    assert caused([fewer, small, price, tax], above) == {
        (None, "row_count"): "ingested.a", ("country", "distinct"): "ingested.a",
        ("price", "mean"): "ingested.a",
    }  # fmt: skip
    assert caused([more, tax], above) == {}
    assert caused([fewer], {}) == {}


def test_what_a_rule_has_told_is_not_told_again() -> None:
    days = [(*rows(1000), mean(value)) for value in noisy(4.2, 30)]
    said = judged(days, (*rows(1000), mean(42.0)), CRITICAL)
    about = "expect_column_mean_to_be_between"
    check = Check(
        "mean", "critical", success=False, closed=True, expectation=about,
        arguments='{"column": "price"}',
    )  # fmt: skip
    word = Verdict(
        closed=True,
        gate=Gate(rules=1, failed=1),
        checks=(check,),
        message="mean(price) 42",
        warnings=(),
    )
    both = joined(word, said, 1000)
    assert (both.message, both.gate.failed) == ("mean(price) 42", 2)
    other = replace(word, checks=(replace(check, arguments='{"column": "tax"}'),))
    assert joined(other, said, 1000).message == f"{said.closing[0]}; mean(price) 42"
