"""Windows against earlier windows, on real tables: what warns, what closes, what is kept of it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states
from headgate.core.errors import Usage
from headgate.storage.records import Records

COLUMNS = ("id", "country", "price", "note", "at")
KINDS = {
    "id": "bigint",
    "country": "string",
    "price": "decimal(10,2)",
    "note": "string",
    "at": "timestamp",
}
FIRST = date(2026, 10, 1)
WATCHED = ["row_count", "null_share", "mean", "quantiles", "categories", "distinct"]


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def tables(**rule: Any) -> dict[str, Any]:
    return {
        "ingested.sales": {
            "source": {"files": "sales/{window}/*.csv"},
            "columns": KINDS,
            "quality": [{"drift": {"metrics": WATCHED, "time": "at", **rule}}],
        }
    }


def laid(lab: Lab, number: int, *, times: float = 1.0, rows: int = 120, nulls: float = 0.1) -> None:
    """One day's file: the same for the same number, but for what is said."""
    chance = random.Random(number)
    window = day(number)
    lab.file(
        f"sales/{window}/a.csv",
        COLUMNS,
        [
            (
                number * 1000 + at,
                chance.choices(["NO", "SE", "DK"], [5, 3, 2])[0],
                f"{times * chance.uniform(3, 6):.2f}",
                None if chance.random() < nulls else f"note {at % 7}",
                f"{window} {chance.randrange(20, 24):02d}:00:00",
            )
            for at in range(rows + chance.randrange(-5, 6))
        ],
    )


def metrics(lab: Lab, name: str) -> Mapping[str, dict[str, Any]]:
    """By window: detail of one metric."""
    told = lab.ops("metrics", "window", "column", "metric", "detail")
    return {w: json.loads(d or "{}") for w, c, m, d in told if f"{c or ''}:{m}" == name}


def test_a_price_ten_times_as_high(spark: SparkSession, tmp_path: Path) -> None:
    """It warns; with `critical` it closes, a re-run repeats it, and a person can let it pass."""
    lab = Lab(spark, tmp_path, tables())
    for number in range(12):
        laid(lab, number)
    result = fine(lab.run())
    assert not [one.warnings for one in result.runs if one.warnings]
    states_of = metrics(lab, "price:mean")
    assert states_of[day(3)] == {"rows": 115, **states_of[day(3)], "state": "learning"}
    assert states_of[day(11)]["state"] == "usual"
    assert states_of[day(11)]["windows"] == 11

    laid(lab, 12, times=10)
    warned = entry(fine(lab.run()), "ingested.sales", day(12))
    assert warned.status == "published"
    (line,) = warned.warnings  # its quantiles moved with the mean: one cause, one line
    assert line.startswith("price mean 4")
    assert ", usual " in line
    assert "quantile" not in line
    (failed,) = [one for one in warned.checks if not one.success]
    assert failed.rule.startswith("drift: {metrics")
    assert [(sev, text) for sev, text in lab.ops("alerts", "severity", "text")] == [
        ("warning", line)
    ]

    strict = lab.having(tables(severity="critical"))
    closed = strict.run("ingested.sales", window=day(12))
    assert states(closed, "ingested.sales") == {day(12): "blocked"}
    assert closed.exit_code == 10
    said = entry(closed, "ingested.sales", day(12))
    assert said.message is not None
    assert said.message.startswith("price mean 4")
    assert said.message.endswith("rows kept back")
    assert said.rows.withheld == said.rows.read

    for number in (9, 10, 11):  # its past is another one now: what was decided stands
        laid(strict, number, times=10)
    again = strict.run("ingested.sales", window=day(12))
    assert entry(again, "ingested.sales", day(12)).message == said.message

    with pytest.raises(Usage, match="drift"):
        strict.run("ingested.sales", waive=["drfit"], because="x")
    passed = strict.run("ingested.sales", window=day(12), waive=["drift"], because="new list")
    assert states(passed, "ingested.sales") == {day(12): "published"}
    assert not entry(passed, "ingested.sales", day(12)).warnings
    laid(strict, 13, times=10)  # the new level is usual, and so is the old one for a while
    laid(strict, 14)
    after = strict.run("ingested.sales", window=f"{day(13)}..{day(14)}")
    assert set(states(after, "ingested.sales").values()) == {"published"}


def verdicts(lab: Lab) -> dict[str, dict[str, Any]]:
    told = lab.ops("metrics", "window", "metric", "detail")
    return {w: json.loads(d) for w, m, d in told if m == "drift"}


def test_all_at_once_gives_the_verdicts_of_one_by_one(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, tables(severity="critical"))
    wrong: dict[int, dict[str, Any]] = {8: {"times": 10}, 10: {"rows": 30}, 11: {"nulls": 0.9}}
    for number in range(13):
        laid(lab, number, **wrong.get(number, {}))
    together = lab.run()
    alone = lab.on("other")
    first = alone.run("ingested.sales", window=f"{day(0)}..{day(6)}")
    ended = states(first, "ingested.sales")
    for number in range(7, 13):
        ended |= states(alone.run("ingested.sales", window=day(number)), "ingested.sales")
    assert states(together, "ingested.sales") == ended
    blocked = {window for window, status in ended.items() if status == "blocked"}
    assert blocked == {day(number) for number in wrong}
    assert verdicts(lab) == verdicts(alone)
    every = ("window", "column", "metric", "value", "detail")
    observed, grouped = (one.ops("metrics", *every) for one in (alone, lab))
    assert [one for one in observed if one[0] > day(6)] == [g for g in grouped if g[0] > day(6)]
    assert verdicts(lab)[day(11)]["lines"][0].startswith("note null_share")


def test_what_a_crash_cut_off_is_written_again(spark: SparkSession, tmp_path: Path) -> None:
    """The commit carries what was measured."""
    lab = Lab(spark, tmp_path, tables())
    for number in range(3):
        laid(lab, number)
    before = Records.add_runs

    def lost(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Records, "add_runs", lost)
        with pytest.raises(KeyboardInterrupt):
            lab.run()
    assert Records.add_runs is before
    assert not (lab.lake / "ops" / "metrics").exists()
    laid(lab, 3)
    fine(lab.run(break_lease=True))
    assert set(metrics(lab, ":row_count")) == {day(number) for number in range(4)}
    assert metrics(lab, ":row_count")[day(3)]["windows"] == 3


def test_what_is_recorded_holds_no_values(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, tables())
    laid(lab, 0)
    laid(lab, 1)
    fine(lab.run())
    told = lab.ops("metrics", "column", "metric", "value", "detail", "window", "run")
    names = {(c, m) for c, m, *_ in told}
    assert {("country", "categories"), ("price", "quantiles"), ("at", "freshness")} <= names
    counts = metrics(lab, "country:categories")[day(0)]["counts"]
    assert sum(counts.values()) == lab.read("ingested.sales").where(f"_window = '{day(0)}'").count()
    assert all(bucket.isdigit() for bucket in counts)
    assert not any(word in str(told) for word in ("'NO'", '"NO"', "note 1"))
    fresh = [v for c, m, v, _, w, _ in told if m == "freshness" and w == day(0)]
    assert fresh == [1.0]  # the newest row is of 23:00


def test_without_the_rule_nothing_is_measured(spark: SparkSession, tmp_path: Path) -> None:
    without = tables()
    del without["ingested.sales"]["quality"]
    lab = Lab(spark, tmp_path, without)
    laid(lab, 0)
    fine(lab.run())
    assert not (lab.lake / "ops" / "metrics").exists()
