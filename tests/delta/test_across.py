"""Rules that hold rows against other tables: what they reject, and when windows are due again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fates, fine

EXISTS = "expect_column_values_to_exist_in"
SHOPS = ("shop", "street", "opened")
SALES = ("id", "shop", "street", "other")
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")


def tables(*quality: Mapping[str, Any], **sales: Any) -> dict[str, dict[str, Any]]:
    """Sales in shops that the chain has."""
    return {
        "ingested.shops": {
            "source": {"files": "shops/{window}/*.csv"},
            "columns": {"shop": "int", "street": "string", "opened": "date"},
        },
        "clean.shops": {
            "reads": "ingested.shops",
            "key": ["shop", "street"],
            "latest_by": ["opened"],
            "write": "upsert",
            "deletes": "opened IS NULL",
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


class TestWindows:
    """One lake, on which shops open, move and close."""

    @pytest.fixture(scope="class")
    def lab(self, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lab:
        lab = Lab(spark, tmp_path_factory.mktemp("across"), tables(BY_SHOP, BY_PLACE, OTHER))
        # Shop 1 is in two streets: twice the key of a rule that looks at one column only.
        lab.file(
            f"shops/{DAYS[0]}/a.csv",
            SHOPS,
            [(1, "A", DAYS[0]), (1, "B", DAYS[0]), (2, "A", DAYS[0])],
        )
        lab.file(
            f"sales/{DAYS[0]}/a.csv",
            SALES,
            [(1, 1, "A", 1), (2, 2, "A", None), (3, None, "A", 2), (4, 2, None, 2)],
        )
        lab.file(f"sales/{DAYS[1]}/a.csv", SALES, [(5, 1, "B", 1), (6, 3, "A", 1), (7, 2, "B", 3)])
        lab.file(f"sales/{DAYS[2]}/a.csv", SALES, [(8, 2, "A", 3)])
        return lab

    def test_life(self, lab: Lab) -> None:
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
        # The street is renamed in no row's key: nothing is due.
        lab.file(f"shops/{DAYS[1]}/a.csv", SHOPS, [(2, "A", DAYS[1])])
        fine(lab.run("+clean.shops"))
        assert why(lab) == {}
        # Shop 3 opens in A: the second day lacked it, and so did the third, for a warning.
        lab.file(f"shops/{DAYS[1]}/b.csv", SHOPS, [(3, "A", DAYS[1])])
        fine(lab.run("+clean.shops"))
        assert why(lab) == dict.fromkeys(("02", "03"), "other keys of clean.shops")
        result = fine(lab.run())
        assert told(result) == {"02": "published", "03": "published"}
        assert lab.rows("clean.sales", "id")[-1] == (8,)
        assert (6,) in lab.rows("clean.sales", "id")
        assert why(lab) == {}
        # What the first day does not lack does not touch it, nor what others lack still.
        lab.file(f"shops/{DAYS[2]}/a.csv", SHOPS, [(4, "C", DAYS[2])])
        fine(lab.run("+clean.shops"))
        assert set(why(lab)) == {"02"}
        fine(lab.run())
        # Shop 2 closes: whoever may have named it is judged again.
        lab.file(f"shops/{DAYS[2]}/b.csv", SHOPS, [(2, "A", None)])
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


OTHER_WRITTEN = f"{EXISTS}: {{column: other, table: clean.shops, key: shop}}"
