"""Long ranges run in parts, from where they stopped; what a supplier owes is told in time."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, states
from headgate.app import App
from headgate.core.errors import Usage
from headgate.stages import runner

DAYS = tuple(f"2026-11-{day:02d}" for day in range(2, 7))  # Monday to Friday
RANGE = f"{DAYS[0]}..{DAYS[-1]}"
SALES: dict[str, Any] = {
    "source": {"files": "sales/{window}.csv"},
    "columns": {"id": "int", "amount": "int"},
    "since": DAYS[0],
}
TABLES = {"ingested.sales": SALES, "clean.sales": {"reads": "ingested.sales"}}


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    lab = Lab(spark, tmp_path, TABLES)
    for day in DAYS:
        lab.file(f"sales/{day}.csv", ("id", "amount"), [(int(day[-2:]), 1)])
    return lab


def test_a_range_goes_on_where_it_stopped(lab: Lab) -> None:
    said: list[tuple[str, Any]] = []
    first = fine(lab.run(window=RANGE, max_windows=2, say=lambda *a, **k: said.append((*a, k))))
    # The oldest first; what is left is not said to be unchanged.
    for name in TABLES:
        assert states(first, name) == dict.fromkeys(DAYS[:2], "published")
    assert ("left", {"table": "ingested.sales", "count": 3}) in said
    second = fine(lab.run("ingested.sales", max_windows=1))
    assert states(second, "ingested.sales") == {DAYS[2]: "published"}
    rest = fine(lab.run(window=RANGE))
    assert states(rest, "ingested.sales") == {
        **dict.fromkeys(DAYS[:3], "unchanged"), **dict.fromkeys(DAYS[3:], "published"),
    }  # fmt: skip
    assert [row[0] for row in lab.rows("clean.sales", "id")] == [2, 3, 4, 5, 6]
    with pytest.raises(Usage, match=r"nothing is expected before 2026-11-02.* Next: --window 2026"):
        lab.run("clean.sales", window=f"2025-01-01..{DAYS[0]}")


def test_another_run_gets_in_between_two_passes(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MOST_TOGETHER", 2)
    daily: list[Any] = []

    def say(event: str, **facts: Any) -> None:
        if event == "queue" and facts["done"] and not daily:
            daily.append(lab.run("ingested.sales", window=DAYS[-1]))

    whole = fine(lab.run("ingested.sales", window=RANGE, say=say))
    assert states(fine(daily[0]), "ingested.sales") == {DAYS[-1]: "published"}
    assert states(whole, "ingested.sales") == {
        **dict.fromkeys(DAYS[:4], "published"), DAYS[4]: "unchanged",
    }  # fmt: skip
    assert len(lab.rows("ingested.sales", "id")) == len(DAYS)


def test_what_is_expected_and_lacks_is_told(spark: SparkSession, tmp_path: Path) -> None:
    expects = {"every": "weekday", "by": "06:00"}
    lab = Lab(
        spark, tmp_path, {"ingested.sales": {**SALES, "expects": expects}},
        {"alerts": [{"to": "file:alerts.jsonl"}]},
    )  # fmt: skip
    for day in (*DAYS[:3], DAYS[4]):
        lab.file(f"sales/{day}.csv", ("id", "amount"), [(1, 1)])

    def at(day: int, hour: int) -> App:
        app = lab.app()
        app.lake.clock = lambda: datetime(2026, 11, day, hour, tzinfo=timezone.utc)
        return app

    def waiting(app: App) -> list[tuple[str, str]]:
        return [(one.window, one.why) for one in app.plan() if not one.runs]

    # Friday's files lie there; Thursday's do not, and Monday's have an hour left at first. Nothing
    # comes at the weekend.
    assert waiting(at(10, 5)) == [(DAYS[3], "gap: no input, expected by 2026-11-06 06:00")]
    assert at(10, 5).status()[0].late
    assert [window for window, _ in waiting(at(10, 6))] == [DAYS[3], "2026-11-09"]
    assert at(10, 6).run().exit_code == 0
    told = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert len(told) == 1
    assert "ingested.sales LATE" in told[0]
    assert "no file of 2026-11-09 has come, nor 1 before it" in told[0]
    assert at(10, 7).run().exit_code == 0
    assert len((tmp_path / "alerts.jsonl").read_text().splitlines()) == 1  # once
