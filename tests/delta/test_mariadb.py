"""MariaDB as a source: snapshots, types, and what goes wrong. One server for all tests here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states, written
from databases import PASSWORD, Server, mariadb
from headgate.app import App
from headgate.conf import read_suite
from headgate.core.results import Result

TODAY = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with mariadb() as running:
        yield running


def app_at(lab: Lab, moment: datetime) -> App:
    app = lab.app()
    app.lake.clock = lambda: moment
    return app


def run_at(lab: Lab, moment: datetime, *what: str, **how: Any) -> Result:
    return app_at(lab, moment).run(what, **how)


def test_a_snapshot_is_taken_once_a_window(
    spark: SparkSession, tmp_path: Path, server: Server
) -> None:
    server.do(
        "CREATE TABLE orders (id int PRIMARY KEY, country varchar(5), price decimal(10,2))",
        "INSERT INTO orders VALUES (1, 'DE', 1.50), (2, 'FR', 2), (3, 'NO', 3)",
    )
    lab = Lab(spark, tmp_path, {
        "ingested.orders": {
            "source": server.source(partition={"column": "id", "parts": 2}),
            "columns": {"id": "bigint", "country": "string", "price": "decimal(10,2)"},
            "quality": [{"row": {"price is small": "price < 100"}}],
            "max_rejected": "50%",
        },
    })  # fmt: skip
    (line,) = app_at(lab, TODAY).plan()
    assert (line.window, line.why) == ("2026-11-20", "snapshot of orders")
    first = fine(run_at(lab, TODAY))
    assert entry(first, "ingested.orders", "2026-11-20").rows.written == 3
    server.do("INSERT INTO orders VALUES (4, 'DE', 400)", "DELETE FROM orders WHERE id = 1")
    assert app_at(lab, TODAY).plan() == []  # a snapshot is never read again
    assert states(run_at(lab, TODAY, window="2026-11-20"), "ingested.orders") == {
        "2026-11-20": "unchanged"
    }
    second = run_at(lab, TODAY + timedelta(days=1))
    assert entry(second, "ingested.orders", "2026-11-21").rows.quarantined == 1
    assert lab.rows("ingested.orders", "_window", "id") == [
        ("2026-11-20", 1), ("2026-11-20", 2), ("2026-11-20", 3),
        ("2026-11-21", 2), ("2026-11-21", 3),
    ]  # fmt: skip
    # A changed rule judges the rows again that were read then.
    rule = {"quality": [{"row": {"price is small": "price < 1000"}}]}
    later = lab.having({"ingested.orders": {**lab.tables["ingested.orders"], **rule}})
    fine(run_at(later, TODAY + timedelta(days=1), rebuild=True))
    assert ("2026-11-21", 4) in lab.rows("ingested.orders", "_window", "id")
    missing = run_at(lab, TODAY + timedelta(days=1), window="2026-11-01")
    assert missing.exit_code == 12


def test_a_blocked_snapshot_is_kept_and_taken_anew_by_force(
    spark: SparkSession, tmp_path: Path, server: Server
) -> None:
    server.do("CREATE TABLE stock (id int PRIMARY KEY)", "INSERT INTO stock VALUES (1), (2)")
    few = [{"expect_table_row_count_to_be_between": {"min_value": 3}}]
    table = {"source": server.source(), "columns": {"id": "int"}, "quality": few}
    lab = Lab(spark, tmp_path, {"ingested.stock": table})
    assert run_at(lab, TODAY).exit_code == 10
    server.do("INSERT INTO stock VALUES (3)")
    assert run_at(lab, TODAY, window="2026-11-20").exit_code == 10  # the same rows again
    fine(run_at(lab, TODAY, force=True))
    assert lab.rows("ingested.stock", "id") == [(1,), (2,), (3,)]
    assert app_at(lab, TODAY).plan() == []


def test_types_come_as_they_are(spark: SparkSession, tmp_path: Path, server: Server) -> None:
    server.do(
        "SET sql_mode = ''",
        """CREATE TABLE kinds (id int PRIMARY KEY, t tinyint(1), iu int unsigned,
           bu bigint unsigned, d decimal(65,30), b bit(1), y year, ti time, da date,
           dt datetime(6), ts timestamp(3) NULL, j json, e enum('a','bbb'), c char(5),
           s varchar(20), bl blob)""",
        """INSERT INTO kinds VALUES (1, 2, 4294967295, 18446744073709551615,
           1.000000000000000000000000000001, b'1', 2026, '838:59:59', '2026-01-02',
           '2026-01-02 03:04:05.000006', '2026-07-02 03:04:05.123', '{"a": 1}', 'a', 'x',
           'żółw 🐢', x'00ff')""",
        "INSERT INTO kinds (id, da, dt, ts) VALUES (2, '0000-00-00', '0000-00-00', '0000-00-00')",
    )
    lab = Lab(
        spark, tmp_path, {"ingested.kinds": {"source": server.source(), "max_rejected": "50%"}}
    )
    result = run_at(lab, TODAY)
    assert entry(result, "ingested.kinds", "2026-11-20").rows.written == 1
    (row,) = lab.read("ingested.kinds").collect()
    assert row.asDict() | {"dt": None, "ts": None, "_ingested_at": None, "_file": None} == {
        "id": 1, "t": 2, "iu": 4294967295, "bu": 18446744073709551615,
        "d": "1.000000000000000000000000000001", "b": True, "y": 2026, "ti": "838:59:59",
        "da": date(2026, 1, 2), "dt": None, "ts": None,
        "j": '{"a": 1}', "e": "a", "c": "x", "s": "żółw 🐢", "bl": bytearray(b"\x00\xff"),
        "_row": 1, "_window": "2026-11-20", "_rescued": None, "_ingested_at": None, "_file": None,
    }  # fmt: skip
    moments = [str(row["dt"]), str(row["ts"])]
    assert moments == ["2026-01-02 03:04:05.000006", "2026-07-02 03:04:05.123000"]
    (rejected,) = lab.rejected("ingested.kinds", "_reasons")
    assert rejected[0] == ["da: not a date", "dt: not a timestamp", "ts: not a timestamp"]


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"password": "wrong"}, 20, "does not let this user in"),
        ({"table": "gone"}, 11, "there is no table gone"),
        ({"url": "mysql://127.0.0.1:1/shop"}, 20, "does not answer"),
        ({"query": "SELECT id FROM"}, 2, "does not understand the query"),
        ({"table": "secret"}, 20, "may not read secret"),
        ({"increment": "nothing"}, 11, "column 'nothing' is not in there"),
        ({"increment": {"by": "id", "overlap": "1 hour"}}, 2, "an overlap of 1 hour does not fit"),
    ],
    ids=["password", "table", "host", "query", "rights", "column", "overlap"],
)
def test_what_goes_wrong_is_said_without_secrets(
    changed: dict[str, Any], code: int, said: str,
    spark: SparkSession, tmp_path: Path, server: Server, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    server.do(
        "CREATE TABLE IF NOT EXISTS there (id int)",
        "CREATE DATABASE IF NOT EXISTS other",
        "CREATE TABLE IF NOT EXISTS other.hidden (id int)",
    )
    more = {"table": "there"} if not {"query", "table"} & changed.keys() else {}
    if changed.get("table") == "secret":
        changed, said = {"table": "other.hidden"}, "may not read other.hidden"
    table = {"source": server.source(**{**more, **changed}), "columns": {"id": "int"}}
    lab = Lab(spark, tmp_path, {"ingested.orders": table})
    result = run_at(lab, TODAY)
    assert result.exit_code == code
    (found,) = result.runs
    assert said in str(found.message)
    assert "Next: " in str(found.message)
    told = capfd.readouterr()
    for text in (str(result.shown()), told.out, told.err, *map(str, lab.ops("runs", "*"))):
        assert PASSWORD not in text
        assert "wrong" not in text


def test_all_tables_of_a_database(spark: SparkSession, tmp_path: Path, server: Server) -> None:
    """They are known once the database was asked; before, those that others name."""
    server.do(
        "CREATE TABLE star_a (id int)", "CREATE TABLE `star-b` (id int)",
        "INSERT INTO star_a VALUES (1)", "INSERT INTO `star-b` VALUES (2)",
    )  # fmt: skip
    conf = written(tmp_path, {
        "ingested.every": {"source": server.source(), "tables": "*"},
        "clean.star_a": {"reads": "ingested.star_a"},
    })  # fmt: skip
    env = json.loads((conf / "env/local.yaml").read_text())
    places = {key: str(tmp_path / env[key]) for key in ("raw", "lake")}
    (conf / "env/local.yaml").write_text(json.dumps({**env, **places}))
    assert set(read_suite(conf).tables) == {"ingested.star_a", "clean.star_a"}
    app = App(read_suite(conf), spark)
    fine(app.run(("+clean.star_a", "ingested.star_b")))
    assert [row["id"] for row in app.table("ingested.star_b").collect()] == [2]
    assert [row["id"] for row in app.table("clean.star_a").collect()] == [1]
    # What looks on: a preview, the life of a row, the proof, what the source holds now.
    (window,) = app.lake.history.windows("ingested.star_b")
    assert app.preview("ingested.star_b", window).rows.written == 1
    (life,) = app.why("clean.star_a", "id = 1").found
    assert [passage.end for passage in life.passages] == ["written", "written"]
    proof = app.verify("ingested.star_b")
    assert (proof.rows, proof.surplus, proof.lacking) == (1, (), ())
    server.do("ALTER TABLE `star-b` ADD COLUMN more int")
    (found,) = app.sources(["ingested.star_b"])
    assert (found.code, found.source.startswith("star-b in 127.0.0.1")) == (0, True)
