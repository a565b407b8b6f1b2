"""The demo's day of tenfold prices, with the rule about the mean price taken out of the suite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from builders import entry, states
from e2e.test_docs import to_run, typed
from headgate.app import opened
from shop.generate import arrive, generate
from small_shop import TABLES, WRONG, shop_conf

LINES = "clean.order_lines"
RULE = "  - expect_column_mean_to_be_between:"


def test_drift_alone_catches_the_day_of_tenfold_prices(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_conf(tmp_path, [name for name in TABLES if not name.startswith("marts/")])
    file = tmp_path / "conf" / "clean" / "order_lines.yaml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith(RULE)]
    assert len(kept) == len(file.read_text().splitlines()) - 1
    file.write_text("\n".join(kept) + "\n")
    raw = tmp_path / "data" / "raw"
    story = generate(raw, rows=400, days=14, seed=7)
    arrive(raw, story, story.arrival("day-11"))

    result = opened(tmp_path / "conf").run(["+" + LINES])
    ended = states(result, LINES)
    assert {window for window, status in ended.items() if status != "published"} == {WRONG}
    closed = entry(result, LINES, WRONG)
    assert closed.status == "blocked"
    assert closed.message is not None
    assert closed.message.startswith("unit_price mean ")
    assert ", usual " in closed.message
    (why,) = [check for check in closed.checks if check.closed]
    assert why.expectation == "drift"
    assert json.loads(why.arguments)["metrics"] == ["mean"]
    rows = opened(tmp_path / "conf").table(LINES)
    assert rows.where(rows["_window"] == WRONG).count() == 0

    monkeypatch.chdir(tmp_path)  # the commands of the page: it was a false alarm
    for line in to_run("docs/drift.md"):
        code, said = typed(line.words[1:])
        assert code == line.exits, f"{line}\n{said}"
        assert "unit_price mean" in said or "published" in said, line
    rows = opened(tmp_path / "conf").table(LINES)
    assert rows.where(rows["_window"] == WRONG).count() == closed.rows.withheld
