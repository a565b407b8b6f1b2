"""Rules of every kind on real tables: alone and among other windows, what closes and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from builders import Lab, states
from headgate.core.rules import RULES

NAMES = ("id", "price", "country", "day", "note")
COLUMNS = {"id": "bigint", "price": "double", "country": "string", "day": "date", "note": "string"}
QUALITY: list[dict[str, Any]] = [
    {"expect_column_values_to_match_strftime_format": {"column": "note", "strftime_format": "%H"}},
    {"expect_column_values_to_be_json_parseable": {"column": "note"}, "severity": "warning"},
    {"expect_column_values_to_match_regex_list": {"column": "country", "regex_list": ["^.E", "F"]}},
    {"expect_column_pair_values_to_be_in_set": {
        "column_A": "id", "column_B": "country",
        "value_pairs_set": [[n, c] for n in range(1, 9) for c in ("DE", "FR")]}},
    {"expect_column_values_to_be_increasing": {"column": "id", "strictly": True}},
    {"expect_column_distinct_values_to_be_in_set": {"column": "country",
                                                    "value_set": ["DE", "FR"]}},
    {"expect_column_most_common_value_to_be_in_set": {"column": "country", "value_set": ["DE"]}},
    {"expect_column_median_to_be_between": {"column": "price", "min_value": 1, "max_value": 3}},
    {"expect_column_quantile_values_to_be_between": {
        "column": "price",
        "quantile_ranges": {"quantiles": [0.5, 1], "value_ranges": [[1, 3], [None, 9]]}}},
    {"expect_column_values_to_not_be_outliers": {"column": "price", "method": "std",
                                                 "multiplier": 3}},
    {"expect_column_value_z_scores_to_be_less_than": {"column": "price", "threshold": 3,
                                                      "double_sided": True}},
    {"expect_column_kl_divergence_to_be_less_than": {
        "column": "country", "threshold": 0.5,
        "partition_object": {"values": ["DE", "FR"], "weights": [0.7, 0.3]}}},
    {"expect_column_kl_divergence_to_be_less_than": {
        "column": "price", "threshold": 0.5,
        "partition_object": {"bins": [0, 2.5, 9], "weights": [0.5, 0.5]}}},
    {"expect_column_proportion_of_non_null_values_to_be_between": {"column": "day",
                                                                   "min_value": 0.5}},
    {"expect_table_columns_to_match_ordered_list": {"column_list": list(NAMES)}},
    {"expect_column_values_to_be_of_type": {"column": "day", "type_": "DateType"}},
]  # fmt: skip
TABLES = {
    "ingested.sales": {
        "source": {"files": "sales/{window}.csv", "format": "csv"},
        "columns": COLUMNS,
        "quality": QUALITY,
        "max_rejected": "60%",
    }
}
GOOD = [
    (1, 1, "DE", "2026-01-01", "01"),
    (2, 2, "DE", "2026-01-01", "02"),
    (3, 3, "FR", "", "13"),
    (4, 2.5, "DE", "2026-01-02", ""),
]


def spoilt(place: int, value: Any) -> list[tuple[Any, ...]]:
    """The good rows with one column changed in all of them."""
    return [(*row[:place], value, *row[place + 1 :]) for row in GOOD]


def test_each_window_is_judged_by_itself(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    lab.file("sales/2026-01-01.csv", NAMES, GOOD)
    lab.file("sales/2026-01-02.csv", NAMES, GOOD[::-1])  # falling
    lab.file("sales/2026-01-03.csv", NAMES, spoilt(2, "FR"))  # too many of one country
    lab.file("sales/2026-01-04.csv", NAMES, spoilt(1, 8))  # dear
    lab.file("sales/2026-01-05.csv", NAMES, [(*GOOD[0][:4], "25"), *GOOD[1:]])  # no hour
    result = lab.run()
    assert states(result, "ingested.sales") == {
        "2026-01-01": "published",
        "2026-01-02": "blocked",
        "2026-01-03": "blocked",
        "2026-01-04": "blocked",
        "2026-01-05": "published",
    }
    said = {one.window: one.message or "" for one in result.runs}
    assert "be_increasing(id) broken by 3 of 4 rows" in said["2026-01-02"]
    assert (
        "most_common_in_set(country) has one most common value, not in the set"
        in said["2026-01-03"]
    )
    assert "median(price) 8, expected 1 to 3" in said["2026-01-04"]
    assert "quantiles(price) 50% 8, 100% 8: out of range at 50%" in said["2026-01-04"]
    assert [row[0] for row in lab.rejected("ingested.sales", "_window")] == ["2026-01-05"]
    found = {row[:2]: row[2] for row in lab.ops("checks", "window", "rule", "found")}
    types = [text for (window, rule), text in found.items() if "of_type" in rule]
    assert types == ["is DateType"] * 5
    # What went through many at once goes through alone too.
    alone = lab.on("alone")
    alone.file("sales/2026-01-01.csv", NAMES, GOOD)
    for window, state in states(result, "ingested.sales").items():
        one = alone.run("ingested.sales", window=window)
        assert states(one, "ingested.sales") == {window: state}
        (entry,) = one.runs
        (before,) = [other for other in result.runs if other.window == window]
        assert (entry.message, entry.checks) == (before.message, before.checks)


def test_the_rules_above_are_of_every_kind() -> None:
    kinds = {RULES[name].how for one in QUALITY for name in one if name in RULES}
    # Those across tables are in test_across.py.
    assert kinds == {known.how for known in RULES.values()} - {"across"}
