"""What is published waits for `--rebuild` where nothing but the configuration differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, states

COLUMNS = ("id", "customer", "amount", "at")
DAYS = ("2026-11-01", "2026-11-02")
CLEAN: dict[str, Any] = {"reads": "ingested.sales", "key": ["id"]}
DAILY: dict[str, Any] = {
    "reads": {"sales": "clean.sales"},
    "period": {"column": "at", "grain": "day"},
    "measures": {"amount": "sum(amount)"},
}
CUSTOMER: dict[str, Any] = {
    "entity": {"key": "customer"},
    "reads": {"sales": "clean.sales"},
    "time": "at",
    "features": {"spent": {"of": "sales", "measure": "sum(amount)"}},
}
TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv"},
        "columns": {"id": "bigint", "customer": "bigint", "amount": "int", "at": "timestamp"},
    },
    "clean.sales": CLEAN,
    "marts.daily": DAILY,
}
POSITIVE = {"row": {"amount is positive": "amount > 0"}}
OTHERWISE: dict[str, dict[str, Any]] = {
    "ingested.sales": {**TABLES["ingested.sales"], "on_change": {"missing_column": "null"}},
    "clean.sales": {
        **CLEAN, "quality": [POSITIVE], "max_rejected": "100%",
        "steps": [{"derive": {"n": "amount * 2"}}],
    },
    "marts.daily": {**DAILY, "group_by": ["customer"]},
    "features.customer": {
        **CUSTOMER, "features": {"sales": {"of": "sales", "measure": "count(*)"}},
    },
}  # fmt: skip
WHY = {
    "ingested.sales": "changed contract",
    "clean.sales": "changed rule, changed step",
    "features.customer": "changed step",
    "marts.daily": "changed step",
}


def _day(lab: Lab, day: str, amount: int) -> None:
    rows = [
        (int(day[-2:]), 7, amount, f"{day} 08:00:00"),
        (int(day[-2:]) + 100, 8, -1, f"{day} 9:00:00"),
    ]
    lab.file(f"sales/{day}/a.csv", COLUMNS, rows)


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    lab = Lab(spark, tmp_path, TABLES)
    for day in DAYS:
        _day(lab, day, 10)
    fine(lab.run())
    return lab


def test_a_changed_configuration_waits_and_is_told(lab: Lab) -> None:
    lab = lab.having({"features.customer": CUSTOMER})
    fine(lab.run())
    before = lab.contents()
    other = lab.having(OTHERWISE)
    plan = other.app().plan()
    waiting = [(one.table, one.window, one.why) for one in plan if one.rebuild]
    assert sorted(waiting) == sorted(
        (name, day, f"{why}: waits for --rebuild") for name, why in WHY.items() for day in DAYS
    )
    assert not any(one.runs for one in plan)
    said: list[str] = []
    result = other.run(
        say=lambda event, **facts: said.append(facts["said"]) if event == "waits" else None
    )
    assert (result.runs, result.exit_code, result.status) == ((), 0, "unchanged")
    assert lab.contents() == before
    assert sorted(said) == sorted(
        f"{name}: 2 windows are left as they were published ({why}). "
        f"Next: headgate run {name} --rebuild"
        for name, why in WHY.items()
    )
    standing = {one.table: one for one in other.app().status()}["marts.daily"]
    assert (standing.state, standing.windows) == ("rebuild", DAYS)
    assert standing.next == "headgate run marts.daily --rebuild"
    # What waits is no fault: `verify` leaves it out, and says what would make it due.
    verified = other.app().verify("marts.daily")
    assert verified.skipped == dict.fromkeys(
        DAYS, "its steps changed since: headgate run marts.daily --rebuild"
    )


def test_what_is_asked_for_runs_and_what_depends_follows(lab: Lab) -> None:
    other = lab.having({"clean.sales": OTHERWISE["clean.sales"]})
    plan = other.app().plan(rebuild=True)
    assert {(one.table, one.window) for one in plan if one.runs and one.window in DAYS} == {
        ("clean.sales", day) for day in DAYS
    }
    # New content runs under the rules of now, whatever the other windows wait for.
    _day(lab, "2026-11-02", 20)
    result = fine(other.run())
    assert states(result, "clean.sales") == {"2026-11-02": "published"}
    assert states(result, "marts.daily") == {"2026-11-02": "published"}
    named = fine(other.run("clean.sales", window="2026-11-01"))
    assert states(named, "clean.sales") == {"2026-11-01": "published"}
    assert states(fine(other.run()), "marts.daily") == {"2026-11-01": "published"}
    assert not other.app().plan()
    assert lab.rows("marts.daily", "amount") == [(10,), (20,)]
    fewer = lab.having({"marts.daily": OTHERWISE["marts.daily"]})
    result = fine(fewer.run("clean.sales", "marts.daily", rebuild=True))
    assert states(result, "clean.sales") == dict.fromkeys(DAYS, "published")
    assert states(result, "marts.daily") == dict.fromkeys(DAYS, "published")
    assert len(lab.rows("marts.daily", "at", "customer")) == 4


def test_what_a_gate_held_back_needs_no_rebuild(spark: SparkSession, tmp_path: Path) -> None:
    strict = {**CLEAN, "quality": [{"row": {"amount is small": "amount < 15"}, "mostly": 1}]}
    lab = Lab(spark, tmp_path, {**TABLES, "clean.sales": strict})
    for day, amount in zip(DAYS, (10, 20), strict=True):
        _day(lab, day, amount)
    assert lab.run("+clean.sales").exit_code == 10
    wider = {**strict, "quality": [{"row": {"amount is small": "amount < 25"}, "mostly": 1}]}
    result = lab.having({"clean.sales": wider}).run("clean.sales")
    assert states(result, "clean.sales") == {"2026-11-02": "published"}


def test_an_input_more_is_a_changed_step(lab: Lab) -> None:
    notes = {
        "source": {"files": "notes/{window}/*.csv"},
        "columns": {"id": "bigint", "note": "string"},
    }
    lookup = {"table": "ingested.notes", "on": {"id": "id"}, "take": ["note"]}
    joined = {
        "reads": {"sales": "clean.sales", "notes": "ingested.notes"},
        "period": {"column": "sales.at", "grain": "day"},
        "sql": "SELECT to_date(s.at) AS at, count(n.note) AS notes FROM sales s "
        "LEFT JOIN notes n ON s.id = n.id GROUP BY 1",
    }
    wider = lab.having({
        "ingested.notes": notes,
        "clean.sales": {**CLEAN, "steps": [{"lookup": lookup}]},
        "marts.daily": joined,
    })  # fmt: skip
    lab.file("notes/2026-11-01/a.csv", ("id", "note"), [(1, "first")])
    fine(wider.run("ingested.notes"))
    plan = wider.app().plan()
    assert {one.table for one in plan if one.rebuild} == {"clean.sales", "marts.daily"}
    assert not any(one.runs for one in plan)
