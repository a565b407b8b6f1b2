"""A rule that is tried on past windows says what its gate would have said then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, ingested_orders
from headgate.conf.typed import rule_typed
from headgate.core.errors import InputMissing, Usage
from headgate.stages.trying import Trial

COLUMNS = ("id", "line", "country", "quantity", "price")
TABLES: dict[str, dict[str, Any]] = {
    "ingested.orders": ingested_orders(COLUMNS, max_rejected=0.5),
    "clean.orders": {
        "reads": "ingested.orders",
        "steps": [
            {"trim": ["country"]},
            {"where": {"keep": "quantity <> 0", "because": "empty line"}},
        ],
        "key": ["id", "line"],
        "latest_by": ["quantity"],
        "quality": [
            {"row": {"price is positive": "price > 0"}},
            {"expect_column_max_to_be_between": {"column": "price", "max_value": 100}},
        ],
        "max_rejected": 0.4,
    },
}
DAYS = {
    "2026-11-01": [
        (1, 1, " DE ", 2, "3.50"),
        (1, 1, "DE", 3, "3.50"),
        (2, 1, "FR", 0, "1.00"),
        (3, 1, "NO", -1, "4.00"),
        (4, 1, "NO", 5, "-1.00"),
    ],
    "2026-11-02": [(5, 1, "DE", 1, "5000"), (6, 1, "SE", 1, "4")],  # the gate closes: max
    "2026-11-03": [(7, 1, "DE", 1, "2"), (8, 1, "FR", 4, "6")],
    "2026-11-04": [(9, 1, "SE", -1, "2"), (9, 2, "SE", -2, "2"), (9, 3, "DE", 1, "2")],
}


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Four days, of which the gate has held one back. It is the same after all tests."""
    made = Lab(spark, tmp_path_factory.mktemp("trying"), TABLES)
    for day, rows in DAYS.items():
        made.file(f"orders/{day}/a.csv", COLUMNS, rows)
    fine(made.run("ingested.orders"))
    assert made.run("clean.orders").exit_code == 10
    before = files(made.folder)
    yield made
    assert files(made.folder) == before


