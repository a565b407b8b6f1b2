"""A preview shows what a run would do, and does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from builders import Lab, fine, ingested_orders
from headgate.core.errors import InputMissing, Misconfigured, ShapeBroken, StepFailed, Usage
from headgate.core.results import Rows

DAY, NEXT = "2026-11-01", "2026-11-02"
COLUMNS = ("id", "line", "country", "quantity", "price", "updated")
TABLES: dict[str, dict[str, Any]] = {
    "ingested.orders": ingested_orders(COLUMNS, max_rejected=0.5),
    "clean.orders": {
        "reads": "ingested.orders",
        "steps": [
            {"trim": ["country"]},
            {"derive": {"revenue": "quantity * price"}},
            {"where": {"keep": "quantity <> 0", "because": "empty line"}},
            {"derive": {"vat": "revenue * 0.2"}},
        ],
        "key": ["id", "line"],
        "latest_by": ["updated"],
        "write": "upsert",
        "deletes": "country = 'XX'",
        "quality": [
            {"expect_column_values_to_be_between": {"column": "quantity", "min_value": 1}},
            {"row": {"price is positive": "price > 0"}},
        ],
        "max_rejected": 0.5,
    },
    "marts.sales": {
        "reads": {"orders": "clean.orders"},
        "period": {"column": "updated", "grain": "day"},
        "measures": {"revenue": "sum(revenue)", "orders": "count(*)"},
    },
}
ROWS = [
    (1, 1, " DE ", 2, "3.50", "2026-11-01 10:00:00"),
    (1, 1, "DE", 3, "3.50", "2026-11-01 11:00:00"),  # newer: the one above is a duplicate
    (2, 1, "FR", 0, "1.00", "2026-11-01 10:00:00"),  # filtered
    (3, 1, "NO", -1, "0.00", "2026-11-01 10:00:00"),  # two reasons
    (4, 1, "NO", "many", "5.00", "2026-11-01 10:00:00"),  # not an int: rejected by ingest
    (5, 1, "SE", 1, "5.00", "2026-11-01 23:00:00"),
    (6, 1, "XX", -5, "0.00", "2026-11-01 23:00:00"),  # a deletion is not judged
]
REASON = "expect_column_values_to_be_between: {column: quantity, min_value: 1}"


def raw_lab(spark: SparkSession, folder: Path) -> Lab:
    """Two days of orders, of which nothing has run."""
    made = Lab(spark, folder, TABLES)
    made.file(f"orders/{DAY}/a.csv", COLUMNS, ROWS)
    made.file(f"orders/{NEXT}/a.csv", COLUMNS, [(9, 1, "DE", 1, "2.00", f"{NEXT} 09:00:00")])
    return made


@pytest.fixture
def fresh(spark: SparkSession, tmp_path: Path) -> Lab:
    """A lake of a test's own, with nothing in it."""
    return raw_lab(spark, tmp_path)


