"""What arrives: formats, odd names, records that cannot be read, columns that come and go."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states
from headgate.core.contract import FileSource
from headgate.storage.heads import Shape, SourceFile
from headgate.storage.raw import read_files
from headgate.storage.session import reading_session


def _table(pattern: str, kind: str, **more: Any) -> dict[str, Any]:
    columns = {
        "id": "bigint",
        "name": {"type": "string", "from": "Full Name"},
        "price": "decimal(8,2)",
    }
    return {
        "source": {"files": pattern, "format": kind, **more.pop("source", {})},
        "columns": columns,
        "max_rejected": "80%",
        **more,
    }  # fmt: skip


HEADER = b"id,Full Name,price\n"


def test_csv_as_it_comes(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}/*", "csv")})
    lab.content(
        "a/2026-11-01/odd %20 ü#name.csv", HEADER + b'1,"Ann\nLee",1.50\n2,"say ""hi""",2\n'
    )
    lab.content("a/2026-11-01/z.csv.gz", gzip.compress(b"price,id,Full Name\r\n9.00,3,Bo\r\n"))
    lab.content(
        "a/2026-11-02/bom.csv", b"\xef\xbb\xbf" + HEADER + b"4,Cy,4\n5,Di\n6,Eve,6,6\nx,Fay,1.999\n"
    )
    result = lab.run()
    assert states(result, "ingested.a") == {"2026-11-01": "published", "2026-11-02": "published"}
    assert lab.rows("ingested.a", "id", "name", "price", "_row") == [
        (1, "Ann\nLee", Decimal("1.50"), 1),
        (2, 'say "hi"', Decimal("2.00"), 2),
        (3, "Bo", Decimal("9.00"), 1),
        (4, "Cy", Decimal("4.00"), 1),
    ]  # fmt: skip
    kept = {row: list(reasons) for row, reasons in lab.rejected("ingested.a", "_row", "_reasons")}
    assert kept == {
        2: ["the record cannot be read in the table's format"],
        3: ["the record cannot be read in the table's format"],
        4: ["id: not a bigint", "price: not a decimal(8,2)"],
    }
    rows = entry(result, "ingested.a", "2026-11-02").rows
    assert (rows.read, rows.written, rows.quarantined) == (4, 1, 3)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_many_small_files_share_tasks_and_keep_their_numbers(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}/*", kind)})
    expected = []
    for place in range(12):  # more than four times the cores, so that tasks read several
        records = [
            {"id": place * 10 + n, "Full Name": "x", "price": n} for n in range(place % 3 + 1)
        ]
        if kind == "csv":
            text = HEADER.decode() + "".join(f"{r['id']},x,{r['price']}\n" for r in records)
        elif kind == "jsonl":
            text = "".join(json.dumps(record) + "\n" for record in records)
        else:
            text = json.dumps(records)
        day, name = 1 + place % 2, f"{place:02d}.txt"
        lab.content(f"a/2026-11-0{day}/{name}", text.encode())
        expected += [
            (f"2026-11-0{day}", f"a/2026-11-0{day}/{name}", n + 1, record["id"])
            for n, record in enumerate(records)
        ]
    fine(lab.run())
    assert lab.rows("ingested.a", "_window", "_file", "_row", "id") == sorted(expected)


def test_few_tasks_for_many_small_files_and_more_for_large_ones(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}/*", "csv")})
    now, shape = datetime.now(timezone.utc), Shape((("c0", "id"), ("c1", "name")))
    paths = [f"a/2026-11-01/{place:02d}.csv" for place in range(12)]
    for path in paths:
        lab.content(path, b"id,name\n1,x\n")

    def tasks(size: int) -> int:
        chosen = [SourceFile(path, "2026-11-01", now, size) for path in paths]
        source, raw = FileSource(files="a/{window}/*"), lab.app().lake.raw
        rows, _ = read_files(reading_session(spark), raw, chosen, source, shape, ["id", "name"])
        return rows.rdd.getNumPartitions()

    assert tasks(size=30) == 4 * spark.sparkContext.defaultParallelism == 8
    assert tasks(size=100 << 20) == 10


def test_json_lines_and_documents(spark: SparkSession, tmp_path: Path) -> None:
    tables = {
        "ingested.lines": _table("lines/{window}.jsonl", "jsonl"),
        "ingested.whole": _table("whole/{window}.json", "json"),
    }
    lab = Lab(spark, tmp_path, tables)
    records = [
        {"id": 1, "Full Name": "Ann", "price": 1.5},
        {"id": "2", "Full Name": "Bo", "price": "2.00", "extra": {"a": [1]}},
        {"id": 3.5, "Full Name": "Cy", "price": None},
    ]
    text = "\n\n".join(json.dumps(record) for record in records) + "\n{broken\n"
    lab.content("lines/2026-11-01.jsonl", text.encode())
    lab.content("whole/2026-11-01.json", json.dumps(records, indent=1).encode())
    fine(lab.run())
    for table in tables:
        assert lab.rows(table, "id", "name", "price", "_rescued", "_row") == [
            (1, "Ann", Decimal("1.50"), None, 1),
            (2, "Bo", Decimal("2.00"), '{"extra":"{\\"a\\":[1]}"}', 2),
        ]
    assert [row for (row,) in lab.rejected("ingested.lines", "_row")] == [3, 4]
    assert [row for (row,) in lab.rejected("ingested.whole", "_row")] == [3]


def test_parquet_of_two_shapes(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}/*/*.parquet", "parquet")})
    for day, kind in (("2026-11-01", "int"), ("2026-11-02", "string")):
        made = spark.sql(f"SELECT CAST(7 AS {kind}) AS id, 'Ann' AS `Full Name`, 1.5D AS price")
        made.write.parquet(str(lab.raw / "a" / day / "part"))
    fine(lab.run())
    assert lab.rows("ingested.a", "_window", "id", "price", "_row") == [
        ("2026-11-01", 7, Decimal("1.50"), 1),
        ("2026-11-02", 7, Decimal("1.50"), 1),
    ]


