"""Headgate's verdicts against great-expectations' own, on dense little tables."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.across import ACROSS_ROWS, ACROSS_TABLES
from headgate.core.results import Check
from headgate.core.rules import RULES
from headgate.core.spec import Rule, Table
from headgate.quality.compile import broken, is_row_rule, judged
from headgate.quality.gate import judge
from headgate.quality.measures import measures
from headgate.quality.passes import found_by_passes, found_in_schema
from headgate.quality.wording import number

# great-expectations and what it imports warn of their own future.
pytestmark = pytest.mark.filterwarnings("ignore")

BASIC = {"result_format": "BASIC", "partial_unexpected_count": 0}
SCHEMA = (
    "i bigint, j int, d double, m decimal(10,2), s string, u string, day date, at timestamp,"
    " b boolean, none int, f float, up int, t string, j_ok string, _window string, _file string,"
    " _row bigint"
)
NAN, INFINITY = math.nan, math.inf
POOLS: dict[str, list[Any]] = {
    "i": [None, 1, 2, 3, 3, -5, 0, 2**53 + 1],
    "j": [None, 1, 2, 2, 10, -1],
    "d": [None, NAN, 0.0, -0.0, 1.5, 2.0, INFINITY, -3.25],
    "m": [None, *map(Decimal, ("1.00", "2.50", "0.10", "-3.33", "2.00"))],
    "s": [None, "", "abc", "ABC", "a b", "12", "7", "ümlaut", "two\nlines", "abc"],
    "u": [None, "x", "y", "abc"],
    "day": [None, date(2026, 1, 1), date(2026, 1, 2), date(2025, 12, 31)],
    "at": [None, *(datetime(2026, 1, day, 12) for day in (1, 2)), datetime(2025, 1, 1, 12)],  # noqa: DTZ001
    "b": [None, True, False],
    "none": [None],
    "f": [None, NAN, 1.5, 2.5, -1.0],
    "up": [None],  # rising: `rows` fills it in
    "t": [None, "2026-01-02", "2026-1-2", "2026-02-30", "07", "31/12/25 23:59", "{}", "[1", "NaN"],
    "j_ok": [None, '{"a": 1}', '{"a": "x"}', "[]"],
    "_window": ["2026-01-01"],
    "_file": ["a.csv"],
    "_row": [0],
}


def rule(name: str, **arguments: Any) -> Rule:
    """A rule as the reader would make it."""
    expectation = "expect_" + name
    mostly = arguments.pop("mostly", None)
    condition = arguments.pop("row_condition", None)
    written = f"{expectation}: {arguments} {mostly} {condition}"
    return Rule(
        expectation=expectation,
        arguments=arguments,
        mostly=mostly,
        row_condition=condition,
        written=written,
    )


def column_rules() -> Iterator[Rule]:
    for column in ("d", "s", "none"):
        yield rule("column_values_to_not_be_null", column=column, mostly=0.8)
        yield rule("column_values_to_be_unique", column=column)
        yield rule("column_unique_value_count_to_be_between", column=column, min_value=4)
        yield rule("column_proportion_of_unique_values_to_be_between", column=column, max_value=0.3)
    yield rule("column_values_to_be_null", column="day", row_condition="j > 1")
    yield rule("column_values_to_be_unique", column="i", mostly=0.1, row_condition="j >= 2")
    some = {"row_condition": "b or j is null"}
    for column in ("i", "d", "m"):
        between = "column_values_to_be_between"
        yield rule(between, column=column, min_value=1, max_value=2)
        yield rule(between, column=column, min_value=1, strict_min=True, mostly=0.5, **some)
        yield rule(between, column=column, max_value=2.5, strict_max=True)
        yield rule("column_values_to_be_in_set", column=column, value_set=[1, 2, 2.5])
    yield rule("column_values_to_be_in_set", column="i", value_set=[1, None])
    yield rule("column_values_to_not_be_in_set", column="d", value_set=[1, 2, None])
    small = {"row_condition": "not isnan(d) and d < 5 and i < 5"}
    for of in ("mean", "sum", "stdev", "min", "max"):
        for column in ("d", "m", "none"):
            yield rule(f"column_{of}_to_be_between", column=column, min_value=-4, max_value=3)
        for column in ("i", "d"):
            yield rule(f"column_{of}_to_be_between", column=column, min_value=1, **small)


def text_rules() -> Iterator[Rule]:
    for regex in ("b", r"^\w+$", "lines$"):
        yield rule("column_values_to_match_regex", column="s", regex=regex)
        yield rule("column_values_to_not_match_regex", column="s", regex=regex, mostly=0.7)
    for bounds in ({"min_value": 1, "max_value": 3}, {"min_value": 3, "strict_min": True}):
        yield rule("column_value_lengths_to_be_between", column="s", **bounds)
    yield rule("column_value_lengths_to_equal", column="s", value=3, mostly=0.4)
    yield rule("column_values_to_be_in_set", column="s", value_set=["abc", ""])
    yield rule("column_values_to_not_be_in_set", column="s", value_set=["abc", "no"])
    yield rule("column_values_to_be_in_set", column="b", value_set=[True])
    dates = {"min_value": "2026-01-01", "max_value": "2026-01-02"}
    for column, noon in (("day", ""), ("at", " 12:00:00")):
        yield rule("column_values_to_be_between", column=column, **dates, strict_max=True)
        yield rule("column_values_to_be_in_set", column=column, value_set=["2026-01-02" + noon])
    yield rule("column_min_to_be_between", column="at", min_value="2025-01-01")
    yield rule("column_max_to_be_between", column="at", max_value="2026-01-02")


def rules_of_several_columns() -> Iterator[Rule]:
    ignored = ("both_values_are_missing", "either_value_is_missing", "neither")
    for (a, b), skip in zip((("i", "j"), ("d", "m"), ("day", "at")), ignored, strict=True):
        both = {"column_A": a, "column_B": b, "ignore_row_if": skip}
        yield rule("column_pair_values_a_to_be_greater_than_b", **both, or_equal=skip == "neither")
        yield rule("column_pair_values_to_be_equal", **both, mostly=0.2)
    yield rule("column_pair_values_to_be_equal", column_A="s", column_B="u", row_condition="i > 0")
    compound, total = "compound_columns_to_be_unique", "multicolumn_sum_to_equal"
    for skip in ("all_values_are_missing", "any_value_is_missing", "never"):
        listed: dict[str, Any] = {"ignore_row_if": skip}
        yield rule(compound, column_list=["s", "j", "b"], **listed, mostly=0.5)
        yield rule(total, column_list=["m", "j"], sum_total=3.5, **listed)
        yield rule(
            "select_column_values_to_be_unique_within_record", column_list=["i", "j"], **listed
        )
    yield rule(compound, column_list=["i", "d"], row_condition="j = 2")
    yield rule(total, column_list=["i", "j"], sum_total=3)
    yield rule(total, column_list=["d", "j"], sum_total=2, mostly=0.1)
    yield rule("table_row_count_to_be_between", min_value=10, max_value=100)
    yield rule("table_row_count_to_be_between", max_value=20, row_condition="i > 0")
    yield rule("table_row_count_to_equal", value=60)


def set_rules() -> Iterator[Rule]:
    sets: dict[str, list[Any]] = {
        "i": [1, 2, 3, -5, 0, 2**53 + 1],
        "d": [1.5, 2, 0],
        "m": [1, 2.5],
        "s": ["", "abc", "ABC", "none"],
        "u": ["x", "y", "abc"],
        "day": ["2026-01-01", "2026-01-02", "2025-12-31"],
        "b": [True, False],
        "none": [5],
    }
    some = {"row_condition": "j > 1"}
    for column, values in sets.items():
        for what in ("be_in_set", "contain_set", "equal_set"):
            yield rule(f"column_distinct_values_to_{what}", column=column, value_set=values)
        if column != "day":
            common = "column_most_common_value_to_be_in_set"
            yield rule(common, column=column, value_set=values)
            yield rule(common, column=column, value_set=values, ties_okay=True, **some)
    yield rule("column_distinct_values_to_equal_set", column="u", value_set=["x", "y"], **some)
    pairs = [["abc", "x"], ["", "y"], [None, "abc"], ["12", None]]
    for skip in ("both_values_are_missing", "either_value_is_missing", "neither"):
        both = {"column_A": "s", "column_B": "u", "ignore_row_if": skip}
        yield rule("column_pair_values_to_be_in_set", value_pairs_set=pairs, **both)
    numbers = [[1, 2], [3, 10], [None, -1]]
    yield rule("column_pair_values_to_be_in_set", column_A="i", column_B="j",
               value_pairs_set=numbers, mostly=0.1)  # fmt: skip


def parsed_rules() -> Iterator[Rule]:
    listed = ["^a", "[0-9]", "lines$"]
    for how in ("any", "all"):
        yield rule("column_values_to_match_regex_list", column="s", regex_list=listed, match_on=how)
    yield rule("column_values_to_match_regex_list", column="u", regex_list=["x", "y"], mostly=0.6)
    yield rule("column_values_to_not_match_regex_list", column="s", regex_list=listed)
    for form in ("%Y-%m-%d", "%H", "%d/%m/%y %H:%M"):
        yield rule("column_values_to_match_strftime_format", column="t", strftime_format=form)
    yield rule("column_values_to_be_json_parseable", column="t")
    yield rule("column_values_to_be_json_parseable", column="s", mostly=0.2)
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    yield rule("column_values_to_match_json_schema", column="j_ok", json_schema=schema)
    for skip in ("all_values_are_missing", "any_value_is_missing", "never"):
        equal: dict[str, Any] = {"ignore_row_if": skip}
        yield rule("multicolumn_values_to_be_equal", column_list=["i", "j", "m"], **equal)


def distribution_rules() -> Iterator[Rule]:
    some = {"row_condition": "b"}
    for column in ("i", "j", "d", "m", "none"):
        yield rule("column_median_to_be_between", column=column, min_value=1, max_value=2)
        yield rule("column_median_to_be_between", column=column, min_value=0, **some)
        ranges = {"quantiles": [0.0, 0.1, 0.5, 0.77, 1.0], "value_ranges": [[None, 1]] * 5}
        yield rule("column_quantile_values_to_be_between", column=column, quantile_ranges=ranges)
        for two in (True, False):
            scores = {"threshold": 1, "double_sided": two, "mostly": 0.5}
            yield rule("column_value_z_scores_to_be_less_than", column=column, **scores)
        for method in ("iqr", "std"):
            yield rule("column_values_to_not_be_outliers", column=column, method=method)
            yield rule("column_values_to_not_be_outliers", column=column, method=method,
                       multiplier=0.3, mostly=0.2, row_condition="j < 5")  # fmt: skip
    for column in ("i", "d", "none"):
        share = "column_proportion_of_non_null_values_to_be_between"
        yield rule(share, column=column, min_value=0.5)
        yield rule(share, column=column, min_value=0, strict_min=True, row_condition="i > 0")
    kl = "column_kl_divergence_to_be_less_than"
    letters = {"values": ["x", "y", "abc"], "weights": [0.5, 0.3, 0.2]}
    yield rule(kl, column="u", partition_object=letters, threshold=0.2)
    yield rule(kl, column="s", partition_object=letters, threshold=0.2, tail_weight_holdout=0.1)
    yield rule(kl, column="s", partition_object=letters, threshold=0.2)
    whole = {"values": [1, 2, 10, 99], "weights": [0.25, 0.25, 0.25, 0.25]}
    yield rule(kl, column="j", partition_object=whole, threshold=3, tail_weight_holdout=0.3)
    # No end at 0, which -0.0 is below there; and no column of nulls, on which it stops.
    bins = {"bins": [-4, 0.5, 1, 2.5], "weights": [0.5, 0.5, 0.0]}
    holdouts = {"tail_weight_holdout": 0.2, "internal_weight_holdout": 0.1}
    for column in ("m", "d"):
        yield rule(kl, column=column, partition_object=bins, threshold=0.5, **holdouts)
        yield rule(kl, column=column, partition_object=bins, threshold=0.5)
    tails = {"bins": [0, 1, 2], "weights": [0.4, 0.4], "tail_weights": [0.1, 0.1]}
    yield rule(kl, column="j", partition_object=tails, threshold=0.9)
    for ends in ([-INFINITY, 0, 2], [0, 2, INFINITY], [-INFINITY, 1, INFINITY]):
        open_ends = {"bins": ends, "weights": [0.5, 0.5]}
        held = {} if ends[0] == -ends[-1] else {"tail_weight_holdout": 0.1}
        yield rule(kl, column="m", partition_object=open_ends, threshold=0.9, **held)


def order_rules() -> Iterator[Rule]:
    for way in ("increasing", "decreasing"):
        for column in ("i", "j", "d", "m", "day", "at", "f", "none", "up"):
            if (column, way) != ("none", ""):
                yield rule(f"column_values_to_be_{way}", column=column)
                yield rule(f"column_values_to_be_{way}", column=column, strictly=True, mostly=0.4)
        yield rule(f"column_values_to_be_{way}", column="j", row_condition="i > 0")


def schema_rules() -> Iterator[Rule]:
    for column in ("i", "absent"):
        yield rule("column_to_exist", column=column)
        for place in (0, 1, -1, 99):
            yield rule("column_to_exist", column=column, column_index=place)
    for column, kind in (("i", "LongType"), ("m", "NumericType"), ("s", "DateType")):
        yield rule("column_values_to_be_of_type", column=column, type_=kind)
        yield rule("column_type_to_be", column=column, type_=kind)
        kinds = [kind, "int64", "StringType"]
        yield rule("column_values_to_be_in_type_list", column=column, type_list=kinds)
    names = [name for name in POOLS if not name.startswith("_")]
    yield rule("table_column_count_to_equal", value=len(names))
    yield rule("table_column_count_to_be_between", min_value=2, max_value=5)
    for column_list in (names, names[::-1], names[:-1], [*names, "absent"]):
        yield rule("table_columns_to_match_ordered_list", column_list=column_list)
        for exact in (True, False):
            yield rule("table_columns_to_match_set", column_set=column_list, exact_match=exact)


ALL = [
    *column_rules(),
    *text_rules(),
    *rules_of_several_columns(),
    *set_rules(),
    *parsed_rules(),
    *distribution_rules(),
    *order_rules(),
    *schema_rules(),
]


# One rule for each expectation: the first.
FEW = list({one.expectation: one for one in reversed(ALL)}.values())


def rows(count: int, seed: int) -> list[tuple[Any, ...]]:
    chance = random.Random(seed)
    made = []
    for place in range(count):
        row = {name: chance.choice(pool) for name, pool in POOLS.items()}
        made.append(tuple((row | {"_row": place + 1, "up": place // 3}).values()))
    return made


def checks_of(df: DataFrame, rules: list[Rule]) -> tuple[Check, ...]:
    """Headgate's own checks: one aggregate, and the passes that table rules need."""
    asked = {}
    for place, one in enumerate(rules):
        if is_row_rule(one):
            asked[place, "broken"] = F.count_if(broken(one))
            asked[place, "judged"] = F.count_if(judged(one))
        asked |= {(place, name): value for name, value in measures(one).items()}
    found = df.agg(F.array(), *asked.values())
    counts: dict[int, tuple[int, int]] = {}
    measured: dict[int, dict[str, Any]] = found_in_schema(df, rules)
    for (place, name), value in zip(asked, found.collect()[0][1:], strict=True):
        measured.setdefault(place, {})[name] = value
    for place in [place for place, values in measured.items() if "broken" in values]:
        values = measured.pop(place)
        counts[place] = (values["broken"], values["judged"])
    measured |= found_by_passes(df, rules, "_window").get("2026-01-01", {})
    table = Table(name="clean.t", quality=tuple(rules), max_rejected=1.0)
    return judge(table, counts, measured, rows_judged=60, rows_rejected=0).checks


