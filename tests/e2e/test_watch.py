"""`headgate watch`: a process that stays up and runs what becomes due."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from commands import headgate
from staying import Staying

TODAY = datetime.now(timezone.utc).date().isoformat()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Orders, a file a shop, and their sum by day."""
    files = {
        "suite.yaml": "name: shop\n",
        "env/local.yaml": "raw: raw\nlake: lake\nspark: {master: 'local[1]', quick: true}\n",
        "ingested/orders.yaml": "source: {files: 'orders/{window}/*.csv', format: csv}\n"
        "columns: {id: int, total: int}\n",
        "marts/sales.yaml": "reads: ingested.orders\nperiod: {column: _ingested_at, grain: day}\n"
        "measures: {orders: count(*), total: sum(total)}\n",
    }
    for name, text in files.items():
        place = tmp_path / "conf" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    (tmp_path / "raw" / "orders" / TODAY).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def watching(suite: Path) -> Iterator[Staying]:
    one = Staying(suite, "watch", "--every", "0.5", "--settle", "2", "--json")
    try:
        yield one
    finally:
        one.killed()


def runs(one: Staying) -> list[dict[str, Any]]:
    return [run for line in one.printed() for run in json.loads(line)["runs"]]


def test_what_lands_is_run_once_it_is_whole(suite: Path, watching: Staying) -> None:
    folder = suite / "raw" / "orders" / TODAY
    (folder / "lyon.csv").write_text("id,total\n1,10\n")
    watching.until(lambda: len(runs(watching)) == 2, 90)
    with (folder / "oslo.csv").open("w") as growing:
        growing.write("id,total\n")
        for number in range(10):
            growing.write(f"{number},1\n")
            growing.flush()
            time.sleep(0.4)
    watching.until(lambda: len(runs(watching)) == 4, 60)
    first, _, second, mart = runs(watching)
    assert (first["rows"]["written"], second["rows"]["written"]) == (1, 11)
    assert (mart["table"], mart["status"]) == ("marts.sales", "published")
    # A file that was taken in and is being written anew keeps its table as it is meanwhile.
    for number in range(8):
        with (folder / "lyon.csv").open("a") as growing:
            growing.write(f"{100 + number},1\n")
        time.sleep(0.4)
        assert len(runs(watching)) == 4
    watching.until(lambda: len(runs(watching)) == 6, 60)
    assert runs(watching)[4]["rows"]["written"] == 19
    last = json.loads(watching.stopped(signal.SIGTERM, code=0)[-1])
    assert (last["status"], last["counts"]) == ("published", {"published": 6})
    assert headgate("run", "--json", cwd=suite).result["runs"] == []


@pytest.mark.slow
def test_trouble_is_said_once_and_waited_for(suite: Path, watching: Staying) -> None:
    (suite / "raw").rename(suite / "away")
    watching.until(lambda: "tried again" in watching.said(), 60)
    time.sleep(2)
    assert watching.said().count("tried again") == 1
    (suite / "away").rename(suite / "raw")
    (suite / "raw" / "orders" / TODAY / "a.csv").write_text("id,total\n1,10\n")
    watching.until(lambda: len(runs(watching)) == 2, 90)
    watching.stopped(signal.SIGINT)


def test_seconds_above_zero(suite: Path) -> None:
    done = headgate("watch", "--every", "0", cwd=suite)
    assert (done.code, "--every takes seconds above 0" in done.err) == (2, True)
