"""A person is erased from every layer, and a second look at all that lies on disk proves it."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from builders import Lab, fates, fine
from headgate.core.errors import InputMissing, Usage
from headgate.stages.erasing import Wish
from headgate.storage.remains import Remains
from headgate.storage.repaired import given_at

TOKEN = {"privacy": "tokenise"}
TABLES: dict[str, Any] = {
    "ingested.customers": {
        "source": {"files": "customers/{window}.csv"},
        "columns": {
            "customer_id": {"type": "bigint", **TOKEN},
            "email": {"type": "string", **TOKEN},
            "name": {"type": "string", "privacy": "encrypt"},
            "country": "string",
        },
    },
    "ingested.orders": {
        "source": {"files": "orders/{window}.csv"},
        "columns": {
            "order_id": "bigint",
            "customer_id": {"type": "bigint", "from": "Customer ID", **TOKEN},
            "amount": "decimal(10,2)",
            "note": "string",
            "day": "date",
        },
        "max_rejected": 0.9,
    },
    "clean.customers": {
        "reads": "ingested.customers", "key": "customer_id", "latest_by": "_window",
        "write": "upsert",
    },
    "clean.orders": {
        "reads": "ingested.orders",
        "quality": [{"row": {"positive": "amount > 0"}}],
        "max_rejected": 0.9,
    },
    "marts.spent": {
        "reads": {"orders": "clean.orders"},
        "period": {"column": "day", "grain": "day"},
        "group_by": ["customer_id"],
        "measures": {"spent": "sum(amount)"},
    },
}  # fmt: skip
BOUGHT: dict[str, Any] = {
    "features.bought": {
        "entity": {"key": ["customer_id", "order_id"]}, "reads": {"orders": "clean.orders"},
        "time": "day", "features": {"spent": {"measure": "sum(amount)"}},
        "format": {
            "kind": "ratings", "user": "customer_id", "item": "order_id", "rating": "spent",
        },
    },
}  # fmt: skip
CUSTOMERS = ("customer_id", "email", "name", "country")
ORDERS = ("order_id", "Customer ID", "amount", "note", "day")
DAYS = ("2026-11-01", "2026-11-02")
PLANTED = ("zorro", "90417")  # of the person: in mail, name and notes, and in the key


def lab_of(spark: SparkSession, folder: Path, tables: dict[str, Any] = TABLES) -> Lab:
    """A lake of two days; one person is on the first, in accepted and rejected rows."""
    lab = Lab(spark, folder, tables)
    for at, day in enumerate(DAYS):
        people = [(n, f"c{n}@x.de", f"N{n}", "DE") for n in range(1, 6)]
        orders: list[tuple[Any, ...]] = [(10 * at + n, n, n, f"note {n}", day) for n in range(1, 6)]
        if at == 0:
            people.insert(2, (90417, "zorro@x.de", '"zorro,\n"', "NO"))
            orders.insert(1, (10 * at + 7, 90417, 5, "for zorro", day))
            orders.insert(4, (10 * at + 8, 90417, -5, "back from zorro", day))
            orders.insert(4, (10 * at + 9, 90417, "much", "of zorro", day))
        lab.file(f"customers/{day}.csv", CUSTOMERS, people)
        lab.file(f"orders/{day}.csv", ORDERS, orders)
    fine(lab.run())
    return lab


def texts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file below a folder as text, what is in columns of Parquet too."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix == ".parquet":
            yield path, str(pq.read_table(io.BytesIO(path.read_bytes())).to_pylist())
        elif path.is_file():
            yield path, path.read_bytes().decode("utf-8", "replace")


def traces(lab: Lab, *more: str) -> list[str]:
    """The files that tell of the person."""
    words = (*PLANTED, *more)
    return [
        str(path.relative_to(lab.folder))
        for root in (lab.raw, lab.lake)
        for path, text in texts(root)
        if any(word in text for word in words)
    ]


def test_nothing_is_left_in_any_layer_and_nobody_comes_back(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = lab_of(spark, tmp_path, {**TABLES, **BOUGHT})
    file = lab.raw / "orders/2026-11-01.csv"
    old = file.read_bytes()
    mine = lab.read("clean.customers").where("country = 'NO'")
    ((token, sealed),) = mine.select("customer_id", "name").collect()
    plan = lab.app().erase("clean.customers", "customer_id = 90417", Wish())
    assert plan.proof is None
    assert {one.place: one.rows for one in plan.spots} == {
        "ingested.customers": 1, "ingested.orders": 2, "clean.customers": 1, "clean.orders": 1,
        "marts.spent": 1, "the store of clean.customers": 1,
        "features.bought": 2, "the ids of features.bought": 1,
        "the quarantine of ingested.orders": 1, "the quarantine of clean.orders": 1,
        "raw files of ingested.customers": 1, "raw files of ingested.orders": 3,
    }  # fmt: skip
    assert token in str([text for _, text in texts(lab.lake)])
    made = lab.app().erase("clean.customers", "customer_id = 90417", Wish(yes=True))
    assert made.proof is not None
    assert made.proof.holds, made.proof
    assert not made.left
    assert not [one.message for one in made.runs if one.exit_code]
    assert traces(lab, token, sealed) == []
    assert not lab.app().plan()
    # The number that was theirs stays, and is nobody's.
    assert [
        who for who, _ in lab.ops("ids/features.bought/customer_id", "customer_id", "_id")
    ].count(None) == 1
    for name in ("ingested.orders", "clean.customers", "features.bought"):
        verified = lab.app().verify(name)
        assert not verified.different, (name, verified)
        assert not verified.skipped
    # Whoever restores a raw file does not bring the person back, and every row has its fate.
    file.write_bytes(old)
    result = fine(lab.run("ingested.orders"))
    assert fates(result, "ingested.orders")["2026-11-01"] == (8, 0, 5, 0, 0, 3, 0)
    assert [path for path in traces(lab, token) if not path.startswith("raw")] == []


SMALL: dict[str, Any] = {
    "ingested.orders": {
        "source": {"files": "orders/{window}.csv"},
        "columns": {"id": "bigint", "who": "string", "amount": "int"},
        "quality": [{"expect_table_row_count_to_be_between": {"min_value": 3}}],
        "max_rejected": 0.9,
    },
    "clean.orders": {
        "reads": "ingested.orders", "steps": [{"rename": {"who": "person"}}], "key": "person",
        "write": "history",
    },
}  # fmt: skip


def small(spark: SparkSession, folder: Path, tables: dict[str, Any] = SMALL) -> Lab:
    lab = Lab(spark, folder, tables)
    rows: list[tuple[Any, ...]] = [(1, "anna", 5), (2, "zorro", 6), (3, "bodo", 7)]
    rows += [(4, "zorro", 8, "what is this"), (5, "anna", 9, "and this")]  # cannot be read
    lab.file("orders/2026-11-01.csv", ("id", "who", "amount"), rows)
    fine(lab.run())
    return lab


@pytest.mark.slow
def test_what_breaks_off_goes_on_and_the_proof_sees_what_is_left(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an id, which means the person; without raw files; with a gate that closes then."""
    lab = small(spark, tmp_path)
    (lab.raw / "orders/2026-11-01.csv").unlink()

    def broken(self: Remains, **_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Remains, "cut", broken)
    wish, app = Wish(yes=True), lab.app()
    with pytest.raises(KeyboardInterrupt):
        app.erase("clean.orders", "amount + 0 = 6", wish)
    assert not app.plan()
    assert lab.rows("clean.orders", "person") == [("anna",), ("bodo",)]
    assert "zorro" not in (lab.lake / "ops/erasing").iterdir().__next__().read_text()
    # Nobody has 6 any more, and still it is known who was meant; older files are found.
    monkeypatch.setattr(Remains, "cut", lambda *_, **__: None)
    proof = lab.app().erase("clean.orders", "amount + 0 = 6", wish).proof
    assert proof is not None
    told = "\n".join(proof.found)
    assert "data files of" in told
    assert "_delta_log/00000000000000000000.json" in told
    monkeypatch.undo()
    proof = lab.app().erase("clean.orders", "amount + 0 = 6", wish).proof
    assert proof is not None
    assert proof.holds, proof
    assert [path for path, text in texts(lab.lake) if "zorro" in text] == []
    assert not list((lab.lake / "ops/erasing").iterdir())
    assert lab.app().erase("clean.orders", "amount + 0 = 6", wish).before
    with pytest.raises(InputMissing, match="nobody"):
        lab.app().erase("clean.orders", "person = 'nemo'", wish)
    with pytest.raises(Usage, match="unknown column 'persn'"):
        lab.app().erase("clean.orders", "persn = 'anna'", wish)


