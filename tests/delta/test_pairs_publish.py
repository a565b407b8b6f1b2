"""The core of the flow, the same on every supported pair of Spark and Delta and by both ways to
publish: Delta's own transaction, and staged files where a build of Delta does not offer it."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fates, fine, states
from headgate.core.errors import Held
from headgate.storage import staged
from headgate.storage.transaction import FENCE

pytestmark = pytest.mark.compat

COLUMNS = ("id", "phone", "country", "amount", "at")
COLUMN_TYPES = {
    "id": "bigint",
    "phone": "string",
    "country": {"type": "string", "nulls": [""]},
    "amount": "decimal(10,2)",
    "at": "timestamp",
}
RULES = [
    {"row": {"amount is positive": "amount > 0"}},
    {"expect_column_mean_to_be_between": {"column": "amount", "max_value": 50}},
]
TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv", "format": "csv"},
        "columns": COLUMN_TYPES,
        "on_change": {"new_column": "add"},
        "max_rejected": "60%",
    },
    "clean.daily": {
        "reads": "ingested.sales",
        "steps": [
            {"step": "shop.steps.tidy_phone"},
            {"where": {"keep": "country IS NOT NULL", "because": "nowhere"}},
            {"sql": "SELECT *, amount * 2 AS double FROM input"},
        ],
        "key": ["id"],
        "latest_by": ["at"],
        "quality": RULES,
        "max_rejected": "60%",
    },
    "clean.latest": {
        "reads": "ingested.sales",
        "key": ["id"],
        "latest_by": ["at"],
        "write": "upsert",
        "deletes": "country = 'GONE'",
        "quality": RULES[:1],
        "max_rejected": "60%",
    },
    "marts.by_day": {
        "reads": {"sales": "clean.daily"},
        "period": {"column": "at", "grain": "day"},
        "group_by": ["country"],
        "measures": {"amount": "sum(amount)"},
    },
}
NAMED = {"headgate": {"pass": "a sleeper's"}}
ONE, TWO, THREE = "2026-11-01", "2026-11-02", "2026-11-03"


BOTH = pytest.mark.parametrize("lab", ["transaction", "staged"], indirect=True)
# The same, where it takes long; `make test-compat` runs these too.
IN_TURN = pytest.mark.parametrize(
    "lab", ["transaction", pytest.param("staged", marks=pytest.mark.slow)], indirect=True
)


@pytest.fixture
def lab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, spark: SparkSession,
        tmp_path: Path) -> Lab:  # fmt: skip
    """The suite on an empty lake, published in one of the two ways."""
    if request.param == "staged":
        monkeypatch.setenv("HEADGATE_PUBLISH", "staged")
    else:
        assert staged.offers_transaction(spark)
    return Lab(spark, tmp_path, TABLES)


def put(lab: Lab, day: str, *rows: tuple[Any, ...], columns: tuple[str, ...] = COLUMNS) -> None:
    """The one file of a day."""
    lab.file(f"sales/{day}/a.csv", columns, rows)


def sale(id: int, day: str, amount: object, country: str | None = "NO") -> tuple[Any, ...]:
    return (id, "555 12", country, amount, f"{day} 10:00:00")


def three_days(lab: Lab) -> None:
    """A good day, one whose mean closes a gate, and one that corrects a row of the first."""
    put(lab, ONE, sale(1, ONE, "10.00"), sale(1, ONE, "10.00"), sale(2, ONE, "-1.00"),
        sale(3, ONE, "x"), sale(4, ONE, "5.00", None))  # fmt: skip
    put(lab, TWO, sale(5, TWO, "900.00"))
    put(lab, THREE, sale(1, THREE, "11.00"), sale(6, THREE, "7.00", "SE"))


@BOTH
def test_catch_up_leaves_out_what_a_gate_closed(lab: Lab) -> None:
    three_days(lab)
    result = lab.run()
    assert result.exit_code == 10, result.errors
    assert states(result, "clean.daily") == {ONE: "published", TWO: "blocked", THREE: "published"}
    assert fates(result, "ingested.sales")[ONE] == (5, 0, 4, 1, 0, 0, 0)
    assert fates(result, "clean.daily") == {
        ONE: (4, 0, 1, 1, 1, 1, 0),
        TWO: (1, 0, 0, 0, 0, 0, 1),
        THREE: (2, 0, 2, 0, 0, 0, 0),
    }
    versions = {e.version for e in result.runs if e.table == "clean.daily"}
    assert versions == {0, None}  # one commit for both days
    assert lab.rows("clean.daily", "id", "phone", "double") == [
        (1, "+4755512", Decimal("20.00")),
        (1, "+4755512", Decimal("22.00")),
        (6, "+4655512", Decimal("14.00")),
    ]
    assert lab.rows("clean.latest", "id", "amount") == [
        (1, Decimal("11.00")), (4, Decimal("5.00")), (5, Decimal("900.00")), (6, Decimal("7.00")),
    ]  # fmt: skip
    assert lab.rows("marts.by_day", "country", "amount") == [
        ("NO", Decimal("10.00")), ("NO", Decimal("11.00")), ("SE", Decimal("7.00")),
    ]  # fmt: skip
    assert lab.rejected("clean.daily", "_window", "_reasons", "_state") == [
        (ONE, ["amount is positive: amount > 0"], "open"),
    ]
    assert len(lab.rejected("ingested.sales", "_record")) == 1
    assert lab.run().runs == ()  # nothing is due


@IN_TURN
def test_what_is_corrected_supersedes_and_what_is_undone_comes_back(lab: Lab) -> None:
    three_days(lab)
    lab.run()
    first = lab.contents()
    gone = sale(6, "2026-11-04", "1.00", "GONE")
    put(lab, ONE, sale(1, ONE, "10.50"), sale(2, ONE, "1.00"), gone)
    result = lab.run()
    assert states(result, "clean.latest") == {ONE: "published"}
    assert {e.window for e in result.runs if e.table == "marts.by_day"} >= {ONE}
    assert lab.rows("clean.latest", "id", "amount") == [
        (1, Decimal("11.00")), (2, Decimal("1.00")), (5, Decimal("900.00")),
    ]  # fmt: skip
    assert lab.rejected("clean.daily", "_window", "_state") == [(ONE, "superseded")]

    fine(lab.app().undo("ingested.sales", ONE))
    lab.run()
    assert lab.contents() == first
    (_, old), (_, new) = sorted(lab.rejected("clean.daily", "_run", "_state"), key=lambda r: r[1])
    assert {old, new} == {"open", "superseded"}


@IN_TURN
def test_a_column_that_comes_later(lab: Lab) -> None:
    put(lab, ONE, sale(1, ONE, "10.00"), sale(2, ONE, "10.00"))
    fine(lab.run("ingest", "clean"))
    put(lab, TWO, (*sale(1, TWO, "10.00"), "x"), columns=(*COLUMNS, "colour"))
    fine(lab.run("ingest", "clean"))
    for table in ("ingested.sales", "clean.daily"):
        assert lab.rows(table, "id", "colour") == [(1, "x"), (1, None), (2, None)]
    assert lab.rows("clean.latest", "id", "colour") == [(1, "x"), (2, None)]


@IN_TURN
def test_a_writer_that_wakes_up_late_cannot_commit(lab: Lab) -> None:
    put(lab, ONE, sale(1, ONE, "10.00"))
    fine(lab.run("+clean.latest", "clean.daily"))
    before = lab.contents()
    lake, rows = lab.app().lake, lab.read("clean.daily")
    late = staged.open_draft(lab.spark, lake.path("clean.daily"), fence=1, by_window=True)
    late.write(rows)
    fine(lab.run("clean.daily", window=ONE, force=True))
    with pytest.raises(Held, match="taken this table over"):
        late.commit(replace=f"_window = '{ONE}'", without=frozenset(), metadata=NAMED)
    late.abandon()
    lease = lab.lake / "ops" / "leases" / "clean.latest.json"
    lease.write_text(lease.read_text().replace('"token": 1', '"token": 0'))  # as if by a sleeper
    stale = lab.run("clean.latest", window=ONE, force=True)
    assert entry(stale, "clean.latest", ONE).exit_code == Held.exit_code
    assert lab.contents() == before
    assert FENCE in "".join(p.read_text() for p in Path(lake.path("clean.daily")).rglob("*.json"))
    shutil.rmtree(lease.parent)  # somebody tidied up: the tables still know who wrote last
    for table in ("clean.latest", "clean.daily"):
        assert states(lab.run(table, window=ONE, force=True), table) == {ONE: "published"}


@BOTH
def test_nothing_is_left_of_what_was_not_published(lab: Lab) -> None:
    put(lab, ONE, sale(1, ONE, "900.00"))
    assert lab.run("+clean.daily").exit_code == 10
    daily = lab.lake / "clean" / "daily"
    assert not list(daily.rglob("*.parquet"))
    fine(lab.run("clean.daily", waive=["mean(amount)"], because="a sale"))
    held = {path.name for path in daily.rglob("*.parquet")}
    named = {
        name.rpartition("/")[2] for name in lab.app().lake.delta("clean.daily").commit(0).added
    }
    assert held == named
