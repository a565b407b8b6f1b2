"""What is made of what table rules measured: success, numbers, words; and divergences by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from headgate.core.contract import Column
from headgate.core.spec import Ingested, Rule
from headgate.quality.divergence import of_bins, of_values
from headgate.quality.gate import judge
from headgate.quality.outcomes import Outcome, outcome

SET = ["a", "b", "c"]


def came(name: str, measured: dict[str, Any], **arguments: Any) -> Outcome:
    mostly = arguments.pop("mostly", None)
    rule = Rule(expectation=name, arguments={"column": "x", **arguments}, mostly=mostly)
    return outcome(rule, measured)


@pytest.mark.parametrize(
    ("what", "unexpected", "found", "success", "line"),
    [
        ("be_in_set", 0, 1, True, "values_in_set(x) 3 values, as expected"),
        ("be_in_set", 1, 2, False, "values_in_set(x) has 1 value that the set does not have"),
        ("contain_set", 9, 3, True, "values_contain_set(x) 3 values, as expected"),
        ("contain_set", 9, 1, False, "values_contain_set(x) lacks 2 of the set's 3 values"),
        ("equal_set", 0, 3, True, "values_equal_set(x) 3 values, as expected"),
        ("equal_set", 2, 2, False, "values_equal_set(x) lacks 1 of the set's 3 values and has 2"
         " values that the set does not have"),
    ],
)  # fmt: skip
def test_sets_of_values(what: str, unexpected: int, found: int, success: bool, line: str) -> None:
    measured = {"unexpected": unexpected, "found": found, "distinct": 3}
    result = came(f"expect_column_distinct_values_to_{what}", measured, value_set=SET)
    assert (result.success, result.line) == (success, line)


@pytest.mark.parametrize(
    ("common", "listed", "ties", "success"),
    [(1, 1, False, True), (2, 1, False, False), (2, 1, True, True), (1, 0, True, False),
     (0, 0, True, False)],
)  # fmt: skip
def test_the_most_common_value(common: int, listed: int, ties: bool, success: bool) -> None:
    name = "expect_column_most_common_value_to_be_in_set"
    measured = {"distinct": common, "found": listed}
    assert came(name, measured, value_set=SET, ties_okay=ties).success is success


def test_quantiles_are_told_but_not_of_private_columns() -> None:
    ranges = {"quantiles": (0.25, 0.5), "value_ranges": ((1, 2), (None, 4))}
    name = "expect_column_quantile_values_to_be_between"
    result = came(name, {"values": [1.00005, 7]}, quantile_ranges=ranges)
    assert not result.success
    assert result.found == "25% 1.00005, 50% 7"
    assert result.line.endswith("out of range at 50%")
    assert came(name, {"values": [0.99995, 4]}, quantile_ranges=ranges).success
    assert not came(name, {}, quantile_ranges=ranges).success
    for which, arguments in (
        (name, {"quantile_ranges": ranges}),
        ("expect_column_min_to_be_between", {"min_value": 9}),
    ):
        rule = Rule(expectation=which, arguments={"column": "x", **arguments})
        table = Ingested(
            name="ingested.t",
            source={"files": "a"},  # type: ignore[arg-type]
            columns={"x": Column.model_validate({"type": "int", "privacy": "tokenise"})},
            quality=(rule,),
        )
        verdict = judge(table, {}, {0: {"values": [111, 222], "observed": 333, "success": 0}}, 1, 0)
        assert verdict.closed
        assert not any(value in str(verdict) for value in ("111", "222", "333"))


def test_rows_outside_close_the_gate_by_their_share() -> None:
    for name in (
        "expect_column_values_to_be_increasing",
        "expect_column_values_to_not_be_outliers",
    ):
        measured = {"unexpected": 2, "total": 10}
        assert came(name, measured, mostly=0.8).success
        result = came(name, measured)
        assert (result.success, result.unexpected, result.total) == (False, 2, 10)
        assert came(name, {}).success


def test_divergence_of_values_and_of_bins() -> None:
    name = "expect_column_kl_divergence_to_be_less_than"
    letters = {"values": ["a", "b"], "weights": [0.5, 0.5]}
    measured = {"counts": json.dumps([30, 10, 0.0]), "total": 40}
    result = came(name, measured, partition_object=letters, threshold=0.1)
    assert result.observed == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert not result.success
    assert came(name, {}, partition_object=letters, threshold=9).found == "has no value"
    other = {**measured, "total": 41, "unexpected": 1}
    assert came(name, other, partition_object=letters, threshold=9).found == "is infinite"
    held = {"partition_object": letters, "tail_weight_holdout": 0.1}
    by_hand = sum(p * math.log(p / q) for p, q in ((30 / 42, 0.45), (10 / 42, 0.45), (2 / 42, 0.1)))
    assert of_values(held, [30, 10], 42, 1, 2 * math.log(2)) == pytest.approx(by_hand)
    bins = {"partition_object": {"bins": [0, 1, 2], "weights": [1.0, 0.0]}}
    assert of_bins(bins, [0, 5, 0, 0], 5) == 0
    assert of_bins(bins, [1, 5, 0, 0], 6) == math.inf
    inner = {**bins, "internal_weight_holdout": 0.5}
    assert of_bins(inner, [0, 5, 5, 0], 10) == pytest.approx(0)


def test_what_a_schema_lacks_is_said() -> None:
    result = came("expect_column_values_to_be_of_type", {"success": False, "said": "is LongType"},
                  type_="DateType")  # fmt: skip
    assert (result.success, result.line) == (False, "type(x) is LongType, expected DateType")
