"""Rejected rows that a person repaired are published, and stay so whatever runs afterwards."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import Lab, fates, fine, states
from headgate.core.errors import Usage
from headgate.doors.notebook import OpenSuite
from headgate.stages.replaying import Replayed
from headgate.storage.repaired import given_at

COLUMNS = ("id", "day", "quantity", "price", "note")
DAY = "2026-03-01"
FILE = f"orders/{DAY}/a.csv"
INGESTED: dict[str, Any] = {
    "source": {"files": "orders/{window}/*.csv"},
    "columns": {
        "id": "int", "day": {"type": "date", "format": "d.M.yyyy"}, "quantity": "int",
        "price": "decimal(8,2)", "note": {"type": "string", "nulls": ["-"]},
    },
    "quality": [{"row": {"price is positive": "price > 0"}}],
    "max_rejected": "80%",
}  # fmt: skip
CLEAN: dict[str, Any] = {
    "reads": "ingested.orders",
    "steps": [{"derive": {"total": "quantity * price"}}],
    "quality": [{"row": {"few": "quantity < 100"}}],
    "max_rejected": "80%",
}
ROWS = [
    (1, "1.3.2026", 2, "1.50", "fine"),
    (2, "1.3.2026", "two", "2.50", " a,\r\nb "),
    (3, "31.2.2026", 3, "3.50", ""),
    (4, "1.3.2026", 4, "-4.50", "-"),
    (5, "1.3.2026", 500, "5.50", None),
]
Edit = Callable[[dict[str, str]], None]


def lab_of(spark: SparkSession, folder: Path, clean: dict[str, Any] | None = None) -> Lab:
    lab = Lab(
        spark, folder, {"ingested.orders": INGESTED, "clean.orders": {**CLEAN, **(clean or {})}}
    )
    lab.file(FILE, COLUMNS, ROWS)
    lab.file("orders/2026-03-02/a.csv", COLUMNS, [(9, "2.3.2026", 9, "9.50", "other")])
    return lab


def exported(lab: Lab, table: str, edit: Edit, name: str = "repaired.csv") -> Path:
    """The open rows of a table as `export` writes them, edited row by row."""
    from headgate.stages.exporting import exported as hand_out

    file = lab.folder / name
    app = lab.app()
    hand_out(app.lake, app.suite.tables[table], None, "open", str(file))
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        edit(row)
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file


def replay(lab: Lab, table: str, file: Path | None = None, **how: Any) -> tuple[Any, Replayed]:
    given = given_at(lab.spark, str(file)) if file else None
    return lab.app().replay(table, given, **how)


def verified(lab: Lab) -> None:
    for name in lab.tables:
        if not (lab.lake / name.replace(".", "/")).exists():
            continue
        assert not lab.app().verify(name).different, name


def test_repaired_rows_of_a_file_are_published_and_stay(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = lab_of(spark, tmp_path)
    lab.file(FILE, COLUMNS, [*ROWS, (7, "cut off")])
    fine(lab.run("ingested.orders"))
    assert lab.rejected("ingested.orders", "_row", "_state") == [
        (2, "open"), (3, "open"), (4, "open"), (6, "open"),
    ]  # fmt: skip

    def edit(row: dict[str, str]) -> None:
        if row["id"] == "2":
            row["quantity"] = "2"
        elif row["id"] == "3":
            row["day"] = "1.3.2026"  # as the supplier writes it
        elif row["_record"] == "7,cut off":
            row |= {"id": "7", "day": "2026-03-01", "quantity": "7", "price": "7", "note": "-"}

    file = exported(lab, "ingested.orders", edit)
    result, done = replay(lab, "ingested.orders", file)
    assert fates(fine(result), "ingested.orders") == {DAY: (6, 0, 5, 1, 0, 0, 0)}
    assert (done.replayed, done.open) == (3, 1)
    assert done.taken is not None
    assert done.taken.rows == {"corrected": 3, "unchanged": 1}
    assert lab.rejected("ingested.orders", "_row", "_state") == [
        (2, "replayed"), (3, "replayed"), (4, "open"), (4, "superseded"), (6, "replayed"),
    ]  # fmt: skip
    shown = lab.rows("ingested.orders", "id", "quantity", "note", "_row")
    assert [shown[at] for at in (1, 2, 4)] == [
        (2, 2, " a,\r\nb ", 2), (3, 3, None, 3), (7, 7, None, 6),
    ]  # fmt: skip
    again, done = replay(lab, "ingested.orders", file)
    assert done.taken is not None
    assert done.taken.rows == {"settled": 3, "unchanged": 1}
    assert not again.runs
    fine(lab.run(window=DAY, force=True))
    assert len(lab.rows("ingested.orders", "id")) == 6
    assert lab.rejected("ingested.orders", "_row", "_state")[-1] == (6, "replayed")
    assert {one.window for one in lab.app().plan()} == {"2026-03-02"}  # of the clean table
    verified(lab)
    # Another content of the record: the correction is not for that.
    lab.file(FILE, COLUMNS, [(2, "1.3.2026", "three", "2.50", "x"), *ROWS[2:]])
    told = fine(lab.run("ingested.orders")).runs[0]
    assert told.message
    assert "3 corrections belong to a record that holds something else now" in told.message


def test_a_repaired_row_may_be_rejected_again_and_repaired_further(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = lab_of(spark, tmp_path)
    fine(lab.run("ingested.orders"))

    def worse(row: dict[str, str]) -> None:
        if row["id"] == "2":
            row |= {"quantity": "2", "day": "2026-03-02", "price": "-1"}

    result, done = replay(lab, "ingested.orders", exported(lab, "ingested.orders", worse))
    assert (done.replayed, done.open) == (0, 3)
    assert fates(result, "ingested.orders")[DAY] == (5, 0, 2, 3, 0, 0, 0)

    def better(row: dict[str, str]) -> None:
        if row["id"] == "2":
            assert (row["quantity"], row["day"]) == ("2", "2026-03-02")
            assert row["_reasons"] == "price is positive: price > 0"
            row["price"] = "7"

    result, done = replay(lab, "ingested.orders", exported(lab, "ingested.orders", better, "b.csv"))
    assert (done.replayed, done.open) == (1, 2)
    repaired = lab.rows("ingested.orders", "id", "quantity", "day", "price")
    assert (2, 2, date(2026, 3, 2), 7) in repaired
    verified(lab)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param("replace", marks=pytest.mark.slow),
        "upsert",
        pytest.param("history", marks=pytest.mark.slow),
    ],
)
def test_repaired_rows_of_a_clean_table_go_through_its_steps(
    spark: SparkSession, tmp_path: Path, write: str
) -> None:
    keyed = {"key": ["id"], "latest_by": ["day"], "write": write} if write != "replace" else {}
    lab = lab_of(spark, tmp_path, keyed)
    lab.file(FILE, COLUMNS, [*ROWS[:1], (6, "1.3.2026", 600, "6.50", "x"), ROWS[4]])
    fine(lab.run())
    assert lab.rejected("clean.orders", "_row", "_state") == [(2, "open"), (3, "open")]

    def edit(row: dict[str, str]) -> None:
        if row["id"] == "5":
            row["quantity"] = "5"

    result, done = replay(lab, "clean.orders", exported(lab, "clean.orders", edit))
    assert fates(fine(result), "clean.orders") == {DAY: (3, 0, 2, 1, 0, 0, 0)}
    assert (done.replayed, done.open) == (1, 1)
    assert [str(total) for _, total in lab.rows("clean.orders", "id", "total")][1] == "27.50"
    assert lab.rejected("clean.orders", "_row", "_state") == [
        (2, "open"), (2, "superseded"), (3, "replayed"),
    ]  # fmt: skip
    fine(lab.run("clean.orders", window=DAY, force=True))
    assert len(lab.rows("clean.orders", "id")) == 3
    assert not lab.app().plan()
    verified(lab)
    assert states(lab.app().undo("clean.orders", DAY), "clean.orders") == {DAY: "published"}


def test_rows_go_through_again_under_changed_rules_and_steps(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = lab_of(spark, tmp_path)
    lab.file(FILE, COLUMNS, [*ROWS[:1], (6, "1.3.2026", 600, "6.50", "x"), ROWS[4]])
    fine(lab.run())
    wider = lab.having({"clean.orders": {
        **CLEAN, "quality": [{"row": {"few": "quantity < 550"}}],
        "steps": [*CLEAN["steps"], {"where": {"keep": "id > 0", "because": "none"}}],
    }})  # fmt: skip
    result, done = replay(wider, "clean.orders", reason="few")
    assert fates(fine(result), "clean.orders") == {DAY: (3, 0, 2, 1, 0, 0, 0)}
    assert (done.replayed, done.open) == (1, 1)
    assert wider.ops("runs", "causes")[-1] == ("replay: changed rule, changed step",)
    assert wider.rejected("clean.orders", "_row", "_state") == [
        (2, "open"), (2, "superseded"), (3, "replayed"),
    ]  # fmt: skip


def test_what_the_gate_holds_back_stays_open(spark: SparkSession, tmp_path: Path) -> None:
    lab = lab_of(spark, tmp_path)
    lab.file(FILE, COLUMNS, [*ROWS[:1], (6, "1.3.2026", 600, "6.50", "x"), ROWS[4]])
    fine(lab.run())

    def edit(row: dict[str, str]) -> None:
        row["quantity"] = "5" if row["id"] == "5" else "601"

    file = exported(lab, "clean.orders", edit)
    few = {"expect_table_row_count_to_be_between": {"max_value": 1}}
    tight = lab.having({"clean.orders": {**CLEAN, "quality": [*CLEAN["quality"], few]}})
    result, done = replay(tight, "clean.orders", file)
    assert (result.exit_code, done.replayed, done.open) == (10, 0, 2)
    assert lab.rejected("clean.orders", "_row", "_state") == [
        (2, "open"), (2, "superseded"), (3, "open"),
    ]  # fmt: skip
    assert len(lab.rows("clean.orders", "id")) == 2
    fine(lab.run())  # the rule has gone: what was repaired waits for no second replay
    assert lab.rejected("clean.orders", "_row", "_state") == [
        (2, "open"), (2, "superseded"), (2, "superseded"), (3, "replayed"),
    ]  # fmt: skip
    assert len(lab.rows("clean.orders", "id")) == 3


def test_what_is_handed_back_is_looked_at_first(spark: SparkSession, tmp_path: Path) -> None:
    """Cells that do not fit, rows that nobody knows; as lines of JSON, and as a DataFrame."""
    lab = lab_of(spark, tmp_path)
    fine(lab.run("ingested.orders"))
    lines = [
        {"_file": FILE, "_row": 2, "quantity": "2.5"},
        {"_file": FILE, "_row": 3, "day": "2026-03-01"},
        {"_file": FILE, "_row": 4.0, "price": -4.5},
        {"_file": FILE, "_row": 99, "price": 1},
    ]
    file = tmp_path / "repaired.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    result, done = replay(lab, "ingested.orders", file)
    assert done.taken is not None
    assert done.taken.rows == {"misfit": 1, "corrected": 1, "unchanged": 1, "unknown": 1}
    assert done.taken.misfits == {"quantity": 1}
    assert (done.replayed, done.open, fine(result).runs[0].rows.written) == (1, 2, 3)
    suite = OpenSuite(lab.app())
    rows = suite.quarantine("ingested.orders").where("_row = 2").withColumn("quantity", F.lit(2))
    assert fine(suite.replay("ingested.orders", rows)).runs[0].rows.written == 4
    file.write_text(json.dumps({"_file": FILE, "_row": 4, "prize": 1}))
    with pytest.raises(Usage, match=r"no column 'prize' .did you mean 'price'"):
        replay(lab, "ingested.orders", file)
    file.write_text("\n".join(json.dumps({"_file": FILE, "_row": 4, "price": n}) for n in (1, 2)))
    with pytest.raises(Usage, match="1 records are repaired twice"):
        replay(lab, "ingested.orders", file)
