"""Verify: tables that were built run by run equal the same made anew; what is planted is found."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import Lab, fine

COLUMNS = ("id", "town", "amount", "at")
READS = {"reads": "ingested.sales"}
TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv"},
        "columns": {"id": "int", "town": "string", "amount": "double", "at": "timestamp"},
    },
    "ingested.towns": {
        "source": {"files": "towns/{window}/*.csv"},
        "columns": {"town": "string", "land": "string"},
    },
    "clean.towns": {"reads": "ingested.towns", "key": ["town"], "write": "upsert"},
    "clean.sales": {
        **READS,
        "steps": [{"lookup": {"table": "clean.towns", "on": "town", "take": ["land"]}}],
        "quality": [{"row": {"amount is positive": "amount > 0"}}],
        "max_rejected": "100%",
    },
    "clean.latest": {**READS, "key": ["id"], "latest_by": ["at"], "write": "upsert"},
    "clean.versions": {**READS, "key": ["id"], "latest_by": ["at"], "write": "history"},
    "marts.by_town": {
        "reads": {"sales": "clean.sales"},
        "period": {"column": "at", "grain": "day"},
        "group_by": ["town"],
        "measures": {"amount": "sum(amount)"},
    },
    "features.town": {
        "entity": {"key": "town"},
        "as_of": {"every": "day"},
        "reads": {"sales": "clean.sales"},
        "time": "at",
        "features": {"spent": {"of": "sales", "measure": "sum(amount)", "last": "2 days"}},
    },
}


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Three days, built one by one, the first of them corrected."""
    lab = Lab(spark, tmp_path_factory.mktemp("verify"), TABLES)
    lab.file("towns/2026-03-01/a.csv", ("town", "land"), [("Oslo", "NO"), ("Bonn", "DE")])
    for day in (1, 2, 3):
        rows = [
            (n, ("Oslo", "Bonn", "Rome")[n % 3], 0.1 * n - 0.1, f"2026-03-{day:02d} 0{n % 9}:00:00")
            for n in range(day, day + 12)
        ]
        lab.file(f"sales/2026-03-{day:02d}/a.csv", COLUMNS, rows)
        fine(lab.run())
    lab.file("sales/2026-03-01/a.csv", COLUMNS, [(1, "Bonn", 7.5, "2026-03-01 05:00:00")])
    fine(lab.run())
    return lab


def test_every_kind_of_table_equals_itself_made_anew(lab: Lab) -> None:
    app = lab.app()
    assert set(app.to_verify()) == set(TABLES)
    for name in app.to_verify():
        found = app.verify(name)
        assert not found.different, (name, found.surplus, found.lacking)
        assert not found.skipped, name
        assert found.rows == lab.read(name).count() > 0


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("clean.sales", "2026-03-03"),
        ("clean.latest", "2026-03-03"),
        ("clean.versions", "2026-03-02"),  # where its only version began
    ],
)
def test_a_value_changed_by_hand_is_found_to_the_row(lab: Lab, name: str, window: str) -> None:
    from delta.tables import DeltaTable

    there = DeltaTable.forPath(lab.spark, str(lab.lake / name.replace(".", "/")))
    version = there.history(1).collect()[0]["version"]
    planted = (F.col("id") == 5) & (F.col("_window") == window)
    there.update(planted, {"amount": F.lit(99.0)})
    try:
        found = lab.app().verify(name)
    finally:
        there.restoreToVersion(version)
    assert [(one.slice, one.columns) for one in found.different] == [(window, ("amount",))]
    assert [row["id"] for row in found.surplus] == ["5"]
    assert [row["id"] for row in found.lacking] == ["5"]
    assert found.surplus[0]["amount"] == "9.900000000e+01"


def test_a_missing_period_of_a_mart_is_found(lab: Lab) -> None:
    from delta.tables import DeltaTable

    there = DeltaTable.forPath(lab.spark, str(lab.lake / "marts/by_town"))
    version = there.history(1).collect()[0]["version"]
    there.delete("at = DATE '2026-03-02'")
    try:
        found = lab.app().verify("marts.by_town")
        other = lab.app().verify("marts.by_town", "2026-03-03")
    finally:
        there.restoreToVersion(version)
    assert [(one.slice, one.there) for one in found.different] == [("2026-03-02", 0)]
    assert found.different[0].made == len(found.lacking) == 3
    assert not other.different
    assert other.slices == 1


def test_windows_of_changed_rules_are_not_compared(lab: Lab) -> None:
    tables = {**TABLES, "clean.latest": {**TABLES["clean.latest"], "steps": [{"trim": ["town"]}]}}
    found = lab.having(tables).app().verify("clean.latest")
    assert set(found.skipped) == {"2026-03-01", "2026-03-02", "2026-03-03"}
    assert "steps changed since" in found.skipped["2026-03-01"]
    assert not found.slices
