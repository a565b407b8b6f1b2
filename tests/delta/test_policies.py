"""Gates whose rules hold from a day on, are waived for a time, or only warn: window by window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from builders import Lab, entry, states

DAYS = tuple(f"2026-11-0{day}" for day in range(1, 6))
MEAN = {"expect_column_mean_to_be_between": {"column": "amount", "min_value": 2}}
POSITIVE = {"row": {"amount is positive": "amount > 0"}}


def tables(**more: Any) -> dict[str, Any]:
    return {
        "ingested.sales": {
            "source": {"files": "sales/{window}.csv"},
            "columns": {"id": "int", "amount": "int"},
            "max_rejected": "60%",
            **more,
        }
    }


def laid(lab: Lab) -> Lab:
    """Five days, each with one negative amount; the mean of the third and fourth is too low."""
    for place, day in enumerate(DAYS):
        low = place in (2, 3)
        amounts = [-1, 1, 1] if low else [-1, 5, 6]
        lab.file(f"sales/{day}.csv", ("id", "amount"), enumerate(amounts))
    return lab


def test_each_window_has_the_rules_of_its_day(spark: SparkSession, tmp_path: Path) -> None:
    waived = {"rule": "mean(amount)", "until": DAYS[2], "because": "a slip of theirs"}
    rules = [MEAN, {**POSITIVE, "since": DAYS[1]}]
    lab = laid(Lab(spark, tmp_path, tables(quality=rules, waive=waived)))
    seen = lab.app().preview("ingested.sales", f"{DAYS[0]}..{DAYS[-1]}")
    result = lab.run()
    # A preview had told it so, for each window by the rules of its own day.
    told = {one.window: (one.status, one.rows, one.verdict.gate) for one in seen.slices}
    assert told == {one.window: (one.status, one.rows, one.gate) for one in result.runs}
    assert seen.accepted.where("_window = '2026-11-01'").count() == 3
    assert states(result, "ingested.sales") == {
        day: "blocked" if day == DAYS[3] else "published" for day in DAYS
    }
    # Before its day the rule only warned: the row is there.
    assert [row[0] for row in lab.rows("ingested.sales", "_window", "amount") if row[1] < 0] == [
        DAYS[0]
    ]
    assert sorted(row[0] for row in lab.rejected("ingested.sales", "_window")) == [*DAYS[1:]]
    third = entry(result, "ingested.sales", DAYS[2])
    assert (third.gate.failed, third.gate.warned) == (0, 1)
    (causes,) = [
        row[1] for row in lab.ops("runs", "window", "causes") if row[0] == DAYS[2]
    ]  # fmt: skip
    assert causes.endswith("; waived mean(amount) until 2026-11-03: a slip of theirs")
    assert not lab.run().runs
    # A longer waiver makes due what it lets pass, and nothing else.
    longer = {**waived, "until": DAYS[3]}
    result = lab.having(tables(quality=rules, waive=longer)).run()
    assert states(result, "ingested.sales") == {DAYS[3]: "published"}


def test_a_gate_that_only_warns_publishes_and_keeps_bad_rows_back(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = laid(Lab(spark, tmp_path, tables(quality=[MEAN, POSITIVE], gate="warn")))
    result = lab.run(window=DAYS[2])
    (one,) = result.runs
    assert (one.status, one.gate.failed, one.gate.warned) == ("published", 0, 1)
    assert (one.rows.written, one.rows.quarantined) == (2, 1)
    assert result.exit_code == 0
    # With the gate shut off nothing is judged at all.
    off = lab.on("off").having(tables(quality=[MEAN, POSITIVE], gate="off"))
    (one,) = off.run(window=DAYS[2]).runs
    assert (one.status, one.gate.rules, one.rows.written) == ("published", 0, 3)


def test_a_window_without_rows_may_close_the_gate(spark: SparkSession, tmp_path: Path) -> None:
    lab = Lab(spark, tmp_path, tables(on_empty="close"))
    lab.file("sales/2026-11-01.csv", ("id", "amount"), [])
    result = lab.run()
    (one,) = result.runs
    assert (one.status, one.exit_code) == ("blocked", 10)
    assert one.message == "no row would be published; 0 rows kept back"
    assert states(lab.having(tables()).run(), "ingested.sales") == {"2026-11-01": "published"}
