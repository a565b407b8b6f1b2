"""What a person can get wrong once Spark runs: a line that says where and what to type next, an
exit code of its own, no traceback, and nothing published."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, written
from commands import ROOT
from headgate.doors.cli import main

HEADER = b"id,name,amount\n"
TABLE: dict[str, Any] = {
    "source": {"files": "a/{window}/*"},
    "columns": {"id": "int", "name": "string", "amount": "decimal(8,2)"},
}
PARQUET = {**TABLE, "source": {"files": "p/{window}/*.parquet", "format": "parquet"}}
LINES = {**TABLE, "source": {"files": "j/{window}/*", "format": "jsonl"}}
ONE: dict[str, dict[str, Any]] = {"ingested.a": TABLE}


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    lines: list[str]
    result: dict[str, Any]

    @property
    def statuses(self) -> dict[tuple[str, str], str]:
        return {(run["table"], run["window"]): run["status"] for run in self.result["runs"]}

    def of(self, table: str, window: str) -> str:
        """The line about one window; it says what to type."""
        (line,) = [line for line in self.lines if line.startswith(f"{table} {window} ")]
        assert " Next: " in line, line
        return line


@dataclass
class Desk:
    """A suite in a folder, and somebody who types."""

    lab: Lab
    capsys: pytest.CaptureFixture[str]

    def types(self, *words: str) -> Told:
        self.capsys.readouterr()
        code = main([*words, "--conf", str(self.lab.folder / "conf")], always_json=True)
        out = self.capsys.readouterr()
        assert "Traceback" not in out.out + out.err
        last = json.loads(out.out.splitlines()[-1])
        assert last["exit_code"] == code
        assert set(last) >= {"suite", "status", "errors", "runs"}
        return Told(code, out.err.splitlines(), last)

    def has_published(self, table: str) -> bool:
        log = self.lab.lake / table.replace(".", "/", 1) / "_delta_log"
        return any(log.glob("*.json"))


@pytest.fixture
def desk(spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(Lab(spark, tmp_path, ONE), capsys)


def sits_at(desk: Desk, tables: dict[str, dict[str, Any]], **env: Any) -> Desk:
    """The same desk with these tables."""
    desk.lab.tables = tables
    written(desk.lab.folder, tables, **env)
    desk.lab.raw.mkdir(exist_ok=True)
    return desk


def cut_parquet(spark: SparkSession, folder: Path) -> tuple[bytes, bytes]:
    """A Parquet file that lacks its end, and one whose middle is spoilt."""
    rows = spark.range(50).selectExpr("id", "'n' AS name", "1.5 AS amount")
    rows.coalesce(1).write.parquet(str(folder))
    (file,) = folder.glob("*.parquet")
    whole = file.read_bytes()
    return whole[:-20], whole[:4] + b"\x07" * (len(whole) - 8) + whole[-4:]


def test_files_that_cannot_be_read_hold_up_their_windows_only(
    spark: SparkSession, desk: Desk, tmp_path: Path
) -> None:
    sits_at(desk, {"ingested.a": TABLE, "ingested.j": LINES, "ingested.p": PARQUET})
    zipped = gzip.compress(HEADER + b"".join(b"%d,n,1\n" % n for n in range(20_000)))
    short, spoilt = cut_parquet(spark, tmp_path / "made")
    files: dict[str, tuple[bytes, str]] = {
        "a/2026-01-02/empty.csv": (b"", "the file is empty (0 bytes)"),
        "a/2026-01-03/picture.csv": (b"\x89PNG\r\n\x1a\n\x00\x00", "the file is binary, not text"),
        "a/2026-01-04/blank.csv": (b"\n \n", "the file holds no text"),
        "a/2026-01-05/header.csv": (b"id,nmae,amount\n1,n,1\n", "'name' is missing and 'nmae' is"),
        "a/2026-01-06/twice.csv": (b"id,name,id,amount\n1,n,1,1\n", "the header names 'id' twice"),
        "a/2026-01-07/plain.csv.gz": (HEADER + b"1,n,1\n", "the file is not gzip, as its name"),
        "a/2026-01-08/cut.csv.gz": (zipped[: len(zipped) // 2], "it is damaged or cut off"),
        "a/2026-01-09/a:b.csv": (HEADER + b"1,n,1\n", "Spark cannot read a file of this name"),
        "a/2026-01-10/types.csv": (HEADER + b"one,n,1\ntwo,n,1.999\n3,n,3\n", "2 of 3 rows"),
        "j/2026-01-02/binary.jsonl": (b"\x00\x01\x02", "the file is binary, not text"),
        "p/2026-01-02/short.parquet": (short, "is not Parquet, or was cut off"),
        "p/2026-01-03/spoilt.parquet": (spoilt, "damaged or cut off"),
    }
    for path, (content, _) in files.items():
        desk.lab.content(path, content)
    desk.lab.content("a/2026-01-01/good.csv", HEADER + b"1,n,1\n")
    desk.lab.content("j/2026-01-01/good.jsonl", b'{"id": 1, "name": "n", "amount": 1}\n')
    (desk.lab.raw / "a/2026-01-11/folder.csv").mkdir(parents=True)
    desk.lab.content("a/2026-01-11/folder.csv/part-0.csv", HEADER + b"1,n,1\n")
    told = desk.types("run")
    assert told.code == 11
    for path, (_, said) in files.items():
        table, window = f"ingested.{path[0]}", path.split("/")[1]
        assert told.statuses[table, window] == "blocked", told.of(table, window)
        line = told.of(table, window)
        assert said in line
        if window != "2026-01-10":
            assert path in line
        assert "1.999" not in line
    assert {key for key, status in told.statuses.items() if status == "published"} == {
        ("ingested.a", "2026-01-01"), ("ingested.j", "2026-01-01"),
    }  # fmt: skip
    assert desk.lab.rows("ingested.a", "_window", "id") == [("2026-01-01", 1)]
    assert not desk.has_published("ingested.p")

    told = desk.types("run", "ingested.a", "--window", "2026-01-11")
    assert told.code == 11
    line = told.of("ingested.a", "2026-01-11")
    assert "a/2026-01-11/folder.csv: it is a folder, and its name is that of a file" in line


def test_a_raw_zone_that_is_not_there(desk: Desk) -> None:
    sits_at(desk, ONE, raw="rwa")
    for words in (["run"], ["ingest"], ["run", "--window", "2026-01-01"]):
        told = desk.types(*words)
        assert told.code == 12
        (line,) = told.lines
        assert f"{desk.lab.folder}/rwa: the raw zone is not there" in line
        assert " Next: " in line
        assert told.result["errors"] == [line]
    assert not desk.has_published("ingested.a")


def test_what_headgate_did_not_write_is_not_written_over(spark: SparkSession, desk: Desk) -> None:
    sits_at(desk, {"ingested.a": TABLE, "ingested.b": TABLE})
    desk.lab.content("a/2026-01-01/a.csv", HEADER + b"1,n,1\n")
    theirs = desk.lab.lake / "ingested/a"
    spark.range(3).write.format("delta").save(str(theirs))
    notes = desk.lab.lake / "ingested/b/notes.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text("mine")
    told = desk.types("run")
    assert told.code == 2
    assert told.result["errors"] == [
        f"{theirs}: this is a Delta table that Headgate did not write"
        " Next: move it away, or give ingested.a another name",
        f"{notes.parent}: this folder holds files that Headgate did not write"
        " Next: move it away, or give ingested.b another name",
    ]
    assert spark.read.format("delta").load(str(theirs)).count() == 3
    assert notes.read_text() == "mine"
    assert not desk.has_published("ingested.b")


STEPS = """
def raises(df):
    raise ValueError("secret 4711")

