"""The life of a row is told from its file to where it went."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, ingested_orders
from headgate.core.errors import HeadgateError, Usage
from headgate.core.lives import Life, Lives, Origin, Passage
from headgate.doors.why import ending, lines, next_line

COLUMNS = ("id", "line", "country", "quantity", "price", "updated")
FIRST, SECOND, THIRD, FOURTH = (f"2026-11-0{day}" for day in (1, 2, 3, 4))
TABLES: dict[str, dict[str, Any]] = {
    "ingested.orders": ingested_orders(
        COLUMNS,
        quality=[{"expect_table_row_count_to_be_between": {"min_value": 2}}],
        max_rejected=0.5,
    ),
    "clean.orders": {
        "reads": "ingested.orders",
        "steps": [
            {"trim": ["country"]},
            {"map": {"country": {"UK": "GB"}}},
            {"where": {"keep": "quantity <> 0", "because": "empty line"}},
            {"deduplicate": "exact"},
            {"derive": {"revenue": "quantity * price"}},
        ],
        "key": ["id", "line"],
        "latest_by": ["updated"],
        "quality": [
            {"row": {"price is positive": "price > 0"}},
            {"expect_column_values_to_be_between": {"column": "quantity", "min_value": 1}},
            {"expect_column_values_to_be_in_set":
                {"column": "country", "value_set": ["DE", "GB"], "severity": "warning"}},
            {"expect_column_max_to_be_between": {"column": "price", "max_value": 1000}},
        ],
        "max_rejected": 0.5,
    },
    "clean.latest": {
        "reads": "clean.orders",
        "key": ["id"],
        "latest_by": ["updated"],
        "write": "upsert",
        "deletes": "country = 'XX'",
    },
    "marts.sales": {
        "reads": {"orders": "clean.orders"},
        "period": {"column": "updated", "grain": "day"},
        "measures": {"revenue": "sum(revenue)"},
    },
}  # fmt: skip
DAYS: dict[str, list[tuple[Any, ...]]] = {
    FIRST: [
        (1, 1, " UK ", 2, "3.50", f"{FIRST} 10:00:00"),
        (2, 1, "DE", 1, "3.50", f"{FIRST} 10:00:00"),
        (2, 1, "DE", 2, "3.50", f"{FIRST} 11:00:00"),  # newer
        (3, 1, "DE", 0, "3.50", f"{FIRST} 10:00:00"),
        (4, 1, "FR", -1, "-2.00", f"{FIRST} 10:00:00"),  # two rules, and a warning
        (5, 1, "DE", "many", "2.00", f"{FIRST} 10:00:00"),
        (6, 1, "DE", 1, "2.00", f"{FIRST} 10:00:00"),
        (6, 1, "DE", 1, "2.00", f"{FIRST} 10:00:00"),  # the same again
        (7, 1, "DE", 7, "1.00", f"{FIRST} 10:00:00"),
        (8, 1, "DE", 8, "1.00", f"{FIRST} 10:00:00"),
    ],
    SECOND: [
        (7, 1, "DE", 70, "1.00", f"{SECOND} 10:00:00"),  # replaces that of the first day
        (8, 1, "XX", 1, "1.00", f"{SECOND} 10:00:00"),  # a deletion, for clean.latest
    ],
    THIRD: [
        (10, 1, "DE", 1, "5000", f"{THIRD} 10:00:00"),  # closes the gate of clean.orders
        (11, 1, "DE", 1, "1", f"{THIRD} 10:00:00"),
    ],
    FOURTH: [(12, 1, "DE", 1, "1", f"{FOURTH} 10:00:00")],  # closes the gate of ingested.orders
}


def file_of(day: str) -> str:
    return f"orders/{day}/a.csv"


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Four days of which two were held back, by one gate each. It is the same after all tests."""
    made = Lab(spark, tmp_path_factory.mktemp("why"), TABLES)
    for day, rows in DAYS.items():
        made.file(file_of(day), COLUMNS, rows)
    assert made.run("ingested.orders", "clean.orders").exit_code == 10
    fine(made.run("clean.latest"))
    before = files(made.folder)
    yield made
    assert files(made.folder) == before


