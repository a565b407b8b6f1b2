"""Rules as people write and save them: every form is read, every slip is told."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from headgate.conf.nodes import from_python
from headgate.conf.quality import Quality
from headgate.conf.regexes import fault_of
from headgate.conf.rowconditions import RowCondition
from headgate.conf.rules import expectation
from headgate.conf.shapes import At, UnreadableError
from headgate.core.elsewhere import ELSEWHERE
from headgate.core.rules import RULES
from headgate.core.spec import Rule

COLUMN = "expect_column_values_to_"


def read(*items: Any, conf: Path = Path("conf")) -> tuple[list[Rule], list[str]]:
    """The rules, and the faults, of a list under `quality`."""
    at = At([], "quality", conf=conf)
    placed = Quality().read(from_python(list(items), "a.yaml"), at)
    rules = [one.rule for one in placed if isinstance(one.rule, Rule)]
    return rules, [f"{one.path}: {one.what}" for one in at.faults]


def fault(name: str, **arguments: Any) -> str:
    rules, faults = read({name: arguments})
    assert not rules
    assert faults
    return faults[0].removeprefix("quality[0]").removeprefix(f".{name}").lstrip(".: ")


SLIPS: list[tuple[str, dict[str, Any], str]] = [
    ("match_regex_list", {"regex_list": ["a", "["]}, "is no regular expression"),
    ("match_regex_list", {"regex_list": []}, "is an empty list"),
    ("match_regex_list", {"regex_list": ["a"], "match_on": "al"}, "did you mean 'all'"),
    ("match_regex_list", {"regexlist": ["a"]}, "did you mean 'regex_list'"),
    ("match_strftime_format", {"strftime_format": "%D"}, "no format that Python's strptime reads"),
    ("match_json_schema", {"json_schema": {"type": "objekt"}}, "is no JSON Schema"),
    ("match_json_schema", {"json_schema": "a"}, "must be a JSON Schema as a map"),
    ("be_of_type", {"type_": "double"}, "unknown type 'double' (did you mean 'DoubleType'?)"),
    ("be_of_type", {"type_": "IntType"}, "did you mean"),
    ("be_in_type_list", {"type_list": ["int64"]}, "names no type of Spark"),
    ("be_increasing", {"strictly": "yes"}, "must be true or false"),
    ("not_be_outliers", {"method": "mad"}, "must be one of iqr, std"),
    ("not_be_outliers", {"multiplier": -1}, "'multiplier' is less than 0"),
    ("be_between", {"min_value": 1, "parse_strings_as_datetimes": True}, "1.x has no"),
    ("be_between", {"min_value": {"$PARAMETER": "a"}}, "write the value, or ${NAME}"),
    ("be_between", {"min_value": 1, "mostly": 1.5}, "more than all"),
]


@pytest.mark.parametrize(("name", "arguments", "said"), SLIPS)
def test_a_slip_of_the_pen(name: str, arguments: dict[str, Any], said: str) -> None:
    assert said in fault(COLUMN + name, column="a", **arguments)


QUANTILES = "expect_column_quantile_values_to_be_between"
DIVERGENCE = "expect_column_kl_divergence_to_be_less_than"
LETTERS = {"values": ["a", "b"], "weights": [0.5, 0.5]}
SHAPES: list[tuple[str, dict[str, Any], str]] = [
    (QUANTILES, {"quantile_ranges": {"quantiles": [0.5], "value_ranges": []}}, "one for each"),
    (QUANTILES, {"quantile_ranges": {"quantiles": [5], "value_ranges": [[1, 2]]}}, "from 0 to 1"),
    (QUANTILES, {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[3, 2]]}}, "above its"),
    (QUANTILES, {"quantile_ranges": [0.5]}, "must be quantiles and their ranges"),
    (DIVERGENCE, {"partition_object": LETTERS}, "needs 'threshold'"),
    (DIVERGENCE, {"threshold": 1}, "needs 'partition_object'"),
    (DIVERGENCE, {"partition_object": {**LETTERS, "weights": [0.5, 0.6]}, "threshold": 1}, "1.1"),
    (DIVERGENCE, {"partition_object": {**LETTERS, "weights": [1]}, "threshold": 1}, "as many"),
    (DIVERGENCE, {"partition_object": LETTERS, "threshold": -1}, "less than 0"),
    (DIVERGENCE, {"partition_object": LETTERS, "threshold": 1, "internal_weight_holdout": 0.1},
     "is for 'bins'"),
    ("expect_column_pair_values_to_be_in_set",
     {"column_A": "a", "column_B": "b", "value_pairs_set": [[1]]}, "must be two values"),
    ("expect_column_value_z_scores_to_be_less_than", {"threshold": 3}, "needs 'double_sided'"),
    ("expect_column_distinct_values_to_be_in_set", {"value_set": [None]}, "null is never judged"),
    ("expect_table_column_count_to_be_between", {"min_value": 3, "max_value": 1}, "greater than"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "said"), SHAPES)
def test_arguments_that_cannot_be_meant(name: str, arguments: dict[str, Any], said: str) -> None:
    own = {} if "column_A" in arguments or name.startswith("expect_table") else {"column": "a"}
    assert said in fault(name, **own, **arguments)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    said = fault(COLUMN + "match_json_schema", column="a", json_schema={"type": "object"})
    assert said.endswith("needs the Python package 'jsonschema': pip install jsonschema")


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_cannot_be_judged_is_said_in_one_sentence(name: str) -> None:
    assert name not in RULES
    assert f"'{name}' cannot be judged here: " in fault(name, column="a")


def test_a_custom_expectation_is_not_compiled() -> None:
    said = fault("expect_column_values_to_be_valid_iban", column="a")
    assert "custom expectation is not compiled" in said
    assert "custom" not in fault("expect_column_values_to_be_betwen", column="a", min_value=1)


REGEXES = {
    r"^[A-Z]{2}\d+$": None,
    r"\p{L}+": None,
    "(?i)abc": None,
    "(?<year>[0-9]{4})": None,
    "a++b": None,
    r"\(?a\)?\{x\}": None,
    "(ab+)+c": None,
    "(?P<year>[0-9]{4})": "(?<name>",
    r"abc\Z": r"\z",
    r"abc\\Z": None,
    "(?u)abc": "inline flags",
    "(?#note)a": "comments",
    "a{,3}": "{0,…}",
    "{id}": r"\{",
    "[[a]": "class within",
    "[a&&b]": "intersects",
    "(a+)+$": "write 'a+'",
    r"(?:\d*)*x": r"write '\d*'",
    "([a-z]+)*;": "write '[a-z]+'",
    "(a+)+": None,  # nothing after it can fail
    "(": "is no regular expression",
}


@pytest.mark.parametrize("regex", REGEXES)
def test_a_regex_that_java_reads_otherwise(regex: str) -> None:
    said, expected = fault_of(regex), REGEXES[regex]
    assert (said is None) if expected is None else (said is not None and expected in said), said


def condition(value: Any, parser: str | None = None) -> str:
    at = At([], "row_condition")
    try:
        return RowCondition().read(from_python(value, "a.yaml"), at, parser)
    except UnreadableError:
        return at.faults[0].what


def compare(operator: str, parameter: Any) -> dict[str, Any]:
    column = {"name": "n"}
    return {"type": "comparison", "column": column, "operator": operator, "parameter": parameter}


def test_conditions_of_every_form() -> None:
    assert condition("a > 1") == "a > 1"
    assert condition('col("a").notNull()') == "`a` IS NOT NULL"
    assert condition('col("a b") > 5') == condition('col("a b") > 5', "great_expectations")
    assert "`a b` > 5" in condition('col("a b") > 5')
    assert "`a` = 'it'" in condition("col(\"a\") == 'it'")
    assert condition({"type": "pass_through", "pass_through_filter": "a > 1"}) == "a > 1"
    null = {"type": "nullity", "column": {"name": "a"}, "is_null": False}
    assert condition(null) == "`a` IS NOT NULL"
    both = {"type": "and", "conditions": [null, {**null, "is_null": True}]}
    assert condition(both) == "(`a` IS NOT NULL AND `a` IS NULL)"
    assert condition(compare("IN", [])) == "(false)"
    assert "NOT (" in condition(compare("NOT_IN", [1, 2]))


def test_conditions_that_cannot_be_read() -> None:
    assert "no condition of great-expectations' own form" in condition(
        "a > 1", "great_expectations"
    )
    assert "did you mean 'nullity'" in condition({"type": "nulity"})
    assert "one of ==" in condition(compare("~", 1))
    assert "wants a list" in condition(compare("IN", 1))
    assert "must be a value" in condition(compare("==", None))


def saved(folder: Path, **suite: Any) -> tuple[list[Rule], list[str]]:
    (folder / "a.json").write_text(json.dumps(suite), encoding="utf-8")
    return read({"expectations": "a.json", **suite.pop("beside", {})}, conf=folder)


def between(**more: Any) -> dict[str, Any]:
    kwargs = {"column": "a", "max_value": None, "result_format": "BASIC", **more}
    return {"type": "expect_column_values_to_be_between", "kwargs": kwargs, "meta": {"a": [1]},
            "id": "1", "notes": "why", "severity": "warning"}  # fmt: skip


def test_a_suite_of_1x_is_read(tmp_path: Path) -> None:
    rules, faults = saved(tmp_path, name="x", expectations=[between(min_value=1)], meta={}, id="2")
    assert not faults
    assert (rules[0].arguments, rules[0].severity) == ({"column": "a", "min_value": 1}, "warning")


def test_a_suite_of_018_is_read_where_it_says_the_same(tmp_path: Path) -> None:
    old = between(min_value=1, parse_strings_as_datetimes=None)
    old["expectation_type"] = old.pop("type")
    rules, faults = saved(tmp_path, expectation_suite_name="x", expectations=[old])
    assert (len(rules), faults) == (1, [])
    old["kwargs"]["parse_strings_as_datetimes"] = True
    rules, faults = saved(tmp_path, expectation_suite_name="x", expectations=[old])
    assert "cast the column to a date" in faults[0]


def test_parameters_come_from_the_suite_or_from_beside_it(tmp_path: Path) -> None:
    one = between(min_value={"$PARAMETER": "least"})
    given = saved(tmp_path, expectations=[one], suite_parameters={"least": 7})
    assert given[0][0].arguments["min_value"] == 7
    rules, faults = read({"expectations": "a.json", "parameters": {"least": 8}}, conf=tmp_path)
    assert (rules[0].arguments["min_value"], faults) == (8, [])
    (tmp_path / "a.json").write_text(json.dumps({"expectations": [one]}), encoding="utf-8")
    assert (
        "waits for the parameter 'least'" in read({"expectations": "a.json"}, conf=tmp_path)[1][0]
    )
    one["kwargs"]["min_value"] = {"$PARAMETER": "least * 2"}
    assert "write its value" in saved(tmp_path, expectations=[one])[1][0]


def test_every_rule_can_be_read_with_what_it_needs() -> None:
    values: dict[str, Any] = {
        "bound": 1, "column": "a", "columns": ["a", "b"], "flag": True, "json_schema": {},
        "keys": ["a", "b"], "stretch": "2 days", "table": "clean.a",
        "new_columns": ["a"], "number": 1, "pairs": [[1, None]], "partition": LETTERS,
        "quantiles": {"quantiles": [0.5], "value_ranges": [[None, 1]]}, "regex": "a",
        "regexes": ["a"], "some_columns": ["a"], "strftime": "%Y", "text": "a",
        "type": "DateType", "types": ["DateType", "int"], "values": ["a"], "whole": 1,
    }  # fmt: skip
    for name, known in RULES.items():
        if name == "row":
            continue
        needed = {key: one for key, one in known.arguments.items() if one.required}
        given = {key: values[one.takes] for key, one in needed.items()}
        if "column_B" in given:
            given["column_B"] = "b"
        if "min_value" in known.arguments:
            given["min_value"] = 1
        at = At([])
        node = from_python({name: given}, "a.yaml")
        rule = expectation(node.entries[0][0], node.entries[0][1], at)  # type: ignore[attr-defined]
        assert (rule.expectation, at.faults) == (name, [])