def their_results(df: DataFrame, rules: list[Rule]) -> list[Any]:
    """great-expectations' results, in the order of the rules."""
    import great_expectations as gx  # it takes seconds: only where it is used
    from great_expectations.core.expectation_suite import ExpectationSuite
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )

    context = gx.get_context(mode="ephemeral")
    configured = []
    for place, one in enumerate(rules):
        kwargs = dict(one.arguments)
        if one.mostly is not None:
            kwargs["mostly"] = one.mostly
        if one.row_condition is not None:
            kwargs |= {"row_condition": one.row_condition, "condition_parser": "spark"}
        configured.append(
            ExpectationConfiguration(type=one.expectation, kwargs=kwargs, meta={"place": place})
        )
    asset = context.data_sources.add_spark("spark", persist=False).add_dataframe_asset("rows")
    own = df.drop("_window", "_file", "_row")  # Headgate's, which it leaves out
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": own})
    suite = ExpectationSuite(name="all", expectations=configured)
    results = batch.validate(suite, result_format=BASIC).results
    return sorted(results, key=lambda one: int(one.expectation_config.meta["place"]))


def quantiles(observed: Any) -> str:
    """great-expectations' quantiles, as Headgate tells them."""
    pairs = zip(observed["quantiles"], observed["values"], strict=True)
    return ", ".join(f"{100 * q:g}% {'none' if v is None else number(v)}" for q, v in pairs)


