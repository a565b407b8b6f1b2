"""Two runs at once on one lake, and a driver that wakes up late: the lake is that of one run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import Lab, content, fates, fine, written
from commands import ROOT

TABLES: dict[str, dict[str, Any]] = {
    "ingested.people": {
        "source": {"files": "people/{window}.csv"},
        "columns": {"id": "int", "name": "string", "at": "int"},
        "max_rejected": "50%",
    },
    "clean.people": {
        "reads": "ingested.people",
        "key": ["id"],
        "latest_by": ["at"],
        "write": "upsert",
        "quality": [{"expect_column_values_to_not_be_null": {"column": "name"}}],
        "max_rejected": "50%",
    },
}
COLUMNS = ("id", "name", "at")
QUICK = {"HEADGATE_LOG": "error", "PYTHONPATH": str(ROOT / "lib")}


@dataclass(frozen=True)
class Said:
    """How a run ended, and its result object."""

    code: int
    result: dict[str, Any]
    err: str

    @property
    def held(self) -> list[str]:
        """What it says of tables that another run holds."""
        return [run["message"] for run in self.result["runs"] if run["status"] == "failed"]


@contextlib.contextmanager
def begun(lab: Lab, *words: str, pause: str = "") -> Iterator[subprocess.Popen[str]]:
    """A run of the command, in a process group that does not outlive the test."""
    env = {**os.environ, **QUICK, **({"HEADGATE_PAUSE_AT": pause} if pause else {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "headgate", "run", "--json", *words],
        cwd=lab.folder, env=env, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ended(process: subprocess.Popen[str]) -> Said:
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in out + err, err[-3000:]
    said = Said(process.returncode, json.loads(out.splitlines()[-1]), err)
    assert said.code == said.result["exit_code"]
    return said


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something to happen."""
    for _ in range(2400):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(f"waited in vain until {what}")


def lease(lab: Lab, table: str) -> dict[str, Any]:
    """What the file of a lease says; nothing where there is none."""
    try:
        found: dict[str, Any] = json.loads((lab.lake / f"ops/leases/{table}.json").read_text())
    except FileNotFoundError:
        return {}
    return found


def holds(lab: Lab, table: str, process: subprocess.Popen[str]) -> bool:
    found = lease(lab, table)
    return bool(found.get("held")) and found.get("pid") == process.pid


def everything(lab: Lab) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    """What the tables hold, and the rejected rows that are open."""
    rejected = {}
    for folder in sorted((lab.lake / "quarantine").iterdir()):
        rows = lab.spark.read.format("delta").load(str(folder))
        rows = rows.where(F.col("_state") == "open").drop("_record")  # tells when it was ingested
        rejected[folder.name] = content(rows, without=["_run"])
    return lab.contents(), rejected


def whole(lab: Lab) -> None:
    """Records and tables agree: each published run is in one commit, no data file hangs loose."""
    runs = lab.ops("runs", "table", "window", "status", "version")
    published = [(table, window, v) for table, window, status, v in runs if status == "published"]
    assert len(set(published)) == len(published)
    assert not lab.run().runs


@dataclass
class Prepared:
    folder: Path
    expected: tuple[dict[str, Counter[str]], dict[str, Counter[str]]]

    def lab(self, spark: SparkSession, folder: Path) -> Lab:
        shutil.copytree(self.folder, folder)
        return Lab(spark, folder, TABLES)


@pytest.fixture(scope="module")
def prepared(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A lake after its first day, with the files of two more; what one run makes of them."""
    folder = tmp_path_factory.mktemp("races")
    lab = Lab(spark, folder / "suite", TABLES)
    lab.folder.mkdir()
    written(lab.folder, TABLES)
    lab.file("people/2026-01-01.csv", COLUMNS, [(1, "a", 1), (2, "b", 1), (3, None, 1)])
    fine(lab.run())
    lab.file("people/2026-01-01.csv", COLUMNS, [(2, "b", 1), (3, "c", 1), ("x", "d", 1)])
    lab.file("people/2026-01-02.csv", COLUMNS, [(2, "bb", 2), (4, "d", 2), (5, None, 2)])
    ready = folder / "ready"
    shutil.copytree(lab.folder, ready)
    assert set(fates(fine(lab.run()), "clean.people")) == {"2026-01-01", "2026-01-02"}
    return Prepared(ready, everything(lab))


def test_of_two_runs_at_once_one_says_who_holds_the_table(
    spark: SparkSession, prepared: Prepared, tmp_path: Path
) -> None:
    lab = prepared.lab(spark, tmp_path / "suite")
    with (
        begun(lab, pause="files-written:8") as first,
        begun(lab, pause="files-written:8") as second,
    ):
        said = [ended(first), ended(second)]
        pids = [first.pid, second.pid]
    assert sorted(one.code for one in said) in ([0, 21], [0, 0]), [one.err for one in said]
    for place, one in enumerate(said):
        for message in one.held:
            assert f"process {pids[1 - place]}, since " in message
            assert message.startswith(("ingested.people: run ", "clean.people: run "))
            assert message.endswith(
                " Next: run again when it is done; if it is dead, run with --break-lease"
            )
    assert any(one.held for one in said)  # they did meet
    assert everything(lab) == prepared.expected
    whole(lab)


@pytest.mark.faults
@pytest.mark.parametrize(
    ("point", "table"), [("judged", "ingested.people"), ("store-committed", "clean.people")]
)
def test_a_driver_that_wakes_up_late_does_not_publish(
    spark: SparkSession, prepared: Prepared, tmp_path: Path, point: str, table: str
) -> None:
    lab = prepared.lab(spark, tmp_path / "suite")
    with begun(lab, pause=f"{point}:6") as late:
        until(lambda: holds(lab, table, late), f"{table} is held")
        if point == "judged":
            data = lab.lake / "ingested/people"
            before = set(data.rglob("*.parquet"))
            until(lambda: set(data.rglob("*.parquet")) > before, "files are written")
        else:
            log = lab.lake / "ops/accepted/clean.people/_delta_log"
            until(lambda: len(list(log.glob("*.json"))) > 1, "the store is committed")
        time.sleep(2)  # well in its pause by now
        os.kill(late.pid, signal.SIGSTOP)  # its JVM sleeps no less: it waits for Python
        assert holds(lab, table, late)
        with begun(lab, "--break-lease") as newer:
            assert ended(newer).code == 0
        assert everything(lab) == prepared.expected
        versions = {name: lab.app().lake.version(name) for name in TABLES}
        os.kill(late.pid, signal.SIGCONT)
        said = ended(late)
    assert said.code == 21, said.result
    assert "a newer run has taken this table over" in json.dumps(said.result)
    assert "the newer run does the work" in json.dumps(said.result)
    assert everything(lab) == prepared.expected
    assert lab.app().lake.version(table) == versions[table]
    whole(lab)
