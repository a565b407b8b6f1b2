"""Rules are suggested from what is published: they hold on it, and say what speaks for them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, ingested_orders
from headgate.app import App
from headgate.conf.nodes import to_python
from headgate.conf.typed import rule_typed
from headgate.core.errors import InputMissing
from headgate.core.privacy import Privacy
from headgate.core.spec import Ingested
from headgate.doors.suggesting import lines

COLUMNS = ("id", "line", "sku", "country", "quantity", "price", "note", "email")
DAYS = [f"2026-11-0{day}" for day in range(1, 5)]
TABLES: dict[str, dict[str, Any]] = {
    "ingested.orders": ingested_orders(COLUMNS),
    "clean.orders": {
        "reads": "ingested.orders",
        "key": ["id", "line"],
        "quality": [
            {"expect_column_values_to_not_be_null": {"column": "id"}},
            {"expect_column_values_to_be_between": {"column": "quantity", "max_value": 1000}},
        ],
    },
}
ROWS = {
    day: [
        (100 * at + n, 1, f"SK-{100 * at + n:04d}", ("DE", "FR", "NO")[n % 3], 1 + n % 7,
         f"{2 + n}.50", "x" * n or None, f"p{at}{n}@example.org")
        for n in range(10 + at)
    ]
    for at, day in enumerate(DAYS)
}  # fmt: skip


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Four days of orders."""
    made = Lab(spark, tmp_path_factory.mktemp("suggest"), TABLES)
    for day, rows in ROWS.items():
        made.file(f"orders/{day}/a.csv", COLUMNS, rows)
    fine(made.run("clean.orders", "ingested.orders"))
    return made


def rules(app: App, table: str) -> dict[tuple[str, str], tuple[dict[str, Any], str]]:
    """What is suggested, by expectation and column."""
    _, proposals = app.suggest(table)
    return {
        (one.expectation, str(one.arguments.get("column", ""))): (
            dict(one.arguments), one.evidence,
        )
        for one in proposals
    }  # fmt: skip


def test_every_kind_of_rule_with_its_evidence(lab: Lab) -> None:
    found = rules(lab.app(), "clean.orders")
    total = sum(map(len, ROWS.values()))
    told = f"{total} rows of 4 windows"
    warns = {"severity": "warning"}
    assert found == {
        ("expect_table_row_count_to_be_between", ""): (
            {"min_value": 5, "max_value": 26, **warns},
            "10 to 13 rows in 4 windows, half to twice",
        ),
        ("expect_compound_columns_to_be_unique", ""): (
            {"column_list": ["id", "line"]}, f"the key: none comes twice in {told}",
        ),
        ("expect_column_values_to_not_be_null", "line"): ({"column": "line"}, f"no null in {told}"),
        ("expect_column_values_to_not_be_null", "sku"): ({"column": "sku"}, f"no null in {told}"),
        ("expect_column_values_to_match_regex", "sku"): (
            {"column": "sku", "regex": "^[A-Z]{2}-[0-9]{4}$", **warns}, f"one form in {told}",
        ),
        ("expect_column_values_to_not_be_null", "country"): (
            {"column": "country"}, f"no null in {told}",
        ),
        ("expect_column_values_to_be_in_set", "country"): (
            {"column": "country", "value_set": ["DE", "FR", "NO"], **warns}, f"3 values in {told}",
        ),
        ("expect_column_values_to_not_be_null", "quantity"): (
            {"column": "quantity"}, f"no null in {told}",
        ),
        ("expect_column_values_to_not_be_null", "price"): (
            {"column": "price"}, f"no null in {told}",
        ),
        ("expect_column_values_to_be_between", "price"): (
            {"column": "price", "min_value": 0, "max_value": 18, **warns},
            f"2.5 to 14.5 in {told}, a quarter of the range to either side",
        ),
        ("expect_column_values_to_be_unique", "id"): (
            {"column": "id"}, f"no value comes twice in {told}",
        ),
        ("expect_column_values_to_match_regex", "email"): (
            {"column": "email", "regex": "^[a-z]+[0-9]+@[a-z]+[.][a-z]+$", **warns},
            f"one form in {told}",
        ),
        ("expect_column_values_to_not_be_null", "email"): (
            {"column": "email"}, f"no null in {told}",
        ),
    }  # fmt: skip


def test_what_is_suggested_can_be_pasted_holds_and_is_not_suggested_again(lab: Lab) -> None:
    app = lab.app()
    seen, proposals = app.suggest("clean.orders")
    text = "\n".join(lines(app.named("clean.orders"), seen, proposals))
    from headgate.conf.documents import read_text

    faults: list[Any] = []
    node = read_text(text, "suggested", faults)
    assert not faults
    assert node is not None
    pasted = to_python(node)["quality"]
    quality = [*TABLES["clean.orders"]["quality"], *pasted]
    richer = lab.having({"clean.orders": {**TABLES["clean.orders"], "quality": quality}}).app()
    assert rules(richer, "clean.orders") == {}
    foreseen = richer.preview("clean.orders", f"{DAYS[0]}..{DAYS[-1]}")
    assert foreseen.status == "published"
    assert foreseen.rows.quarantined == 0
    assert [one.verdict.warnings for one in foreseen.slices] == [()] * 4
    for one in proposals:
        assert rule_typed(one.written).expectation == one.expectation


def test_nothing_of_private_columns_is_told(lab: Lab, spark: SparkSession) -> None:
    app = lab.app()
    tables = dict(app.suite.tables)
    ingested = tables["ingested.orders"]
    assert isinstance(ingested, Ingested)
    hidden = {
        name: spec.model_copy(update={"privacy": Privacy(kind="tokenise")})
        if name in ("sku", "country", "price", "email")
        else spec
        for name, spec in ingested.columns.items()
    }
    tables["ingested.orders"] = ingested.model_copy(update={"columns": hidden})
    app = App(app.suite.model_copy(update={"tables": tables}), spark)
    for table in tables:
        told = rules(app, table)
        kinds = {kind for kind, column in told if column in ("sku", "country", "price", "email")}
        assert kinds <= {"expect_column_values_to_not_be_null"}
        seen, proposals = app.suggest(table)
        text = "\n".join(lines(app.named(table), seen, proposals))
        assert not re.search(r"DE|SK|14\.5|example", text)
    lives = app.why("clean.orders", "id = 3")
    assert all(
        {passage.came[name] for name in ("sku", "country", "price", "email")} == {"(private)"}
        for passage in lives.found[0].passages
    )


def test_little_data_suggests_little(lab: Lab, spark: SparkSession, tmp_path: Any) -> None:
    few = Lab(spark, tmp_path, {"ingested.orders": TABLES["ingested.orders"]})
    few.file(f"orders/{DAYS[0]}/a.csv", COLUMNS, ROWS[DAYS[0]][:3])
    with pytest.raises(InputMissing, match="has never been published"):
        few.app().suggest("ingested.orders")
    fine(few.run())
    found = rules(few.app(), "ingested.orders")
    assert {kind for kind, _ in found} == {"expect_column_values_to_not_be_null"}
    assert len(found) == 7  # a row has no note
