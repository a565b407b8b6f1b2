"""One cause is told once along the lineage; a person calls it a false alarm, and drift learns."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states
from headgate.core.errors import Usage
from headgate.doors.page import page
from headgate.doors.reporting import gathered

FIRST, PAST = date(2026, 10, 1), 9
COLUMNS = {"id": "bigint", "price": "decimal(10,2)"}
WATCHED = {"metrics": ["row_count", "mean"]}
TABLES: dict[str, Any] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv"},
        "columns": COLUMNS,
        "quality": [{"drift": WATCHED}],
    },
    "clean.sales": {
        "reads": "ingested.sales",
        "quality": [{"drift": {**WATCHED, "severity": "critical"}}],
    },
    "clean.copies": {"reads": "ingested.sales", "quality": [{"drift": WATCHED}]},
}


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def laid(lab: Lab, number: int, *, rows: int = 120, times: float = 1.0) -> None:
    chance = random.Random(number)
    lab.file(
        f"sales/{day(number)}/a.csv",
        list(COLUMNS),
        [
            (number * 1000 + at, f"{times * chance.uniform(3, 6):.2f}")
            for at in range(rows + chance.randrange(-5, 6))
        ],
    )


def alerts(lab: Lab, number: int) -> dict[str, tuple[str, str]]:
    """What was raised of a day, by table."""
    told = lab.ops("alerts", "table", "window", "severity", "text")
    return {table: (severity, text) for table, w, severity, text in told if w == day(number)}


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Days with a usual past, then one with a third of its rows."""
    lab = Lab(spark, tmp_path_factory.mktemp("dismissed"), TABLES)
    for number in range(PAST):
        laid(lab, number)
    laid(lab, PAST, rows=40)
    result = lab.run()
    assert states(result, "clean.sales")[day(PAST)] == "blocked"
    assert entry(result, "clean.copies", day(PAST)).warnings  # on record all the same
    return lab


def test_one_upstream_fault_is_one_alert(lab: Lab) -> None:
    """Who reads of the root reads how far it reaches; a closed gate is told with its root."""
    told = alerts(lab, PAST)
    assert set(told) == {"ingested.sales", "clean.sales"}
    severity, text = told["ingested.sales"]
    assert severity == "warning"
    assert text.startswith("row_count 42, usual ")
    assert text.endswith("; 2 tables depend on it")
    severity, text = told["clean.sales"]
    assert severity == "critical"
    assert text.endswith("rows kept back; as in ingested.sales")


def test_what_cannot_be_dismissed_is_told(lab: Lab) -> None:
    app, log = lab.app(), lab.lake / "ops" / "dismissals" / "_delta_log"
    before = sorted(log.glob("*.json"))  # another test may have come first
    with pytest.raises(Usage, match="nothing out of line") as calm:
        app.dismiss("clean.sales", day(3), "x")
    assert calm.value.next == "headgate drift list clean.sales"
    with pytest.raises(Usage, match="no gate has judged"):
        app.dismiss("clean.sales", "2026-12-01", "x")
    with pytest.raises(Usage, match="nothing of that kind") as other:
        app.dismiss("clean.sales", day(PAST), "x", metric="mean")
    assert other.value.next.endswith(": row_count")
    assert sorted(log.glob("*.json")) == before


def test_a_false_alarm_is_dismissed_once_for_all_tables(lab: Lab) -> None:
    """The window is let in, the next like it is usual, and another content is judged anew."""
    assert "ingested.sales" in str(gathered(lab.app()).open_alerts)
    app = lab.app()
    made = app.dismiss("ingested.sales", day(PAST), "shops were closed", metric="row_count")
    assert {one.table for one in made} == set(TABLES)
    assert all(one.who and one.dismissed_at and one.because == "shops were closed" for one in made)
    assert app.dismiss("ingested.sales", day(PAST), "again") == []
    assert {one.dismissed is not None for one in lab.app().drift()} == {True}

    app = lab.app()
    assert [(one.table, one.window, one.why) for one in app.plan() if one.runs] == [
        ("clean.sales", day(PAST), "drift was dismissed")
    ]
    (standing,) = app.status(["clean.sales"])
    assert (standing.state, standing.next) == ("due", "headgate run clean.sales")
    facts = gathered(app)
    assert [one.table for one in facts.open_alerts] == ["clean.sales"]
    assert "shops were closed" in page(facts)
    let_in = fine(lab.run())
    assert states(let_in, "clean.sales") == {day(PAST): "published"}
    assert not entry(let_in, "clean.sales", day(PAST)).warnings
    assert not lab.run().runs
    assert not gathered(lab.app()).open_alerts

    laid(lab, PAST + 1, rows=42)
    fine(lab.run())
    assert not alerts(lab, PAST + 1)
    laid(lab, PAST + 2, rows=42, times=10)
    priced = lab.run()
    assert states(priced, "clean.sales") == {day(PAST + 2): "blocked"}
    laid(lab, PAST, rows=12)  # less than what was dismissed
    again = lab.run("ingested.sales", "clean.sales")
    assert states(again, "clean.sales") == {day(PAST): "blocked"}
