"""Whatever the order of windows, their grouping and repetition: the same tables, quarantine, marts
and features as from one run over the files as they stand at last."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import Lab, content

COLUMNS = ("k", "at", "amount", "note", "op")
WINDOWS = ("2026-04-28", "2026-04-29", "2026-04-30", "2026-05-01", "2026-05-02")
CLOSED, CUT = "2026-04-29", "2026-05-02"  # the gate of clean.days is closed; a column lacks
TABLES: dict[str, dict[str, Any]] = {
    "ingested.events": {
        "source": {"files": "events/{window}/*.csv"},
        "columns": {
            "k": {"type": "int", "nulls": ["-"]},
            "at": "timestamp",
            "amount": "decimal(9,2)",
            "note": "string",
            "op": "string",
        },
        "max_rejected": "100%",
    },
    "clean.latest": {
        "reads": "ingested.events",
        "steps": [{"trim": ["note"]}],
        "key": ["k"],
        "latest_by": ["at"],
        "write": "upsert",
        "deletes": "op = 'gone'",
        "quality": [{"expect_column_values_to_not_be_null": {"column": "k"}}],
        "max_rejected": "100%",
    },
    "clean.days": {
        "reads": "ingested.events",
        "steps": [
            {"deduplicate": "exact"},
            {"where": {"keep": "op IS NULL OR op <> 'gone'", "because": "a deletion"}},
            {"lookup": {"table": "clean.latest", "on": {"k": "k"}, "take": ["note"]}},
            {"sql": "SELECT *, :window_start AS since FROM input"},
        ],
        "key": ["k", "at"],
        "quality": [
            {"row": {"amount is positive": "amount > 0"}},
            {"expect_column_max_to_be_between": {"column": "amount", "max_value": 1000}},
        ],
        "max_rejected": "100%",
    },
    "marts.by_month": {
        "reads": {"days": "clean.days"},
        "period": {"column": "at", "grain": "month"},
        "group_by": ["note"],
        "measures": {"amount": "sum(amount)", "keys": "count(DISTINCT k)"},
    },
    "marts.by_day": {
        "reads": {"latest": "clean.latest"},
        "period": {"column": "at", "grain": "day"},
        "measures": {"amount": "sum(amount)", "rows": "count(*)"},
    },
    "marts.two_days": {
        "reads": {"latest": "clean.latest"},
        "period": {"column": "at", "grain": "day"},
        "over": {"last": "2 periods"},
        "measures": {"amount": "sum(amount)", "keys": "count(DISTINCT k)"},
    },
    "features.key": {
        "entity": {"key": "k"},
        "reads": {"days": "clean.days"},
        "time": "at",
        "features": {
            "rows_2d": {"of": "days", "measure": "count(*)", "last": "2 days"},
            "amount": {"of": "days", "measure": "sum(amount)", "else": 0},
        },
    },
}
ALL = ((), (), (), ("ingested",), ("clean",), ("clean.latest",), ("marts", "features"))
Files = dict[str, str]  # by path


def some_rows(dice: random.Random, window: str) -> list[tuple[Any, ...]]:
    """Few keys, so that windows take rows over from each other; some rows belong to other days."""
    made: list[tuple[Any, ...]] = []
    for _ in range(dice.choice((1, 6, 20))):
        if made and dice.random() < 0.15:
            made.append(dice.choice(made))
            continue
        day = window if dice.random() < 0.8 else dice.choice(WINDOWS)
        made.append(
            (
                dice.choice(("-", "x", *[str(key) for key in range(1, 6)] * 3)),
                f"{day} {dice.choice((8, 9, 10)):02d}:00:00",
                dice.choice(("1.00", "2.50", "-1", "3.999", "7")),
                dice.choice((" a", "b", "", "c")),
                "gone" if dice.random() < 0.1 else None,
            )
        )
    return made


def sent(dice: random.Random, window: str) -> Files:
    """What a supplier sends for one window: one file or two."""
    made = {}
    for name in dice.choice(("a", "ab")):
        # One row that passes all rules: of a window without any the maximum is not as expected.
        rows = [*some_rows(dice, window), ("6", f"{window} 07:00:00", "1.00", "b", None)]
        if window == CLOSED and name == "a":
            rows.append(("1", f"{window} 11:00:00", "5000.00", "dear", None))
        lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
        header = ",".join(COLUMNS)
        if window == CUT and name == "a":
            header, lines = ",".join(COLUMNS[1:]), [line.partition(",")[2] for line in lines]
        made[f"events/{window}/{name}.csv"] = "\n".join([header, *lines]) + "\n"
    return made


@dataclass
class History:
    """A lake on which things happen in some order, and what is told of it when it fails."""

    lab: Lab
    told: list[str] = field(default_factory=list)

    def put(self, files: Files) -> None:
        for path, text in files.items():
            self.told.append(f"put {path}")
            self.lab.content(path, text.encode())

    def run(self, *what: str, **how: Any) -> None:
        self.told.append(f"run {what} {how}")
        result = self.lab.run(*what, **how)
        wrong = [e for e in result.runs if e.exit_code not in (0, 10, 11, 12)]
        assert not wrong, (self.told, wrong)
        assert result.exit_code in (0, 10, 11, 12), (self.told, result.errors)


def rejected(lab: Lab) -> dict[str, Counter[str]]:
    """The open rows of every quarantine, without the moment at which a file was first seen."""
    found = {}
    for name in TABLES:
        folder = lab.lake / "quarantine" / name
        if not (folder / "_delta_log").exists():
            continue
        rows = lab.spark.read.format("delta").load(str(folder)).where(F.col("_state") == "open")
        shown = rows.select("_window", "_file", "_row", "_reasons", "_record").collect()
        found[name] = Counter(repr((*row[:3], sorted(row[3]), _lasting(row[4]))) for row in shown)
    return {name: rows for name, rows in found.items() if rows}


def _lasting(record: str) -> Any:
    try:
        values = json.loads(record)
    except ValueError:
        return record
    return sorted((key, value) for key, value in values.items() if key != "_ingested_at")


def held(lab: Lab) -> dict[str, Counter[str]]:
    """What the tables hold; also from which file each row is."""
    return {
        name: content(lab.read(name), without=("_ingested_at", "_run"))
        for name in TABLES
        if any((lab.lake / name.replace(".", "/") / "_delta_log").glob("*.json"))
    }


def as_rebuilt(history: History) -> None:
    """Every mart and feature is what its inputs make, as far as it was brought up to them."""
    app = history.lab.app()
    for name in app.selected(["marts", "features"]):
        if app.lake.history.published(name):
            found = app.verify(name)
            assert not found.different, (name, found, history.told)


def disordered(
    dice: random.Random, history: History, final: Files, moves: int, *, each: bool = False
) -> None:
    """Files come in pieces, some of them wrong at first; windows are run in any order and again.

    After `each` run marts and features are held against a rebuild.
    """
    lab = history.lab
    windows = list(WINDOWS)
    dice.shuffle(windows)
    for window in windows[: dice.randint(3, len(windows))]:
        # What never passes must not have passed before: readers keep the last good version.
        fixed = window in (CLOSED, CUT)
        history.put(
            {p: text for p, text in final.items() if window in p} if fixed else sent(dice, window)
        )
    history.run()  # so that what comes next replaces something
    for _ in range(moves):
        there = sorted(folder.name for folder in (lab.raw / "events").iterdir())
        named = sorted(dice.choices(there, k=2))
        how = dice.choice(("one", "range", "due", "force"))
        span = named[0] if how in ("one", "force") else f"{named[0]}..{named[1]}"
        if how == "due":
            history.run(*dice.choice(ALL))
        else:
            history.run(*dice.choice(ALL), window=span, force=how == "force")
        if each:
            as_rebuilt(history)
        for path in dice.sample(sorted(final), 2):
            history.put({path: final[path]})
    history.put(dict(dice.sample(sorted(final.items()), len(final))))


def same_in_any_order(spark: SparkSession, folder: Any, seed: int, moves: int) -> None:
    dice = random.Random(seed)
    final: Files = {}
    for window in WINDOWS:
        final |= sent(dice, window)
    other = History(Lab(spark, folder / "other", TABLES))
    disordered(dice, other, final, moves, each=moves > 1)
    other.run()
    one = History(Lab(spark, folder / "one", TABLES))
    shutil.copytree(other.lab.raw, one.lab.raw)  # with files that were sent by mistake
    one.run()
    assert not other.lab.run().runs
    assert _states(one) == _states(other)
    assert held(one.lab) == held(other.lab), other.told
    assert rejected(one.lab) == rejected(other.lab), other.told


def _states(history: History) -> dict[tuple[str, str], str]:
    """How the last run of each slice ended; of one that has lost all its rows there is no other."""
    known = history.lab.app().lake.history
    ended: dict[tuple[str, str], str] = {}
    for name in TABLES:
        for window in known.windows(name):
            last = known.last(name, window)
            empty = last is not None and last.status == "published" and not last.rows.written
            if last is not None and last.exit_code != 12 and not empty:
                ended[name, window] = last.status
    return ended


def the_same_each_time(examples: int) -> settings:
    """So many examples, and no search for a smaller one: each takes a minute."""
    return settings(
        max_examples=examples, phases=[Phase.generate], derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )  # fmt: skip


SEEDS = st.integers(min_value=1, max_value=2**32)


def test_any_order_comes_to_the_same(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> None:
    same_in_any_order(spark, tmp_path_factory.mktemp("order"), seed=11, moves=1)


@pytest.mark.slow
@the_same_each_time(8)
@given(seed=SEEDS)
def test_any_order_comes_to_the_same_many_times(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    same_in_any_order(spark, tmp_path_factory.mktemp("order"), seed, moves=6)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["one by one", "backwards", "forced twice"])
def test_named_windows_come_to_the_same_as_all_at_once(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    dice = random.Random(5)
    final: Files = {}
    for window in WINDOWS:
        final |= sent(dice, window)
    folder = tmp_path_factory.mktemp("named")
    one, other = (History(Lab(spark, folder / name, TABLES)) for name in ("one", "other"))
    for history in (one, other):
        history.put(final)
    one.run()
    if way == "forced twice":
        for _ in range(2):
            other.run(window=f"{WINDOWS[0]}..{WINDOWS[-1]}", force=True)
    else:
        for window in _directed(WINDOWS, way):
            other.run(window=window)
    other.run()  # what earlier windows see of later ones, and periods beside the named windows
    assert held(one.lab) == held(other.lab)
    assert rejected(one.lab) == rejected(other.lab)


def _directed(windows: Sequence[str], way: str) -> Sequence[str]:
    return windows[::-1] if way == "backwards" else windows