def returns_nothing(df):
    return None
"""
WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "raises": ({"step": "bad_input_steps.raises"}, 30, "ValueError was raised"),
    "none": ({"step": "bad_input_steps.returns_nothing"}, 30, "returned a NoneType, not a Data"),
    "divides": ({"derive": {"x": "amount / (id - id)"}}, 30, "division by zero"),
    "casts": ({"sql": "SELECT *, CAST(name AS int) AS n FROM input"}, 30, "a value cannot be cast"),
    "column": ({"sql": "SELECT *, i.nmae FROM input i"}, 2, "unknown column 'i.nmae'"),
    "function": ({"derive": {"x": "uper(name)"}}, 2, "unknown function 'uper'"),
}


def test_steps_that_fail_name_their_place_and_no_value(
    spark: SparkSession, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = desk.lab.folder / "lib"
    library.mkdir()
    (library / "bad_input_steps.py").write_text(STEPS)
    monkeypatch.syspath_prepend(str(library))
    tables = dict(ONE)
    for name, (step, _, _) in WRONG.items():
        tables[f"clean.{name}"] = {"reads": "ingested.a", "steps": [step]}
    sits_at(desk, tables)
    desk.lab.content("a/2026-01-01/a.csv", HEADER + b"1,secret 4711,1\n")
    told = desk.types("run")
    assert told.code == 30
    for name, (_, _, said) in WRONG.items():
        line = told.of(f"clean.{name}", "2026-01-01")
        assert said in line
        assert "4711" not in line
        assert told.statuses[f"clean.{name}", "2026-01-01"] == "failed"
        assert not desk.has_published(f"clean.{name}")
    for name, (_, code, _) in WRONG.items():
        if code == 2:
            assert desk.types("run", f"clean.{name}").code == 2


def test_a_lake_that_cannot_be_written(desk: Desk) -> None:
    sits_at(desk, ONE)
    desk.lab.content("a/2026-01-01/a.csv", HEADER + b"1,n,1\n")
    file = desk.lab.folder / "file"
    file.write_text("")
    for lake in (str(file), f"{file}/lake", "/proc/lake"):
        told = desk.types("run", "--set", f"lake={lake}")
        assert told.code == 20, told.lines
        assert any(lake.removesuffix("/lake") in line and " Next: " in line for line in told.lines)
        assert told.result["status"] == "failed"
    assert file.read_text() == ""


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk that is soon full."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(command, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_room_makes_it_well(desk: Desk, tmp_path: Path) -> None:
    sits_at(desk, ONE)
    dice = random.Random(1)  # so that nothing can be packed away
    rows = b"".join(b"%d,%032x,1\n" % (n, dice.getrandbits(128)) for n in range(60_000))
    desk.lab.content("a/2026-01-01/a.csv", HEADER + b"1,n,1\n")
    with small_disk(tmp_path / "disk", "1m") as disk:
        lake = f"lake={disk}/lake"
        assert desk.types("run", "--set", lake).code == 0
        desk.lab.content("a/2026-01-02/a.csv", HEADER + rows)
        told = desk.types("run", "--set", lake)
        assert told.code == 20, told.lines
        assert any("the disk is full" in line and "make room" in line for line in told.lines)
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        lab = Lab(desk.lab.spark, disk, ONE)
        assert lab.rows("ingested.a", "_window", "id") == [("2026-01-01", 1)]
        # The full disk did not take the word that the lease is free, and its process lives on.
        assert desk.types("run", "--break-lease", "--set", lake).code == 0
        assert lab.read("ingested.a").count() == 60_001


# The main thread is held where it sleeps; one beside it sleeps on, and ends at the point itself.
@pytest.mark.parametrize(
    ("at_once", "pause"), [("1", "60"), pytest.param("2", "6", marks=pytest.mark.faults)]
)
def test_interrupted_the_lake_is_as_it_was(desk: Desk, at_once: str, pause: str) -> None:
    sits_at(desk, {"ingested.a": {**TABLE, "max_rejected": "50%"}})
    desk.lab.content("a/2026-01-01/a.csv", HEADER + b"1,n,1\nx,n,1\n")
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT / "lib"), "HEADGATE_PAUSE_AT": f"kept:{pause}",
        "HEADGATE_LOG": "error",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "headgate", "run", "--json", "--parallel", at_once],
        start_new_session=True, text=True, cwd=desk.lab.folder, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        kept = desk.lab.lake / "quarantine/ingested.a/_delta_log"
        for _ in range(1200):
            if any(kept.glob("*.json")):
                break
            time.sleep(0.05)
        time.sleep(2)  # until the commit has returned
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the group
        out, err = process.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130, err
    assert err == "interrupted: the lake is as it was Next: run it again\n"
    (line,) = out.splitlines()
    assert json.loads(line)["exit_code"] == 130
    assert not desk.has_published("ingested.a")
    assert desk.lab.rejected("ingested.a", "_row") == []
    assert list((desk.lab.lake / "ingested").rglob("*.parquet")) == []
    told = desk.types("run")
    assert told.code == 0, told.lines
    assert desk.lab.rows("ingested.a", "id") == [(1,)]


def windows_of(told: Told, statuses: Sequence[str]) -> set[str]:
    return {window for (_, window), status in told.statuses.items() if status in statuses}


def test_named_windows_without_input_say_what_to_type(desk: Desk) -> None:
    sits_at(desk, {**ONE, "clean.a": {"reads": "ingested.a"}})
    desk.lab.content("a/2026-01-01/a.csv", HEADER + b"1,n,1\n")
    told = desk.types("run", "clean.a", "--window", "2026-01-01")
    assert told.code == 12
    line = told.of("clean.a", "2026-01-01")
    assert line.endswith(" Next: headgate run +clean.a --window 2026-01-01")
    told = desk.types("run", "ingested.a", "--window", "2025-12-31..2026-01-01")
    assert told.code == 12
    assert windows_of(told, ["published"]) == {"2026-01-01"}
    assert f"put the files below {desk.lab.raw}" in told.of("ingested.a", "2025-12-31")
