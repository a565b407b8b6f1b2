"""Unmistakable values in every private column, and then each byte written is searched for them."""

from __future__ import annotations

import base64
import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import csv_text, written
from headgate.app import opened
from headgate.doors.cli import main

HIDDEN = {
    "email": "tokenise",
    "name": "encrypt",
    "phone": {"mask": {"keep_last": 2}},
    "card": "hash",
    "note": "drop",
    "born": {"generalise": {"prefix": 2}},
    "size": "tokenise",
}
HEADER = ["id", *HIDDEN, "country"]
PEOPLE: dict[str, Any] = {
    "source": {"files": "people/{window}.csv"},
    "columns": {
        "id": "int",
        **{name: {"type": "string", "privacy": how} for name, how in HIDDEN.items()},
        "size": {"type": "int", "privacy": "tokenise"},
        "country": "string",
    },
    "quality": [
        {"expect_column_values_to_be_in_set": {"column": "country", "value_set": ["DE", "NO"]}},
        {"row": {"of a place": "email LIKE '%.de'"}, "mostly": 0.5},
        {"expect_column_values_to_match_regex": {"column": "name", "regex": "L"}},
        {"expect_column_max_to_be_between": {"column": "note", "max_value": "x"},
         "severity": "warning"},
        {"expect_column_most_common_value_to_be_in_set": {"column": "card", "value_set": ["1"]},
         "severity": "warning"},
        {"drift": {"metrics": ["row_count", "null_share", "distinct", "categories"]}},
    ],
    "max_rejected": 0.7,
}  # fmt: skip
# Its own private column is made by a step, of texts that no file holds like this.
CLEAN: dict[str, Any] = {
    "reads": "ingested.people",
    "steps": [{"derive": {"who": "concat('Le', 'aK', 'who', id)"}}],
    "key": "email",
    "write": "upsert",
    "privacy": {"who": "tokenise"},
    "quality": [{"row": {"known": "who <> concat('Le', 'aK', 'who1')"}}],
    "max_rejected": 0.9,
}
BROKEN = {**CLEAN, "steps": [*CLEAN["steps"], {"derive": {"number": "cast(who as int)"}}]}
MART = {
    "reads": {"people": "clean.people"},
    "period": {"column": "at", "grain": "day"},
    "group_by": ["country"],
    "measures": {"people": "count(*)", "least": "min(email)"},
    "privacy": {"min_group": 1},
}


def person(at: int, *, country: str = "DE", end: str = "de", size: str = "LeaKsize") -> list[Any]:
    told = [f"LeaK{name}{at}" for name in HIDDEN]
    return [at, f"{told[0]}.{end}", *told[1:6], size, country]


@pytest.fixture
def uncompressed(spark: SparkSession) -> Iterator[SparkSession]:
    """Texts in compressed files could not be found."""
    name = "spark.sql.parquet.compression.codec"
    before = spark.conf.get(name)
    spark.conf.set(name, "uncompressed")
    yield spark
    spark.conf.set(name, before or "snappy")


def test_no_value_is_anywhere_but_in_the_raw_zone(
    uncompressed: SparkSession,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    CLEAN["steps"] = [*CLEAN["steps"][:1], {"derive": {"at": "date'2026-11-01'"}}]
    tables = {"ingested.people": PEOPLE, "clean.people": CLEAN, "clean.broken": BROKEN,
              "marts.people": MART}  # fmt: skip
    written(tmp_path, tables, alerts=[{"to": "file:alerts.jsonl"}])
    days = {
        # a column that the contract does not know; a rejected row, a value of the wrong type,
        # a record that cannot be read
        "2026-11-01": [[*person(n, size="77"), "LeaKhobby"] for n in range(1, 5)]
        + [[*person(5, country="XX"), ""], [*person(6), ""], [7, "LeaKshort"],
           [*person(8, size="1"), "", "LeaKmore"]],
        "2026-11-02": [person(9, end="com", size="1"), person(10, end="com", size="1")],
    }  # fmt: skip
    for day, rows in days.items():
        file = tmp_path / "raw" / "people" / f"{day}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(csv_text([*HEADER, "hobby"][: len(rows[0])], rows))
    key = os.environ["HEADGATE_KEY_MAIN"]
    assert main(["run"]) == 30  # a step of clean.broken fails on a value
    out = tmp_path_factory.mktemp("a person's own")
    hand_out, take_back = (
        ["quarantine", verb, "ingested.people", way, str(out / "rejected.csv")]
        for verb, way in (("export", "--to"), ("replay", "--from"))
    )
    assert main(hand_out) == 0
    with (out / "rejected.csv").open(newline="") as stream:
        (five,) = [row for row in csv.DictReader(stream) if row["id"] == "5"]
    assert (five["name"], five["country"]) == ("LeaKname5", "XX")
    five |= {"name": "LeaKanew5", "country": "NO", "size": "5"}
    (out / "rejected.csv").write_text(csv_text(list(five), [list(five.values())]))
    assert main(take_back) == 0
    plain = opened("conf").revealed("ingested.people").where("id = 5").select("name", "country")
    assert plain.collect() == [("LeaKanew5", "NO")]
    monkeypatch.delenv("HEADGATE_KEY_MAIN")
    app = opened("conf")
    ended = {(one.table, one.window): one for one in app.lake.history.records}
    good, shut = ended["ingested.people", "2026-11-01"], ended["ingested.people", "2026-11-02"]
    assert (good.status, good.rows.quarantined, shut.status) == ("published", 3, "blocked")
    assert ended["clean.people", "2026-11-01"].rows.quarantined == 1
    assert (tmp_path / "alerts.jsonl").exists()
    assert main(["run", "--force"]) == 2  # without the key
    assert main(take_back) == 2
    for words in (
        "plan", "status", "runs", f"show {good.run}", f"show {shut.run}", "quarantine list",
        "quarantine show ingested.people", "quarantine show clean.people",
        "drift list ingested.people",
        "quarantine export ingested.people --to rejected.csv",
        "quarantine export ingested.people --for-supplier", "report --out report.html",
    ):  # fmt: skip
        assert main(words.split()) == 0, words
    assert main(["why", "ingested.people", "--where", "country = 'XX' OR id = 1"]) in (0, 12, 2)
    said = capfd.readouterr()
    assert "(private)" in said.out
    places = [path for path in tmp_path.rglob("*") if path.is_file()]
    places = [path for path in places if (tmp_path / "raw") not in path.parents]
    assert len(places) > 50
    forms = [key.encode(), bytes.fromhex(key), base64.b64encode(bytes.fromhex(key))]
    held = {"what was said": (said.out + said.err).encode()}
    held |= {str(path.relative_to(tmp_path)): path.read_bytes() for path in places}
    for place, content in held.items():
        assert b"LeaK" not in content, (place, content[content.index(b"LeaK") - 80 :][:200])
        assert not any(form in content for form in forms), place


def test_no_plan_holds_a_key(spark: SparkSession, tmp_path: Path) -> None:
    written(tmp_path, {"ingested.people": PEOPLE})
    app = opened(str(tmp_path / "conf"))
    rows = spark.createDataFrame([("a@b", "2026-11-01")], "email string, _window string")
    made = app.lake.guard(app.suite.tables["ingested.people"]).protected(rows, for_vault=True)
    assert made.count() == 2
    plan = made._jdf.queryExecution().toString()  # what explain(True) prints
    key = os.environ["HEADGATE_KEY_MAIN"]
    secret = bytes.fromhex(key)
    assert "mapInArrow" in plan or "MapInArrow" in plan
    assert not any(form in plan for form in (key, str(secret), str(list(secret))[1:-1]))
