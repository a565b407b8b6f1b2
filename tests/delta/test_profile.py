"""What a table's columns look like: counted in one pass, and nothing told of private ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, ingested_orders
from headgate.core.errors import Usage
from headgate.doors.profiling import plain, profile_sheet

COLUMNS = ("id", "sku", "country", "quantity", "price", "note", "email", "updated")
DAYS = ("2026-11-01", "2026-11-02")
TABLES: dict[str, dict[str, Any]] = {
    "ingested.orders": ingested_orders(COLUMNS),
    "clean.orders": {
        "reads": "ingested.orders",
        "privacy": {"email": "mask"},
        "steps": [{"derive": {"reply_to": "email"}}],
    },
    "marts.sales": {
        "reads": {"orders": "clean.orders"},
        "period": {"column": "updated", "grain": "day"},
        "measures": {"orders": "count(*)"},
    },
}


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    made = Lab(spark, tmp_path_factory.mktemp("profile"), TABLES)
    for at, day in enumerate(DAYS):
        rows = [
            (n, f"S{n:03d}", "DE" if n < 30 else "FR", 1 + n % 4, f"{n}.25", None,
             f"p{n}@example.org", f"{day} 10:00:00")
            for n in range(at * 100, at * 100 + 40)
        ]  # fmt: skip
        made.file(f"orders/{day}/a.csv", COLUMNS, rows)
    fine(made.run())
    return made


def test_every_column_in_one_pass(lab: Lab) -> None:
    seen = plain(lab.app().profile("clean.orders", DAYS[0]))
    told = {one["name"]: one for one in seen["columns"]}
    assert (seen["rows"], seen["of"]) == (40, DAYS[0])
    assert told["country"]["top"] == [{"value": "DE", "rows": 30}, {"value": "FR", "rows": 10}]
    assert (told["note"]["nulls"], told["note"]["distinct"], told["note"]["top"]) == (40, 0, [])
    price = told["price"]
    assert (price["type"], price["least"], price["most"]) == ("decimal(10,2)", "0.25", "39.25")
    assert (price["mean"], price["quantiles"]["0.5"]) == (19.75, "19.25")
    assert sum(price["bars"]) == 40
    assert price["bars"][0] in (2, 3)  # sixteen equal stretches
    assert told["updated"]["least"] == f"{DAYS[0]} 10:00:00"
    assert (told["sku"]["least"], told["sku"]["top"]) == ("4", [])  # each value comes once


def test_which_rows_are_looked_at(lab: Lab) -> None:
    app = lab.app()
    assert app.profile("clean.orders").rows == 80
    assert app.profile("clean.orders", as_of=DAYS[0]).rows == 40
    assert app.profile("marts.sales", DAYS[1]).rows == 1
    assert app.profile("clean.orders", "2026-11-09").rows == 0
    assert "no row" in str(profile_sheet(app.profile("clean.orders", "2026-11-09")))
    with pytest.raises(Usage, match="leave out one"):
        app.profile("clean.orders", DAYS[0], as_of=DAYS[0])


def test_no_value_of_a_private_column_is_told(lab: Lab) -> None:
    """Neither of the one that is declared, nor of what a step made of it."""
    seen = lab.app().profile("clean.orders")
    told = {one.name: one for one in seen.columns}
    for name in ("email", "reply_to"):
        assert told[name].private
        assert told[name].distinct
        assert (told[name].least, told[name].top) == (None, ())
    assert "example" not in json.dumps(plain(seen)) + str(profile_sheet(seen))