def test_a_key_of_ones_own_is_forgotten_with_its_person(
    spark: SparkSession, tmp_path: Path
) -> None:
    columns = {
        "id": "bigint",
        "who": {"type": "string", "privacy": "tokenise"},
        "amount": {"type": "int", "privacy": {"encrypt": {"per": "who"}}},
    }
    table = {**SMALL["ingested.orders"], "columns": columns, "quality": []}
    lab = small(spark, tmp_path, {"ingested.orders": table})
    rows = [(4, "anna", 5), (5, "zorro", 5), (6, None, 5)]
    lab.file("orders/2026-11-02.csv", ("id", "who", "amount"), rows)
    fine(lab.run())
    held = dict(lab.rows("ingested.orders", "id", "amount"))
    assert held[1] == held[4]  # of one person
    assert len({held[4], held[5], held[6]}) == 3  # of others, and of nobody
    plain = lab.app().revealed("ingested.orders").select("id", "amount").collect()
    assert dict(map(tuple, plain)) == {1: "5", 2: "6", 3: "7", 4: "5", 5: "5", 6: "5"}
    assert not lab.app().verify("ingested.orders").different
    backup = tmp_path / "backup"
    shutil.copytree(lab.lake / "ingested", backup)
    proof = lab.app().erase("ingested.orders", "who = 'zorro'", Wish(yes=True)).proof
    assert proof is not None
    assert proof.holds, proof
    assert dict(lab.rows("ingested.orders", "id", "amount")) == {
        1: held[1], 3: held[3], 4: held[4], 6: held[6],
    }  # fmt: skip
    shutil.rmtree(lab.lake / "ingested")
    shutil.copytree(backup, lab.lake / "ingested")
    plain = lab.app().revealed("ingested.orders").select("id", "amount").collect()
    assert dict(map(tuple, plain)) == {1: "5", 2: None, 3: "7", 4: "5", 5: None, 6: "5"}


