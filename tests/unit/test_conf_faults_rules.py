"""What a rule may have wrong, in a table's file or in a saved suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.conf_files import faults

RULES = {
    "expect_column_values_to_be_betwen: {column: line, min_value: 1}": (
        ": unknown rule 'expect_column_values_to_be_betwen'"
        " (did you mean 'expect_column_values_to_be_between'?)"
    ),
    "not_null: order_id": (
        ": unknown rule 'not_null' (did you mean 'expect_column_values_to_not_be_null'?)"
    ),
    "expect_column_values_to_be_between: {column: line}": (
        ": neither 'min_value' nor 'max_value' is given: one of them is wanted"
    ),
    "expect_column_values_to_be_between: {column: line, min_value: 3, max_value: 1}": (
        ": 'min_value' is greater than 'max_value'"
    ),
    "expect_column_values_to_be_between: {column: line, min_value: a, max_value: 1}": (
        ": 'min_value' and 'max_value' are not of one kind"
    ),
    "expect_column_values_to_be_between: {column: line, min_value: 1, max_value: 1, strict_min: true}":  # noqa: E501
    ": nothing fits: both bounds are equal, and strict",
    "expect_column_values_to_be_between: {column: line, min_value: 1, mostly: 95}": (
        ".mostly: 95 is more than all: write 95% or 0.95"
    ),
    "expect_column_values_to_not_be_null: {column: order_id, level: warning}": (
        ".level: unknown argument 'level' (did you mean 'severity'?)"
        " of expect_column_values_to_not_be_null"
    ),
    "expect_column_values_to_not_be_null: order_id": (
        ": expect_column_values_to_not_be_null takes a map ({column, …}), not 'order_id'"
    ),
    "expect_column_values_to_not_be_null: {}": (
        ": expect_column_values_to_not_be_null needs 'column': the column judged"
    ),
    "expect_column_values_to_not_be_null: {column: quantty}": (
        ": unknown column 'quantty' (did you mean 'quantity'?)"
    ),
    "expect_column_values_to_not_be_null: {column: Quantity}": (
        ": unknown column 'Quantity': it is written 'quantity'"
    ),
    "expect_compound_columns_to_be_unique: {column_list: [order_id, lin]}": (
        ": unknown column 'lin' (did you mean 'line'?)"
    ),
    "expect_column_pair_values_to_be_equal: {column_A: line, column_B: line}": (
        ": 'column_A' and 'column_B' are the same column"
    ),
    "expect_table_row_count_to_be_between: {min_value: 1, mostly: 0.5}": (
        ".mostly: expect_table_row_count_to_be_between judges the table as a whole"
        " and takes no 'mostly'"
    ),
    "expect_table_row_count_to_equal: {value: -1}": (
        ".value: must be a whole number from 0, not '-1'"
    ),
    "expect_column_mean_to_be_between: {column: line, min_value: x}": (
        ".min_value: must be a number, not 'x'"
    ),
    "expect_column_values_to_match_regex: {column: country, regex: '['}": (
        ".regex: is no regular expression: unterminated character set"
    ),
    "expect_column_values_to_be_in_set: {column: country, value_set: [DE, 1]}": (
        ": 'value_set' mixes texts with other values: put all in quotes, or none"
    ),
    "expect_column_values_to_be_in_set: {column: country, value_set: [DE, null]}": (
        ".value_set[1]: null is never judged: leave it out, or write '' for empty text"
    ),
    "expect_column_values_to_be_in_set: {column: country, value_set: DE}": (
        ".value_set: must be a list, not 'DE': begin each item with '- '"
    ),
    "expect_multicolumn_sum_to_equal: {column_list: [line], sum_total: 1, ignore_row_if: nevr}": (
        ".ignore_row_if: must be one of all_values_are_missing, any_value_is_missing, never,"
        " not 'nevr' (did you mean 'never'?)"
    ),
    "row: {a: unit_price > 0, severity: warning}": (
        ".row.severity: write 'severity' beside 'row', not in it"
    ),
    "row: {price is positive: unit_prce > 0}": (
        ".row.price is positive: unknown column 'unit_prce' (did you mean 'unit_price'?)"
    ),
    "row: {a: unit_price > (0}": (".row.a: a '(' is not closed in 'unit_price > (0'"),
    "row: []": ": row takes a map (name: SQL condition), not a list",
    "expectations: quality/none.json": ": there is no file 'quality/none.json' below conf",
    "expect_column_values_to_not_be_null": (
        ": a rule is a name and its arguments"
        " (expect_column_values_to_not_be_null: {column: order_id}), not"
        " 'expect_column_values_to_not_be_null'"
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule(rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"reads: ingested.orders\nquality:\n  - {rule}\n"
    changes = {
        "clean/orders.yaml": text,
        "features/activity.yaml": None,
        "marts/sales.yaml": None,
    }
    expected = f"conf/clean/orders.yaml:3 quality[0]{RULES[rule]}"
    assert faults(tmp_path, monkeypatch, changes) == [expected]


SAVED = """\
{
  "name": "orders",
  "expectations": [
    {"type": "expect_column_values_to_be_betwen", "kwargs": {"column": "line"}},
    {"type": "expect_column_values_to_not_be_null",
     "kwargs": {"column": "lin", "catch_exceptions": false}},
    {"type": "expect_column_values_to_not_be_null",
     "kwargs": {"column": "line", "row_condition": "line > 0", "condition_parser": "pandas"}},
    {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": {"$PARAMETER": "a"}}},
    {"kwargs": {}},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "line"},
     "severity": "fatal", "odd": 1}
  ]
}
"""


def test_a_saved_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "clean/orders.yaml": "reads: ingested.orders\nquality:\n  - expectations: quality/a.json\n"
        "  - expectations: quality/b.json\n",
        "quality/a.json": SAVED,
        "quality/b.json": '{"expectation": []}',
        "features/activity.yaml": None,
        "marts/sales.yaml": None,
    }
    file = "conf/quality/a.json"
    assert faults(tmp_path, monkeypatch, changes) == [
        f"{file}:4 expectations[0]: unknown rule 'expect_column_values_to_be_betwen'"
        " (did you mean 'expect_column_values_to_be_between'?)",
        f"{file}:5 expectations[1]: unknown column 'lin' (did you mean 'line'?)",
        f"{file}:8 expectations[2].condition_parser: 'pandas' reads no Spark rows: write the"
        " condition in SQL, and 'spark'",
        f"{file}:9 expectations[3].min_value: waits for the parameter 'a', which nobody gives:"
        " write it beside 'expectations' in the table's file, as `parameters: {a: …}`",
        f"{file}:10 expectations[4]: an expectation is a map with 'type' and 'kwargs'",
        f"{file}:12 expectations[5]: severity must be one of critical, warning, info",
        "conf/quality/b.json:1: is no suite of great-expectations: the list 'expectations' is"
        " missing",
    ]


def test_what_a_table_must_have_for_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mart = (
        "reads: {orders: clean.orders}\nperiod: {column: ordered_at}\nmeasures: {n: count(*)}\n"
        "quality:\n  - expect_column_values_to_be_increasing: {column: n}\n"
        "  - expect_column_to_exist: {column: nowhere}\n"
    )
    assert faults(tmp_path, monkeypatch, {"marts/sales.yaml": mart}) == [
        "conf/marts/sales.yaml:5 quality[0]: the rows of this table are in no order: it has"
        " neither '_file' nor '_row'"
    ]