@pytest.fixture(scope="module")
def lab(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lake with the ingested orders, for tests that only look: it is the same after them."""
    made = raw_lab(spark, tmp_path_factory.mktemp("preview"))
    fine(made.run("ingested.orders"))
    before = files(made.folder)
    yield made
    assert files(made.folder) == before


def files(folder: Path) -> dict[str, int]:
    """Every file below a folder, hidden ones too, with the moment of its last change."""
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def values(df: DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in df.select(*names).collect()), key=repr)


def test_an_ingested_preview_touches_nothing_and_says_what_the_run_then_does(fresh: Lab) -> None:
    before = files(fresh.folder)
    app = fresh.app()
    seen = app.preview("ingested.orders", DAY)
    assert seen.rows == Rows(read=7, written=6, quarantined=1)
    assert values(seen.rejected, "id", "_row", "_reasons") == [(4, 5, ["quantity: not a int"])]
    assert '"quantity":"many"' in seen.rejected.collect()[0]["_record"]
    assert files(fresh.folder) == before
    assert [line.window for line in app.plan(["ingested.orders"])] == [DAY, NEXT]
    ran = fine(app.run(["ingested.orders"], window=DAY))
    assert ran.runs[0].rows == seen.rows
    # The same app has pinned its files, though it had looked at them before.
    assert sorted(fresh.ops("files", "file")) == [(f"orders/{DAY}/a.csv",)]
    assert values(seen.accepted, "id", "line", "_window") == fresh.rows(
        "ingested.orders", "id", "line", "_window"
    )


def test_a_clean_preview_touches_nothing_and_says_what_the_run_then_does(fresh: Lab) -> None:
    fine(fresh.run("ingested.orders"))
    before = files(fresh.folder)
    seen = fresh.app().preview("clean.orders", DAY)
    assert seen.status == "published"
    assert seen.rows == Rows(read=6, written=3, quarantined=1, deduplicated=1, filtered=1)
    assert values(seen.accepted, "id", "quantity", "country") == [
        (1, 3, "DE"), (5, 1, "SE"), (6, -5, "XX"),
    ]  # fmt: skip
    assert values(seen.rejected, "id", "_reasons") == [
        (3, [REASON, "price is positive: price > 0"])
    ]
    assert seen.slices[0].reasons == (("empty line", 1),)
    assert files(fresh.folder) == before
    ran = fine(fresh.run("clean.orders", window=DAY))
    assert ran.runs[0].rows == seen.rows
    assert fresh.rejected("clean.orders", "_record") == values(seen.rejected, "_record")


def test_windows_of_a_range_are_judged_apart(lab: Lab) -> None:
    seen = lab.app().preview("clean.orders", f"{DAY}..2026-11-05")
    assert [(one.window, one.rows.read) for one in seen.slices] == [(DAY, 6), (NEXT, 1)]
    assert seen.rows.read == 7


def test_other_rules_can_be_tried(lab: Lab) -> None:
    rules = [
        {"expect_column_values_to_be_in_set": {"column": "country", "value_set": ["DE", "NO"]}}
    ]
    seen = lab.app().preview("clean.orders", DAY, quality=rules)
    assert values(seen.rejected, "id", "_reasons") == [
        (5, ["expect_column_values_to_be_in_set: {column: country, value_set: [DE, NO]}"])
    ]
    none = lab.app().preview("clean.orders", DAY, quality=[])
    assert none.rows == Rows(read=6, written=4, deduplicated=1, filtered=1)


def test_a_gate_that_would_close_is_told_and_the_rows_are_shown(lab: Lab) -> None:
    rules = [{"expect_column_mean_to_be_between": {"column": "price", "max_value": 1}}]
    seen = lab.app().preview("clean.orders", DAY, quality=rules)
    assert seen.status == "blocked"
    assert "mean(price)" in str(seen.message)
    assert (seen.rows.written, seen.rows.withheld) == (0, 4)
    assert seen.accepted.count() == 4
    unique = [{"expect_column_values_to_be_unique": {"column": "line"}}]
    assert lab.app().preview("clean.orders", DAY, quality=unique).status == "blocked"


def test_faults_of_rules_to_try_are_told_all_at_once(lab: Lab) -> None:
    with pytest.raises(Misconfigured) as caught:
        lab.app().preview(
            "clean.orders",
            DAY,
            quality=[{"expect_nothing": {}}, {"expect_column_values_to_be_null": {"colum": "id"}}],
        )
    told = [str(fault) for fault in caught.value.faults]
    assert told[0].startswith("preview quality[0]: unknown rule 'expect_nothing'")
    assert any("unknown argument 'colum' (did you mean 'column'?)" in line for line in told[1:])
    with pytest.raises(Usage, match="unknown column 'prize'"):
        lab.app().preview("clean.orders", DAY, quality=[{"row": {"x": "prize > 0"}}])


def test_upto_stops_after_the_last_step_of_that_name(lab: Lab) -> None:
    app = lab.app()
    trimmed = app.preview("clean.orders", DAY, upto="trim")
    assert trimmed.rows == Rows(read=6, written=6)
    assert "revenue" not in trimmed.accepted.columns
    kept = app.preview("clean.orders", DAY, upto="where")
    assert kept.rows == Rows(read=6, written=5, filtered=1)
    assert "vat" not in kept.accepted.columns
    derived = app.preview("clean.orders", DAY, upto="derive")
    assert "vat" in derived.accepted.columns
    judged = app.preview(
        "clean.orders", DAY, upto="trim", quality=[{"row": {"any": "quantity <> 0"}}]
    )
    assert values(judged.rejected, "id") == [(2,)]
    with pytest.raises(Usage, match="has no step 'drop'") as caught:
        app.preview("clean.orders", DAY, upto="drop")
    assert caught.value.next == "its steps: trim, derive, where"
    with pytest.raises(Usage, match="has no step 'derive'"):
        app.preview("ingested.orders", DAY, upto="derive")


def test_marts_can_be_previewed(fresh: Lab) -> None:
    fine(fresh.run("+clean.orders"))
    before = files(fresh.folder)
    seen = fresh.app().preview("marts.sales", DAY)
    assert [tuple(map(str, row)) for row in values(seen.accepted, "updated", "revenue")] == [
        (DAY, "15.50")
    ]
    assert seen.rows == Rows(read=2, written=1)
    assert files(fresh.folder) == before


def test_the_frames_may_be_used_together_and_again(lab: Lab) -> None:
    seen = lab.app().preview("clean.orders", DAY)
    both = seen.accepted.select("id").union(seen.rejected.select("id"))
    assert both.count() == both.count() == 4


def test_a_step_that_drops_rows_in_silence_stops_a_preview(lab: Lab) -> None:
    steps = [{"sql": "SELECT *, 1 AS revenue FROM input WHERE quantity > 0"}]
    broken = lab.having({"clean.orders": {**TABLES["clean.orders"], "steps": steps, "quality": []}})
    with pytest.raises(StepFailed, match="dropped rows without saying so: 6 rows in, 3 out"):
        broken.app().preview("clean.orders", DAY)


@pytest.mark.parametrize(
    ("table", "window", "kind", "said"),
    [
        ("ingested.orders", "2026-10-01", InputMissing, "no file matches"),
        ("clean.orders", DAY, InputMissing, "ingested.orders has never been published"),
        ("marts.sales", DAY, InputMissing, "clean.orders has never been published"),
        ("clean.order", DAY, Usage, "did you mean 'clean.orders'"),
        ("clean", DAY, Usage, "'clean' is not one table"),
        ("clean.orders", None, Usage, "a preview needs a window"),
        ("clean.orders", "2999-01-01", Usage, "in the future"),
    ],
)
def test_what_cannot_be_previewed_is_told(
    fresh: Lab, table: str, window: str | None, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        fresh.app().preview(table, window)


def test_a_window_that_its_input_does_not_have_is_told_with_one_that_it_has(lab: Lab) -> None:
    with pytest.raises(InputMissing) as caught:
        lab.app().preview("clean.orders", "2026-10-01")
    assert caught.value.next == f"--window {NEXT}"


def test_a_file_of_another_shape_is_told_as_the_run_would(fresh: Lab) -> None:
    fresh.file("orders/2026-11-03/a.csv", ("id", "line"), [(1, 1)])
    with pytest.raises(ShapeBroken, match="column 'country' is missing"):
        fresh.app().preview("ingested.orders", "2026-11-03")
