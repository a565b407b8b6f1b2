"""Labels meet the features of their own time, and `known_at` keeps to what had arrived by then."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from pyspark.sql import SparkSession

from builders import Lab, fine
from headgate.core.errors import Usage
from headgate.doors.notebook import OpenSuite
from headgate.storage.labels import as_parquet

COLUMNS = ("id", "who", "land", "amount", "at")
READS = {"reads": {"sales": "clean.sales"}, "time": "at"}
MEASURES = {
    "sales_2d": {"measure": "count(*)", "last": "2 days"},
    "spent": {"measure": "sum(amount)"},
}
TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv"},
        "columns": {
            "id": "bigint", "who": "bigint", "land": "string", "amount": "double",
            "at": "timestamp",
        },
    },
    "clean.sales": {"reads": "ingested.sales"},
    "clean.latest": {"reads": "ingested.sales", "key": ["id"], "write": "upsert"},
    "features.activity": {**READS, "entity": {"key": "who"}, "features": MEASURES},
    "features.known": {
        **READS, "entity": {"key": "who"}, "features": MEASURES, "known_at": "_ingested_at",
    },
    "features.land": {
        "reads": {"sales": "clean.latest"}, "time": "at", "entity": {"key": "land"},
        "features": {"sales_2d": MEASURES["sales_2d"]}, "format": {"kind": "vector"},
    },
}  # fmt: skip
FIRST, SECOND = "2026-03-02", "2026-03-03"


def _arrives(lab: Lab, day: int, hour: int, path: str, rows: list[tuple[Any, ...]]) -> None:
    """A file that comes at some hour of a day, and a run right after it."""
    lab.file(f"sales/{path}.csv", COLUMNS, rows)
    app = lab.app()
    app.lake.clock = lambda: datetime(2026, 3, day, hour, tzinfo=timezone.utc)
    fine(app.run())


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Two days, then a row of the first that came late; events of 1970 and 9999 among them."""
    lab = Lab(spark, tmp_path_factory.mktemp("training"), TABLES)
    first = [
        (1, 7, "NO", 10, "2026-03-01 08:00:00"),
        (2, 7, "NO", 1, "1970-01-01 00:00:00"),
        (3, 8, "NO", 5, "9999-12-31 23:59:59"),
        (4, "", "", 5, "2026-03-01 08:00:00"),
    ]
    _arrives(lab, 1, 23, "2026-03-01/a", first)
    _arrives(lab, 2, 23, "2026-03-02/a", [(5, 7, "NO", 20, "2026-03-02 09:00:00")])
    _arrives(lab, 5, 1, "2026-03-01/late", [(6, 7, "NO", 100, "2026-03-01 10:00:00")])
    return lab


def _values(lab: Lab, table: str) -> dict[str, tuple[Any, ...]]:
    rows = lab.rows(table, "as_of", "who", "sales_2d", "spent")
    return {f"{as_of:%Y-%m-%d}": tuple(rest) for as_of, *rest in rows}


def test_rows_that_had_not_arrived_are_not_known(lab: Lab) -> None:
    assert _values(lab, "features.activity") == {FIRST: (7, 2, 111.0), SECOND: (7, 3, 131.0)}
    assert _values(lab, "features.known") == {FIRST: (7, 1, 11.0), SECOND: (7, 2, 31.0)}
    found = lab.app().verify("features.known")
    assert not found.different, (found.surplus, found.lacking)


def _labels(lab: Lab) -> str:
    rows = [
        ("a", 7, "NO", "2026-03-02 12:00:00"),
        ("b", 7, "NO", "2026-03-03 00:00:00"),
        ("c", 7, "NO", "2026-03-01 23:59:59"),
        ("d", 7, "NO", "2026-03-20 00:00:00"),
        ("e", 8, "NO", "2026-03-02 12:00:00"),
        ("f", "", "NO", "2026-03-02 12:00:00"),
    ]
    return str(lab.file("labels.csv", ("label", "who", "land", "time"), rows))


def test_a_label_meets_the_features_of_its_time(lab: Lab, tmp_path: Path) -> None:
    suite = OpenSuite(lab.app())
    made = suite.training_set(
        _labels(lab), "features.activity", "features.known", "features.land", within="7 days"
    )
    whole = as_parquet(made.rows, str(tmp_path / "set.parquet"))
    rows = {row["label"]: row.asDict() for row in whole.collect()}
    assert {name: row["spent"] for name, row in rows.items()} == {
        "a": 111.0, "b": 131.0, "c": None, "d": None, "e": None, "f": None,
    }  # fmt: skip
    assert {name: row["known_spent"] for name, row in rows.items()} == {
        "a": 11.0, "b": 31.0, "c": None, "d": None, "e": None, "f": None,
    }  # fmt: skip
    assert rows["e"]["features"] == rows["a"]["features"] == [2.0]
    assert rows["a"]["activity_as_of"].date() == date(2026, 3, 2)
    assert pyarrow.parquet.read_table(tmp_path / "set.parquet").num_rows == 6
    told = {
        one.table: (one.found, one.before, one.after, one.none, one.lacking) for one in made.met
    }
    assert made.labels == 6
    assert told["features.activity"] == told["features.known"] == (2, 1, 1, 1, 1)
    assert told["features.land"] == (4, 1, 1, 0, 0)
    assert "1 from before its first features (2026-03-02 00:00)" in repr(made)


def test_what_was_known_too_early_is_told(lab: Lab) -> None:
    names = ("features.activity", "features.known", "features.land")
    made = OpenSuite(lab.app()).training_set(_labels(lab), *names, within="7 days")
    assert [(one.table, one.feature, one.labels, one.of) for one in made.leaks()] == [
        ("features.activity", "sales_2d", 2, 2),
        ("features.activity", "spent", 2, 2),
    ]
    assert set(made.untold) == {"features.land"}
    assert "'write: upsert'" in made.untold["features.land"]


def test_features_that_are_too_old_do_not_count(lab: Lab) -> None:
    made = OpenSuite(lab.app()).training_set(_labels(lab), "features.activity")
    assert {row["label"] for row in made.rows.where("spent = 131").collect()} == {"b", "d"}


@pytest.mark.parametrize(
    ("tables", "how", "said"),
    [
        (("clean.sales",), {}, "clean.sales is no feature table"),
        (("features.activity",), {"time": "when"}, "the labels have no column 'when'"),
        (("features.activity",), {"within": "7"}, "--within must be a stretch of time"),
        (("features.activity",), {"within": "features.b=7 days"}, "not among the tables"),
    ],
)
def test_a_slip_is_told(lab: Lab, tables: tuple[str, ...], how: dict[str, str], said: str) -> None:
    with pytest.raises(Usage, match=said):
        OpenSuite(lab.app()).training_set(_labels(lab), *tables, **how)
