"""Rejected rows leave the hands of Headgate: exported, told to their supplier, set aside."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, ingested_orders, private
from headgate.app import App
from headgate.core.errors import Held, Usage
from headgate.doors.quarantine import letter
from headgate.stages.exporting import exported, records_of
from headgate.stages.settling import Choice
from headgate.storage.files import files_for
from headgate.storage.lease import acquire

DAYS = ("2026-11-01", "2026-11-02")
COLUMNS = ("id", "country", "quantity", "price")
NOT_NULL = "expect_column_values_to_not_be_null: {column: country}"
POSITIVE = "price is positive: price > 0"


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    """Two days, of each a value that is no number, a missing one, and one with two faults."""
    rules: list[Any] = [
        {"expect_column_values_to_not_be_null": {"column": "country"}},
        {"row": {"price is positive": "price > 0"}},
    ]
    contract = ingested_orders(COLUMNS, quality=rules, max_rejected=0.9)
    contract["columns"]["country"] = {"type": "string", "from": "Land", "nulls": [""]}
    lab = Lab(spark, tmp_path, {"ingested.orders": contract})
    header = ("id", "Land", "quantity", "price")
    for day in DAYS:
        rows = [(1, "DE", 2, "3"), (2, "a,b", "many", "3"), (3, "", 1, "2"), (4, "", 1, "-1.50")]
        lab.file(f"orders/{day}/a.csv", header, rows)
    fine(lab.run())
    return lab


def states(lab: Lab) -> Counter[tuple[str, str]]:
    return Counter(lab.rejected("ingested.orders", "_window", "_state"))


def test_rows_are_exported_with_their_types_reasons_and_origin(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = lab.app()
    table, file = app.named("ingested.orders"), tmp_path / "bad.csv"
    assert exported(app.lake, table, DAYS[:1], "open", str(file)) == 3
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [(r["id"], r["country"], r["quantity"], r["price"], r["_row"]) for r in rows] == [
        ("2", "a,b", "", "3.00", "2"), ("3", "", "1", "2.00", "3"), ("4", "", "1", "-1.50", "4"),
    ]  # fmt: skip
    assert [r["_reasons"] for r in rows] == [
        "quantity: not a int", NOT_NULL, f"{NOT_NULL}; {POSITIVE}",
    ]  # fmt: skip
    with pytest.raises(Usage, match="there is a file already"):
        exported(app.lake, table, None, "open", str(file))
    place = str(tmp_path / "bad")
    assert exported(app.lake, table, None, "open", place) == 6
    made = lab.spark.read.format("delta").load(place)
    assert dict(made.dtypes)["price"] == "decimal(10,2)"
    with pytest.raises(Usage, match="there is something already"):
        exported(app.lake, table, None, "open", place)
    app = App(private(app.suite, "ingested.orders", "country"), lab.spark)
    hidden = tmp_path / "hidden.csv"
    monkeypatch.delenv("HEADGATE_KEY_MAIN")  # whoever has the key repairs these rows
    exported(app.lake, app.named("ingested.orders"), None, "open", str(hidden))
    assert "a,b" not in hidden.read_text()
    assert "many" not in hidden.read_text()  # nor the record as it came


def test_a_letter_to_the_supplier_speaks_of_their_records(lab: Lab) -> None:
    app = lab.app()
    table: Any = app.named("ingested.orders")
    told = list(letter(records_of(app.lake, table, DAYS[1:], "open"), "orders"))
    assert told[4:] == [
        "orders/2026-11-02/a.csv",
        "-----------------------",
        "record 2: quantity is not a whole number",
        "    id=2, Land=a,b, quantity=many, price=3",
        "record 3: Land is missing",
        "    id=3, Land=, quantity=1, price=2",
        "record 4: Land is missing; against the rule: price is positive",
        "    id=4, Land=, quantity=1, price=-1.50",
    ]
    assert "There are none." in list(letter(records_of(app.lake, table, None, "expired"), "orders"))


def test_rows_are_dismissed_for_a_reason_which_is_on_record(lab: Lab) -> None:
    choice = Choice("dismissed", "they know", windows=DAYS[:1], reason=POSITIVE)
    assert lab.app().settle([], choice) == {"ingested.orders": {DAYS[0]: 1}}
    assert states(lab) == {(DAYS[0], "open"): 2, (DAYS[0], "dismissed"): 1, (DAYS[1], "open"): 3}
    assert lab.ops("decisions", "table", "window", "state", "rows", "reason", "because") == [
        ("ingested.orders", DAYS[0], "dismissed", 1, POSITIVE, "they know")
    ]
    assert lab.app().settle([], choice) == {}
    # A window that runs again leaves what was dismissed, and rejects its rows anew.
    fine(lab.run(window=DAYS[0], force=True))
    assert states(lab) == {
        (DAYS[0], "superseded"): 2, (DAYS[0], "dismissed"): 1, (DAYS[0], "open"): 3,
        (DAYS[1], "open"): 3,
    }  # fmt: skip


def test_rows_expire_by_the_day_of_their_window(lab: Lab) -> None:
    choice = Choice("expired", "old", before=date(2026, 11, 2))
    assert lab.app().settle(["ingested"], choice) == {"ingested.orders": {DAYS[0]: 3}}
    assert states(lab) == {(DAYS[0], "expired"): 3, (DAYS[1], "open"): 3}


def test_no_row_is_set_aside_while_a_run_holds_the_table(lab: Lab) -> None:
    files = files_for(str(lab.lake), lab.spark)
    lease = acquire(files, "ingested.orders", run="other")
    try:
        with pytest.raises(Held):
            lab.app().settle([], Choice("dismissed", "they know"))
    finally:
        lease.release(clean=True)
    assert set(states(lab)) == {(day, "open") for day in DAYS}
    assert not (lab.lake / "ops" / "decisions").exists()
