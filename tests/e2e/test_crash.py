"""Killed at any point of the flow and started again, the lake comes out as if nothing had been."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import Lab, content, without_moment, written
from commands import ROOT
from headgate.storage.points import POINTS
from headgate.storage.repaired import given_at

pytestmark = pytest.mark.faults

TABLES: dict[str, dict[str, Any]] = {
    "ingested.orders": {
        "source": {"files": "orders/{window}/*.csv"},
        "columns": {"id": "int", "day": "date", "amount": "int", "at": "int"},
        "quality": [{"row": {"amount is small": "amount < 7"}, "severity": "warning"}],
        "max_rejected": "60%",
    },
    "ingested.customers": {
        "source": {"files": "customers/{window}.csv"},
        "columns": {"id": "int", "name": "string", "at": "int"},
    },
    "clean.orders": {
        "reads": "ingested.orders",
        "quality": [{"row": {"amount is positive": "amount > 0"}}],
        "max_rejected": "40%",
    },
    "clean.customers": {
        "reads": "ingested.customers",
        "key": ["id"],
        "latest_by": ["at"],
        "write": "upsert",
        "quality": [{"expect_column_values_to_not_be_null": {"column": "name"}}],
        "max_rejected": "50%",
    },
    "marts.by_day": {
        "reads": {"orders": "clean.orders"},
        "period": {"column": "day"},
        "measures": {"amount": "sum(amount)", "orders": "count(*)"},
    },
}
ROUTES = {"alerts": [{"to": "file:told.jsonl"}]}
ORDERS, CUSTOMERS = ("id", "day", "amount", "at"), ("id", "name", "at")


@dataclass
class Story:
    """A lake after its first day, and the files of the second and of a corrected first."""

    folder: Path

    def first(self, lab: Lab) -> None:
        lab.file("orders/2026-01-01/a.csv", ORDERS, [
            (1, "2026-01-01", 10, 1), (2, "2026-01-01", -5, 1), (3, "2026-01-01", "x", 1),
            (4, "2026-01-01", 7, 1), (5, "2026-01-01", 9, 1),
        ])  # fmt: skip
        lab.file("orders/2026-01-02/a.csv", ORDERS, [  # closes the gate of clean.orders
            (6, "2026-01-02", -1, 1), (7, "2026-01-02", -2, 1), (8, "2026-01-02", 3, 1),
        ])  # fmt: skip
        lab.file("customers/2026-01-01.csv", CUSTOMERS, [(1, "a", 1), (2, "b", 1), (3, None, 1)])
        lab.file("customers/2026-01-02.csv", CUSTOMERS, [(2, "bb", 2), (4, "d", 2)])

    def second(self, lab: Lab) -> None:
        lab.file("orders/2026-01-01/a.csv", ORDERS, [  # corrected: other rows, other rejects
            (1, "2026-01-01", 10, 2), (2, "2026-01-01", 5, 2), (3, "2026-01-01", "y", 2),
            (5, "2026-01-01", -9, 2),
        ])  # fmt: skip
        lab.file("orders/2026-01-03/a.csv", ORDERS, [
            (9, "2026-01-03", 4, 1), (10, "2026-01-03", -4, 1), (11, "2026-01-03", 6, 1),
            (12, "2026-01-03", "z", 1),
        ])  # fmt: skip
        # 1 is gone from the first day; 2 was newer on the second; 3 is good now.
        lab.file("customers/2026-01-01.csv", CUSTOMERS, [(2, "b", 1), (3, "c", 1), (7, None, 1)])
        lab.file("customers/2026-01-03.csv", CUSTOMERS, [(4, "dd", 3), (5, "e", 3)])


@dataclass(frozen=True)
class Held:
    """All that a lake holds, without what differs from run to run."""

    tables: dict[str, Counter[str]]
    quarantine: dict[str, Counter[str]]
    strays: int  # rejected rows of runs that nobody knows
    runs: Counter[str]
    told: frozenset[tuple[str, ...]]  # at least once: how often does not matter


def held(lab: Lab) -> Held:
    runs = lab.spark.read.format("delta").load(f"{lab.lake}/ops/runs")
    known = [row["run"] for row in runs.select("run").collect()]
    decided = runs.where(F.col("status").isin("published", "blocked"))
    rejected, strays = {}, 0
    for folder in sorted((lab.lake / "quarantine").iterdir()):
        rows = lab.spark.read.format("delta").load(str(folder))
        rows = without_moment(rows)
        rejected[folder.name] = content(rows.where(F.col("_run").isin(known)))
        strays += rows.where(~F.col("_run").isin(known)).count()
    shown = decided.select("table", "window", "status", "rows", "exit_code")
    lines = map(json.loads, (lab.folder / "told.jsonl").read_text().splitlines())
    told = frozenset((one["table"], one["window"], one["severity"]) for one in lines)
    return Held(lab.contents(), rejected, strays, content(shown), told)


def unnamed(lab: Lab) -> set[str]:
    """Data files of tables and stores that no commit names."""
    found = set()
    for log in lab.lake.rglob("_delta_log"):
        table = log.parent
        if table.parent.name == "quarantine" or table.parent == lab.lake / "ops":
            continue
        text = "".join(unquote(file.read_text()) for file in log.glob("*.json"))
        files = [f for f in table.rglob("*.parquet") if log not in f.parents]  # no checkpoints
        found |= {str(f) for f in files if f.name not in text}
        found |= {str(note) for note in table.glob("_pending/*")}
    return found


def start(lab: Lab, stop: str | None, *words: str) -> subprocess.Popen[bytes]:
    """The command, `run` unless told, in a process group of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "HEADGATE_LOG": "error"}
    if stop:
        env["HEADGATE_STOP_AT"] = stop
    return subprocess.Popen(
        [sys.executable, "-m", "headgate", *(words or ("run",))],
        cwd=lab.folder, env=env, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def killed_at(lab: Lab, stop: str, *words: str) -> None:
    """Run until the point, where the whole process group is killed."""
    process = start(lab, stop, *words)
    try:
        said, _ = process.communicate(timeout=600)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, said.decode()


@pytest.fixture(scope="module")
def untouched(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Held]:
    """A folder with the first day's files and no lake yet; what a run comes to."""
    story = Story(tmp_path_factory.mktemp("empty"))
    lab = Lab(spark, story.folder, TABLES, ROUTES)
    written(story.folder, TABLES, **ROUTES)
    story.first(lab)
    ready = tmp_path_factory.mktemp("untouched") / "suite"
    shutil.copytree(story.folder, ready)
    assert lab.run().exit_code == 10
    return ready, held(lab)


@pytest.fixture(scope="module")
def prepared(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Held]:
    """A folder after the first day with the second day's files in place; what both come to."""
    story = Story(tmp_path_factory.mktemp("crash"))
    lab = Lab(spark, story.folder, TABLES, ROUTES)
    written(story.folder, TABLES, **ROUTES)
    story.first(lab)
    assert lab.run().exit_code == 10
    story.second(lab)
    ready = tmp_path_factory.mktemp("ready") / "suite"
    shutil.copytree(story.folder, ready)
    assert lab.run().exit_code == 0
    expected = held(lab)
    assert expected.strays == 0
    assert expected.tables["clean.customers"].total() == 4
    return ready, expected


def restarted(spark: SparkSession, folder: Path, expected: Held, codes: tuple[int, ...]) -> None:
    lab = Lab(spark, folder, TABLES, ROUTES)
    result = lab.run()
    assert result.exit_code in codes, result.errors
    now = held(lab)
    assert now.tables == expected.tables
    for name, rows in expected.quarantine.items():
        assert not (more := now.quarantine[name] - rows), list(more)
        assert not (less := rows - now.quarantine[name]), list(less)
    assert now.strays == 0
    assert not unnamed(lab)
    assert now.runs == expected.runs
    assert now.told == expected.told
    assert not lab.run().runs


def aborted(spark: SparkSession, prepared: tuple[Path, Held], folder: Path, stop: str) -> None:
    ready, expected = prepared
    shutil.copytree(ready, folder)
    killed_at(Lab(spark, folder, TABLES, ROUTES), stop)
    restarted(spark, folder, expected, (0,))


# The table at which each point is met last but for the marts: where most has been done before.
AT = {
    "leased": 5, "planned": 4, "pinned": 2, "read": 4, "files-written": 4, "judged": 3, "kept": 4,
    "store-committed": 1, "committed": 4, "superseded": 4, "recorded": 3,
}  # fmt: skip


@pytest.mark.parametrize("point", sorted(set(POINTS) - {"told", "corrected"}))  # nothing is news
def test_killed_at_any_point_and_started_again(
    spark: SparkSession, prepared: tuple[Path, Held], tmp_path: Path, point: str
) -> None:
    aborted(spark, prepared, tmp_path / "suite", f"{point}:{AT[point]}")


# The first publish makes a table: of the first layer, of an upsert, of a mart.
FIRST = ("files-written:1", "kept:1", "committed:1", "store-committed:1", "committed:4",
         "committed:5", "recorded:5", "told:1")  # fmt: skip


@pytest.mark.parametrize("stop", FIRST)
def test_killed_on_the_first_run_of_all(
    spark: SparkSession, untouched: tuple[Path, Held], tmp_path: Path, stop: str
) -> None:
    ready, expected = untouched
    folder = tmp_path / "suite"
    shutil.copytree(ready, folder)
    killed_at(Lab(spark, folder, TABLES, ROUTES), stop)
    restarted(spark, folder, expected, (0, 10))  # the closed gate is told by whoever saw it close


REPAIRED = [  # of the first day; and of the second, which the gate then lets through
    {"_file": "orders/2026-01-01/a.csv", "_row": 2, "amount": 5},
    {"_file": "orders/2026-01-02/a.csv", "_row": 1, "amount": 1},
]
REPLAY = ("quarantine", "replay", "clean.orders", "--from", "repaired.jsonl")


@pytest.fixture(scope="module")
def repaired(untouched: tuple[Path, Held], tmp_path_factory: pytest.TempPathFactory,
             spark: SparkSession) -> tuple[Path, Held]:  # fmt: skip
    """A folder after the first day with rows to hand back; what their replay and a run come to."""
    folder = tmp_path_factory.mktemp("repaired") / "suite"
    shutil.copytree(untouched[0], folder)
    lab = Lab(spark, folder, TABLES, ROUTES)
    assert lab.run().exit_code == 10
    (folder / "repaired.jsonl").write_text("\n".join(map(json.dumps, REPAIRED)))
    ready = tmp_path_factory.mktemp("handed-back") / "suite"
    shutil.copytree(folder, ready)
    result, done = lab.app().replay(REPLAY[2], given_at(spark, str(folder / REPLAY[-1])))
    assert (result.exit_code, done.replayed, done.open) == (0, 2, 1)
    lab.run()
    assert lab.rows("clean.orders", "id", "amount")[1] == (2, 5)
    return ready, held(lab)


@pytest.mark.parametrize("again", [(), REPLAY], ids=["run", "replay"])
@pytest.mark.parametrize("point", ["corrected", "kept", "committed"])
def test_killed_while_rows_are_replayed(
    spark: SparkSession, repaired: tuple[Path, Held], tmp_path: Path, point: str,
    again: tuple[str, ...],
) -> None:  # fmt: skip
    """Whether they are handed back once more, or the next run finds them corrected."""
    ready, expected = repaired
    folder = tmp_path / "suite"
    shutil.copytree(ready, folder)
    lab = Lab(spark, folder, TABLES, ROUTES)
    killed_at(lab, point, *REPLAY)
    waiting = lab.rejected("clean.orders", "_window", "_row", "_state")
    assert ("2026-01-01", 2, "open") in waiting  # it has not left before its replay is whole
    if again:
        lab.app().replay(again[2], given_at(spark, str(folder / again[-1])))
    restarted(spark, folder, expected, (0, 10))
    assert lab.rejected("clean.orders", "_window", "_row", "_state") == [
        ("2026-01-01", 2, "replayed"), ("2026-01-02", 1, "replayed"), ("2026-01-02", 2, "open"),
        ("2026-01-02", 2, "superseded"),
    ]  # fmt: skip