def test_what_was_rescued_can_be_used_and_stays_with_the_ingested_row(
    spark: SparkSession, tmp_path: Path
) -> None:
    tables = {
        "ingested.a": _table("a/{window}.csv", "csv"),
        "clean.a": {
            "reads": "ingested.a",
            "steps": [{"derive": {"note": "get_json_object(_rescued, '$.note')"}}],
            "key": ["id"],
        },
    }
    lab = Lab(spark, tmp_path, tables)
    lab.content("a/2026-11-01.csv", b"id,Full Name,price,note\n1,Ann,1,hello\n")
    fine(lab.run())
    assert lab.rows("clean.a", "id", "note") == [(1, "hello")]
    own = [name for name in lab.read("clean.a").columns if name.startswith("_")]
    assert sorted(own) == ["_file", "_ingested_at", "_row", "_window"]


def test_columns_that_come_and_go(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}.csv", "csv")})
    lab.content("a/2026-11-01.csv", b"id,Full Name,price,note\n1,Ann,1,hello\n2,Bo,2,\n")
    lab.content("a/2026-11-02.csv", b"id,FullName,price\n1,Ann,1\n")
    result = lab.run()
    assert result.exit_code == 11
    assert states(result, "ingested.a") == {"2026-11-01": "published", "2026-11-02": "blocked"}
    message = entry(result, "ingested.a", "2026-11-02").message or ""
    assert "'Full Name' is missing and 'FullName' is new: was it renamed?" in message
    assert lab.rows("ingested.a", "id", "_rescued") == [(1, '{"note":"hello"}'), (2, None)]
    added = lab.having(
        {"ingested.a": _table("a/{window}.csv", "csv", on_change={"new_column": "add"})}
    )
    added.run(rebuild=True)
    assert added.rows("ingested.a", "id", "note") == [(1, "hello"), (2, None)]


def test_the_same_content_keeps_its_first_moment(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}.csv", "csv")})
    lab.content("a/2026-11-01.csv", HEADER + b"1,Ann,1\n")
    fine(lab.run())
    first = lab.rows("ingested.a", "_ingested_at")
    lab.content("a/2026-11-01.csv", HEADER + b"1,Ann,1\n")  # written again, nothing new in it
    assert lab.app().plan() == []
    fine(lab.run("ingested.a", force=True))
    assert lab.rows("ingested.a", "_ingested_at") == first
