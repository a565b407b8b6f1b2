"""Change data of Debezium and DMS: what happened to each row, in order, up to the clean table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from builders import Lab, entry, fates, fine

COLUMNS = {"id": "int", "name": "string"}
DAY, NEXT = "2026-11-01", "2026-11-02"
CLEAN: dict[str, Any] = {
    "key": ["id"],
    "write": "upsert",
    "latest_by": ["_sequence"],
    "deletes": "_op IN ('delete', 'truncate')",
}


def _event(op: str, lsn: int, before: Any = None, after: Any = None) -> dict[str, Any]:
    source = {"lsn": lsn, "ts_ms": 1_793_527_200_000, "table": "t"}
    return {"op": op, "before": before, "after": after, "source": source, "ts_ms": 1}


def _row(id: int, name: str | None = None) -> dict[str, Any]:
    return {"id": id, "name": name}


def _lines(*events: Any) -> bytes:
    return "".join(json.dumps(event) + "\n" for event in events).encode()


def test_debezium(spark: SparkSession, tmp_path: Path) -> None:
    source = {"files": "z/{window}/*", "format": "debezium", "key": ["id"]}
    tables = {
        "ingested.z": {"source": source, "columns": COLUMNS, "max_rejected": "50%"},
        "clean.z": {"reads": "ingested.z", **CLEAN},
    }
    lab = Lab(spark, tmp_path, tables)
    first = [
        _event("r", 9, after=_row(1, "Ann")),
        {"schema": {"type": "struct"}, "payload": _event("c", 10, after=_row(2, "Bo"))},
        {"key": {"id": 3}, "value": _event("c", 11, after=_row(3, "Cy"))},
        _event("u", 13, before=_row(1, "Ann"), after=_row(1, "Anna")),
        _event("u", 12, before=None, after=_row(1, "An")),  # it stands later, and is older
        _event("d", 14, before=_row(2)),
        None,  # the tombstone that follows a deletion
        {"key": {"id": 2}, "value": None},
        {"status": "BEGIN", "id": "7:1", "event_count": None},
        {"source": {}, "databaseName": "d", "ddl": "ALTER TABLE t", "tableChanges": []},
        {"ts_ms": 1},
        _event("x", 15, after=_row(9)),
        _event("d", 16),  # which row it was is not told
    ]
    lab.content(f"z/{DAY}/a.json", _lines(*first) + b"{broken\n")
    result = fine(lab.run())
    found = lab.rows("ingested.z", "_row", "_op", "id", "name")
    assert found == [
        (1, "insert", 1, "Ann"), (2, "insert", 2, "Bo"), (3, "insert", 3, "Cy"),
        (4, "update", 1, "Anna"), (5, "update", 1, "An"), (6, "delete", 2, None),
    ]  # fmt: skip
    assert [row for (row,) in lab.rejected("ingested.z", "_row")] == [12, 13, 14]
    #                              read  added written quarantined dedup filtered withheld
    assert fates(result, "ingested.z") == {DAY: (14, 0, 6, 3, 0, 5, 0)}
    in_order = [row for _, row in lab.rows("ingested.z", "_sequence", "_row")]
    assert in_order == [1, 2, 3, 5, 4, 6]
    assert lab.rows("clean.z", "id", "name") == [(1, "Anna"), (3, "Cy")]

    moved = [
        _event("u", 21, before=_row(3, "Cy"), after=_row(4, "Cy")),
        _event("u", 22, before=_row(4, "Cy"), after=_row(4, "Cyd")),
        _event("t", 30),
    ]
    lab.content(f"z/{NEXT}/b.json", _lines(*moved))
    result = fine(lab.run())
    rows = entry(result, "ingested.z", NEXT).rows
    assert (rows.read, rows.added, rows.written) == (3, 1, 4)
    changes = lab.read("ingested.z").where(f"_window = '{NEXT}'").orderBy("_sequence")
    assert [tuple(row) for row in changes.select("_op", "id", "name").collect()] == [
        ("delete", 3, "Cy"), ("insert", 4, "Cy"), ("update", 4, "Cyd"),
        ("truncate", None, None),
    ]  # fmt: skip
    # What a truncate emptied is not known here.
    assert lab.rows("clean.z", "id", "name") == [(1, "Anna"), (4, "Cyd")]


def test_dms(spark: SparkSession, tmp_path: Path) -> None:
    stamped = {"header": True, "timestampColumnName": "at"}
    tables: dict[str, dict[str, Any]] = {
        "ingested.named": {
            "source": {"files": "n/{window}/*.csv", "format": "dms", "options": stamped},
            "columns": COLUMNS,
        },
        "ingested.bare": {
            "source": {
                "files": "b/{window}/*.csv", "format": "dms",
                "options": {"header": False, "timestampColumnName": "at"},
            },
            "columns": COLUMNS,
            "max_rejected": "50%",
        },
        "ingested.parquet": {
            "source": {"files": "p/{window}/**/*.parquet", "format": "dms"}, "columns": COLUMNS,
        },
        "clean.named": {"reads": "ingested.named", **CLEAN},
    }  # fmt: skip
    lab = Lab(spark, tmp_path, tables)
    lab.content(f"n/{DAY}/LOAD00000001.csv", b"at,id,name\n2026-11-01 09:00:00,1,Ann\n"
                b"2026-11-01 09:00:00,2,Bo\n")  # fmt: skip
    # By its name this file would come before the load.
    lab.content(f"n/{DAY}/20261101-100000.csv", b"Op,at,id,name\nU,2026-11-01 10:00:00,1,Anna\n"
                b"D,2026-11-01 10:00:01,2,Bo\nI,2026-11-01 10:00:02,3,Cy\n")  # fmt: skip
    lab.content(f"b/{DAY}/LOAD00000001.csv", b"2026-11-01 09:00:00,1,Ann\n")
    lab.content(f"b/{DAY}/20261101.csv", b"I,2026-11-01 10:00:00,2,Bo\nX,2026-11-01 10:00:01,3,C\n")
    changes = spark.sql("SELECT * FROM VALUES ('I', 1, 'Ann'), ('D', 1, 'Ann') AS t(Op, id, name)")
    changes.coalesce(1).write.parquet(str(lab.raw / "p" / DAY / "changes"))
    result = fine(lab.run())
    assert lab.rows("ingested.named", "_sequence", "_op", "id", "_rescued") == [
        (f"0/2026-11-01 09:00:00/n/{DAY}/LOAD00000001.csv/000000000001", "insert", 1, None),
        (f"0/2026-11-01 09:00:00/n/{DAY}/LOAD00000001.csv/000000000002", "insert", 2, None),
        (f"1/2026-11-01 10:00:00/n/{DAY}/20261101-100000.csv/000000000001", "update", 1, None),
        (f"1/2026-11-01 10:00:01/n/{DAY}/20261101-100000.csv/000000000002", "delete", 2, None),
        (f"1/2026-11-01 10:00:02/n/{DAY}/20261101-100000.csv/000000000003", "insert", 3, None),
    ]
    assert lab.rows("clean.named", "id", "name") == [(1, "Anna"), (3, "Cy")]
    assert lab.rows("ingested.bare", "_op", "id", "name") == [
        ("insert", 1, "Ann"), ("insert", 2, "Bo"),
    ]  # fmt: skip
    assert lab.rejected("ingested.bare", "_reasons") == [(["_op: an operation that is not known"],)]
    assert lab.rows("ingested.parquet", "_row", "_op", "id") == [(1, "insert", 1), (2, "delete", 1)]
    assert entry(result, "ingested.parquet", DAY).rows.read == 2
