"""PostgreSQL as a source: increments, deletions, whole databases. One server for all tests here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states, written
from commands import ROOT
from databases import PASSWORD, Server, postgresql

DAY = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
NEXT = DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


def run_at(lab: Lab, moment: datetime, *what: str, **how: Any) -> Any:
    app = lab.app()
    app.lake.clock = lambda: moment
    return app.run(what, **how)


def test_an_increment_brings_each_row_once(
    spark: SparkSession, tmp_path: Path, server: Server
) -> None:
    """Late commits and ties come with the overlap, and nothing that is held comes again."""
    server.do(
        "CREATE TABLE moves (id bigint, at timestamptz, note text)",
        """INSERT INTO moves VALUES (1, '2026-11-20 10:00+00', 'a'),
           (1, '2026-11-20 10:00+00', 'a'), (2, '2026-11-20 11:00+00', '🐢'), (3, NULL, 'never')""",
    )
    source = server.source(increment="at", partition={"column": "at", "parts": 3})
    columns = {"id": "bigint", "at": "timestamp", "note": "string"}
    lab = Lab(spark, tmp_path, {"ingested.moves": {"source": source, "columns": columns}})
    first = entry(fine(run_at(lab, DAY)), "ingested.moves", "2026-11-20")
    assert first.rows.written == 3
    assert "1 row has no at" in first.warnings[0]
    assert run_at(lab, DAY).runs == ()  # nothing new
    server.do(
        "INSERT INTO moves VALUES (4, '2026-11-20 10:30+00', 'committed late')",
        "INSERT INTO moves VALUES (2, '2026-11-20 11:00+00', '🐢')",  # one more, alike
        "INSERT INTO moves VALUES (5, '2026-11-20 11:00+00', 'a tie')",
    )
    second = entry(fine(run_at(lab, DAY)), "ingested.moves", "2026-11-20")
    assert second.rows.written == 6  # the window whole
    server.do("INSERT INTO moves VALUES (6, '2026-11-21 09:00+00', 'new')")
    fine(run_at(lab, NEXT))
    assert lab.rows("ingested.moves", "_window", "id") == [
        ("2026-11-20", 1), ("2026-11-20", 1), ("2026-11-20", 2), ("2026-11-20", 2),
        ("2026-11-20", 4), ("2026-11-20", 5), ("2026-11-21", 6),
    ]  # fmt: skip


def test_deletions_are_found_by_comparing_keys(
    spark: SparkSession, tmp_path: Path, server: Server
) -> None:
    server.do(
        "CREATE TABLE people (id int PRIMARY KEY, name text)",
        "INSERT INTO people VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    )
    more = {"increment": {"by": "id", "overlap": 10}, "key": "id", "deletes": "keys"}
    lab = Lab(spark, tmp_path, {
        "ingested.people": {"source": server.source(**more)},
        "clean.people": {
            "reads": "ingested.people", "key": ["id"], "latest_by": ["_sequence"],
            "write": "upsert", "deletes": "_op = 'delete'",
        },
    })  # fmt: skip
    fine(run_at(lab, DAY))
    server.do("DELETE FROM people WHERE id IN (1, 3)", "UPDATE people SET name = 'bb' WHERE id = 2")
    server.do("INSERT INTO people VALUES (4, 'd')")
    fine(run_at(lab, NEXT))
    assert lab.rows("clean.people", "id", "name") == [(2, "bb"), (4, "d")]
    server.do("INSERT INTO people VALUES (3, 'c')")  # as it was before
    fine(run_at(lab, NEXT))
    assert lab.rows("clean.people", "id", "name") == [(2, "bb"), (3, "c"), (4, "d")]
    told = lab.rows("ingested.people", "_window", "id", "_op")
    assert told == [
        ("2026-11-20", 1, "insert"), ("2026-11-20", 2, "insert"), ("2026-11-20", 3, "insert"),
        ("2026-11-21", 1, "delete"), ("2026-11-21", 2, "update"), ("2026-11-21", 3, "delete"),
        ("2026-11-21", 3, "insert"), ("2026-11-21", 4, "insert"),
    ]  # fmt: skip


def test_types_come_as_they_are(spark: SparkSession, tmp_path: Path, server: Server) -> None:
    server.do(
        """CREATE TABLE kinds (id int, n numeric, d numeric(10,2), u uuid, j jsonb, a int[],
           ta text[], tz timestamptz, ts timestamp, da date, b bool, c char(4), by bytea,
           t text)""",
        r"""INSERT INTO kinds VALUES (1, 1.25, 1.5, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
            '{"a": [1]}', '{1,2}', '{"x","y,z"}', '2026-07-02 03:04:05.6+02', '2026-07-02 03:04:05',
            '2026-07-02', true, 'ab', '\x00ff', 'żółw 🐢')""",
        "INSERT INTO kinds (id, n, tz) VALUES (2, 'NaN', 'infinity')",
    )
    tables = {"ingested.kinds": {"source": server.source(), "max_rejected": "50%"}}
    lab = Lab(spark, tmp_path, tables)
    assert entry(run_at(lab, DAY), "ingested.kinds", "2026-11-20").rows.written == 1
    rows = lab.read("ingested.kinds")
    (row,) = rows.collect()
    assert (row["n"], row["d"], row["a"], row["ta"]) == (
        Decimal("1.25"), Decimal("1.50"), [1, 2], ["x", "y,z"],
    )  # fmt: skip
    assert (row["u"], json.loads(row["j"]), row["c"], row["t"], row["b"]) == (
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", {"a": [1]}, "ab", "żółw 🐢", True,
    )  # fmt: skip
    assert row["by"] == bytearray(b"\x00\xff")
    (told,) = rows.selectExpr("string(tz)", "string(ts)", "string(da)").collect()
    assert tuple(told) == ("2026-07-02 01:04:05.6", "2026-07-02 03:04:05", "2026-07-02")
    assert lab.rejected("ingested.kinds", "_reasons") == [
        (["n: not a decimal(38,18)", "tz: not a timestamp"],)
    ]


def test_a_database_as_a_whole_and_a_column_that_comes_and_goes(
    spark: SparkSession, tmp_path: Path, server: Server
) -> None:
    server.do(
        "CREATE SCHEMA small",
        f"GRANT USAGE ON SCHEMA small TO {'reader'}",
        "CREATE TABLE small.a (id int, gone text)",
        "CREATE TABLE small.b (id int, at date)",
        "INSERT INTO small.a VALUES (1, 'x')",
        "INSERT INTO small.b VALUES (1, '2026-01-01')",
    )
    file = {
        "source": server.source(),
        "tables": ["small.a", "small.b"],
        "each": {
            "b": {"source": {"jdbc": {"increment": "at"}}, "columns": {"id": "int", "at": "date"}}
        },
    }
    lab = Lab(spark, tmp_path, {"ingested.small": file})
    result = fine(run_at(lab, DAY))
    assert {one.table: one.rows.written for one in result.runs} == {
        "ingested.a": 1, "ingested.b": 1,
    }  # fmt: skip
    server.do("ALTER TABLE small.a DROP COLUMN gone", "ALTER TABLE small.a ADD COLUMN come bigint")
    server.do(
        "ALTER TABLE small.b RENAME COLUMN id TO ident", "INSERT INTO small.b VALUES (2, now())"
    )
    result = run_at(lab, NEXT)
    assert states(result, "ingested.a") == {"2026-11-21": "published"}
    assert lab.rows("ingested.a", "_window", "gone", "come") == [
        ("2026-11-20", "x", None), ("2026-11-21", None, None),
    ]  # fmt: skip
    blocked = entry(result, "ingested.b", "2026-11-21")
    assert (blocked.exit_code, blocked.status) == (11, "blocked")
    assert "'id' is missing and 'ident' is new: was it renamed?" in str(blocked.message)
    server.do("ALTER TABLE small.b RENAME COLUMN ident TO id")
    fine(run_at(lab, NEXT))  # no row was lost meanwhile
    assert lab.rows("ingested.b", "id") == [(1,), (2,)]


def test_rows_are_counted_on_both_sides_and_contracts_against_the_live_database(
    spark: SparkSession, tmp_path: Path, server: Server
) -> None:
    server.do("CREATE TABLE live (ident bigint, at date, price numeric(8,2))")
    dice = "SELECT g FROM generate_series(1, (random() * 1000000)::int) AS g"
    lab = Lab(spark, tmp_path, {
        "ingested.dice": {"source": server.source(query=dice), "columns": {"g": "int"}},
        "ingested.live": {
            "source": server.source(),
            "columns": {"ID": {"type": "int", "from": "id"}, "price": "decimal(8,2)"},
        },
        "ingested.fine": {
            "source": server.source(table="live"), "columns": {"ident": "int", "at": "date"},
        },
        "ingested.file": {
            "source": {"files": "a/{window}.csv"}, "columns": {"id": "int", "day": "date"},
        },
    })  # fmt: skip
    lab.file("a/2026-11-20.csv", ("id", "day", "new"), [(1, "2026-01-01", 1), ("x", "y", 2)])
    dice_run = entry(run_at(lab, DAY, "ingested.dice"), "ingested.dice", "2026-11-20")
    assert dice_run.exit_code == 20
    assert "came over, and the database counts" in str(dice_run.message)
    assert not list((tmp_path / "raw" / "_reads" / "dice").rglob("*.parquet"))
    found = {one.table: one for one in lab.app().sources()}
    assert (found["ingested.live"].code, found["ingested.fine"].code) == (11, 0)
    assert "'id' is missing and 'ident' is new: was it renamed?" in found["ingested.live"].fault
    assert found["ingested.fine"].said == (
        "price: not in the contract, kept in _rescued", "ident: int in the contract, bigint there",
    )  # fmt: skip
    assert found["ingested.file"].said == (
        "new: not in the contract, kept in _rescued",
        "day: not a date: 1 records", "id: not a int: 1 records",
    )  # fmt: skip


@pytest.mark.faults
def test_killed_at_any_point_no_row_is_lost_or_doubled(
    spark: SparkSession, tmp_path: Path, server: Server
) -> None:
    server.do("CREATE TABLE steps (id int PRIMARY KEY)", "INSERT INTO steps VALUES (1), (2)")
    tables = {"ingested.steps": {"source": server.source(increment="id"), "columns": {"id": "int"}}}
    written(tmp_path, tables)
    for place, point in enumerate(("pinned", "pinned:2", "committed")):
        killed = _typed(tmp_path, {"HEADGATE_STOP_AT": point})
        assert killed.returncode < 0, (point, killed.stderr)
        server.do(f"INSERT INTO steps VALUES ({10 * place + 10})")  # noqa: S608 - a number
    done = _typed(tmp_path, {})
    assert done.returncode == 0, done.stdout + done.stderr
    done = _typed(tmp_path, {})
    assert done.returncode == 0, done.stdout + done.stderr
    lab = Lab(spark, tmp_path, tables)
    assert lab.rows("ingested.steps", "id") == [(1,), (10,), (2,), (20,), (30,)]
    for file in tmp_path.rglob("*"):
        if file.is_file() and "conf" not in file.parts:
            assert PASSWORD.encode() not in file.read_bytes(), file


def _typed(folder: Path, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "HEADGATE_LOG": "error", **more}
    return subprocess.run(
        [sys.executable, "-m", "headgate", "run"], cwd=folder, env=env, capture_output=True,
        text=True, timeout=600, check=False, start_new_session=True,
    )  # fmt: skip
