"""What a change of configuration and steps does to rows, against another revision of the suite."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, committed, fine, ingested_orders, private, written
from headgate.app import App
from headgate.conf import read_suite
from headgate.core.errors import InputMissing, Misconfigured, Usage
from headgate.core.results import Rows
from headgate.doors.diff import markdown, plain
from headgate.doors.notebook import OpenSuite
from headgate.stages.difference import Difference
from headgate.stages.earlier import at_revision

DAY, NEXT = "2026-11-01", "2026-11-02"
COLUMNS = ("id", "line", "country", "quantity", "price", "email", "updated")
ORDERS = ingested_orders(COLUMNS, max_rejected=0.5)
POSITIVE = {"row": {"price is positive": "price > 0"}}
CLEAN: dict[str, Any] = {
    "reads": "ingested.orders",
    "steps": [
        {"where": {"keep": "quantity <> 0", "because": "empty line"}},
        {"derive": {"revenue": "quantity * price", "host": "split(email, '@')[1]"}},
    ],
    "key": ["id", "line"],
    "latest_by": ["updated"],
    "quality": [POSITIVE],
    "max_rejected": 0.5,
}
CODED: dict[str, Any] = {"reads": "ingested.lines", "steps": [{"step": "tillkit.steps.named"}]}
MART: dict[str, Any] = {
    "reads": {"orders": "clean.orders"},
    "period": {"column": "updated", "grain": "day"},
    "group_by": ["country"],
    "measures": {"revenue": "sum(revenue)"},
}
TABLES: dict[str, Any] = {
    "ingested.orders": ORDERS,
    "clean.orders": CLEAN,
    "ingested.lines": ingested_orders(COLUMNS[:5]),
    "clean.coded": CODED,
    "marts.sales": MART,
}
ROWS = [
    (1, 1, "DE", 2, "3.50", "ann@secret.example", f"{DAY} 10:00:00"),
    (1, 1, "DE", 3, "3.50", "ann@secret.example", f"{DAY} 11:00:00"),  # newer
    (2, 1, "FR", 0, "1.00", "bob@secret.example", f"{DAY} 10:00:00"),  # filtered
    (3, 1, "NO", -1, "4.00", "cyd@secret.example", f"{DAY} 10:00:00"),
    (4, 1, "SE", 5, "-1.00", "dan@secret.example", f"{DAY} 10:00:00"),  # rejected
    (5, 1, "SE", 1, "60.00", "eve@secret.example", f"{DAY} 23:00:00"),
]
STEPS = """
from pyspark.sql import functions as F
from tillkit.names import SIGN

def name(country):
    from tillkit.later import ending
    return country + SIGN + ending()

def named(orders):
    called = F.udf(name, "string", useArrow=False)
    return orders.withColumn("name", called("country"))
"""


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A suite in a repository, with two days ingested and cleaned; tests describe it otherwise."""
    made = tmp_path_factory.mktemp("diff")
    lab = Lab(spark, made, {})
    lab.file(f"orders/{DAY}/a.csv", COLUMNS, ROWS)
    lab.file(
        f"orders/{NEXT}/a.csv", COLUMNS, [(9, 1, "DE", 1, "2", "fay@x.example", f"{NEXT} 09:00:00")]
    )
    described(made, TABLES)
    coded(made, sign=":", ending="old")
    (made / ".gitignore").write_text("lake/\nraw/\n")
    committed(made)
    fine(app(spark, made).run(["ingested.orders", "ingested.lines", "clean.orders"]))
    before = files(made)
    yield made
    assert files(made) == before


def files(folder: Path) -> dict[str, int]:
    places = (folder / "lake", folder / "raw")
    return {str(p): p.stat().st_mtime_ns for at in places for p in at.rglob("*") if p.is_file()}


def described(folder: Path, tables: dict[str, Any]) -> None:
    for old in (folder / "conf").glob("*/*.yaml"):
        old.unlink()
    written(folder, tables)


def coded(folder: Path, *, sign: str, ending: str) -> None:
    """The suite's own code: what runs on Spark's workers imports a module only there."""
    package = folder / "lib" / "tillkit"
    package.mkdir(parents=True, exist_ok=True)
    texts = {
        "__init__": "",
        "steps": STEPS,
        "names": f"SIGN = {sign!r}\n",
        "later": f"def ending():\n    return {ending!r}\n",
    }
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text)


def app(spark: SparkSession, folder: Path) -> App:
    return App(read_suite(folder / "conf"), spark)


