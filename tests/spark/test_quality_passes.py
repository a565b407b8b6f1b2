"""Rules over all types of columns: none stops a run, none is NULL; and passes window by window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from headgate.conf.nodes import from_python
from headgate.conf.rowconditions import RowCondition
from headgate.conf.shapes import At
from headgate.core.across import ACROSS_ROWS
from headgate.core.rules import RULES
from headgate.core.spec import Rule
from headgate.quality.compile import broken, is_row_rule, judged
from headgate.quality.measures import measures
from headgate.quality.passes import found_by_passes, found_in_schema

SCHEMA = (
    "i bigint, d double, m decimal(38,10), s string, n string, day date, at timestamp,"
    " b boolean, x binary, l array<int>, w string, _file string, _row bigint"
)
MOMENT = datetime(2026, 1, 2, 3)  # noqa: DTZ001
COLUMNS = ("i", "d", "m", "s", "n", "day", "at", "b", "x", "l")
GIVEN: dict[str, list[Any]] = {
    "bound": [2, "2026-01-01", "soon", "7"],
    "flag": [True],
    "json_schema": [{"type": "number"}],
    "number": [1.5],
    "pairs": [[(1, "a"), (None, 2), ("2026-01-02", True)]],
    "regex": ["^a"],
    "regexes": [["a", "b"]],
    "strftime": ["%Y"],
    "values": [[1, 2.5], ["a", "n/a", "2026-01-02"], [True]],
    "whole": [1],
}


def row_rules() -> Iterator[Rule]:
    """Row rules on columns of every type, with arguments of every kind."""
    for name, known in RULES.items():
        if known.how != "row" or name == "row":
            continue
        takes = {key: one.takes for key, one in known.arguments.items()}
        for a, b in zip(COLUMNS, COLUMNS[1:] + COLUMNS[:1], strict=True):
            own = {"column": a, "column_A": a, "column_B": b, "column_list": [a, b]}
            own = {key: value for key, value in own.items() if key in takes}
            key = next((key for key in takes if key not in own and takes[key] in GIVEN), None)
            for value in GIVEN[takes[key]] if key else [None]:
                given = {**own, **({key: value} if key else {})}
                if key == "min_value" and takes[key] == "whole":
                    given["max_value"] = 3
                if "sum_total" in takes:
                    given["sum_total"] = 3
                yield Rule(expectation=name, arguments=given)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    made = [
        (1, 2.5, Decimal("1.5"), "abc", "12", date(2026, 1, 2), MOMENT, True, b"a", [1]),
        (2**62, float("nan"), Decimal("9" * 28), "", "n/a", date(1, 1, 1), MOMENT, False, b"", []),
        (None,) * 10,
        (
            -(2**62),
            float("inf"),
            Decimal(-1),
            "{",
            " 7 ",
            date(2026, 1, 1),
            MOMENT,
            True,
            b"b",
            [2],
        ),
    ]
    rows = [(*one, "w", "f", place) for place, one in enumerate(made)]
    return spark.createDataFrame(rows, SCHEMA).coalesce(1)


def fits_the_types(df: DataFrame, column: Column) -> bool:
    """Whether Spark can hold these types against each other at all."""
    try:
        df.select(column)
    except AnalysisException:
        return False
    return True


def _mark(column: Column) -> Column:
    return F.coalesce(column.cast("int"), F.lit(9))


def test_no_row_rule_stops_a_run_or_is_null(rows: DataFrame) -> None:
    rules = [rule for rule in row_rules() if fits_the_types(rows, broken(rule))]
    assert {rule.expectation for rule in rules} == {
        name for name, known in RULES.items() if known.how == "row" and name != "row"
    } - ACROSS_ROWS.keys()  # what they find is joined first
    marks = [_mark(broken(rule)) + 10 * _mark(judged(rule)) for rule in rules]
    for found in rows.select(F.array(*marks).alias("marks")).collect():
        odd = [
            (rule.expectation, dict(rule.arguments), mark)
            for rule, mark in zip(rules, found["marks"], strict=True)
            if mark not in (0, 10, 11)  # not judged; fits; broken
        ]
        assert not odd


def table_rules() -> Iterator[Rule]:
    letters = {"values": ["a", "abc", "12"], "weights": [0.5, 0.25, 0.25]}
    bins = {"bins": [0, 1, 2], "weights": [0.5, 0.5]}
    ranges = {"quantiles": [0.5], "value_ranges": [[0, 1]]}
    asked: dict[str, dict[str, Any]]
    for column in COLUMNS[:8]:
        asked = {
            "column_values_to_be_increasing": {},
            "column_values_to_be_decreasing": {"strictly": True},
            "column_value_z_scores_to_be_less_than": {"threshold": 1, "double_sided": True},
            "column_values_to_not_be_outliers": {},
            "column_median_to_be_between": {"min_value": 0},
            "column_quantile_values_to_be_between": {"quantile_ranges": ranges},
            "column_kl_divergence_to_be_less_than": {"partition_object": letters, "threshold": 1},
            "column_distinct_values_to_equal_set": {"value_set": ["a", "n/a", "2026-01-02"]},
            "column_most_common_value_to_be_in_set": {"value_set": [1, 2]},
            "column_proportion_of_non_null_values_to_be_between": {"min_value": 0},
        }
        for name, given in asked.items():
            yield Rule(expectation=f"expect_{name}", arguments={"column": column, **given})
        yield Rule(
            expectation="expect_column_kl_divergence_to_be_less_than",
            arguments={"column": column, "partition_object": bins, "threshold": 1},
        )


def test_no_table_rule_stops_a_run(rows: DataFrame) -> None:
    rules = [
        rule
        for rule in table_rules()
        # A number can be in no set of dates: that is the analyser's to say.
        if rule.arguments.get("value_set") != [1, 2] or rule.arguments["column"] in "idmsn"
    ]
    found = found_by_passes(rows, rules, "w")["w"]
    plain = [value for rule in rules for value in measures(rule).values()]
    assert rows.agg(*(value.alias(str(at)) for at, value in enumerate(plain))).collect()
    by_name = {
        (rule.expectation[7:], rule.arguments["column"]): found.get(place)
        for place, rule in enumerate(rules)
    }
    rising = by_name["column_values_to_be_increasing", "i"]
    assert rising == {"total": 3, "unexpected": 1}
    text = by_name["column_value_z_scores_to_be_less_than", "s"]
    assert (text or {})["unexpected"] == 3  # no numbers: nothing fits


def test_passes_keep_windows_apart(spark: SparkSession) -> None:
    made = [("a", 1), ("a", 2), ("a", 30), ("b", 30), ("b", 30), ("b", 29), ("c", None)]
    rows = [(w, n, "f", place) for place, (w, n) in enumerate(made)]
    df = spark.createDataFrame(rows, "w string, n int, _file string, _row int")
    one = {"column": "n"}
    rules = [
        Rule(expectation="expect_column_values_to_be_increasing", arguments=one),
        Rule(expectation="expect_column_values_to_not_be_outliers",
             arguments={**one, "method": "std", "multiplier": 1}),
        Rule(expectation="expect_column_most_common_value_to_be_in_set",
             arguments={**one, "value_set": [30]}),
        Rule(expectation="expect_column_median_to_be_between", arguments={**one, "min_value": 1}),
        Rule(expectation="expect_column_values_to_be_unique", arguments=one),
    ]  # fmt: skip
    found = found_by_passes(df.repartition(3), rules, "w")
    shown = {
        window: [
            by_rule[0]["unexpected"],
            by_rule[1]["unexpected"],
            (by_rule[2]["distinct"], by_rule[2]["found"]),
            by_rule[3]["observed"],
            by_rule[4]["unexpected"],
        ]
        for window, by_rule in found.items()
    }
    assert shown == {
        "a": [0, 1, (3, 1), 2.0, 0],
        "b": [1, 1, (1, 1), 30.0, 2],
        "c": [0, 0, (0, 0), None, 0],
    }


def test_a_schema_is_judged_without_a_row(spark: SparkSession) -> None:
    df = spark.createDataFrame([], "a int, b struct<c: string>, _row int")
    names = [
        Rule(expectation="expect_table_columns_to_match_ordered_list",
             arguments={"column_list": ("a", "b", "b.c")}),
        Rule(expectation="expect_table_column_count_to_equal", arguments={"value": 3}),
        Rule(expectation="expect_column_to_exist", arguments={"column": "_row"}),
        Rule(expectation="expect_column_values_to_be_of_type",
             arguments={"column": "b.c", "type_": "StringType"}),
    ]  # fmt: skip
    found = found_in_schema(df, names)
    assert [found[0]["success"], found[1]["observed"]] == [True, 3]
    assert [found[2]["success"], found[3]["success"]] == [False, True]


CONDITIONS: list[tuple[Any, list[int]]] = [
    ('col("i") == 1', [0]),
    ('col("n") > 7', [0]),
    ("col(\"s\") == 'abc'", [0]),
    ('col("i") == "abc"', []),
    ('col("day") >= date("2026-01-02")', [0]),
    ('col("d").notNull()', [0, 1, 3]),
    (
        {"type": "comparison", "column": {"name": "n"}, "operator": "IN", "parameter": [12, 7]},
        [0, 3],
    ),
    ({"type": "comparison", "column": {"name": "b"}, "operator": "!=", "parameter": True}, [1]),
    ({"type": "comparison", "column": {"name": "s"}, "operator": "==", "parameter": True}, []),
]


def test_conditions_of_great_expectations_stop_on_no_row(rows: DataFrame) -> None:
    texts = [RowCondition().read(from_python(one, "a"), At([])) for one, _ in CONDITIONS]
    asked = [F.coalesce(F.expr(text), F.lit(False)) for text in texts]
    found: list[Row] = rows.orderBy("_row").select(F.array(*asked).alias("true")).collect()
    for at, (one, expected) in enumerate(CONDITIONS):
        assert [place for place, row in enumerate(found) if row["true"][at]] == expected, one


def test_every_rule_is_compiled() -> None:
    rules = [Rule(expectation=name) for name in RULES]
    assert [rule.expectation for rule in rules if is_row_rule(rule)] == [
        name for name, known in RULES.items() if known.how == "row"
    ]
