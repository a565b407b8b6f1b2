"""Fingerprints: equal where what they stand for is equal, different where it differs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.core.fingerprint import differing, digest, whole
from headgate.core.spec import Rule
from headgate.core.steps import Derive, Where

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner,
                                                                max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(values)
def test_a_value_has_one_digest(value: Any) -> None:
    assert digest(value) == digest(value)
    assert len(digest(value)) == 16


@given(values, values)
def test_different_values_have_different_digests(one: Any, two: Any) -> None:
    assert (digest(one) == digest(two)) == (repr(one) == repr(two) or _same(one, two))


def _same(one: Any, two: Any) -> bool:
    """Equality as JSON has it: True is not 1, and the order of keys does not matter."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_same(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_same, one, two))
    return type(one) is type(two) and bool(one == two)


def rule(**changes: Any) -> Rule:
    given: dict[str, Any] = {
        "expectation": "row", "arguments": {"name": "n", "condition": "a > 0"}, "written": "n",
        "place": "clean/a.yaml:3",
    }  # fmt: skip
    return Rule(**{**given, **changes})


def test_where_a_rule_stands_and_how_it_is_shown_does_not_matter() -> None:
    assert digest(rule()) == digest(rule(place="clean/a.yaml:9", written="other words"))


@pytest.mark.parametrize(
    "changes",
    [
        {"arguments": {"name": "n", "condition": "a > 1"}},
        {"severity": "warning"},
        {"mostly": 1.0},
        {"mostly": 0.95},
        {"row_condition": "a > 0"},
    ],
)
def test_what_a_rule_does_matters(changes: dict[str, Any]) -> None:
    assert digest(rule()) != digest(rule(**changes))


def test_the_order_of_derived_columns_matters_and_the_kind_of_a_step() -> None:
    one = Derive(columns={"a": "b", "b": "a"})
    two = Derive(columns={"b": "a", "a": "b"})
    assert digest(list(one.columns.items())) != digest(list(two.columns.items()))
    assert digest(one) != digest(two)
    assert digest(Where(keep="a")) != digest(Where(keep="a", because="b"))


def test_parts_that_differ_are_named() -> None:
    assert differing({"a": "1", "b": "2"}, {"a": "1", "c": "3"}) == ["b", "c"]
    assert whole({"a": "1", "b": "2"}) == whole({"b": "2", "a": "1"})
    assert whole({"a": "1"}) != whole({"a": "1", "b": ""})