def diff(
    spark: SparkSession,
    folder: Path,
    table: str,
    window: str = DAY,
    changed: Mapping[str, Any] | None = None,
    against: str = "HEAD",
) -> Difference:
    """The diff with some tables described otherwise than in the repository."""
    described(folder, {**TABLES, **(changed or {})})
    now = App(private(read_suite(folder / "conf"), "ingested.orders", "email"), spark)
    with at_revision(now.suite, against) as then:
        return now.diff(table, window, then)


def test_nothing_changes_where_nothing_was_changed(spark: SparkSession, folder: Path) -> None:
    found = diff(spark, folder, "clean.orders", f"{DAY}..{NEXT}")
    assert found.nothing
    assert found.after.rows == Rows(7, written=4, quarantined=1, deduplicated=1, filtered=1)
    assert "**Nothing changes**" in "\n".join(markdown(found))


def test_rows_counts_columns_and_rules_are_told(spark: SparkSession, folder: Path) -> None:
    changed = {
        **CLEAN,
        "steps": [
            {"where": {"keep": "quantity >= 0", "because": "sent back"}},
            {"derive": {"revenue": "quantity * price * if(country = 'SE', 2, 1)", "paid": "true"}},
        ],
        "quality": [{"expect_column_max_to_be_between": {"column": "price", "max_value": 50}}],
    }
    found = diff(spark, folder, "clean.orders", DAY, {"clean.orders": changed})
    assert found.before is not None
    assert found.before.rows == Rows(6, written=3, quarantined=1, deduplicated=1, filtered=1)
    assert found.after.rows == Rows(6, withheld=4, deduplicated=1, filtered=1)
    assert (found.before.changes, found.after.changes) == ({"empty line": 1}, {"sent back": 1})
    assert found.before.rejected == {"price is positive: price > 0": 1}
    # 2 is kept now though empty, 4 is not rejected any more; 3 is left out; 5 earns double.
    assert (found.rows.by, found.rows.new, found.rows.gone, found.rows.changed) == (
        ("id", "line"), 2, 1, 1,
    )  # fmt: skip
    assert found.rows.columns == {"revenue": 1}
    assert [(one.what, one.row["id"]) for one in found.rows.examples] == [
        ("changed", 5), ("new", 2), ("new", 4), ("gone", 3),
    ]  # fmt: skip
    assert {n: tuple(map(str, pair)) for n, pair in found.rows.examples[0].values.items()} == {
        "revenue": ("60.00", "120.00")
    }
    text = "\n".join(markdown(found))
    assert (
        "**2 rows new, 1 gone, 1 changed**, 1 the same. **The gate closes on 2026-11-01.**" in text
    )
    assert "| quarantined | 1 | 0 | -1 |" in text
    assert "| `paid` | - | boolean |" in text
    assert "| `host` | string | - |" in text
    assert "| 2026-11-01 | open | closes: max(price) 60, expected at most 50" in text
    assert "revenue `60.00` → `120.00`" in text
    told = json.loads(json.dumps(plain(found), default=str))
    assert told["after"]["gate"][0]["closed_by"] == [
        "expect_column_max_to_be_between: {column: price, max_value: 50}"
    ]
    assert told["rows"]["columns"] == {"revenue": 1}


def test_private_values_are_in_no_word_of_it(spark: SparkSession, folder: Path) -> None:
    steps = [
        CLEAN["steps"][0],
        {"derive": {"revenue": "0 * price", "host": "upper(split(email, '@')[1])"}},
        {"derive": {"email": "concat('x', email)", "quantity": "if(id = 5, 0, quantity)"}},
    ]
    found = diff(spark, folder, "clean.orders", DAY, {"clean.orders": {**CLEAN, "steps": steps}})
    assert found.rows.columns == {"revenue": 3, "host": 3, "email": 3, "quantity": 1}
    said = "\n".join(markdown(found)) + json.dumps(plain(found), default=str)
    assert "secret" not in said.lower()
    assert 'host `"(private)"` → `"(private)"`' in said
    raw = {**ORDERS, "columns": {**ORDERS["columns"], "price": "decimal(10,1)"}}
    found = diff(spark, folder, "ingested.orders", DAY, {"ingested.orders": raw})
    assert found.rows.by == ("_file", "_row")
    assert "secret" not in json.dumps(plain(found), default=str)


def test_steps_of_both_revisions_run_side_by_side(spark: SparkSession, folder: Path) -> None:
    """Here and on Spark's workers; afterwards everything is as it was."""
    path, environment = list(sys.path), dict(spark.sparkContext.environment)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder / "lib"))
        patch.setitem(spark.sparkContext.environment, "PYTHONPATH", str(folder / "lib"))
        coded(folder, sign="/", ending="new")
        found = diff(spark, folder, "clean.coded", f"{DAY}..{NEXT}")
        loaded = sys.modules["tillkit.steps"].__file__
        assert spark.sparkContext.environment["PYTHONPATH"] == str(folder / "lib")
        coded(folder, sign=":", ending="old")
    assert (found.rows.new, found.rows.gone, found.rows.changed) == (0, 0, 7)
    assert [one.values for one in found.rows.examples] == [
        {"name": (f"{country}:old", f"{country}/new")} for country in ("DE", "DE", "FR")
    ]
    assert loaded == str(folder / "lib/tillkit/steps.py")
    assert (sys.path, spark.sparkContext.environment) == (path, environment)


