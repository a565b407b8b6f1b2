"""Maintain: fewer files with the same rows; nothing becomes due, and all promises hold after."""

from __future__ import annotations

import shutil
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, states
from headgate.app import App
from headgate.core.errors import Held, Infrastructure, Usage
from headgate.stages import standing
from headgate.stages.holding import holding
from headgate.stages.maintaining import Upkept
from headgate.storage import points
from headgate.storage.remains import Remains
from headgate.storage.staged import open_draft
from headgate.storage.transaction import fence_of
from headgate.storage.upkeep import Amount

COLUMNS = ("id", "country", "amount", "at")
TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv", "format": "csv"},
        "columns": {"id": "bigint", "country": "string", "amount": "decimal(10,2)", "at": "date"},
    },
    "ingested.countries": {
        "source": {"files": "countries/{window}.csv", "format": "csv"},
        "columns": {"code": "string", "region": "string"},
    },
    "clean.countries": {"reads": "ingested.countries", "key": ["code"], "write": "upsert"},
    "clean.sales": {
        "reads": "ingested.sales",
        "steps": [
            {"lookup": {"table": "clean.countries", "on": {"country": "code"}, "take": ["region"]}},
        ],
        "key": ["id"],
        "quality": [{"row": {"positive": "amount > 0"}}],
        "max_rejected": "100%",
    },
    "clean.latest": {
        "reads": "ingested.sales", "key": ["id"], "latest_by": ["amount"], "write": "upsert",
    },
    "clean.versions": {
        "reads": "ingested.sales", "key": ["id"], "latest_by": ["at"], "write": "history",
    },
    "marts.by_region": {
        "reads": {"sales": "clean.sales", "countries": "clean.countries"},
        "period": {"column": "sales.at", "grain": "day"},
        "sql": "SELECT s.at, c.region, sum(s.amount) AS amount FROM sales s"
        " JOIN countries c ON s.country = c.code GROUP BY s.at, c.region",
    },
}  # fmt: skip
NO_FILES = Amount()
DAYS = ("2026-11-01", "2026-11-02", "2026-11-03")


def with_days(lab: Lab, *days: str) -> None:
    """A run a day, and two files each: tables of many small files."""
    for place, day in enumerate(days):
        codes = [("NO", "north"), ("DE", "west")][: place + 1]
        lab.file(f"countries/{day}.csv", ("code", "region"), codes)
        for half in (1, 2):
            rows = [(n, "NO" if n % 2 else "DE", f"{n * half - 4}.00", day) for n in range(9)]
            lab.file(f"sales/{day}/{half}.csv", COLUMNS, rows)
        fine(lab.run())


def every(app: App, **how: Any) -> dict[tuple[str, str], Upkept]:
    found = [one for name in app.suite.tables for one in app.maintain(name, **how)]
    return {(one.table, one.place): one for one in (*found, *app.maintain_records(**how))}


def live(lab: Lab, name: str) -> list[str]:
    """The data files of a table's newest version."""
    return [one.path for one in Remains(lab.spark, f"{lab.lake}/{name}").active()]


def later(lab: Lab, days: int) -> App:
    """The suite, opened some days from now."""
    app = lab.app()
    app.lake.clock = lambda: datetime.now(timezone.utc) + timedelta(days=days)
    return app


def verified(lab: Lab) -> None:
    app = lab.app()
    for name in app.to_verify():
        found = app.verify(name)
        assert not found.different, found
        assert not found.skipped, found