def differences(mine: Check, theirs: Any) -> list[str]:
    """In what two results differ."""
    raised = (theirs.exception_info or {}).get("raised_exception")
    if raised or any(isinstance(one, dict) for one in (theirs.exception_info or {}).values()):
        # A divergence of no values at all: it stops with an error, and a gate stays closed.
        if "kl_divergence" in mine.rule and not mine.success and mine.found == "has no value":
            return []
        return [f"raised: {str(theirs.exception_info)[:300]}"]
    said = theirs.result
    found = []
    if mine.success != bool(theirs.success):
        found.append(f"success {mine.success}, theirs {theirs.success}")
    # A count over no rows is None there.
    apart = [said[name] or 0 for name in ("unexpected_count", "missing_count") if name in said]
    if "element_count" in said and mine.unexpected is not None and mine.unexpected != apart[0]:
        found.append(f"unexpected {mine.unexpected}, theirs {said['unexpected_count']}")
    if "element_count" not in said and apart:
        counted = [int(text) for text in re.findall(r"(?:lacks|has) (\d+)", mine.found or "")]
        if sum(counted) != sum(apart):
            found.append(f"unexpected or missing {mine.found}, theirs {apart}")
    if {"element_count", "missing_count"} <= said.keys() and mine.total is not None:
        total = said["element_count"] - said["missing_count"]
        if mine.total != total:
            found.append(f"total {mine.total}, theirs {total}")
    observed = said.get("observed_value")
    if isinstance(observed, dict) and mine.found != quantiles(observed):
        found.append(f"found {mine.found}, theirs {observed}")
    if isinstance(observed, int | float | Decimal) and mine.observed != pytest.approx(
        float(observed)
    ):
        found.append(f"observed {mine.observed}, theirs {observed}")
    return found