REPAIRED: dict[str, Any] = {
    "ingested.orders": {
        "source": {"files": "orders/{window}.csv"},
        "columns": {"id": "bigint", "who": "bigint", "amount": "int"},
        "max_rejected": 0.9,
    },
    "clean.orders": {
        "reads": "ingested.orders", "quality": [{"row": {"positive": "amount > 0"}}],
        "max_rejected": 0.9,
    },
}  # fmt: skip


@pytest.mark.slow
def test_what_was_repaired_of_others_stays_repaired(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, REPAIRED)
    rows = [(1, 1, 1), (2, 90417, "x"), (3, 3, "y"), (4, "9o417", 4), (5, 90417, -5), (6, 6, -6)]
    lab.file("orders/2026-11-01.csv", ("id", "who", "amount"), rows)
    fine(lab.run())
    mended = tmp_path / "mended.jsonl"
    for table, cells in (
        ("ingested.orders", {2: {"amount": "22"}, 3: {"amount": "33"}, 4: {"who": "90417"}}),
        ("clean.orders", {5: {"amount": "55"}, 6: {"amount": "66"}}),
    ):
        told = [{"_file": "orders/2026-11-01.csv", "_row": n, **c} for n, c in cells.items()]
        mended.write_text("\n".join(map(json.dumps, told)))
        result, done = lab.app().replay(table, given_at(spark, str(mended)))
        assert done.replayed == len(cells), result
    fine(lab.run())
    assert sorted(lab.rows("clean.orders", "id", "amount")) == [
        (1, 1), (2, 22), (3, 33), (4, 4), (5, 55), (6, 66),
    ]  # fmt: skip
    mended.unlink()

    made = lab.app().erase("ingested.orders", "who = 90417", Wish(yes=True))

    assert made.proof is not None
    assert made.proof.holds, made.proof
    assert {one.place: one.rows for one in made.spots if one.kind == "corrections"} == {
        "what was repaired of ingested.orders": 1
    }
    assert not lab.app().plan()
    assert sorted(lab.rows("clean.orders", "id", "amount")) == [(1, 1), (3, 33), (6, 66)]
    assert lab.rejected("ingested.orders", "_state") == [("replayed",)]
    assert traces(lab) == []
    for name in REPAIRED:
        assert not lab.app().verify(name).different, name
