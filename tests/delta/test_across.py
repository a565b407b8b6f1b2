"""Rules that hold rows against other tables: what they reject, and when windows are due again."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fates, fine, states
from headgate.conf.typed import rule_typed
from headgate.core.across import EXISTS_IN as EXISTS
from headgate.core.across import FRESH, SUM
from headgate.core.across import ROW_COUNT as COUNT
from headgate.core.errors import Usage
from headgate.stages.examples import outcome

SHOPS = ("shop", "street", "day", "gone")
SALES = ("id", "shop", "street", "other")
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")


def tables(*quality: Mapping[str, Any], **sales: Any) -> dict[str, dict[str, Any]]:
    """Sales in shops that the chain has."""
    return {
        "ingested.shops": {
            "source": {"files": "shops/{window}/*.csv"},
            "columns": {"shop": "int", "street": "string", "day": "date", "gone": "int"},
        },
        "clean.shops": {
            "reads": "ingested.shops",
            "key": ["shop", "street"],
            "latest_by": ["day"],
            "write": "upsert",
            "deletes": "gone = 1",
        },
        "ingested.sales": {
            "source": {"files": "sales/{window}/*.csv"},
            "columns": {"id": "bigint", "shop": "bigint", "street": "string", "other": "bigint"},
        },
        "clean.sales": {
            "reads": "ingested.sales",
            "quality": list(quality),
            "max_rejected": 1,
            **sales,
        },
    }


BY_SHOP = {EXISTS: {"column": "shop", "table": "clean.shops"}}
BY_PLACE = {EXISTS: {"column": ["shop", "street"], "table": "clean.shops"}}
OTHER = {EXISTS: {"column": "other", "table": "clean.shops", "key": "shop"}, "severity": "warning"}


def told(result: Any, table: str = "clean.sales") -> dict[str, str]:
    """Why each window ran."""
    return {entry.window[-2:]: entry.status for entry in result.runs if entry.table == table}


def why(lab: Lab, table: str = "clean.sales") -> dict[str, str]:
    """What is due of a table, by day."""
    return {one.window[-2:]: one.why for one in lab.app().plan([table]) if one.runs}


OTHER_WRITTEN = f"{EXISTS}: {{column: other, table: clean.shops, key: shop}}"


def test_windows_are_due_where_keys_make_a_difference(spark: SparkSession, tmp_path: Path) -> None:
    """Shops open, move and close."""
    lab = Lab(spark, tmp_path, tables(BY_SHOP, BY_PLACE, OTHER))
    # Shop 1 is in two streets: twice the key of a rule that looks at one column only.
    open_ = [(1, "A", DAYS[0], 0), (1, "B", DAYS[0], 0), (2, "A", DAYS[0], 0)]
    lab.file(f"shops/{DAYS[0]}/a.csv", SHOPS, open_)
    sales = [(1, 1, "A", 1), (2, 2, "A", None), (3, None, "A", 2), (4, 2, None, 2)]
    lab.file(f"sales/{DAYS[0]}/a.csv", SALES, sales)
    lab.file(f"sales/{DAYS[1]}/a.csv", SALES, [(5, 1, "B", 1), (6, 3, "A", 1), (7, 2, "B", 3)])
    lab.file(f"sales/{DAYS[2]}/a.csv", SALES, [(8, 2, "A", 3)])
    result = fine(lab.run())
    assert fates(result, "clean.sales") == {
        DAYS[0]: (4, 0, 4, 0, 0, 0, 0),  # a null names no shop, and no key multiplies a row
        DAYS[1]: (3, 0, 1, 2, 0, 0, 0),
        DAYS[2]: (1, 0, 1, 0, 0, 0, 0),
    }  # fmt: skip
    exists = f"{EXISTS}: "
    by_shop = exists + "{column: shop, table: clean.shops}"
    by_place = exists + "{column: [shop, street], table: clean.shops}"
    assert lab.rejected("clean.sales", "_window", "_reasons") == [
        (DAYS[1], [by_place]), (DAYS[1], [by_shop, by_place]),
    ]  # fmt: skip
    counted = lab.ops("checks", "window", "rule", "unexpected", "total")
    found = {(window, rule): (broken, judged) for window, rule, broken, judged in counted}
    assert found[DAYS[2], OTHER_WRITTEN] == (1, 1)
    inputs = {r.window: dict(r.inputs) for r in lab.app().runs(["clean.sales"])}
    assert {one["clean.shops"] for one in inputs.values()} == {
        lab.app().lake.version("clean.shops")
    }
    assert why(lab) == {}
    # A shop is told again: no key comes or goes, and nothing is due.
    lab.file(f"shops/{DAYS[1]}/a.csv", SHOPS, [(2, "A", DAYS[1], 0)])
    fine(lab.run("+clean.shops"))
    assert why(lab) == {}
    # Shop 3 opens in A: the second day lacked it, and so did the third, for a warning.
    lab.file(f"shops/{DAYS[1]}/b.csv", SHOPS, [(3, "A", DAYS[1], 0)])
    fine(lab.run("+clean.shops"))
    assert why(lab) == dict.fromkeys(("02", "03"), "other keys of clean.shops")
    result = fine(lab.run())
    assert told(result) == {"02": "published", "03": "published"}
    assert lab.rows("clean.sales", "id")[-1] == (8,)
    assert (6,) in lab.rows("clean.sales", "id")
    assert why(lab) == {}
    # What the first day does not lack does not touch it, nor what others lack still.
    lab.file(f"shops/{DAYS[2]}/a.csv", SHOPS, [(4, "C", DAYS[2], 0)])
    fine(lab.run("+clean.shops"))
    assert set(why(lab)) == {"02"}
    fine(lab.run())
    # Shop 2 closes: whoever may have named it is judged again.
    lab.file(f"shops/{DAYS[2]}/b.csv", SHOPS, [(2, "A", DAYS[2], 1)])
    fine(lab.run("+clean.shops"))
    assert set(why(lab)) == {"01", "02", "03"}
    result = fine(lab.run())
    assert fates(result, "clean.sales")[DAYS[2]] == (1, 0, 0, 1, 0, 0, 0)
    assert lab.rows("clean.sales", "id") == [(1,), (3,), (5,), (6,)]
    assert why(lab) == {}
    # And none of that is otherwise than on a lake that knew it from the start.
    anew = lab.on("anew")
    fine(anew.run())
    assert anew.rows("clean.sales", "id") == lab.rows("clean.sales", "id")


def test_a_rule_across_tables_is_looked_at_from_all_sides(
    spark: SparkSession, tmp_path: Path
) -> None:
    """Run without the other table, tried, previewed, followed, and on rows of an example."""
    lab = Lab(spark, tmp_path, tables(BY_PLACE))
    lab.file(f"shops/{DAYS[0]}/a.csv", SHOPS, [(1, "A", DAYS[0], 0), (2, "A", DAYS[0], 0)])
    lab.file(f"sales/{DAYS[0]}/a.csv", SALES, [(1, 1, "A", 1), (2, 2, "B", 2), (3, 3, None, 3)])
    fine(lab.run("ingested.sales"))
    result = lab.run("clean.sales", window=DAYS[0])
    assert result.exit_code == 12
    said = "clean.shops has never been published, and rules of clean.sales look at it"
    assert said in result.errors[0]
    assert "headgate run +clean.shops" in result.errors[0]
    fine(lab.run("+clean.sales"))
    app = lab.app()
    assert {e["clean.shops"] for e in (r.inputs for r in app.runs(["clean.sales"]))} == {0}
    one = rule_typed(f"{EXISTS}: {{column: shop, table: clean.shops}}")
    trial = app.try_rule("clean.sales", one)
    (window,) = trial.windows
    assert (window.judged, window.broken, window.rejected) == (3, 1, 1)
    seen = app.preview("clean.sales", DAYS[0], quality=[{**BY_SHOP, "row_condition": "id < 3"}])
    assert (seen.rows.quarantined, seen.status) == (0, "published")
    misspelt = {EXISTS: {"column": "shop", "table": "clean.shop"}}
    with pytest.raises(Usage, match=r"unknown table 'clean.shop' \(did you mean 'clean.shops'"):
        app.preview("clean.sales", DAYS[0], quality=[misspelt])
    unlike = rule_typed(f"{EXISTS}: {{column: street, table: clean.shops, key: shop}}")
    with pytest.raises(Usage, match=r"'street' is string and clean.shops.shop is int: cast one"):
        app.try_rule("clean.sales", unlike)
    (life,) = app.why("clean.sales", "id = 2").found
    ended = life.passages[-1]
    assert (ended.end, ended.why) == (
        "rejected", f"{EXISTS}: {{column: [shop, street], table: clean.shops}}",
    )  # fmt: skip
    given = {
        "sales": [{"id": 1, "shop": 7, "street": "C"}, {"id": 2, "shop": 8, "street": "C"}],
        "shops": [{"shop": 7, "street": "C"}, {"shop": 7, "street": "C"}],
    }
    found = outcome(spark, app.suite, app.suite.tables["clean.sales"], given)
    assert [row["id"] for row in found.written] == [1]
    assert [row["id"] for row in found.rejected] == [2]
    assert found.rows.read == 2


TOTALS: dict[str, dict[str, Any]] = {
    "ingested.control": {
        "source": {"files": "control/{window}.csv"},
        "columns": {"rows": "int", "total": "decimal(10,2)"},
    },
    "ingested.lines": {
        "source": {"files": "lines/{window}.csv"},
        "columns": {"id": "bigint", "at": "timestamp", "amount": "decimal(10,2)"},
        "quality": [
            {COUNT: {"other_table_name": "ingested.control", "other_column": "rows"}},
            {SUM: {"column": "amount", "other_table_name": "ingested.control",
                   "other_column": "total", "tolerance": 0.5}},
        ],
    },
    "clean.lines": {
        "reads": "ingested.lines",
        "quality": [
            {COUNT: {"other_table_name": "ingested.lines"}},
            {FRESH: {"table": "ingested.control", "within": "1 day"}},
        ],
    },
    "marts.amounts": {
        "reads": {"lines": "clean.lines"},
        "period": {"column": "at", "grain": "month"},
        "measures": {"amount": "sum(amount)"},
        "quality": [{SUM: {"column": "amount", "other_table_name": "clean.lines"}}],
    },
}  # fmt: skip
LINES = ("id", "at", "amount")
CONTROL = ("rows", "total")


def test_totals_agree_with_another_table(spark: SparkSession, tmp_path: Path) -> None:
    """A control file is a table; what it says of a day may come late."""
    lab = Lab(spark, tmp_path, TOTALS)
    for place, day in enumerate(DAYS):
        rows = [(place * 2 + n, f"{day} 10:00:00", f"{n}.50") for n in (1, 2)]
        lab.file(f"lines/{day}.csv", LINES, rows)
    lab.file(f"control/{DAYS[0]}.csv", CONTROL, [(2, "4.10")])  # near enough
    lab.file(f"control/{DAYS[1]}.csv", CONTROL, [(3, "4.00")])
    result = lab.run("ingested")
    assert states(result, "ingested.lines") == {
        DAYS[0]: "published", DAYS[1]: "blocked", DAYS[2]: "blocked",
    }  # fmt: skip
    said = {one.window: one.message or "" for one in result.runs if one.table == "ingested.lines"}
    assert "row_count 2, ingested.control has 3" in said[DAYS[1]]
    assert "sum(amount)" not in said[DAYS[1]]
    assert "sum(amount) 4, ingested.control has 0" in said[DAYS[2]]
    assert why(lab, "ingested.lines") == {}
    lab.file(f"control/{DAYS[1]}.csv", CONTROL, [(2, "4.00")])
    fine(lab.run("ingested.control"))
    assert why(lab, "ingested.lines") == {"02": "other totals of ingested.control"}
    assert states(lab.run("ingested"), "ingested.lines") == {DAYS[1]: "published"}
    # One window alone is judged as several are.
    lab.file(f"control/{DAYS[2]}.csv", CONTROL, [(2, "4.00")])
    fine(lab.run("ingested"))
    fine(lab.run())
    assert lab.rows("marts.amounts", "amount") == [(Decimal("12.00"),)]
    checks = lab.ops("checks", "table", "rule", "success", "found")
    assert ("marts.amounts", f"{SUM}: {{column: amount, other_table_name: clean.lines}}", True,
            "12, clean.lines has 12") in checks  # fmt: skip


def test_a_table_is_fresh_enough_or_not(spark: SparkSession, tmp_path: Path) -> None:
    rules = {"clean.lines": {**TOTALS["clean.lines"], "reads": "ingested.lines"}}
    plain = {name: {**keys, "quality": []} for name, keys in TOTALS.items()}
    lab = Lab(spark, tmp_path, {**plain, **rules})
    for day in DAYS:
        lab.file(f"lines/{day}.csv", LINES, [(1, f"{day} 10:00:00", "1.00")])
    lab.file(f"control/{DAYS[0]}.csv", CONTROL, [(1, "1.00")])
    result = lab.run("+clean.lines")
    assert states(result, "clean.lines") == {
        DAYS[0]: "published", DAYS[1]: "published", DAYS[2]: "blocked",
    }  # fmt: skip
    told = entry(result, "clean.lines", DAYS[2]).message or ""
    assert "freshness(ingested.control) 48 hours before, allowed 1 day" in told
    lab.file(f"control/{DAYS[1]}.csv", CONTROL, [(1, "1.00")])
    result = fine(lab.run("+clean.lines"))
    assert states(result, "clean.lines") == {DAYS[2]: "published"}
    assert why(lab, "clean.lines") == {}