def test_a_table_that_is_new_and_one_that_could_not_be_made(
    spark: SparkSession, folder: Path, tmp_path: Path
) -> None:
    found = diff(spark, folder, "clean.more", DAY, {"clean.more": CLEAN})
    assert (found.before, found.rows.new) == (None, 3)
    assert "**A new table**: 3 rows would be written." in "\n".join(markdown(found))
    lacking = {**ORDERS, "columns": {**ORDERS["columns"], "shop": "string"}}
    found = diff(spark, folder, "ingested.orders", DAY, {"ingested.orders": lacking})
    assert "**No rows now**: ingested.orders orders/2026-11-01/a.csv: column 'shop' is missing" in (
        "\n".join(markdown(found)).replace("\\", "")
    )
    assert (found.rows.gone, plain(found)["after"]["rows"]["read"]) == (6, 0)
    with pytest.raises(InputMissing, match="has not published this window"):
        diff(spark, folder, "clean.orders", "2026-10-01")
    # What failed then is told with its place in that revision.
    places = {"raw": str(folder / "raw"), "lake": str(folder / "lake")}
    silent = {**CLEAN, "steps": [{"sql": "SELECT *, 1 AS revenue FROM input WHERE quantity > 0"}]}
    written(tmp_path, {"ingested.orders": ORDERS, "clean.orders": silent}, **places)
    committed(tmp_path)
    written(tmp_path, {"ingested.orders": ORDERS, "clean.orders": CLEAN}, **places)
    now = app(spark, tmp_path)
    with at_revision(now.suite, "HEAD") as then:
        found = now.diff("clean.orders", DAY, then)
    assert found.before is not None
    assert "dropped rows without saying so" in str(found.before.error)
    assert " (HEAD:conf/clean/orders.yaml:" in str(found.before.error)
    assert found.rows.new == 3


def test_an_open_suite_shows_it_as_markdown(spark: SparkSession, folder: Path) -> None:
    described(folder, {**TABLES, "clean.orders": {**CLEAN, "quality": []}})
    suite = OpenSuite(app(spark, folder))
    found = suite.diff("clean.orders", DAY, against="main")
    assert found.rows.new == 1
    assert found._repr_markdown_() == repr(found) == "\n".join(markdown(found))
    with pytest.raises(Usage, match=f"a diff needs a window Next: --window {NEXT}"):
        suite.diff("clean.orders")


def test_periods_of_a_mart_are_compared_by_their_groups(spark: SparkSession, folder: Path) -> None:
    measures = {"revenue": "sum(revenue) + if(country = 'DE', 1, 0)", "orders": "count(*)"}
    found = diff(spark, folder, "marts.sales", DAY, {"marts.sales": {**MART, "measures": measures}})
    assert (found.rows.by, found.rows.changed, found.rows.new) == (("updated", "country"), 1, 0)
    assert found.rows.columns == {"revenue": 1}


def test_what_cannot_be_compared_is_told(spark: SparkSession, folder: Path, tmp_path: Path) -> None:
    for revision in ("no-such-branch", "--help"):
        with pytest.raises(Usage, match=f"there is no revision '{revision}'"):
            diff(spark, folder, "clean.orders", against=revision)
    written(tmp_path, TABLES)
    (tmp_path / "lib").symlink_to(folder / "lib")
    with (
        pytest.raises(Usage, match="is in no git repository"),
        at_revision(read_suite(tmp_path / "conf"), "HEAD"),
    ):
        pass
    described(tmp_path, {**TABLES, "marts.sales": {**MART, "grup_by": []}})
    committed(tmp_path)
    described(tmp_path, TABLES)
    with (
        pytest.raises(Misconfigured, match=r"^HEAD:conf/marts/sales.yaml:.* unknown key 'grup_by'"),
        at_revision(read_suite(tmp_path / "conf"), "HEAD"),
    ):
        pass
    now = read_suite(tmp_path / "conf", overrides={"window": "month"})
    described(tmp_path, TABLES)
    committed(tmp_path)
    with (
        pytest.raises(Usage, match="windows were others then: day in UTC"),
        at_revision(now, "HEAD"),
    ):
        pass
