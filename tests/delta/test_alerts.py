"""Alerts of real runs: who hears of what, how often, and what the report shows meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine, states
from headgate.app import App
from headgate.core.errors import InputMissing
from headgate.doors.reporting import gathered
from headgate.storage.records import Records
from receivers import SECRET, web

TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}.csv"},
        "columns": {"id": "int", "amount": "int"},
        "quality": [
            {"expect_column_mean_to_be_between": {"column": "amount", "min_value": 2}},
            {"row": {"amount is small": "amount < 9"}, "severity": "warning"},
        ],
    },
    "clean.sales": {"reads": "ingested.sales"},
    "clean.more": {"reads": "clean.sales"},
}
FIRST, SECOND = "2026-11-01", "2026-11-02"


def sales(lab: Lab, day: str, *amounts: int) -> None:
    lab.file(f"sales/{day}.csv", ("id", "amount"), enumerate(amounts))


def open_in_report(app: App) -> list[tuple[str, str, str]]:
    return [(one.table, one.window, one.severity) for one in gathered(app).open_alerts]


def test_told_once_open_until_it_is_mended(spark: SparkSession, tmp_path: Path) -> None:
    with web() as server:
        lab = Lab(spark, tmp_path, TABLES, {"alerts": [{"to": f"webhook:{server.url}"}]})
        sales(lab, FIRST, 5, 6)
        fine(lab.run())
        assert not (lab.lake / "ops" / "outbox").exists()
        assert not (lab.lake / "ops" / "alerts").exists()  # nothing to tell costs no commit

        sales(lab, FIRST, 5, 12)
        sales(lab, SECOND, 1, 1)
        assert lab.run().exit_code == 10
        closed = f"ingested.sales {SECOND} BLOCKED mean(amount) 1, expected at least 2"
        (run,) = [r for r, window in lab.ops("alerts", "run", "window") if window == SECOND]
        assert server.texts == [
            f"{closed}; 2 rows kept back; 2 rows withheld; readers still see what was there before."
            f" Next: headgate show {run}",
            server.texts[1],
        ]
        assert server.texts[1].startswith(
            f"ingested.sales {FIRST} WARNING amount is small broken by 1 of 2 rows (50%)."
        )
        trouble = [("ingested.sales", SECOND, "critical"), ("ingested.sales", FIRST, "warning")]
        assert open_in_report(lab.app()) == trouble

        # By name, all that depend on it fail for want of it: the root was told already.
        again = lab.run(window=SECOND)
        assert states(again, "clean.more") == {SECOND: "failed"}
        assert len(server.bodies) == 2
        assert len(open_in_report(lab.app())) == 4

        sales(lab, SECOND, 5, 5)
        fine(lab.run())
        well = [one for one in server.said if one["state"] == "recovered"]
        assert [one["tables"] for one in well] == [["ingested.sales"]]
        assert open_in_report(lab.app()) == [("ingested.sales", FIRST, "warning")]
        sales(lab, SECOND, 0, 0)
        lab.run()
        assert server.texts[-1].startswith(f"ingested.sales {SECOND} BLOCKED mean(amount) 0")
        assert len(server.bodies) == 4
    kept = [file.read_bytes() for file in lab.lake.rglob("*") if file.is_file()]
    assert not any(SECRET.encode() in one for one in kept)


def test_a_raw_zone_that_is_not_there_is_told_too(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, TABLES, {"alerts": ["file:told.jsonl"]})
    for _ in range(2):
        with pytest.raises(InputMissing, match="the raw zone is not there"):
            lab.run()
    assert len((tmp_path / "told.jsonl").read_text().splitlines()) == 1


def test_a_table_of_alerts_that_takes_none_fails_no_run(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = Lab(spark, tmp_path, TABLES, {"alerts": ["file:told.jsonl"]})
    spark.range(1).selectExpr("id AS severity").write.format("delta").save(f"{lab.lake}/ops/alerts")
    sales(lab, FIRST, 12, 12)
    fine(lab.run("ingested"))
    (line,) = (tmp_path / "told.jsonl").read_text().splitlines()
    assert f"ingested.sales {FIRST} WARNING" in line


def test_a_lake_of_an_older_release_goes_on(spark: SparkSession, tmp_path: Path) -> None:
    """Its `ops.alerts` has fewer columns."""
    lab = Lab(spark, tmp_path, TABLES)
    old = "run string, `table` string, window string, severity string, text string,"
    at = "2026-10-01T00:00:00+00:00"
    rows = [("r", "clean.sales", FIRST, "warning", "t", at)]
    frame = spark.createDataFrame(rows, f"{old} raised_at string")
    frame = frame.withColumn("raised_at", frame["raised_at"].cast("timestamp"))
    frame.write.format("delta").save(f"{lab.lake}/ops/alerts")
    sales(lab, FIRST, 12, 12)
    fine(lab.run())
    found = Records(spark, str(lab.lake)).alerts()
    assert [(one["run"] == "r", one.get("news")) for one in found] == [(True, None), (False, True)]
