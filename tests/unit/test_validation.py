"""Checks on record as great-expectations' result objects: their numbers are those of the gate."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from headgate.core.records import CheckRecord, RunRecord
from headgate.core.results import Check, Entry, Gate, Metric, Rows
from headgate.core.spec import Drift, Rule, Table
from headgate.core.windows import Grain
from headgate.quality.drift import drifted
from headgate.quality.gate import judge
from headgate.quality.past import Past
from headgate.quality.validation import OWN, SQL, check_result, run_result

pytest.importorskip("great_expectations", reason="needs the extra 'quality'")

SETS = "expect_column_values_to_be_in_set"
NOT_NULL = "expect_column_values_to_not_be_null"
COUNT = "expect_table_row_count_to_be_between"
QUANTILES = "expect_column_quantile_values_to_be_between"
UNIQUE = "expect_column_values_to_be_unique"
MEAN = "expect_column_mean_to_be_between"
DIVERGENCE = "expect_column_kl_divergence_to_be_less_than"
CONTAIN = "expect_column_distinct_values_to_contain_set"


def record(run: str = "7f3a", window: str = "2026-11-20", **more: Any) -> RunRecord:
    given: dict[str, Any] = {
        "run": run, "suite": "s", "job": "clean", "table": "clean.orders", "window": window,
        "status": "published", "started_at": "2026-11-21T01:00:00+00:00",
        "finished_at": "2026-11-21T01:00:01.500000Z", "seconds": 1.5,
        "rows": Rows(read=100, written=95, quarantined=5), "gate": Gate(), "version": 3,
        "message": None, "exit_code": 0, "fingerprint": "f", "causes": "new input",
    }  # fmt: skip
    return RunRecord(**{**given, **more})


def rows_of(checks: tuple[Check, ...], run: str = "7f3a") -> list[dict[str, Any]]:
    """Checks as `ops.checks` holds them."""
    entry = Entry(run, "clean", "clean.orders", "2026-11-20", "published")
    return [asdict(CheckRecord.of(one, entry, "2026-11-21T01:00:01+00:00")) for one in checks]


def judged(
    *rules: Rule,
    counts: dict[int, tuple[int, int]] | None = None,
    measured: dict[int, dict[str, Any]] | None = None,
    rows: int = 100,
    rejected: int = 0,
    **table: Any,
) -> list[dict[str, Any]]:
    made = Table(name="clean.orders", quality=rules, **table)
    verdict = judge(made, counts or {}, measured or {}, rows, rejected, empty=rows == rejected)
    return rows_of(verdict.checks)


def rule(expectation: str, **given: Any) -> Rule:
    own = {key: given.pop(key) for key in ("mostly", "severity", "row_condition") if key in given}
    return Rule(expectation=expectation, arguments=given, written=f"{expectation}: …", **own)


def result_of(check: dict[str, Any], values: tuple[Any, ...] = ()) -> Any:
    made = check_result(check, values)
    assert json.loads(json.dumps(made.to_json_dict()))["success"] is made.success
    assert made.expectation_config.type in (check.get("expectation") or OWN, OWN, SQL)
    assert (made.expectation_config.type != OWN) == told_by_name(check)
    return made


def told_by_name(check: dict[str, Any]) -> bool:
    """Whether great-expectations has a name for the rule."""
    name = check.get("expectation") or ""
    return name == "row" or name.startswith("expect_")


def test_a_rule_with_mostly_counts_missing_values_apart() -> None:
    one = rule(SETS, column="country", value_set=["DE"], mostly=0.9)
    (check,) = judged(one, counts={0: (8, 80)})
    made = result_of(check, ("FR", "IT"))
    assert made.success is True
    assert made.expectation_config.type == SETS
    assert made.expectation_config.kwargs == {"column": "country", "value_set": ["DE"],
                                              "mostly": 0.9}  # fmt: skip
    assert made.result == {
        "element_count": 100,
        "missing_count": 20,
        "missing_percent": 20.0,
        "unexpected_count": 8,
        "unexpected_percent": 10.0,
        "unexpected_percent_nonmissing": 10.0,
        "unexpected_percent_total": 8.0,
        "partial_unexpected_list": ["FR", "IT"],
    }


@pytest.mark.parametrize(
    ("one", "broken", "total", "share"),
    [
        (rule(SETS, column="country", value_set=["DE"]), 5, 100, 5.0),
        (rule(SETS, column="a", value_set=[1], row_condition="b > 1"), 1, 4, 25.0),
        (rule(NOT_NULL, column="country", mostly=0.5), 25, 100, 25.0),
    ],
    ids=["plain", "condition", "null"],
)
def test_other_row_rules_tell_the_rows_they_judged(
    one: Rule, broken: int, total: int, share: float
) -> None:
    (check,) = judged(one, counts={0: (broken, total)})
    made = result_of(check)
    assert made.success is (one.mostly is not None)
    assert made.result == {
        "element_count": total, "unexpected_count": broken, "unexpected_percent": share,
    }  # fmt: skip
    if one.row_condition:
        asked = {"type": "pass_through", "pass_through_filter": "b > 1"}
        assert made.expectation_config.kwargs["row_condition"] == asked


def test_a_sql_condition_is_a_query_for_the_rows_that_break_it() -> None:
    one = rule("row", name="price is {ok}", condition="price > 0", mostly=0.5)
    (check,) = judged(one, counts={0: (5, 100)})
    made = result_of(check)
    config = made.expectation_config
    assert (check["expectation"], config.type) == ("row", "unexpected_rows_expectation")
    assert config.kwargs == {
        "unexpected_rows_query": "SELECT * FROM {batch} WHERE NOT coalesce(price > 0, false)"
    }
    assert config.description == "price is {ok}: price > 0 for at least 50 % of the rows"
    assert (made.success, made.result["observed_value"]) == (True, 5)


@pytest.mark.parametrize(
    ("one", "measured", "success", "result"),
    [
        (rule(MEAN, column="price", min_value=2, max_value=8), {"observed": 4.25}, True,
         {"observed_value": 4.25}),
        (rule(COUNT, min_value=1), {"observed": 0}, False, {"observed_value": 0}),
        (rule(UNIQUE, column="id"), {"unexpected": 2, "total": 8}, False,
         {"element_count": 8, "unexpected_count": 2, "unexpected_percent": 25.0}),
        (rule(UNIQUE, column="id"), {}, True,
         {"element_count": 0, "unexpected_count": 0, "unexpected_percent": None}),
        (rule(QUANTILES, column="price",
              quantile_ranges={"quantiles": [0.5], "value_ranges": [[1, None]]}),
         {"values": [3.5]}, True, {"observed_value": {"quantiles": [0.5], "values": [3.5]}}),
        (rule(CONTAIN, column="country", value_set=["DE", "FR"]), {"found": 1}, False,
         {"observed_value": "lacks 1 of the set's 2 values"}),
    ],
    ids=["mean", "count", "rows", "no-rows", "quantiles", "set"],
)  # fmt: skip
def test_table_rules_tell_what_they_observed(
    one: Rule, measured: dict[str, Any], success: bool, result: dict[str, Any]
) -> None:
    (check,) = judged(one, measured={0: measured})
    made = result_of(check)
    assert (made.success, made.result) == (success, result)
    assert json.loads(check["result"]) == result


def test_what_is_headgates_own_is_told_in_words() -> None:
    checks = judged(rows=10, rejected=10, max_rejected=0.05, on_empty="warn")
    assert [one["expectation"] for one in checks] == ["max_rejected", "on_empty"]
    rejected, empty = (result_of(one) for one in checks)
    said = "No more than 5 % of the rows judged may be rejected."
    assert rejected.expectation_config.description == said
    assert rejected.result["unexpected_percent"] == 100.0
    assert (rejected.expectation_config.type, empty.success) == ("headgate_rule", False)
    assert empty.expectation_config.severity == "warning"
    watching = Drift(columns=("price",), metrics=("mean",), written="drift: …")
    said_of = drifted([watching], [Metric("price", "mean", 2.0)], "2026-11-20", Grain.day, Past())
    (check,) = rows_of(said_of.checks)
    drift = result_of(check)
    assert json.loads(check["arguments"]) == {
        "columns": ["price"], "metrics": ["mean"], "sensitivity": "normal",
    }  # fmt: skip
    words = "In line with the table's own history: mean of price."
    assert drift.expectation_config.description == words
    assert (drift.success, drift.result["observed_value"]) == (True, "learning")


def test_a_record_of_an_older_release_is_told_as_written() -> None:
    old: dict[str, Any] = dict.fromkeys(("observed", "found"))
    old |= {"rule": "expect_x: {column: a}", "severity": "critical", "success": False,
            "closed": True, "unexpected": 3, "total": 10}  # fmt: skip
    made = result_of(old)
    assert made.expectation_config.description == "expect_x: {column: a}"
    assert made.result["unexpected_percent"] == 30.0
    assert result_of({**old, "unexpected": None, "observed": 2.5}).result == {"observed_value": 2.5}


def test_a_run_is_one_result_of_a_suite() -> None:
    one, two = rule(SETS, column="country", value_set=["DE"]), rule(COUNT, min_value=1)
    checks = judged(one, two, counts={0: (5, 100)}, measured={1: {"observed": 95}})
    made = run_result(record(), checks, {("7f3a", f"{SETS}: …"): ["FR"]})
    told = json.loads(json.dumps(made.to_json_dict()))
    assert (made.suite_name, made.asset_name, made.success) == ("clean.orders",) * 2 + (False,)
    assert told["statistics"] == {
        "evaluated_expectations": 2, "successful_expectations": 1,
        "unsuccessful_expectations": 1, "success_percent": 50.0,
    }  # fmt: skip
    assert told["meta"]["run_id"] == {
        "run_name": "2026-11-20_7f3a", "run_time": "2026-11-21T01:00:01.500000+00:00",
    }  # fmt: skip
    assert told["meta"]["batch_spec"]["rows"] == {"read": 100, "written": 95, "quarantined": 5}
    assert told["results"][0]["result"]["partial_unexpected_list"] == ["FR"]


def test_the_site_shows_values_as_text_and_only_the_runs_it_is_given(tmp_path: Path) -> None:
    import great_expectations as gx

    from headgate.quality.data_docs import written

    mine = gx.get_context(mode="ephemeral")
    condition = rule("row", name="cheap", condition="price < 5 AND country <> '$x'")
    divergent = rule(DIVERGENCE, column="country", threshold=0.1,
                     partition_object={"values": ["DE", "FR"], "weights": [0.5, 0.5]})  # fmt: skip
    rules = (rule(SETS, column="country", value_set=["DE"]), condition, divergent)
    checks = judged(*rules, counts={0: (5, 100), 1: (1, 100)},
                    measured={2: {"counts": "[9, 1, 0]", "total": 10}})  # fmt: skip
    runs = [record("a1", "2026-11-19"), record("b2", "2026-11-20T05")]
    values = {("a1", f"{SETS}: …"): ["<script>alert(1)</script>", None, -3]}
    index = written(tmp_path / "site", runs, {"a1": checks, "b2": checks}, values)
    pages = {page.stem: page for page in (tmp_path / "site" / "validations").rglob("*.html")}
    assert set(pages) == {"2026-11-19", "2026-11-20T05"}
    text = pages["2026-11-19"].read_text(encoding="utf-8")
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "cheap: price &lt; 5 AND country &lt;&gt; '$x'" in text
    assert "5 unexpected values found. 5% of 100 total rows." in " ".join(text.split())
    assert "Exception" not in text
    for page in pages.values():
        assert f'href="{page.relative_to(index.parent).as_posix()}"' in index.read_text("utf-8")
    written(tmp_path / "site", runs[1:], {"b2": checks})
    assert [page.stem for page in (tmp_path / "site" / "validations").rglob("*.html")] == [
        "2026-11-20T05"
    ]
    assert "a1" not in index.read_text(encoding="utf-8")
    assert _current() is mine


def _current() -> Any:
    from great_expectations.data_context.data_context.context_factory import project_manager

    return project_manager.get_current_project()
