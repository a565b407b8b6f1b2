"""Files that cannot be read: set aside with their reason, told, and taken in once they can be."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states
from headgate.core.errors import HeadgateError

HEADER = b"id,name\n"
COLUMNS = {"id": "bigint", "name": "string"}


def _table(pattern: str, kind: str = "csv", **more: Any) -> dict[str, Any]:
    return {"source": {"files": pattern, "format": kind}, "columns": COLUMNS, **more}


def _ledger(lab: Lab, table: str) -> dict[str, tuple[str, str]]:
    """What the ledger says last of each file."""
    rows = sorted(lab.ops("files", "seen_at", "table", "file", "state", "reason"))
    return {file: (state, why) for _, name, file, state, why in rows if name == table}


def test_one_bad_file_costs_neither_its_window_nor_the_others(
    spark: SparkSession, tmp_path: Path
) -> None:
    tables = {"ingested.a": _table("a/{window}/*"),
              "ingested.p": _table("p/{window}/*", "parquet")}  # fmt: skip
    lab = Lab(spark, tmp_path, tables)
    long = gzip.compress(HEADER + b"".join(b"%d,n\n" % n for n in range(5_000)))
    bad = {
        "empty.csv": (b"", "the file is empty (0 bytes)"),
        "picture.csv": (b"\x89PNG\r\n\x1a\n\x00\x00", "the file is binary, not text"),
        "twice.csv": (b"id,name,id\n1,n,1\n", "the header names 'id' twice"),
        "case.csv": (b"Id,ID,name\n1,1,n\n", "its columns 'Id' and 'ID' differ only in case"),
        "other.csv": (b"sku,price\n1,2\n", "it has none of the contract's columns"),
        "bytes.csv": (b"id,n\xe4me\n1,n\n", "the header holds bytes that are not utf-8"),
        "plain.csv.bz2": (HEADER + b"1,n\n", "the file is not bzip2, as its name says"),
        "cut.csv.gz": (long[: len(long) // 2], "it is damaged or cut off"),
    }
    for name, (content, _) in bad.items():
        lab.content(f"a/2026-11-01/{name}", content)
    lab.content("a/2026-11-01/folder.csv/part-0.csv", HEADER + b"7,n\n")
    bad["folder.csv"] = (b"", "it is a folder")
    lab.content("a/2026-11-01/good.csv", HEADER + b"1,Ann\n")
    lab.content("a/2026-11-02/good.csv", HEADER + b"2,Bo\n")
    lab.content("a/2026-11-03/only.csv", b"")
    spark.sql("SELECT 1L AS id, 'n' AS name").coalesce(1).write.parquet(str(tmp_path / "made"))
    (made,) = (tmp_path / "made").glob("*.parquet")
    whole = made.read_bytes()
    lab.content("p/2026-11-01/good.parquet", whole)
    lab.content("p/2026-11-01/short.parquet", whole[:-9])
    lab.content("p/2026-11-01/spoilt.parquet", whole[:4] + b"\7" * (len(whole) - 8) + whole[-4:])

    result = lab.run()
    assert result.exit_code == 11
    assert states(result, "ingested.a") == {
        "2026-11-01": "published", "2026-11-02": "published", "2026-11-03": "blocked",
    }  # fmt: skip
    assert lab.rows("ingested.a", "_window", "id") == [("2026-11-01", 1), ("2026-11-02", 2)]
    assert lab.rows("ingested.p", "id") == [(1,)]
    told = entry(result, "ingested.a", "2026-11-01").warnings
    ledger = _ledger(lab, "ingested.a")
    for name, (_, said) in bad.items():
        path = f"a/2026-11-01/{name}"
        (line,) = [line for line in told if line.startswith(f"{path} was set aside: ")]
        assert said in line
        assert "headgate run ingested.a" in line
        assert ledger[path][0] == "set aside"
        assert said in ledger[path][1]
    assert ledger["a/2026-11-01/good.csv"] == ("taken", "new file a/2026-11-01/good.csv")
    assert entry(result, "ingested.a", "2026-11-02").warnings == ()
    assert len(entry(result, "ingested.p", "2026-11-01").warnings) == 2
    alerts = [text for text, severity in lab.ops("alerts", "text", "severity")
              if severity == "warning"]  # fmt: skip
    assert sorted(alerts) == sorted((*told, *entry(result, "ingested.p", "2026-11-01").warnings))
    assert lab.app().plan() == []

    lab.content("a/2026-11-01/empty.csv", HEADER + b"3,Cy\n")  # it was sent again
    lab.content("a/2026-11-03/only.csv", HEADER + b"4,Di\n")
    assert lab.app().preview("ingested.a", "2026-11-01").rows.written == 2
    again = fine(lab.run())
    assert states(again, "ingested.a") == {"2026-11-01": "published", "2026-11-03": "published"}
    assert [row for (row,) in lab.rows("ingested.a", "id")] == [1, 2, 3, 4]
    assert len(entry(again, "ingested.a", "2026-11-01").warnings) == len(bad) - 1
    assert _ledger(lab, "ingested.a")["a/2026-11-01/empty.csv"][0] == "taken"


def test_a_file_that_was_read_and_is_spoilt_now_holds_its_windows(
    spark: SparkSession, tmp_path: Path
) -> None:
    columns = {"day": "date", "id": "int"}
    table = {"source": {"files": "d/*"}, "columns": columns, "window_by": "day"}
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}/*"), "ingested.d": table})
    lab.content("a/2026-11-01/a.csv", HEADER + b"1,Ann\n")
    lab.content("a/2026-11-01/b.csv", HEADER + b"2,Bo\n")
    bad = lab.content("a/2026-11-01/c.csv", b"")
    zipped = gzip.compress(b"day,id\n" + b"2026-11-01,1\n" * 5_000)
    lab.content("d/good.csv", b"day,id\n2026-11-01,1\n2026-11-02,2\n")
    lab.content("d/cut.csv.gz", zipped[: len(zipped) // 2])
    result = lab.run()
    assert {w for w, s in states(result, "ingested.d").items() if s == "published"} == {
        "2026-11-01", "2026-11-02",
    }  # fmt: skip
    # No row of the other file tells a day: it has that on which it came.
    assert [s for s in states(result, "ingested.d").values() if s == "blocked"] == ["blocked"]

    lab.content("a/2026-11-01/a.csv", b"")
    lab.content("d/good.csv", b"")
    result = lab.run()
    assert result.exit_code == 11
    message = entry(result, "ingested.a", "2026-11-01").message or ""
    assert "a/2026-11-01/a.csv: the file is empty (0 bytes); it was read before" in message
    assert states(result, "ingested.d") == {"2026-11-01": "blocked", "2026-11-02": "blocked"}
    assert lab.rows("ingested.a", "id") == lab.rows("ingested.d", "id") == [(1,), (2,)]

    lab.content("a/2026-11-01/a.csv", HEADER + b"3,Cy\n")
    bad.unlink()  # what was never read may go as it came
    fine(lab.run("ingested.a"))
    assert lab.rows("ingested.a", "id") == [(2,), (3,)]


@pytest.mark.parametrize("resent", ["take", "skip"])
def test_the_same_content_under_another_name(
    spark: SparkSession, tmp_path: Path, resent: str
) -> None:
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}/*", resent=resent)})
    lab.content("a/2026-11-01/a.csv", HEADER + b"1,Ann\n")
    fine(lab.run())
    lab.content("a/2026-11-01/b.csv", HEADER + b"1,Ann\n")
    lab.content("a/2026-11-02/c.csv", HEADER + b"1,Ann\n")
    result = fine(lab.run())
    assert _ledger(lab, "ingested.a")["a/2026-11-02/c.csv"][0] == (
        "taken" if resent == "take" else "skipped"
    )
    (line,) = entry(result, "ingested.a", "2026-11-01").warnings
    said = "it has the content of a/2026-11-01/a.csv"
    if resent == "take":
        assert line.startswith(f"a/2026-11-01/b.csv was taken in: {said}")
        assert [w for (w,) in lab.rows("ingested.a", "_window")] == [
            "2026-11-01", "2026-11-01", "2026-11-02",
        ]  # fmt: skip
        return
    assert line == f"a/2026-11-01/b.csv was skipped: {said}"
    assert lab.rows("ingested.a", "_window") == [("2026-11-01",)]
    assert lab.app().plan() == []
    lab.content("a/2026-11-01/a.csv", HEADER + b"9,Zoe\n")  # now the copies are the only ones
    fine(lab.run())
    assert lab.rows("ingested.a", "id", "_file") == [
        (1, "a/2026-11-01/b.csv"), (9, "a/2026-11-01/a.csv"),
    ]  # fmt: skip


def test_files_that_no_table_reads_are_named_by_plan(spark: SparkSession, tmp_path: Path) -> None:
    tables = {"ingested.a": _table("a/{window}/*.csv"), "ingested.b": _table("a/{window}/*.txt")}
    lab = Lab(spark, tmp_path, tables)
    for name in ("x.csv", "x.txt", "x.cvs", "y.cvs"):
        lab.content(f"a/2026-11-01/{name}", HEADER + b"1,n\n")
    lines = {(line.table, line.window): (line.why, line.runs) for line in lab.app().plan()}
    assert lines["ingested.a", ""] == (
        "2 files match no table: a/2026-11-01/x.cvs, a/2026-11-01/y.cvs", False,
    )  # fmt: skip
    assert ("ingested.b", "") not in lines
    fine(lab.run())
    (one, other) = lab.app().status()
    assert one.message == "2 files match no table: a/2026-11-01/x.cvs, a/2026-11-01/y.cvs"
    assert other.message is None


def test_a_preview_of_nothing_but_bad_files_says_so(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, {"ingested.a": _table("a/{window}/*")})
    lab.content("a/2026-11-01/a.csv", b"")
    with pytest.raises(HeadgateError, match="the file is empty") as caught:
        lab.app().preview("ingested.a", "2026-11-01")
    assert caught.value.exit_code == 11
    assert not (lab.lake / "ops" / "files").exists()