@pytest.fixture(scope="module")
def made(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    lab = Lab(spark, tmp_path_factory.mktemp("made"), TABLES)
    with_days(lab, *DAYS)
    return lab


@pytest.fixture
def lab(made: Lab, tmp_path: Path) -> Lab:
    """A copy of its own."""
    shutil.copytree(made.folder, tmp_path / "lab")
    return Lab(made.spark, tmp_path / "lab", TABLES)


def test_fewer_files_hold_the_same_rows_and_nothing_becomes_due(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MANY", 1)
    (line,) = lab.app().status(["ingested.sales"])
    assert line.next == "headgate maintain ingested.sales"  # two files a day
    before, rejected = lab.contents(), lab.rejected("clean.sales", "_record", "_state")
    planned = every(lab.app(), dry_run=True)
    assert lab.contents() == before
    names = ("quarantine/clean.sales", "ops/accepted/clean.latest", "clean/latest")
    files = {name: len(live(lab, name)) for name in names}

    done = every(lab.app())
    assert done.keys() == planned.keys()
    for place, one in planned.items():
        assert (one.small, one.into, one.old) == (done[place].small, done[place].into, NO_FILES)
    assert lab.contents() == before
    assert lab.rejected("clean.sales", "_record", "_state") == rejected
    assert {name: len(live(lab, name)) for name in names} == {
        "quarantine/clean.sales": 1, "ops/accepted/clean.latest": 3, "clean/latest": 1,
    }  # fmt: skip
    assert files["quarantine/clean.sales"] > 1
    assert sorted(path.partition("/")[0] for path in live(lab, "ingested/sales")) == [
        f"_window={day}" for day in DAYS
    ]

    assert lab.app().plan() == []
    assert lab.app().status(["ingested.sales"])[0].next == ""
    assert fine(lab.run()).runs == ()
    verified(lab)
    assert all(one.idle for one in every(lab.app(), dry_run=True).values())


def test_what_comes_after_is_as_if_nothing_had_been(lab: Lab) -> None:
    """A new window, an old one sent again, and an undo, beside a lake that was never tidied."""
    plain = lab.on("plain")
    shutil.copytree(lab.lake, plain.lake)
    every(lab.app())
    again = [(n, "NO", "70.00", DAYS[0]) for n in range(4)]
    lab.file(f"sales/{DAYS[0]}/1.csv", COLUMNS, again)
    lab.file("sales/2026-11-04/1.csv", COLUMNS, [(3, "DE", "90.00", "2026-11-04")])
    ran = [fine(one.run()) for one in (lab, plain)]
    for table in lab.tables:
        assert states(ran[0], table) == states(ran[1], table), table
    assert lab.contents() == plain.contents()
    verified(lab)
    for one in (lab, plain):
        fine(one.app().undo("clean.latest", DAYS[0]))
        fine(one.run())
    assert lab.contents() == plain.contents()


def test_old_versions_go_and_what_needed_them_says_so(lab: Lab) -> None:
    lab.file(f"sales/{DAYS[1]}/1.csv", COLUMNS, [(5, "NO", "50.00", DAYS[1])])
    fine(lab.run())
    before = lab.contents()
    orphan = lab.lake / "clean/sales/part-of-nobody.parquet"
    orphan.write_bytes(b"")
    assert not any(one.old.files for one in every(later(lab, 29)).values())
    assert orphan.exists()
    keeping = lab.having({"clean.latest": {**TABLES["clean.latest"], "keep_versions": "7 days"}})
    assert {
        table for (table, _), one in every(later(keeping, 8)).items() if one.old.files
    } == {"clean.latest"}  # fmt: skip

    path = f"{lab.lake}/clean/sales"
    sleeper = open_draft(lab.spark, path, fence=fence_of(lab.spark, path) + 1, by_window=True)
    sleeper.write(lab.read("clean.sales"))
    gone = every(later(lab, 31))
    assert gone["clean.sales", "table"].old.files > 0
    assert not orphan.exists()
    assert not any((lab.lake / "clean/sales" / one.path).exists() for one in sleeper.written())
    with pytest.raises((Held, Infrastructure)):
        sleeper.commit(replace=None, without=frozenset(), metadata={})
    assert lab.contents() == before
    assert lab.app().plan() == []
    verified(lab)
    with pytest.raises(Usage, match="is not kept any more"):
        lab.app().undo("clean.sales", DAYS[1])

    lab.file(f"sales/{DAYS[2]}/1.csv", COLUMNS, [(6, "NO", "60.00", DAYS[2])])
    fine(lab.run("+clean.sales"))
    every(later(lab, 62))  # before the mart has seen it
    unread = lab.app().verify("marts.by_region")
    assert not unread.different
    assert "clean.sales changed since, and what it held is not kept" in str(unread.skipped)
    whys = {line.why for line in lab.app().plan(["marts.by_region"])}
    assert whys == {"the input's changes are unknown: the whole mart is made again"}
    fine(lab.run())
    verified(lab)


def test_a_table_that_runs_is_left_alone_and_a_broken_off_call_leaves_all_rows(lab: Lab) -> None:
    app, before = lab.app(), lab.contents()
    with (
        holding(app.lake, app.named("clean.latest"), "another's"),
        pytest.raises(Held, match="another's"),
    ):
        lab.app().maintain("clean.latest")
    over = threading.Event()
    over.set()
    points.ends_with(over)
    try:
        with pytest.raises(KeyboardInterrupt):  # after the store, before the table
            lab.app().maintain("clean.latest")
    finally:
        points.ends_with(threading.Event())
    assert len(live(lab, "ops/accepted/clean.latest")) == 3
    assert lab.contents() == before
    assert lab.app().plan() == []
    lab.file(f"sales/{DAYS[1]}/1.csv", COLUMNS, [(5, "NO", "50.00", DAYS[1])])
    fine(lab.run())
    verified(lab)
