"""What checks leave on record, also in a lake of an older release, and the values told of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine
from headgate.app import App
from headgate.core.privacy import Privacy
from headgate.core.spec import Ingested
from headgate.doors.data_docs import broken_values, newest
from headgate.storage import records
from headgate.storage.records import SCHEMAS, Records, literal_rows

NAMES = ("id", "country", "email", "price")
IN_SET = "expect_column_values_to_be_in_set"
QUALITY = [
    {IN_SET: {"column": "country", "value_set": ["DE", "FR"], "mostly": 0.4}},
    {"expect_column_values_to_match_regex": {"column": "email", "regex": "@"}},
    {
        "expect_column_pair_values_a_to_be_greater_than_b": {
            "column_A": "price",
            "column_B": "id",
        }
    },
    {"row": {"not dear": "price < 100"}},
    {"expect_column_mean_to_be_between": {"column": "price", "min_value": 1}},
]
COLUMNS = {"id": "int", "country": "string", "price": "decimal(10,2)", "email": "string"}
TABLES: dict[str, Any] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}.csv", "format": "csv"},
        "columns": COLUMNS,
        "quality": QUALITY,
        "max_rejected": "90%",
    },
    "clean.sales": {
        "reads": "ingested.sales",
        "quality": [
            {"expect_column_values_to_be_between": {"column": "id", "max_value": 1}},
            {"expect_column_values_to_not_match_regex": {"column": "email", "regex": "@b"}},
        ],
        "max_rejected": "100%",
    },
    "clean.more": {
        "reads": "clean.sales",
        "quality": [{IN_SET: {"column": "country", "value_set": ["FR"]}}],
        "max_rejected": "100%",
    },
}
ROWS = [
    (1, "DE", "a@a", "5.50"),
    (2, "DE", "b@c", "5"),
    (3, "<b>", "c@c", "7"),
    (4, "", "dd", "1"),  # no country, no mail, a low price
    (5, "IT", "e@e", "200"),
]
OLD = {"run": "0ld", "table": "ingested.sales", "window": "2025-12-31", "rule": "old: id > 0",
       "severity": "critical", "success": False, "closed": True, "unexpected": 1, "total": 4,
       "observed": None, "found": None, "judged_at": "2026-01-01T00:00:00Z"}  # fmt: skip
NEW = ("expectation string", "arguments string", "result string")


def private(app: App, column: str) -> App:
    """The suite with one column of the contract declared to hold personal data."""
    contract = app.suite.tables["ingested.sales"]
    assert isinstance(contract, Ingested)
    spec = contract.columns[column].model_copy(update={"privacy": Privacy(kind="tokenise")})
    declared = contract.model_copy(update={"columns": {**contract.columns, column: spec}})
    tables = {**app.suite.tables, contract.name: declared}
    return App(app.suite.model_copy(update={"tables": tables}), app.spark)


def old_lake(spark: SparkSession, lake: Path) -> None:
    """The checks as a release wrote them that did not know the columns: two commits."""
    fields = [field.strip() for field in SCHEMAS["checks"].split(",")]
    schema = ", ".join(field for field in fields if field not in NEW)
    assert len(fields) == schema.count(",") + 1 + len(NEW)
    for _ in range(2):
        rows = literal_rows(spark, [OLD], schema)
        rows.write.format("delta").mode("append").save(f"{lake}/ops/checks")


@pytest.mark.parametrize("every", [25, 1], ids=["appended", "rewritten"])
def test_checks_stand_beside_those_of_an_older_release(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    monkeypatch.setattr(records, "COMPACT_EVERY", every)
    old_lake(spark, tmp_path)
    ours = Records(spark, str(tmp_path))
    assert [(one["rule"], one.get("expectation")) for one in ours.checks("0ld")] == [
        ("old: id > 0", None)
    ] * 2
    ours.add("checks", [{**OLD, "run": "new", "expectation": "row", "arguments": "{}"}])
    found = ours.checks_of(["0ld", "new"])
    told = sorted((one["run"], one["rule"], one["expectation"] or "") for one in found)
    assert told == [("0ld", "old: id > 0", "")] * 2 + [("new", "old: id > 0", "row")]


def test_checks_tell_their_arguments_and_results(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    lab.file("sales/2026-01-01.csv", NAMES, ROWS)
    fine(lab.run())
    app = lab.app()
    runs = newest(app.lake.history.records, 30)
    assert {run.table for run in runs} == set(TABLES)
    checks = app.lake.records.checks_of([run.run for run in runs])
    told = {(one["table"], one["expectation"]): json.loads(one["result"]) for one in checks}
    given = {(one["table"], one["expectation"]): json.loads(one["arguments"]) for one in checks}
    assert given["ingested.sales", IN_SET] == {
        "column": "country", "value_set": ["DE", "FR"], "mostly": 0.4,
    }  # fmt: skip
    assert told["ingested.sales", IN_SET] == {
        "element_count": 5, "missing_count": 1, "missing_percent": 20.0, "unexpected_count": 2,
        "unexpected_percent": 50.0, "unexpected_percent_nonmissing": 50.0,
        "unexpected_percent_total": 40.0,
    }  # fmt: skip
    assert told["ingested.sales", "row"] == {
        "observed_value": 1, "element_count": 5, "unexpected_count": 1, "unexpected_percent": 20.0,
    }  # fmt: skip
    assert told["ingested.sales", "expect_column_mean_to_be_between"] == {"observed_value": 5.25}
    # Values are told of what is declared and private to nobody, as the rows came in.
    kinds = {one["rule"]: (one["table"], one["expectation"]) for one in checks}
    mail = "expect_column_values_to_match_regex"
    everything = {kinds[rule]: found for (_, rule), found in broken_values(app, checks).items()}
    assert everything["ingested.sales", mail] == ["dd"]
    assert everything["clean.more", IN_SET] == ["DE"]
    hidden = broken_values(private(app, "email"), checks)
    values = {kinds[rule]: found for (_, rule), found in hidden.items()}
    pair = "expect_column_pair_values_a_to_be_greater_than_b"
    assert values == {
        ("ingested.sales", IN_SET): ["<b>", "IT"],
        ("ingested.sales", pair): [{"price": 1.0, "id": 4}],
        ("clean.sales", "expect_column_values_to_be_between"): [2],
    }
