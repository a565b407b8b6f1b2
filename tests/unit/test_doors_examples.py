"""What an example expects against what came out, without Spark."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from headgate.core.results import Rows
from headgate.core.spec import Example
from headgate.stages.examples import Outcome, Rejected, differences, same_value


def outcome(written: list[dict[str, Any]], rejected: list[dict[str, Any]]) -> Outcome:
    """An outcome whose rejected rows came as they are."""
    came = tuple({k: v for k, v in row.items() if k != "_reasons"} for row in rejected)
    return Outcome(written, [Rejected(row) for row in rejected], Rows(), came)


def example(
    written: list[dict[str, Any]] | None = None, rejected: list[dict[str, Any]] | None = None
) -> Example:
    return Example(
        given={},
        written=None if written is None else tuple(written),
        rejected=None if rejected is None else tuple(rejected),
    )


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("2.00", Decimal(2)), (2, Decimal("2.00")), (2.5, Decimal("2.50")), (1, 1.0),
        (0.3, 0.1 + 0.2), ("nan", math.nan), ("1e3", 1000), (True, True), ("true", True),
        ("2026-11-01", date(2026, 11, 1)), ("2026-11-01 10:00:00", datetime(2026, 11, 1, 10)),  # noqa: DTZ001
        ("2026-11-01T10:00:00", datetime(2026, 11, 1, 10)), ("2026-11-01", datetime(2026, 11, 1)),  # noqa: DTZ001
        (1, "1"), ("a", "a"), (None, None), ([1, "2"], [1, 2]), ({"a": 1}, {"a": 1, "b": 2}),
        ("x", b"x"),
    ],
)  # fmt: skip
def test_values_are_compared_by_value(expected: object, actual: object) -> None:
    assert same_value(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("2.01", Decimal(2)), (None, 0), (0, None), (True, 1), (1, True), ("x", 1), ("", None),
        ("2026-11-02", date(2026, 11, 1)), ("soon", date(2026, 11, 1)), ([1], [1, 1]),
        ({"c": None}, {"a": 1}), ("A", "a"),
    ],
)  # fmt: skip
def test_values_that_differ_are_not_taken_for_equal(expected: object, actual: object) -> None:
    assert not same_value(expected, actual)


def test_rows_match_on_the_keys_that_are_named_in_any_order() -> None:
    found = outcome([{"id": 1, "n": 5}, {"id": 2, "n": 6}], [])
    assert differences(example(written=[{"id": 2}, {"n": "5"}]), found) == []


def test_each_expected_row_needs_a_row_of_its_own() -> None:
    found = outcome([{"id": 1}, {"id": 2}], [])
    told = differences(example(written=[{"id": 1}, {"id": 1}]), found)
    assert told == ["written: no row is like {id: 1}", "written is {id: 1}", "written is {id: 2}"]


def test_a_loose_row_leaves_the_exact_match_to_the_exact_one() -> None:
    found = outcome([{"id": 1, "n": 5}, {"id": 2, "n": 5}], [])
    assert differences(example(written=[{"n": 5}, {"id": 1, "n": 5}]), found) == []
    assert differences(example(written=[{"id": 1, "n": 5}, {"n": 5}]), found) == []


@pytest.mark.parametrize("what", ["written", "rejected"])
def test_rows_too_many_are_a_difference(what: str) -> None:
    row = {"id": 1, "_reasons": ["quantity"]}
    found = outcome([row], []) if what == "written" else outcome([], [row])
    assert f"{what}: 0 expected, but there are 1" in differences(example(**{what: []}), found)[0]


def test_what_is_not_expected_is_not_looked_at() -> None:
    found = outcome([{"id": 1}], [{"id": 2, "_reasons": ["x"]}])
    assert differences(example(written=[{"id": 1}]), found) == []
    assert differences(example(rejected=[{"id": 2}]), found) == []


def test_a_reason_is_part_of_one_that_was_given() -> None:
    row = {"id": 1, "_reasons": ["between: {column: quantity, min_value: 1}", "price > 0"]}
    assert (
        differences(example(rejected=[{"reasons": ["quantity", "price"]}]), outcome([], [row]))
        == []
    )
    told = differences(example(rejected=[{"id": 1, "reasons": ["country"]}]), outcome([], [row]))
    assert told[0] == 'rejected: no row is like {id: 1, reasons: ["country"]}'
    assert "between: {column: quantity, min_value: 1}" in told[1]


def test_a_rejected_row_may_be_told_as_it_came() -> None:
    found = Outcome([], [Rejected({"n": 1, "_reasons": ["r"]})], Rows(), ({"n": " 1 "},))
    assert differences(example(rejected=[{"n": 1}]), found) == []
    assert differences(example(rejected=[{"n": " 1 "}]), found) == []
    assert differences(example(rejected=[{"n": 2}]), found) != []


def test_reasons_of_a_rejected_row_go_by_both_names() -> None:
    row = Rejected({"id": 1, "_reasons": ["r"]})
    assert row["reasons"] == row["_reasons"] == ["r"]
    with pytest.raises(KeyError):
        row["nothing"]


def test_a_column_that_is_not_there_is_a_difference() -> None:
    told = differences(example(written=[{"id": 1, "gone": None}]), outcome([{"id": 1}], []))
    assert told == ["written: no row is like {id: 1, gone: null}", "written is {id: 1}"]