def files(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def every(lab: Lab) -> Lives:
    """All rows that have an id, through all three tables."""
    return lab.app().why("clean.latest", "id > 0")


def life(lives: Lives, day: str, row: int) -> Life:
    (found,) = [one for one in lives.found if one.origin == Origin(day, file_of(day), row)]
    return found


def ends(one: Life) -> list[tuple[str, str]]:
    return [(passage.table, passage.end) for passage in one.passages]


def last(lives: Lives, day: str, row: int) -> Passage:
    return life(lives, day, row).passages[-1]


def test_every_record_has_its_life(every: Lives) -> None:
    found = {(o.origin.window, o.origin.row): [p.end for p in o.passages] for o in every.found}
    assert found == {
        (FIRST, 1): ["written"] * 3,
        (FIRST, 2): ["written", "duplicate"],
        (FIRST, 3): ["written"] * 3,
        (FIRST, 4): ["written", "filtered"],
        (FIRST, 5): ["written", "rejected"],
        (FIRST, 6): ["rejected"],
        (FIRST, 7): ["written"] * 3,
        (FIRST, 8): ["written", "duplicate"],
        (FIRST, 9): ["written", "written", "replaced"],
        (FIRST, 10): ["written", "written", "deleted"],
        (SECOND, 1): ["written"] * 3,
        (SECOND, 2): ["written", "written", "deleted"],
        (THIRD, 1): ["written", "withheld"],
        (THIRD, 2): ["written", "withheld"],
        (FOURTH, 1): ["withheld"],
    }
    assert every.total == len(every.found) == 15


def test_steps_tell_what_they_changed(every: Lives) -> None:
    first = life(every, FIRST, 1)
    (_, clean, latest) = first.passages
    assert [(stop.step.partition(":")[0], stop.did) for stop in clean.steps] == [
        ("trim", "changed"), ("map", "changed"), ("where", "kept"), ("deduplicate", "kept"),
        ("derive", "changed"),
    ]  # fmt: skip
    assert clean.steps[0].changed == {"country": (" UK ", "UK")}
    assert clean.steps[1].changed == {"country": ("UK", "GB")}
    assert clean.steps[4].added == {"revenue": Decimal("7.00")}
    assert clean.came["country"] == " UK "
    assert (latest.steps, latest.version is not None, latest.run is not None) == ((), True, True)
    dropped = last(every, FIRST, 4)
    assert [(stop.did, stop.rows) for stop in dropped.steps][-1] == ("dropped", 0)
    assert (dropped.why, dropped.breaks) == ("empty line", ())


def test_rules_and_reasons_are_told_as_they_were_written(every: Lives) -> None:
    thrown = last(every, FIRST, 5)
    between = "expect_column_values_to_be_between: {column: quantity, min_value: 1}"
    assert thrown.why == f"price is positive: price > 0; {between}"
    assert [(one.rule.partition(":")[0], one.severity) for one in thrown.breaks] == [
        ("price is positive", "critical"),
        ("expect_column_values_to_be_between", "critical"),
        ("expect_column_values_to_be_in_set", "warning"),
    ]
    assert (thrown.state, thrown.run is not None) == ("open", True)
    unread = last(every, FIRST, 6)
    assert (unread.table, unread.why, unread.state) == (
        "ingested.orders", "quantity: not a int", "open",
    )  # fmt: skip
    assert unread.came["quantity"] == "many"


def test_duplicates_name_the_row_that_stayed(every: Lives) -> None:
    assert last(every, FIRST, 2).by == Origin(FIRST, file_of(FIRST), 3)
    assert last(every, FIRST, 8).by == Origin(FIRST, file_of(FIRST), 7)
    assert last(every, FIRST, 9).by == Origin(SECOND, file_of(SECOND), 1)
    assert "newer row says that its key is gone" in last(every, FIRST, 10).why
    assert last(every, SECOND, 2).why == "it says that its key is gone"


def test_a_row_that_was_held_back_says_why(every: Lives) -> None:
    held = last(every, THIRD, 2)
    assert held.table == "clean.orders"
    assert "max(price) 5,000, expected at most 1,000" in held.why
    assert "row_count 1, expected at least 2" in last(every, FOURTH, 1).why


def test_plain_lines_say_it_all(every: Lives) -> None:
    text = "\n".join(lines(every))
    assert f"{file_of(FIRST)} record 1  (window {FIRST})" in text
    assert 'came as id 1, line 1, country " UK "' in text
    assert 'country " UK " -> "UK"' in text
    assert "left out as a duplicate: a newer row of its key (id, line): " in text
    assert "and replaced since by a newer row of its key (id): " in text
    assert "left out: empty line" in text
    assert "in quarantine: open" in text
    assert "withheld by run" in text
    assert ending(last(every, FIRST, 6)).startswith("rejected by run ")
    assert next_line(every, None) == f"Next: headgate preview clean.orders --window {THIRD}"


def test_the_condition_may_name_columns_of_the_table_or_of_its_input(lab: Lab) -> None:
    app = lab.app()
    derived = app.why("clean.orders", "revenue > 60 AND revenue < 100")
    assert [one.origin for one in derived.found] == [Origin(SECOND, file_of(SECOND), 1)]
    mapped = app.why("clean.orders", "country = 'GB'")
    assert [one.origin.row for one in mapped.found] == [1]
    before = app.why("clean.orders", "country = ' UK '")
    assert [one.origin.row for one in before.found] == [1]
    rejected = app.why("clean.orders", "revenue = 2 AND quantity = -1", FIRST)
    assert [ends(one)[-1] for one in rejected.found] == [("clean.orders", "rejected")]
    assert app.why("clean.orders", "id = 1", SECOND).found == ()


def test_only_some_of_many_are_told_and_how_many_more_there_are(
    spark: SparkSession, tmp_path: Path
) -> None:
    many = Lab(spark, tmp_path, TABLES)
    rows = [(n, 1, "DE", 1, "1.00", f"{FIRST} 10:00:00") for n in range(50)]
    many.file(file_of(FIRST), COLUMNS, rows)
    assert many.app().why("ingested.orders", "id < 30", FIRST).total == 30  # the file alone
    fine(many.run("ingested.orders"))
    lives = many.app().why("clean.orders", "id < 30")
    assert (len(lives.found), lives.total) == (20, 30)
    assert {ends(one)[-1] for one in lives.found} == {("clean.orders", "waits")}
    assert "and 10 rows more" in "\n".join(lines(lives))


def test_rows_are_lost_sight_of_where_they_are_grouped(lab: Lab) -> None:
    text = "SELECT country, sum(quantity) AS sold FROM input GROUP BY country"
    steps = [{"trim": ["country"]}, {"sql": {"text": text, "rows": "regrouped"}}]
    grouped = {**TABLES["clean.orders"], "steps": steps, "quality": []}
    del grouped["key"], grouped["latest_by"]
    tables = {"ingested.orders": TABLES["ingested.orders"], "clean.orders": grouped}
    lives = Lab(lab.spark, lab.folder, tables).app().why("clean.orders", "id = 1")
    (_, passage) = lives.found[0].passages
    assert passage.end == "lost sight of"
    assert [stop.did for stop in passage.steps] == ["changed"]
    assert "rows say no more where they are from" in ending(passage)


def test_a_step_that_fails_hides_nothing_of_what_is_there(lab: Lab) -> None:
    steps = [{"derive": {"n": "cast(country AS int)"}}]  # no country is a number
    broken = {**TABLES["clean.orders"], "steps": steps, "quality": []}
    tables = {"ingested.orders": TABLES["ingested.orders"], "clean.orders": broken}
    lives = Lab(lab.spark, lab.folder, tables).app().why("clean.orders", "id = 1")
    (_, passage) = lives.found[0].passages
    assert passage.end == "waits"
    assert passage.why.startswith("the steps fail: ")
    assert "UK" not in passage.why


def test_where_nothing_matches_it_is_said_where_it_was_looked(lab: Lab) -> None:
    lives = lab.app().why("clean.orders", "id = 99")
    assert (lives.found, lives.total) == ((), 0)
    (said,) = lines(lives)
    for place in (
        "ingested.orders", "the quarantine of ingested.orders", "clean.orders",
        f"the raw files of ingested.orders, {FOURTH}",
        f"the rows after the steps of clean.orders, {FIRST} to {THIRD}",
    ):  # fmt: skip
        assert f"\n  {place}" in said
    assert "--window W looks into the raw files" in next_line(lives, None)
    # A text that is no number is not 1; that is no reason to fail.
    assert lab.app().why("clean.orders", "country = 1").total == 0
    assert lab.spark.conf.get("spark.sql.ansi.enabled") == "true"


@pytest.mark.parametrize(
    ("table", "where", "kind", "said"),
    [
        ("clean.orders", "ide = 1", Usage, "unknown column 'ide'"),
        ("clean.orders", "id = = 1", Usage, "Spark cannot read this SQL"),
        ("marts.sales", "revenue > 1", Usage, "marts.sales is made of groups of rows"),
        ("clean", "id = 1", Usage, "'clean' is not one table"),
    ],
)
def test_what_cannot_be_followed_is_told(
    lab: Lab, table: str, where: str, kind: type[HeadgateError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        lab.app().why(table, where)
