"""Personal columns are protected as their table is written, and rules still see what is plain."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fates, fine, states

PEOPLE: dict[str, Any] = {
    "source": {"files": "people/{window}.csv"},
    "columns": {
        "id": {"type": "bigint", "privacy": "tokenise"},
        "email": {"type": "string", "privacy": "tokenise"},
        "name": {"type": "string", "privacy": {"encrypt": {}}},
        "phone": {"type": "string", "privacy": {"mask": {"keep_last": 2}}},
        "mail": {"type": "string", "privacy": {"mask": {"keep": "domain"}}},
        "card": {"type": "string", "privacy": "hash"},
        "age": {"type": "int", "privacy": {"generalize": {"band": 10}}},
        "born": {"type": "date", "privacy": {"generalise": {"to": "month"}}},
        "lat": {"type": "double", "privacy": {"grid": 0.5}},
        "secret": {"type": "string", "privacy": "drop"},
        "country": "string",
    },
    "quality": [
        {"expect_column_values_to_be_between": {"column": "age", "min_value": 0}},
        {"expect_column_max_to_be_between": {"column": "age", "max_value": 99}},
        {"expect_column_values_to_be_unique": {"column": "email"}},
    ],
    "max_rejected": 0.5,
}
HEADER = list(PEOPLE["columns"])
ANNA = (1, "anna@x.de", "Anna Ähre", "0171234567", "a@post.de", "4111", 34, "1990-05-17", 52.51,
        "psst", "DE")  # fmt: skip
BODO = (2, "bodo@x.de", None, "", "no mail", None, 39, None, -0.2, "psst", "NO")


def test_each_kind_is_written_as_it_says_and_the_same_every_time(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = Lab(spark, tmp_path, {"ingested.people": PEOPLE})
    for day in ("2026-11-01", "2026-11-02"):
        lab.file(f"people/{day}.csv", HEADER, [ANNA, BODO])
    fine(lab.run())
    rows = lab.read("ingested.people").orderBy("_window", "_row").collect()
    anna, bodo = rows[0], rows[1]
    assert "secret" not in rows[0].asDict()
    assert re.fullmatch(r"tok_[0-9a-f]{32}", anna["email"])
    assert re.fullmatch(r"tok_[0-9a-f]{32}", anna["id"])
    assert re.fullmatch(r"enc_[0-9a-f]{8}_[\w-]+=*", anna["name"])
    assert re.fullmatch(r"[0-9a-f]{64}", anna["card"])
    assert (anna["phone"], anna["mail"], anna["age"]) == ("***67", "***@post.de", "30-39")
    assert (str(anna["born"]), anna["lat"], anna["country"]) == ("1990-05-01", 52.5, "DE")
    assert [bodo[n] for n in ("name", "card", "born")] == [None, None, None]
    assert (bodo["phone"], bodo["mail"], bodo["lat"]) == (None, "***", -0.5)
    same = [name for name in HEADER if name != "secret"]
    assert [tuple(row[n] for n in same) for row in rows[2:]] == [
        tuple(row[n] for n in same) for row in rows[:2]
    ]
    assert (
        len(spark.read.format("delta").load(f"{lab.lake}/ops/vault/ingested.people").collect()) == 4
    )


def test_rules_see_what_is_plain_whatever_becomes_of_it(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = Lab(spark, tmp_path, {"ingested.people": PEOPLE})
    young = (4, "dora@x.de", *ANNA[2:6], -1, *ANNA[7:])
    old = (3, "caro@x.de", *ANNA[2:6], 120, *ANNA[7:])
    lab.file("people/2026-11-01.csv", HEADER, [ANNA, BODO])
    lab.file("people/2026-11-02.csv", HEADER, [ANNA, old])  # measured in one pass, and alone
    lab.file("people/2026-11-03.csv", HEADER, [ANNA, BODO, young])
    result = lab.run()
    assert states(result, "ingested.people") == {
        "2026-11-01": "published", "2026-11-02": "blocked", "2026-11-03": "published",
    }  # fmt: skip
    assert fates(result, "ingested.people")["2026-11-03"] == (3, 0, 2, 1, 0, 0, 0)
    assert states(lab.on("other").run(window="2026-11-02"), "ingested.people") == {
        "2026-11-02": "blocked"
    }
    vault = spark.read.format("delta").load(f"{lab.lake}/ops/vault/ingested.people")
    assert vault.count() == 4  # nothing of what is not published, and nothing twice
    assert all(row[0].startswith("enc_") for row in lab.rejected("ingested.people", "_record"))


def test_tokens_join_later_tables_and_what_they_make_is_checked(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = {
        "reads": "ingested.people",
        "steps": [{"derive": {"first": "left(country, 1)"}}],
        "key": "id",
        "latest_by": "email",
        "write": "upsert",
        "privacy": {"first": "hash"},
    }
    mart = {
        "reads": {"people": "clean.people"},
        "period": {"column": "born", "grain": "month"},
        "group_by": ["country"],
        "measures": {"people": "count(*)"},
        "privacy": {"min_group": 2, "of": "id"},
    }
    lab = Lab(spark, tmp_path, {"ingested.people": PEOPLE, "clean.people": people,
                                "marts.people": mart})  # fmt: skip
    twin = (5, "twin@x.de", *ANNA[2:])
    lone = (6, "lone@x.de", *ANNA[2:10], "NO")
    lab.file("people/2026-11-01.csv", HEADER, [ANNA, twin])
    fine(lab.run())
    lab.file("people/2026-11-02.csv", HEADER, [ANNA, lone])
    result = fine(lab.run())
    assert lab.read("clean.people").count() == 3
    assert lab.rows("marts.people", "country", "people") == [("DE", 2)]
    assert entry(result, "marts.people", "1990-05").message == "1 small group withheld"
    assert not lab.app().plan()
    plain = lab.app().revealed("clean.people").select("id", "email", "name", "first").collect()
    assert sorted((row["id"], row["email"], row["name"]) for row in plain) == [
        ("1", ANNA[1], ANNA[2]), ("5", "twin@x.de", ANNA[2]), ("6", "lone@x.de", ANNA[2]),
    ]  # fmt: skip
    assert all(len(row["first"]) == 64 for row in plain)  # nothing leads back from a hash
    for name in lab.tables:
        verified = lab.app().verify(name)
        assert not verified.different, (name, verified)
    monkeypatch.setenv("HEADGATE_KEY_MAIN", "cd" * 32 + "," + os.environ["HEADGATE_KEY_MAIN"])
    due = {one.why for one in lab.app().plan() if one.table == "ingested.people"}
    assert due == {"changed key"}
    monkeypatch.delenv("HEADGATE_KEY_MAIN")
    assert not lab.app().plan()
    lab.file("people/2026-11-03.csv", HEADER, [ANNA])
    missing = lab.run()
    assert missing.exit_code == 2
    assert "the privacy key 'main' is missing" in str([one.message for one in missing.runs])
