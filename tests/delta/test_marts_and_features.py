"""Marts and features follow their inputs, slice by slice, and equal a full rebuild."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states
from headgate.conf.documents import read_text
from headgate.conf.nodes import to_python
from headgate.conf.reading import suite_from
from small_shop import ROOT

COLUMNS = ("id", "customer", "amount", "at")
TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv", "format": "csv"},
        "columns": {
            "id": "bigint",
            "customer": "bigint",
            "amount": "decimal(10,2)",
            "at": "timestamp",
        },
    },
    "clean.sales": {"reads": "ingested.sales", "key": ["id"], "latest_by": ["at"]},
    "marts.daily": {
        "reads": {"sales": "clean.sales"},
        "period": {"column": "at", "grain": "day"},
        "measures": {"amount": "sum(amount)", "customers": "count(DISTINCT customer)"},
    },
    "marts.monthly_sql": {
        "reads": {"sales": "clean.sales"},
        "period": {"column": "sales.at", "grain": "month"},
        "sql": "SELECT date_trunc('month', at) AS at, sum(amount) AS amount FROM sales GROUP BY 1",
    },
    "marts.running": {
        "reads": {"sales": "clean.sales"},
        "period": {"column": "sales.at", "grain": "day"},
        "sql": "SELECT DISTINCT to_date(at) AS at,"
        " sum(amount) OVER (ORDER BY to_date(at)) AS amount FROM sales",
    },
    "marts.two_days": {
        "reads": {"sales": "clean.sales"},
        "period": {"column": "at", "grain": "day"},
        "over": {"last": "2 periods"},
        "measures": {"amount": "sum(amount)", "customers": "count(DISTINCT customer)"},
    },
    "marts.to_date": {
        "reads": {"sales": "clean.sales"},
        "period": {"column": "at", "grain": "day"},
        "over": {"to_date": "month"},
        "group_by": ["customer"],
        "measures": {"amount": "sum(amount)", "newest": "max(at)"},
    },
    "features.customer": {
        "entity": {"key": "customer"},
        "as_of": {"every": "day"},
        "reads": {"sales": "clean.sales"},
        "time": "at",
        "features": {
            "sales_2d": {"of": "sales", "measure": "count(*)", "last": "2 days"},
            "spent": {"of": "sales", "measure": "sum(amount)"},
            "recency": {"of": "sales", "measure": "days_since_last"},
        },
        "label": {"gone": {"of": "sales", "measure": "count(*) = 0", "next": "1 day"}},
    },
}

TOWNS: dict[str, dict[str, Any]] = {
    "ingested.customers": {
        "source": {"files": "customers/{window}.csv"},
        "columns": {"customer": "int", "town": "string"},
    },
    "clean.customers": {
        "reads": "ingested.customers", "key": ["customer"], "write": "history", "deletes": "absent",
    },
}  # fmt: skip


def _day(lab: Lab, day: int, rows: list[tuple[Any, ...]], name: str = "a") -> None:
    lab.file(f"sales/2026-11-{day:02d}/{name}.csv", COLUMNS, rows)


def test_late_rows_touch_their_own_periods_only(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    _day(lab, 1, [(1, 7, "10.00", "2026-11-01 08:00:00")])
    _day(lab, 2, [(2, 7, "20.00", "2026-11-02 08:00:00"), (3, 8, "5.00", "2026-11-02 09:00:00")])
    _day(lab, 3, [(4, 8, "1.00", "2026-11-03 09:00:00")])
    fine(lab.run())
    # A row of the first day arrives with the third: the mart of the first day changes.
    _day(lab, 3, [(5, 9, "100.00", "2026-11-01 23:59:59")], "late")
    plan = {(line.table, line.window) for line in lab.app().plan() if line.runs}
    assert ("ingested.sales", "2026-11-03") in plan
    result = fine(lab.run())
    assert set(states(result, "marts.daily")) == {"2026-11-01"}
    assert set(states(result, "marts.monthly_sql")) == {"2026-11"}
    assert set(states(result, "marts.running")) == {"2026-11-01", "2026-11-02", "2026-11-03"}
    assert entry(result, "marts.daily", "2026-11-01").rows.read == 2
    assert [row[1] for row in lab.rows("marts.daily", "at", "amount")] == [
        Decimal("110.00"), Decimal("25.00"), Decimal("1.00"),
    ]  # fmt: skip
    assert [row[1] for row in lab.rows("marts.running", "at", "amount")] == [
        Decimal("110.00"), Decimal("135.00"), Decimal("136.00"),
    ]  # fmt: skip
    # Whoever looks back is touched where its stretch is: two days, or the rest of the month.
    assert set(states(result, "marts.two_days")) == {"2026-11-01", "2026-11-02"}
    assert set(states(result, "marts.to_date")) == {"2026-11-01", "2026-11-02", "2026-11-03"}
    assert entry(result, "marts.two_days", "2026-11-02").rows.read == 4
    assert [row[1:] for row in lab.rows("marts.two_days", "at", "amount", "customers")] == [
        (Decimal("110.00"), 2), (Decimal("135.00"), 3), (Decimal("26.00"), 2),
    ]  # fmt: skip
    assert [row[1:] for row in lab.rows("marts.to_date", "at", "customer", "amount")][-3:] == [
        (7, Decimal("30.00")), (8, Decimal("6.00")), (9, Decimal("100.00")),
    ]  # fmt: skip
    for name in ("marts.two_days", "marts.to_date"):
        assert not lab.app().verify(name).different
    rebuilt = lab.on("again")
    fine(rebuilt.run())
    assert rebuilt.contents() == lab.contents()


def test_a_feature_sees_nothing_after_its_time(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    _day(lab, 1, [(1, 7, "10.00", "2026-11-01 08:00:00")])
    _day(lab, 2, [(2, 8, "5.00", "2026-11-02 09:00:00")])
    _day(lab, 3, [(3, 7, "1.00", "2026-11-03 00:00:00")])
    fine(lab.run("+features.customer"))
    names = ("as_of", "customer", "sales_2d", "spent", "recency", "gone")
    rows = {(row[0].day, row[1]): row[2:] for row in lab.rows("features.customer", *names)}
    assert rows == {
        (2, 7): (1, Decimal("10.00"), 0, True),
        (3, 7): (1, Decimal("10.00"), 1, False),
        (3, 8): (1, Decimal("5.00"), 0, True),
        (4, 7): (1, Decimal("11.00"), 0, None),  # the day that its label looks at is not over
        (4, 8): (1, Decimal("5.00"), 1, None),
    }
    assert lab.rows("features.customer", "as_of")[0][0] == datetime(2026, 11, 2)  # noqa: DTZ001


def test_a_lookup_follows_the_other_table(spark: SparkSession, tmp_path: Path) -> None:
    lookup = {"table": "clean.people", "on": {"customer": "person"}, "take": ["name"]}
    tables = {
        "ingested.sales": TABLES["ingested.sales"],
        "ingested.people": {
            "source": {"files": "people/{window}/*.csv", "format": "csv"},
            "columns": {"person": "bigint", "name": "string"},
        },
        "clean.people": {
            "reads": "ingested.people", "key": ["person"], "latest_by": ["name"], "write": "upsert",
        },
        "clean.sales": {
            "reads": "ingested.sales",
            "steps": [{"lookup": lookup}],
        },
    }  # fmt: skip
    lab = Lab(spark, tmp_path, tables)
    _day(lab, 1, [(1, 7, "10.00", "2026-11-01 08:00:00"), (2, "", "1.00", "2026-11-01 09:00:00")])
    lab.file("people/2026-11-01/p.csv", ("person", "name"), [(7, "Ada"), ("", "Nobody")])
    fine(lab.run())
    assert lab.rows("clean.sales", "id", "name") == [(1, "Ada"), (2, None)]
    lab.file("people/2026-11-02/p.csv", ("person", "name"), [(7, "Bea")])
    result = fine(lab.run())
    assert states(result, "clean.sales") == {"2026-11-01": "published"}
    assert lab.rows("clean.sales", "id", "name") == [(1, "Bea"), (2, None)]


def _read(body: str) -> Any:
    """A file of a page as Headgate reads it: `on` is a text."""
    node = read_text(body, "docs/marts.md", [])
    assert node is not None
    return to_python(node)


def test_the_marts_of_the_page_on_marts(spark: SparkSession, tmp_path: Path) -> None:
    """Their measures, from the page as it stands."""
    text = (ROOT / "docs/marts.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```yaml\n# conf/(\w+)/(\w+)\.yaml\n(.*?)^```$", text, re.M | re.S)
    tables = {f"{layer}.{name}": _read(body) for layer, name, body in shown}
    placed = tables.pop("clean.placed")
    columns = {
        "id": "int", "customer": "int", "country": "string", "sku": "string",
        "amount": "decimal(10,2)", "at": "timestamp",
    }  # fmt: skip
    tables["ingested.sales"] = {"source": {"files": "sales/{window}.csv"}, "columns": columns}
    lab = Lab(spark, tmp_path, tables)
    lab.file("sales/2026-01-31.csv", list(columns), [
        (1, 7, "DE", "a", "0.10", "2026-01-31 08:00:00"),
        (2, 7, "DE", "b", "20.20", "2026-01-31 09:00:00"),
        (3, 8, "DE", "c", "0.30", "2026-01-31 09:00:00"),
        (4, 9, "FR", "d", "5.00", "2026-01-31 10:00:00"),
    ])  # fmt: skip
    lab.file(
        "sales/2026-02-01.csv", list(columns), [(5, 7, "DE", "e", "1.00", "2026-02-01 08:00:00")]
    )
    fine(lab.run())
    (row,) = lab.read("marts.by_day").where("country = 'DE' AND at = '2026-01-31'").collect()
    assert (row["revenue"], row["customers"], row["customers_about"]) == (Decimal("20.60"), 2, 2)
    assert row["median"] == pytest.approx(0.3)
    assert (row["first_sku"], row["last_sku"]) == ("a", "c")
    assert float(row["per_customer"]) == pytest.approx(10.3)
    assert row["dear"] == pytest.approx(1 / 3)
    assert [tuple(one) for one in row["best"]] == [(Decimal("20.20"), "b"), (Decimal("0.30"), "c")]
    assert lab.rows("marts.two_days", "revenue", "customers") == [
        (Decimal("25.60"), 3), (Decimal("26.60"), 3),
    ]  # fmt: skip
    found = {
        (row[0].month, row[1]): row[2]
        for row in lab.rows("marts.year_to_date", "at", "country", "revenue")
    }
    assert found == {
        (1, "DE"): Decimal("20.60"), (1, "FR"): Decimal("5.00"),
        (2, "DE"): Decimal("21.60"), (2, "FR"): Decimal("5.00"),
    }  # fmt: skip
    assert len(lab.rows("marts.by_month", "at", "country")) == 3
    people = {**TOWNS, "clean.placed": placed}
    assert suite_from({**tables, **people}, raw=lab.raw, lake=lab.lake, root=tmp_path).tables
