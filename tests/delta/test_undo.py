"""Undo: a window goes back to what it held before, and is not simply done again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, states
from headgate.core.errors import Usage

TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv", "format": "csv"},
        "columns": {"id": "bigint", "country": "string", "amount": "decimal(10,2)", "at": "date"},
    },
    "clean.sales": {"reads": "ingested.sales", "key": ["id"], "latest_by": ["amount"]},
    "clean.latest": {
        "reads": "ingested.sales",
        "key": ["id"],
        "latest_by": ["amount"],
        "write": "upsert",
    },
    "marts.by_country": {
        "reads": "clean.sales",
        "period": {"column": "at", "grain": "day"},
        "group_by": ["country"],
        "measures": {"amount": "sum(amount)"},
    },
}
COLUMNS = ("id", "country", "amount", "at")


def test_a_window_goes_back_and_its_dependents_follow(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    lab.file("sales/2026-11-01/a.csv", COLUMNS, [(1, "NO", "10.00", "2026-11-01")])
    lab.file("sales/2026-11-02/a.csv", COLUMNS, [(2, "SE", "20.00", "2026-11-02")])
    fine(lab.run())
    first = lab.contents()
    lab.file("sales/2026-11-02/a.csv", COLUMNS, [(2, "SE", "99.00", "2026-11-02")])
    fine(lab.run())
    assert lab.contents() != first

    fine(lab.app().undo("ingested.sales", "2026-11-02"))
    assert {line.table for line in lab.app().plan()} == {
        "clean.sales", "clean.latest", "marts.by_country",
    }  # fmt: skip
    fine(lab.run())
    assert lab.contents() == first
    assert lab.app().plan() == []  # what was undone waits for something new

    lab.file("sales/2026-11-02/a.csv", COLUMNS, [(2, "SE", "21.00", "2026-11-02")])
    assert states(fine(lab.run()), "ingested.sales") == {"2026-11-02": "published"}
    assert lab.rows("marts.by_country", "country", "amount")[1][0] == "SE"


def test_a_key_of_an_upsert_goes_back_too(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    lab.file("sales/2026-11-01/a.csv", COLUMNS, [(1, "NO", "10.00", "2026-11-01")])
    fine(lab.run("+clean.latest"))
    first = lab.contents()
    changed = [(1, "NO", "50.00", "2026-11-01"), (3, "DK", "1.00", "2026-11-02")]
    lab.file("sales/2026-11-02/a.csv", COLUMNS, changed)
    fine(lab.run("+clean.latest"))
    fine(lab.app().undo("clean.latest", "2026-11-02"))
    assert lab.contents()["clean.latest"] == first["clean.latest"]


def test_nothing_to_undo_is_said(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    with pytest.raises(Usage, match="has no publish to undo"):
        lab.app().undo("clean.sales", "2026-11-02")
