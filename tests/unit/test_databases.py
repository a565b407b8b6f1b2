"""Databases as sources, as far as no server is needed: how they are written, and their faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders import written
from headgate.conf import read_suite
from headgate.conf.reading import suite_from
from headgate.core.addresses import address
from headgate.core.errors import Misconfigured
from headgate.core.spec import Ingested
from headgate.storage.databases import cut

SECRET = "s3cret&word"
ADDRESS = f"mysql://ann:{SECRET}@db/shop"


def faults(tables: dict[str, Any]) -> list[str]:
    with pytest.raises(Misconfigured) as error:
        suite_from(tables, raw="raw", lake="lake", environ={})
    found = [str(fault).removeprefix("<python> ingested.orders.") for fault in error.value.faults]
    assert SECRET not in str(found)
    return found


@pytest.mark.parametrize(
    ("text", "jdbc"),
    [
        ("mariadb://db/shop", "jdbc:mysql://db/shop?permitMysqlScheme=true&tinyInt1isBit=false"),
        ("jdbc:mysql://db:1/a?tinyInt1isBit=true",
         "jdbc:mysql://db:1/a?tinyInt1isBit=false&permitMysqlScheme=true"),
        ("postgres://db,other:5433/shop?user=u&password=p&sslmode=require",
         "jdbc:postgresql://db,other:5433/shop?sslmode=require"),
        ("jdbc:postgresql://[::1]:5432/shop", "jdbc:postgresql://[::1]:5432/shop"),
    ],
    ids=["mariadb", "ours wins", "user apart", "ipv6"],
)  # fmt: skip
def test_addresses_are_made_right(text: str, jdbc: str) -> None:
    assert address(text).jdbc == jdbc


def test_nothing_that_is_shown_holds_the_secret() -> None:
    tables = {"ingested.orders": {"source": {"jdbc": {"url": ADDRESS, "password": SECRET}}}}
    table = suite_from(tables, raw="raw", lake="lake").tables["ingested.orders"]
    assert isinstance(table, Ingested)
    assert table.database is not None
    assert SECRET not in f"{table!r} {table.database} {address(ADDRESS)!r}"


@pytest.mark.parametrize(
    ("jdbc", "more", "expected"),
    [
        ({"url": f"oracle://ann:{SECRET}@db/x"}, {},
         ["source.jdbc.url: no driver is known for 'oracle': write mysql://HOST:3306/DATABASE or "
          "postgresql://HOST:5432/DATABASE"]),
        ({"url": f"mysql:{SECRET}"}, {},
         ["source.jdbc.url: is no address of a database: write mysql://HOST:3306/DATABASE or "
          "postgresql://HOST:5432/DATABASE"]),
        ({"url": ADDRESS, "table": "a", "query": "SELECT 1"}, {},
         ["source.jdbc.query: stands beside 'table': one of them"]),
        ({"url": ADDRESS, "increment": {"by": "id", "overlap": "soon"}}, {},
         ["source.jdbc.increment.overlap: must be a stretch of time such as '1 hour', or a number, "
          "not 'soon'"]),
        ({"url": ADDRESS, "increment": "id", "deletes": "keys"}, {},
         ["source.jdbc.deletes: needs 'key': the columns by which rows are compared"]),
        ({"url": ADDRESS, "pasword": SECRET}, {},
         ["source.jdbc.pasword: unknown key 'pasword' (did you mean 'password'?)"]),
        ({"url": ADDRESS}, {"window_by": "id", "columns": {"id": "date"}},
         ["window_by: the window of rows of a database is when they were read"]),
    ],
    ids=["driver", "no address", "table and query", "overlap", "key", "slip", "window_by"],
)  # fmt: skip
def test_faults_say_where_and_no_secret(
    jdbc: dict[str, Any], more: dict[str, Any], expected: list[str]
) -> None:
    assert faults({"ingested.orders": {"source": {"jdbc": jdbc}, **more}}) == expected


def test_a_file_brings_several_tables(tmp_path: Path) -> None:
    each = {"b": {"columns": {"id": "int"}, "source": {"jdbc": {"increment": "id"}}}}
    file = {"source": {"jdbc": ADDRESS}, "tables": ["public.a", "b"], "each": each}
    suite = read_suite(
        written(tmp_path, {"ingested.shop": file, "clean.b": {"reads": "ingested.b"}})
    )
    assert set(suite.tables) == {"ingested.a", "ingested.b", "clean.b"}
    a, b = suite.tables["ingested.a"], suite.tables["ingested.b"]
    assert isinstance(a, Ingested)
    assert isinstance(b, Ingested)
    assert a.database is not None
    assert b.database is not None
    assert (a.database.table, a.database.increment, a.left_to_database) == ("public.a", None, True)
    assert (b.database.table, b.left_to_database) == ("b", False)
    slip = {**file, "each": {"c": {}}}
    with pytest.raises(Misconfigured) as error:
        read_suite(written(tmp_path, {"ingested.shop": slip}))
    (fault,) = error.value.faults
    assert (fault.line > 1, fault.what) == (True, "is not among 'tables'")


def test_parts_cover_a_range_without_gaps() -> None:
    assert cut("-5", "5", 4) == ["-3", "0", "2"]
    assert cut("2026-01-01 00:00:00.5+00", "2026-01-01 04:00:00+00", 2) == [
        "2026-01-01 02:00:00+00"
    ]
    assert cut("3", "4", 8) == ["3"]