def files(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def tried(lab: Lab, rule: str, window: str | None = None, table: str = "clean.orders") -> Trial:
    return lab.app().try_rule(table, rule_typed(rule), window)


def numbers(trial: Trial) -> list[tuple[Any, ...]]:
    return [(o.window[-2:], o.judged, o.broken, o.rejected, o.ends) for o in trial.windows]


def expected(breaks: Any, mostly: float | None, allowed: float) -> list[tuple[Any, ...]]:
    """The same by hand, over rows that the steps left."""
    told = []
    for day, rows in DAYS.items():
        left = [row for row in rows if row[3] != 0]
        broken = [row for row in left if breaks(row)]
        before = [row for row in left if float(row[4]) <= 0]
        after = [row for row in left if row in before or row in broken]
        by_rule = mostly is not None and (len(left) - len(broken)) / len(left) < mostly
        by_share = len(after) / len(left) > allowed >= len(before) / len(left)
        ends = "closes" if by_rule or by_share else "open"
        told.append((day[-2:], len(left), len(broken), len(after) - len(before), ends))
    return told


BETWEEN = "expect_column_values_to_be_between"


@pytest.mark.parametrize(
    ("rule", "breaks", "mostly"),
    [
        (f"{BETWEEN}: {{column: quantity, min_value: 1}}", lambda r: r[3] < 1, None),
        (f"{BETWEEN}: {{column: quantity, min_value: 1, mostly: 0.9}}", lambda r: r[3] < 1, 0.9),
        ("quantity > 1", lambda r: r[3] <= 1, None),
        ('row: {known: "country in (\'DE\', \'FR\')"}',
         lambda r: r[2].strip() not in ("DE", "FR"), None),
        ("price > 0", lambda r: float(r[4]) <= 0, None),  # in the table already, by a name
    ],
)  # fmt: skip
def test_rows_are_judged_as_the_gate_would_have(
    lab: Lab, rule: str, breaks: Any, mostly: float | None
) -> None:
    trial = tried(lab, rule)
    assert numbers(trial) == expected(breaks, mostly, 0.4)
    assert [one.then for one in trial.windows] == [
        "published", "blocked", "published", "published",
    ]  # fmt: skip
    assert trial.judged == 11
    assert trial.broken == sum(one[2] for one in numbers(trial))
    assert trial.closes == tuple(f"2026-11-{o[0]}" for o in numbers(trial) if o[4] == "closes")


def test_what_is_tried_comes_true(lab: Lab, spark: SparkSession) -> None:
    """The table with the rule in its file, run on a lake of its own, ends as foretold."""
    rule = {BETWEEN: {"column": "quantity", "min_value": 1}}
    clean = TABLES["clean.orders"]
    quality = [*clean["quality"][:1], rule]
    real = lab.having({"clean.orders": {**clean, "quality": quality}}).on("lake2")
    fine(real.run("ingested.orders"))
    ran = {run.window: run for run in real.run("clean.orders").runs}
    try:
        trial = tried(lab, f"{BETWEEN}: {{column: quantity, min_value: 1}}")
        for one in trial.windows:
            run = ran[one.window]
            assert (run.status == "blocked") == (one.ends == "closes"), one
            (check,) = [check for check in run.checks if BETWEEN in check.rule]
            assert (check.unexpected, check.total) == (one.broken, one.judged)
    finally:
        import shutil

        shutil.rmtree(real.lake)


def test_a_rule_on_a_table_is_measured_on_what_would_be_published(lab: Lab) -> None:
    trial = tried(lab, "expect_column_mean_to_be_between: {column: price, max_value: 3.6}")
    # Day 1: the row without a price leaves, and of two rows of a key the newer stays.
    assert [one.check.observed for one in trial.windows] == [3.75, 2502.0, 4.0, 2.0]
    assert numbers(trial) == [
        ("01", 2, None, 0, "closes"), ("02", 2, None, 0, "closes"),
        ("03", 2, None, 0, "closes"), ("04", 3, None, 0, "open"),
    ]  # fmt: skip
    assert (trial.judged, trial.broken, trial.fails) == (9, None, 3)
    unique = tried(lab, "expect_column_values_to_be_unique: {column: country}")
    assert [(o.judged, o.broken, o.ends) for o in unique.windows] == [
        (2, 0, "open"), (2, 0, "open"), (2, 0, "open"), (3, 2, "closes"),
    ]  # fmt: skip


def test_a_warning_closes_nothing(lab: Lab) -> None:
    rule = rule_typed("quantity > 1", severity="warning")
    trial = lab.app().try_rule("clean.orders", rule)
    assert trial.closes == ()
    assert [one.ends for one in trial.windows] == ["warns"] * 4
    assert trial.rejected == 0
    assert trial.broken == 7


def test_windows_may_be_named_and_one_alone_is_judged_the_same(lab: Lab) -> None:
    for rule in ("quantity > 1", "expect_column_max_to_be_between: {column: price, max_value: 4}"):
        every = {one.window: one for one in tried(lab, rule).windows}
        (one,) = tried(lab, rule, "2026-11-04").windows
        assert one == every["2026-11-04"]
    named = tried(lab, "quantity > 1", "2026-10-30..2026-11-02")
    assert [one.window for one in named.windows] == ["2026-11-01", "2026-11-02"]


def test_steps_that_need_their_window_alone_get_it(lab: Lab) -> None:
    text = "SELECT *, row_number() OVER (ORDER BY id, line, quantity) AS n FROM input"
    steps = [*TABLES["clean.orders"]["steps"], {"sql": text}]
    alone = lab.having({"clean.orders": {**TABLES["clean.orders"], "steps": steps}})
    trial = tried(alone, "n < 3")
    assert [(o.judged, o.broken) for o in trial.windows] == [(4, 2), (2, 0), (2, 0), (3, 1)]
    lives = alone.app().why("clean.orders", "n = 3")
    assert [(o.origin.window, o.origin.row) for o in lives.found] == [
        ("2026-11-01", 4), ("2026-11-04", 3),
    ]  # fmt: skip
    assert [life.passages[-1].steps[-1].added["n"] for life in lives.found] == [3, 3]


def test_ingested_rows_can_be_judged_too(lab: Lab) -> None:
    trial = tried(lab, "quantity > 0", table="ingested.orders")
    assert [(o.judged, o.broken) for o in trial.windows] == [(5, 2), (2, 0), (2, 0), (3, 2)]
    assert trial.closes == ("2026-11-04",)  # two of three rows: more than half


def test_what_cannot_be_tried_is_told(lab: Lab, spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(Usage, match="unknown column 'quantty'") as caught:
        tried(lab, "quantty > 1")
    assert "did you mean 'quantity'" in str(caught.value.next)
    with pytest.raises(Usage, match="unknown column 'prize'"):
        tried(lab, "expect_column_mean_to_be_between: {column: prize, max_value: 1}")
    empty = Lab(spark, tmp_path, TABLES)
    empty.raw.mkdir()
    with pytest.raises(InputMissing, match=r"no window of clean\.orders was ever published"):
        tried(empty, "quantity > 1")
    with pytest.raises(InputMissing):
        tried(lab, "quantity > 1", "2026-10-01")
