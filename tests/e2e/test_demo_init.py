"""`headgate demo` tells its story in its own lake only; `headgate init` makes a suite that runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands import ROOT, Typed, headgate
from headgate.doors.stage import MARK

pytestmark = pytest.mark.slow


def demo(folder: Path, *words: str) -> Typed:
    """The demo on a raw zone and a lake below a folder."""
    places = ("--set", f"raw={folder}/raw", "--set", f"lake={folder}/lake")
    return headgate("demo", "--conf", ROOT / "conf", *places, *words, cwd=folder)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Typed]:
    """A demo of eleven days: the last one's gate closes, and opens again."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(folder, "--rows", "500", "--days", "11", "--seed", "3")


def test_the_story_goes_as_planned(played: tuple[Path, Typed]) -> None:
    _, told = played
    assert (told.code, told.err.count("not as planned")) == (0, 0), told.err
    lines = told.out.splitlines()
    assert [line[:1] for line in lines if re.match(r"\d  ", line)] == list("123456")
    gate = [line for line in lines if " GATE " in line]
    assert len(gate) == 1
    assert "clean.order_lines 2026-11-11 BLOCKED mean(unit_price)" in gate[0]
    readers = lines[lines.index(gate[0]) + 1]
    assert "still ends at 2026-11-10" in readers
    assert readers.endswith("none of 2026-11-11")


def test_it_ends_with_sales_a_report_and_what_to_try(played: tuple[Path, Typed]) -> None:
    folder, told = played
    _, found, end = told.out.partition("Sales by country\n")
    assert found
    head, first, *_ = end.splitlines()
    assert head.split() == ["COUNTRY", "REVENUE", "ORDERS"]
    assert re.match(r"  [A-Z]{2} +[\d,]+\.\d\d +\d+$", first)
    assert (folder / "lake" / ".." / "report.html").is_file()
    assert "Report: report.html" in end
    tries = end.partition("Try next:\n")[2].splitlines()[:3]
    assert [re.search(r"headgate (\w+)", line)[1] for line in tries if line] == [  # type: ignore[index]
        "show", "quarantine", "status",
    ]  # fmt: skip
    assert all("--set" in line for line in tries)


def test_the_demo_starts_anew_in_its_own_lake(played: tuple[Path, Typed]) -> None:
    folder, _ = played
    (folder / "lake" / "left-behind").write_text("x")
    told = demo(folder, "--rows", "100", "--days", "1", "--json")
    assert told.code == 0, told.err
    assert not (folder / "lake" / "left-behind").exists()
    result = told.result
    assert result["errors"] == []
    assert {run["window"] for run in result["runs"]} == {"2026-11-01", "2026-11"}
    assert told.out.count("\n") == 1  # a program that reads the answer reads nothing else


@pytest.mark.parametrize("foreign", ["raw", "lake"])
def test_the_demo_touches_nothing_that_is_not_its_own(tmp_path: Path, foreign: str) -> None:
    precious = tmp_path / foreign / "orders" / "mine.csv"
    precious.parent.mkdir(parents=True)
    precious.write_text("a,b\n")
    told = demo(tmp_path)
    assert told.code == 2
    assert "was not made by the demo" in told.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [precious]


def test_a_lake_whose_mark_was_taken_away_is_kept(tmp_path: Path) -> None:
    (tmp_path / "lake" / "ops").mkdir(parents=True)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / MARK).write_text("")
    assert demo(tmp_path).code == 2
    assert (tmp_path / "lake" / "ops").is_dir()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("--rows", "0"), "rows and days have to be 1 or more", id="no rows"),
        pytest.param(("--days", "-2"), "rows and days have to be 1 or more", id="days"),
        pytest.param(("--rows", "many"), "invalid int value", id="not a number"),
        pytest.param(("--set", "lake=s3://a/lake"), "s3: is elsewhere", id="not a disk"),
    ],
)
def test_sizes_and_places_that_cannot_be(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    told = demo(tmp_path, *words)
    assert (told.code, told.out) == (2, "")
    assert says in told.err
    assert "Traceback" not in told.err


def test_the_demo_is_about_the_retail_suite_only(tmp_path: Path) -> None:
    assert headgate("init", "rides", cwd=tmp_path).code == 0
    told = headgate("demo", cwd=tmp_path / "rides")
    assert told.code == 2
    assert "the retail suite" in told.err


@pytest.fixture(scope="module")
def rides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Typed]:
    """A new suite under an awkward name, and what `init` said."""
    folder = tmp_path_factory.mktemp("init")
    return folder / "Bike-Rides 2", headgate("init", "Bike-Rides 2", cwd=folder)


def test_a_new_suite_runs_at_once(rides: tuple[Path, Typed]) -> None:
    folder, told = rides
    assert told.code == 0, told.err
    assert "Next: cd 'Bike-Rides 2' && headgate run" in told.out
    done = headgate("run", "--json", cwd=folder)
    assert done.code == 0, done.err
    assert {(run["table"], run["status"]) for run in done.result["runs"]} == {
        ("ingested.rides", "published"),
        ("clean.rides", "published"),
        ("marts.rides_by_station", "published"),
    }
    assert sum(run["rows"].get("quarantined", 0) for run in done.result["runs"]) == 4


def test_a_new_suites_own_tests_pass(rides: tuple[Path, Typed]) -> None:
    folder, _ = rides
    assert headgate("check", cwd=folder).code == 0
    assert headgate("test", cwd=folder).code == 0
    env = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_nothing_of_the_template_is_left_in_a_new_suite(rides: tuple[Path, Typed]) -> None:
    folder, _ = rides
    files = [path for path in folder.rglob("*") if path.is_file() and "lake" not in path.parts]
    texts = [path.read_text(encoding="utf-8") for path in files if path.suffix != ".pyc"]
    assert not [text for text in texts if re.search(r"@[A-Z]+\d?@", text)]
    assert not [path for path in files if path.suffix == ".in"]
    assert (folder / ".gitignore").is_file()
    assert (folder / "lib" / "bike_rides_2" / "steps.py").is_file()


def test_init_refuses_a_folder_with_anything_in_it(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    for name, says in (("used", "is not empty; nothing was written"), ("file", "is a file")):
        told = headgate("init", name, cwd=tmp_path)
        assert (told.code, told.out) == (2, "")
        assert says in told.err
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["notes.txt"]


def test_init_fills_the_folder_it_stands_in(tmp_path: Path) -> None:
    told = headgate("init", ".", cwd=tmp_path)
    assert told.code == 0, told.err
    assert told.out.endswith("Next: headgate run\n")
    assert headgate("check", cwd=tmp_path).code == 0