@pytest.mark.parametrize(
    ("count", "rules"),
    [
        pytest.param(60, FEW, id="each"),
        pytest.param(60, ALL, id="all", marks=pytest.mark.slow),
        pytest.param(1, FEW, id="one-row", marks=pytest.mark.slow),
        pytest.param(0, FEW, id="no-row", marks=pytest.mark.slow),
    ],
)
def test_verdicts_are_those_of_great_expectations(
    spark: SparkSession, count: int, rules: list[Rule], tmp_path: Path
) -> None:
    made = spark.createDataFrame(rows(count, seed=count + 7), SCHEMA).coalesce(1)
    made.write.parquet(str(tmp_path / "rows"))  # rows from Python would be unpacked anew each time
    df = spark.read.parquet(str(tmp_path / "rows"))
    mine = checks_of(df, rules)
    theirs = their_results(df, rules)
    assert len(mine) == len(theirs) == len(rules)
    apart = {
        one.written: found
        for one, check, result in zip(rules, mine, theirs, strict=True)
        if (found := differences(check, result))
    }
    assert not apart, "\n".join(f"{k}: {v}" for k, v in apart.items())


def test_every_rule_is_compared() -> None:
    elsewhere = {"row", *ACROSS_ROWS, *ACROSS_TABLES}  # great-expectations has one of them, on SQL
    assert {one.expectation for one in ALL} == RULES.keys() - elsewhere
