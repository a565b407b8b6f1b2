"""Rules as columns: never NULL, never fatal, and what each row is told."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from headgate.core.across import ACROSS_TABLES
from headgate.core.rules import RULES
from headgate.core.spec import Rule
from headgate.quality.compile import (
    broken,
    is_row_rule,
    judged,
    missing_columns,
    row_rules,
    table_rules,
)
from headgate.quality.distribution import STATISTICS
from headgate.quality.measures import MEASURES, measures
from headgate.quality.order import ORDERED
from headgate.quality.reasons import marks, masks, reasons, rejected, rejecting
from headgate.quality.schemas import SCHEMA_RULES
from headgate.quality.uniqueness import GROUPED, uniqueness

BETWEEN = "expect_column_values_to_be_between"
IN_SET = "expect_column_values_to_be_in_set"
UNIQUE = "expect_column_values_to_be_unique"


def rule(expectation: str, **given: Any) -> Rule:
    own = {name: given.pop(name) for name in ("severity", "row_condition") if name in given}
    written = f"{expectation}: {given}"
    return Rule(expectation=expectation, arguments=given, written=written, **own)


def condition(text: str, **own: Any) -> Rule:
    return Rule(expectation="row", arguments={"name": text, "condition": text}, written=text, **own)


def told_apart(df: DataFrame, one: Rule) -> list[tuple[bool, bool]]:
    """For each row, whether it breaks the rule and whether it is judged."""
    return [(row[0], row[1]) for row in df.select(broken(one), judged(one)).collect()]


def breaks(df: DataFrame, one: Rule) -> list[bool]:
    return [was_broken for was_broken, _ in told_apart(df, one)]


@pytest.fixture(scope="module")
def texts(spark: SparkSession) -> DataFrame:
    rows = [("5", 5), ("abc", 1), (None, None), ("", 7), (" 12 ", 12)]
    return spark.createDataFrame(rows, "s string, n int").coalesce(1)


def test_every_rule_is_compiled_as_the_kind_it_is_said_to_be() -> None:
    rules = [Rule(expectation=name) for name in RULES]
    assert {one.expectation for one in row_rules(rules)} == {
        name for name, known in RULES.items() if known.kind == "row"
    }
    assert {one.expectation for one in table_rules(rules)} == {
        *MEASURES, *GROUPED, *STATISTICS, *ORDERED, *SCHEMA_RULES, *ACROSS_TABLES,
    }  # fmt: skip


def test_a_text_that_is_no_number_breaks_a_rule_with_numbers_and_stops_nothing(
    texts: DataFrame,
) -> None:
    assert breaks(texts, rule(BETWEEN, column="s", min_value=5)) == [
        False, True, False, True, False,
    ]  # fmt: skip
    assert breaks(texts, rule(IN_SET, column="s", value_set=[5, 12])) == [
        False, True, False, True, False,
    ]  # fmt: skip
    assert breaks(texts, rule("expect_column_values_to_not_be_in_set", column="s", value_set=[5]))[
        :2
    ] == [True, False]


def test_a_number_among_texts_stops_nothing(texts: DataFrame) -> None:
    one = rule(IN_SET, column="n", value_set=["5", "n/a"])
    assert breaks(texts, one) == [False, True, False, True, True]


@pytest.mark.parametrize(
    ("expectation", "expected"),
    [
        ("expect_column_pair_values_to_be_equal", [False, True, False, True, False]),
        ("expect_column_pair_values_a_to_be_greater_than_b", [True, True, False, True, True]),
    ],
)
def test_columns_of_different_types_are_held_against_each_other(
    texts: DataFrame, expectation: str, expected: list[bool]
) -> None:
    assert breaks(texts, rule(expectation, column_A="s", column_B="n")) == expected


def test_texts_that_are_no_dates_are_not_equal_to_dates(spark: SparkSession) -> None:
    day = dt.date(2026, 1, 2)
    df = spark.createDataFrame([("2026-01-02", day), ("soon", day)], "s string, d date")
    one = rule("expect_column_pair_values_to_be_equal", column_A="s", column_B="d")
    assert breaks(df.coalesce(1), one) == [False, True]


def test_a_sum_that_overflows_or_cannot_be_read_equals_nothing(spark: SparkSession) -> None:
    big = 2**63 - 1
    df = spark.createDataFrame(
        [(big, big, "1"), (1, 2, "x"), (1, 2, "3")], "a long, b long, s string"
    )
    plain = rule("expect_multicolumn_sum_to_equal", column_list=["a", "b"], sum_total=3)
    assert breaks(df.coalesce(1), plain) == [True, False, False]
    read = rule("expect_multicolumn_sum_to_equal", column_list=["a", "b", "s"], sum_total=6)
    assert breaks(df.coalesce(1), read) == [True, True, False]


def test_null_passes_an_expectation_and_breaks_a_condition(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1,), (-1,), (None,)], "n int").coalesce(1)
    assert told_apart(df, rule(BETWEEN, column="n", min_value=0)) == [
        (False, True), (True, True), (False, False),
    ]  # fmt: skip
    assert told_apart(df, condition("n > 0")) == [(False, True), (True, True), (True, True)]


def test_nan_is_there_and_greater_than_every_number(spark: SparkSession) -> None:
    df = spark.createDataFrame([(math.nan,), (math.inf,)], "d double").coalesce(1)
    assert breaks(df, rule(BETWEEN, column="d", min_value=0)) == [False, False]
    assert breaks(df, rule(BETWEEN, column="d", max_value=1e308)) == [True, True]
    one = rule("expect_column_values_to_not_be_null", column="d")
    assert breaks(df, one) == [False, False]


def test_rows_for_which_row_condition_is_not_true_are_not_judged(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, True), (1, False), (1, None)], "n int, ok boolean").coalesce(1)
    for one in (
        rule(BETWEEN, column="n", min_value=2, row_condition="ok"),
        condition("n > 1", row_condition="ok"),
    ):
        assert told_apart(df, one) == [(True, True), (False, False), (False, False)]


def test_a_row_condition_guards_a_condition_that_would_raise(spark: SparkSession) -> None:
    df = spark.createDataFrame([("5",), ("abc",)], "s string").coalesce(1)
    one = condition("CAST(s AS int) > 1", row_condition="s RLIKE '^[0-9]+$'")
    assert told_apart(df, one) == [(False, True), (False, False)]


def test_a_column_may_be_called_anything(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, "a"), (1, None)], "`unit.price` int, `a ``b``` string")
    names = [rule(BETWEEN, column="unit.price", min_value=2), rule(UNIQUE, column="unit.price")]
    names.append(rule("expect_column_values_to_not_be_null", column="a `b`"))
    assert breaks(df.coalesce(1), names[0]) == [True, True]
    assert breaks(df.coalesce(1), names[2]) == [False, True]
    repeated = uniqueness(df.withColumn("_window", F.lit("w")), names)
    assert repeated is not None
    assert [tuple(row)[:5] for row in repeated.collect()] == [("w", 1, 2, 2, 1)]


def told(
    df: DataFrame, rules: Sequence[Rule], waived: frozenset[str] = frozenset()
) -> list[list[str] | None]:
    """Why each row is rejected; whether it is, and the bits of each rule, must agree with that."""
    bits = marks(rules, waived)
    marked = df.select("*", *[mask.alias(name) for name, mask in masks(bits).items()])
    broken = [mark.breaks for mark in bits if mark.rejects]
    found = marked.select(
        reasons(bits, df.columns), rejected(bits, df.columns), F.array(*broken).cast("array<int>")
    ).collect()
    for why, leaves, each in found:
        assert leaves == (why is not None) == any(each)
        assert sum(each) == len(why or [])
    return [row[0] for row in found]


def test_reasons_are_all_that_a_row_breaks_and_only_what_rejects(spark: SparkSession) -> None:
    df = spark.createDataFrame([(-1, None), (1, "a"), (-5, "a")], "n int, s string").coalesce(1)
    rules = [
        condition("n > 0"),
        rule("expect_column_values_to_not_be_null", column="s"),
        condition("n > -3", severity="critical"),
        condition("n > 100", severity="warning"),
        condition("n > 200", severity="info"),
        rule("expect_column_mean_to_be_between", column="n", min_value=50),
    ]
    assert rejecting(rules) == tuple(rules[:3])
    assert told(df, rules) == [
        [rules[0].written, rules[1].written], None, [rules[0].written, "n > -3"],
    ]  # fmt: skip
    assert told(df, rules, frozenset(["n > 0"])) == [[rules[1].written], None, ["n > -3"]]
    assert told(df, rules[3:]) == [None, None, None]


def test_a_hundred_rules_are_judged_in_one_projection(spark: SparkSession) -> None:
    rules = [condition(f"n <> {value}") for value in range(100)]
    df = spark.range(200).selectExpr("id AS n").coalesce(1)
    assert told(df, rules) == [[f"n <> {n}"] if n < 100 else None for n in range(200)]


def test_columns_that_are_not_there() -> None:
    one = rule("expect_compound_columns_to_be_unique", column_list=["a", "b", "C"])
    assert missing_columns(one, ["a", "c"]) == ("b", "C")
    assert is_row_rule(condition("a > 1"))


MEASURED = "n int, big bigint, d double, m decimal(10,2), s string, day date, ok boolean"


def measured_by(df: DataFrame, one: Rule, alive: str | None = None) -> dict[str, Any]:
    named = measures(one, None if alive is None else F.expr(alive))
    row = df.agg(*(value.alias(name) for name, value in named.items())).first()
    assert row is not None
    return row.asDict()


@pytest.fixture(scope="module")
def numbers(spark: SparkSession) -> DataFrame:
    day = dt.date(2026, 1, 2)
    rows: list[tuple[Any, ...]] = [
        (1, 2**62, 1.5, Decimal("0.10"), "b", day, True),
        (2, 2**62, 2.5, Decimal("0.20"), "a", day, True),
        (9, 2**62, math.nan, Decimal("0.30"), "7", day, False),
        (None, None, None, None, None, None, None),
    ]
    return spark.createDataFrame(rows, MEASURED).coalesce(1)


@pytest.mark.parametrize(
    ("of", "column", "alive", "observed"),
    [
        ("mean", "n", None, 4.0),
        ("mean", "n", "coalesce(ok, false)", 1.5),
        ("mean", "d", None, None),
        ("mean", "d", "coalesce(ok, false)", 2.0),
        ("mean", "s", None, None),
        ("mean", "n", "false", None),
        ("sum", "big", None, 3.0 * 2**62),
        ("sum", "m", None, 0.6),
        ("stdev", "n", "n = 1", None),
        ("min", "n", None, 1.0),
        ("max", "d", None, None),
        ("max", "s", None, None),
        ("max", "day", None, None),
    ],
)
def test_measures_are_numbers_or_nothing(
    numbers: DataFrame, of: str, column: str, alive: str | None, observed: float | None
) -> None:
    one = rule(f"expect_column_{of}_to_be_between", column=column, min_value="2026-01-01")
    if of in ("min", "max") and column != "day":
        one = rule(f"expect_column_{of}_to_be_between", column=column, min_value=0)
    assert measured_by(numbers, one, alive)["observed"] == observed


@pytest.mark.parametrize(
    ("column", "bounds", "success"),
    [
        ("n", {"max_value": 9}, 1),
        ("n", {"max_value": 9, "strict_max": True}, 0),
        ("d", {"min_value": 0}, 0),  # NaN is the greatest, and fits nowhere
        ("s", {"max_value": "c"}, 1),
        ("s", {"max_value": 100}, 0),
        ("day", {"max_value": "2026-01-02"}, 1),
        ("day", {"max_value": "2026-01-01"}, 0),
    ],
)
def test_the_greatest_value_is_judged_by_its_type(
    numbers: DataFrame, column: str, bounds: dict[str, Any], success: int
) -> None:
    one = rule("expect_column_max_to_be_between", column=column, **bounds)
    assert measured_by(numbers, one)["success"] == success
    assert measured_by(numbers, one, "false")["success"] == 0


def test_measures_can_be_observed_while_rows_flow(numbers: DataFrame) -> None:
    rules = [
        rule(f"expect_column_{of}_to_be_between", column="n", max_value=5)
        for of in ("mean", "min", "max", "sum", "stdev")
    ]
    rules.append(rule("expect_table_row_count_to_equal", value=2, row_condition="n > 1"))
    named = {
        f"{place}_{name}": value
        for place, one in enumerate(rules)
        for name, value in measures(one, F.expr("d IS NOT NULL")).items()
    }
    seen = Observation()
    numbers.observe(seen, *(value.alias(name) for name, value in named.items())).collect()
    assert (seen.get["0_observed"], seen.get["2_observed"], seen.get["5_observed"]) == (4.0, 9.0, 2)


def test_uniqueness_shares_a_pass_and_tells_windows_apart(spark: SparkSession) -> None:
    rows = [
        ("w1", 1, "x"), ("w1", 1, "y"), ("w1", None, "x"), ("w1", None, None),
        ("w2", 1, "x"), ("w2", 2, "x"), ("w2", 2, "x"),
    ]  # fmt: skip
    df = spark.createDataFrame(rows, "_window string, n int, s string")
    rules = [
        rule(UNIQUE, column="n"),
        rule("expect_compound_columns_to_be_unique", column_list=["n", "s"]),
        rule("expect_compound_columns_to_be_unique", column_list=["s", "n"],
             ignore_row_if="any_value_is_missing"),
        rule(UNIQUE, column="n", row_condition="s = 'x'"),
        rule("expect_column_unique_value_count_to_be_between", column="n", min_value=1),
        rule(BETWEEN, column="n", min_value=0),
    ]  # fmt: skip
    found = uniqueness(df, rules)
    assert found is not None
    by_place = {(row[0], row[1]): tuple(row)[2:5] for row in found.collect()}
    assert by_place == {
        ("w1", 0): (2, 2, 1), ("w2", 0): (2, 3, 2),
        ("w1", 1): (0, 3, 3), ("w2", 1): (2, 3, 2),
        ("w1", 2): (0, 2, 2), ("w2", 2): (2, 3, 2),
        ("w1", 3): (0, 1, 1), ("w2", 3): (2, 3, 2),
        ("w1", 4): (2, 2, 1), ("w2", 4): (2, 3, 2),
    }  # fmt: skip
    plan = found._jdf.queryExecution().optimizedPlan().toString()
    assert plan.count("Join") == 0
    assert plan.count("Union") == 1  # two sets of keys, two passes
    assert uniqueness(df, rules[5:]) is None


def test_uniqueness_holds_nan_to_nan_and_zero_to_zero(spark: SparkSession) -> None:
    rows = [(math.nan,), (math.nan,), (0.0,), (-0.0,), (1.0,)]
    df = spark.createDataFrame(rows, "d double").withColumn("_window", F.lit("w"))
    found = uniqueness(df, [rule(UNIQUE, column="d")])
    assert found is not None
    assert [tuple(row)[:5] for row in found.collect()] == [("w", 0, 4, 5, 3)]
