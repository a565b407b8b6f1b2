"""Files whose path tells no window: a column does, or the day on which they were first seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states

COLUMNS = ("id", "at")
TABLES: dict[str, dict[str, Any]] = {
    "ingested.events": {
        "source": {"files": "events/*.csv", "format": "csv"},
        "window_by": "at",
        "columns": {"id": "bigint", "at": "timestamp"},
        "max_rejected": "60%",
    }
}


def test_rows_go_where_their_column_says(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    lab.file("events/a.csv", COLUMNS, [(1, "2026-11-01 10:00:00"), (2, "2026-11-02 10:00:00")])
    fine(lab.run())
    assert lab.rows("ingested.events", "_window", "id") == [("2026-11-01", 1), ("2026-11-02", 2)]

    # The changed file leaves one window and enters another; a new one joins it there.
    lab.file("events/a.csv", COLUMNS, [(1, "2026-11-01 10:00:00"), (2, "2026-11-03 10:00:00")])
    lab.file("events/b.csv", COLUMNS, [(9, "2026-11-03 11:00:00")])
    result = fine(lab.run())
    assert set(states(result, "ingested.events")) == {"2026-11-01", "2026-11-02", "2026-11-03"}
    assert lab.rows("ingested.events", "_window", "id") == [
        ("2026-11-01", 1),
        ("2026-11-03", 2),
        ("2026-11-03", 9),
    ]
    assert lab.app().plan() == []


def test_a_row_whose_column_tells_no_window_is_kept_back(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    lab.file("events/a.csv", COLUMNS, [(1, "2026-11-01 10:00:00"), (2, "")])
    result = lab.run()
    assert result.exit_code == 10  # the window in which the file was first seen has this row only
    assert lab.rows("ingested.events", "id") == [(1,)]
    ((reasons, row),) = lab.rejected("ingested.events", "_reasons", "_row")
    assert (list(reasons), row) == (["at: tells no window"], 2)


def test_without_a_column_the_day_of_arrival_is_pinned(spark: SparkSession, tmp_path: Path) -> None:
    tables = {"ingested.events": dict(TABLES["ingested.events"])}
    del tables["ingested.events"]["window_by"]
    lab = Lab(spark, tmp_path, tables)
    lab.file("events/a.csv", COLUMNS, [(1, "2026-11-01 10:00:00")])
    app = lab.app()
    today = app.suite.window.of(app.lake.now())
    fine(app.run())
    assert lab.rows("ingested.events", "_window", "id") == [(today, 1)]
    lab.file("events/a.csv", COLUMNS, [(1, "2026-11-01 10:00:00"), (2, "2026-11-01 10:00:00")])
    assert entry(fine(lab.run()), "ingested.events", today).rows.written == 2
