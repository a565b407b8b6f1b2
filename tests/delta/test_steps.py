"""Steps that change the number of rows, in whole runs: every row is accounted for, by window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fates, fine

FIRST, SECOND = "2026-11-01", "2026-11-02"
LINES = {
    "source": {"files": "lines/{window}.csv"},
    "columns": {"id": "bigint", "kind": "string", "amount": "string", "tags": "array<string>"},
}
NUMBERS = {"cast": {"amount": "int"}}
PIVOT = {
    "pivot": {
        "by": "id", "column": "kind", "values": ["net", "tax"], "value": "amount", "measure": "sum",
    }
}  # fmt: skip


def lines(spark: SparkSession, folder: Path, **tables: Any) -> Lab:
    """Two windows of lines; in each a number that is none, and a kind that nobody expects."""
    clean = {
        f"clean.{name}": {"reads": "ingested.lines", "max_rejected": "100%", "steps": steps}
        for name, steps in tables.items()
    }
    lab = Lab(spark, folder, {"ingested.lines": LINES, **clean})
    head = ("id", "kind", "amount", "tags")
    lab.file(
        f"lines/{FIRST}.csv",
        head,
        [(1, "net", 10, '["a","b","c"]'), (1, "tax", 2, "[]"), (1, "tip", 1, None),
         (2, "net", "many", '["a"]'), (2, "net", 5, '["a","b"]')],
    )  # fmt: skip
    lab.file(f"lines/{SECOND}.csv", head, [(1, "net", 7, '["d"]'), (3, "tax", "few", None)])
    return lab


def test_windows_of_one_pass_are_exploded_and_pivoted_apart(
    spark: SparkSession, tmp_path: Path
) -> None:
    explode = {"explode": {"column": "tags", "into": "tag"}}
    regroup = {
        "sql": "SELECT _window, id, sum(amount) AS total FROM input GROUP BY _window, id",
    }
    regroup_step = {"sql": {"text": regroup["sql"], "rows": "regrouped"}}
    lab = lines(
        spark, tmp_path, tags=[NUMBERS, explode], sums=[NUMBERS, PIVOT],
        totals=[NUMBERS, regroup_step],
    )  # fmt: skip
    result = fine(lab.run())
    # read, added, written, quarantined, deduplicated, filtered, withheld
    assert fates(result, "clean.tags") == {
        FIRST: (5, 3, 7, 1, 0, 0, 0), SECOND: (2, 0, 1, 1, 0, 0, 0),
    }  # fmt: skip
    assert entry(result, "clean.tags", FIRST).reasons == (("items of tags", 3),)
    # A pivot begins another count; rows that were rejected before it are in it.
    assert fates(result, "clean.sums") == {
        FIRST: (4, 0, 2, 2, 0, 0, 0), SECOND: (2, 0, 1, 1, 0, 0, 0),
    }  # fmt: skip
    assert entry(result, "clean.sums", FIRST).reasons == (("regrouped from 3 rows", 2),)
    assert fates(result, "clean.totals") == {
        FIRST: (3, 0, 2, 1, 0, 0, 0), SECOND: (2, 0, 1, 1, 0, 0, 0),
    }  # fmt: skip
    assert lab.rows("clean.sums", "_window", "id", "net", "tax") == [
        (FIRST, 1, 10, 2), (FIRST, 2, 5, None), (SECOND, 1, 7, None),
    ]  # fmt: skip
    assert lab.rows("clean.totals", "_window", "id", "total") == [
        (FIRST, 1, 13), (FIRST, 2, 5), (SECOND, 1, 7),
    ]  # fmt: skip
    thrown = [(w, why, json.loads(r)) for w, why, r in
              lab.rejected("clean.sums", "_window", "_reasons", "_record")]  # fmt: skip
    assert [(w, why, r["kind"], r["amount"], r["_row"]) for w, why, r in thrown] == [
        (FIRST, ["cast: {amount: int}"], "net", "many", 4),
        (FIRST, ["pivot: kind is none of net, tax"], "tip", "1", 3),
        (SECOND, ["cast: {amount: int}"], "tax", "few", 2),
    ]
    alone = lab.on("alone")
    for window in (FIRST, SECOND):
        fine(alone.run(window=window))
    assert alone.contents() == lab.contents()


STEPS = """
from pyspark.sql import functions as F

def steady(df):
    return df.withColumn("n", F.length("kind"))

def by_chance(df):
    return df.withColumn("n", F.rand())

def by_luck(df):
    return df.withColumn("n", F.monotonically_increasing_id())

def without_kind(df):
    return df.drop("kind")
"""


@pytest.fixture
def own_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lines_steps.py").write_text(STEPS)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("own_steps")
def test_a_python_step_is_held_to_what_it_promises(spark: SparkSession, tmp_path: Path) -> None:
    def step(name: str, **more: Any) -> list[Any]:
        return [{"step": f"lines_steps.{name}", **more}]

    lab = lines(
        spark, tmp_path,
        steady=step("steady", twice=True, leaves=["id", "n"]),
        chance=step("by_chance", twice=True),
        luck=step("by_luck", twice=True),
        lost=step("without_kind", leaves=["id", "kind"]),
    )  # fmt: skip
    result = lab.run(window=FIRST)
    said = {run.table: run.message or "" for run in result.runs if run.table != "ingested.lines"}
    codes = {run.table: run.exit_code for run in result.runs}
    assert said.pop("clean.steady") == ""
    assert {codes[name] for name in said} == {30}
    assert "'kind', and does not return it" in said["clean.lost"]
    for name in ("chance", "luck"):
        told = said[f"clean.{name}"]
        assert f"lines_steps.by_{name} is not deterministic: run twice on the same 5 rows" in told
        assert " of 5 came out otherwise" in told  # how many is a matter of chance
        assert not (lab.lake / "clean" / name / "_delta_log").exists()
    assert lab.read("clean.steady").columns[:2] == ["id", "n"]
    assert "tags" not in lab.read("clean.steady").columns
