"""The commands that look, and `headgate.open()`, on a lake where most things have happened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from pyspark.sql import SparkSession

import headgate
from headgate.core.errors import Misconfigured, Usage
from headgate.doors.cli import main
from headgate.doors.notebook import OpenSuite
from headgate.doors.tables import Grid

FILES = {
    "suite.yaml": "name: small\n",
    "env/local.yaml": "{raw: raw, lake: lake}\n",
    "ingested/orders.yaml": """\
        fresh_within: 2 days
        since: 2026-11-01
        source: {files: "orders/{window}/*.csv"}
        columns:
          order_id: bigint
          ordered: {type: date, from: Ordered on, format: "d.M.yyyy"}
          price: decimal(10,2)
        max_rejected: 50%
        """,
    "clean/orders.yaml": """\
        reads: ingested.orders
        steps: [{derive: {vat: price * 0.2}}]
        key: order_id
        quality:
          - row: {price is positive: price > 0}
          - expect_column_mean_to_be_between: {column: price, max_value: 100}
          - expect_column_values_to_be_unique: {column: ordered, severity: warning}
        max_rejected: 50%
        """,
    "marts/sales.yaml": """\
        reads: {orders: clean.orders}
        period: {column: ordered, grain: day}
        measures: {revenue: sum(price)}
        """,
    "marts/later.yaml": """\
        reads: {sales: marts.sales}
        period: {column: ordered, grain: month}
        measures: {revenue: sum(revenue)}
        """,
}
HEADER = "order_id,Ordered on,price\n"
DAYS = {
    "2026-11-01": "1,1.11.2026,5.00\n2,1.11.2026,-1.00\n3,soon,4.00\n4,1.11.2026,7.50\n",
    "2026-11-02": "5,2.11.2026,5000.00\n6,2.11.2026,-2\n",  # closes the gate of clean.orders
    "2026-11-04": "7,4.11.2026,6.00\n",
}
BROKEN = "2026-11-05"  # lacks a column: blocked by ingest
Command = Callable[..., tuple[int, str, dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A suite whose tables have run once; one window was blocked by each of two layers."""
    root = tmp_path_factory.mktemp("commands")
    for name, text in FILES.items():
        file = root / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    for day, text in DAYS.items():
        file = root / "raw/orders" / day / "a.csv"
        file.parent.mkdir(parents=True)
        file.write_text(HEADER + text)
    file = root / "raw/orders" / BROKEN / "a.csv"
    file.parent.mkdir(parents=True)
    file.write_text("order_id,price\n8,1.00\n")
    what = ["ingest", "clean.orders", "marts.sales"]
    assert main(["run", *what, "--conf", str(root / "conf"), "--json"]) == 11
    before = listing(root)
    yield root
    assert listing(root) == before  # nothing here changes anything


def listing(root: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def call(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command twice: its exit code, what a person sees, and its JSON."""

    def called(*words: str, twice: bool = True) -> tuple[int, str, dict[str, Any]]:
        capsys.readouterr()
        place = ["--conf", str(folder / "conf")]
        text = ""
        if twice:
            main([*words, *place])
            text = capsys.readouterr().out
        code = main([*words, *place, "--json"])
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 1  # programs that read all of it are served too
        told = json.loads(lines[0])
        assert told["exit_code"] == code
        return code, text, told

    return called


@pytest.fixture
def suite(folder: Path) -> OpenSuite:
    return headgate.open(str(folder / "conf"))


def test_plan_says_what_is_due_what_is_missing_and_why(call: Command) -> None:
    code, text, told = call("plan")
    assert (code, told["suite"]) == (0, "small")
    plan = {(line["table"], line["window"]): line for line in told["plan"]}
    gap = plan["ingested.orders", "2026-11-03"]
    assert (gap["why"], gap["runs"]) == ("gap: no input", False)
    assert plan["marts.later", "2026-11"]["runs"] is True
    assert not [line for line in told["plan"] if line["table"] == "clean.orders"]
    assert "gap: no input" in text
    assert text.splitlines()[0].split() == ["TABLE", "WINDOWS", "DOES", "WHY"]


def test_plan_with_nothing_to_do(call: Command) -> None:
    code, text, told = call("plan", "clean.orders")
    assert (code, told["plan"], text) == (0, [], "nothing is due\n")
    _, _, told = call("plan", "clean.orders", "--window", "2026-11-01", "--force", twice=False)
    assert told["plan"] == [
        {
            "table": "clean.orders", "window": "2026-11-01", "why": "forced", "runs": True,
            "rebuild": False,
        }
    ]  # fmt: skip


def test_status_is_a_line_a_table_with_the_next_command(call: Command) -> None:
    code, text, told = call("status")
    assert code == 0
    lines = {line["table"]: line for line in told["tables"]}
    orders = lines["clean.orders"]
    assert (orders["state"], orders["last_good"]) == ("blocked", "2026-11-04")
    assert (orders["windows"], orders["rejected"]) == (["2026-11-02"], 2)
    assert orders["next"].startswith("headgate show ")
    assert lines["ingested.orders"]["windows"] == [BROKEN]
    assert lines["ingested.orders"]["late"] is True
    assert (lines["marts.sales"]["state"], lines["marts.sales"]["next"]) == ("ok", "")
    assert (lines["marts.later"]["state"], lines["marts.later"]["last_good"]) == ("never run", None)
    assert lines["marts.later"]["next"] == "headgate run +marts.later"
    assert len(text.splitlines()) == 1 + len(lines)


def test_runs_are_told_newest_first_as_many_as_wanted(call: Command) -> None:
    code, text, told = call("runs", "clean", "--rows", "2")
    assert (code, told["total"]) == (0, 3)
    assert len(told["runs"]) == 2
    assert "2 of 3 runs" in text
    assert {run["table"] for run in told["runs"]} == {"clean.orders"}
    _, _, everything = call("runs", twice=False)
    moments = [run["finished_at"] for run in everything["runs"]]
    assert moments == sorted(moments, reverse=True)
    keys = {"run", "job", "table", "window", "status", "rows", "gate", "version", "seconds",
            "message"}  # fmt: skip
    assert keys <= set(everything["runs"][0])


def test_show_tells_all_of_one_run_by_how_its_id_begins(call: Command) -> None:
    _, _, history = call("runs", "clean.orders", "--rows", "100", twice=False)
    (blocked,) = [run for run in history["runs"] if run["status"] == "blocked"]
    code, text, told = call("show", blocked["run"][:8])
    run = told["run"]
    assert (code, run["run"], run["window"]) == (0, blocked["run"], "2026-11-02")
    assert run["rows"]["withheld"] == 1
    assert run["inputs"] == {"ingested.orders": 0}
    assert run["causes"] == "new input"
    (mean,) = [check for check in run["checks"] if check["closed"]]
    assert (mean["observed"], mean["success"]) == (5000.0, False)
    assert len(run["checks"]) == 3
    assert any("--waive RULE" in command for command in run["next"])
    assert "closed the gate" in text
    assert "headgate preview clean.orders --window 2026-11-02" in text


def test_a_run_that_cannot_be_told_is_a_clear_error(
    call: Command, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text, said in (("zzzz", "there is no run 'zzzz'"), ("", "runs begin with ''")):
        assert main(["show", text, "--conf", str(folder / "conf")]) == 2
        out = capsys.readouterr()
        (line,) = out.err.splitlines()
        assert said in line
        assert " Next: " in line


def test_quarantine_list_counts_by_reason(call: Command) -> None:
    code, text, told = call("quarantine", "list")
    assert code == 0
    found = {(r["table"], r["window"], r["reason"], r["state"], r["rows"])
             for r in told["quarantine"]}  # fmt: skip
    assert found == {
        ("ingested.orders", "2026-11-01", "ordered: not a date written d.M.yyyy", "open", 1),
        ("clean.orders", "2026-11-01", "price is positive: price > 0", "open", 1),
        ("clean.orders", "2026-11-02", "price is positive: price > 0", "open", 1),
    }
    assert "price is positive" in text
    assert "soon" not in text  # values are shown where they are asked for


def test_quarantine_show_shows_the_rows(call: Command) -> None:
    _, text, told = call("quarantine", "show", "ingested")
    (row,) = told["rows"]
    assert (row["file"], row["row"], row["window"]) == ("orders/2026-11-01/a.csv", 3, "2026-11-01")
    assert json.loads(row["record"])["ordered"] == "soon"
    assert "soon" in text
    _, text, told = call("quarantine", "show", "--rows", "1")
    assert (len(told["rows"]), told["total"]) == (1, 3)
    assert "1 of 3 rows" in text
    _, text, told = call("quarantine", "show", "marts")
    assert (told["rows"], text) == ([], "no row is in quarantine\n")


def test_preview_shows_what_would_be_written_and_rejected(call: Command) -> None:
    code, text, told = call("preview", "clean.orders", "--window", "2026-11-01", "--rows", "1")
    assert (code, told["status"]) == (0, "published")
    assert (told["rows"]["written"], told["rows"]["quarantined"]) == (2, 1)
    assert len(told["accepted"]) == 1
    assert told["rejected"][0]["_reasons"] == ["price is positive: price > 0"]
    assert "accepted: 1 of 2 rows" in text
    _, text, told = call("preview", "clean.orders", "--window", "2026-11-02")
    assert (told["status"], told["rows"]["withheld"]) == ("blocked", 1)
    assert "the gate would close: " in text


def test_preview_of_a_window_without_input_ends_with_12(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["preview", "clean.orders", "--conf", str(folder / "conf"), "--window"]
    assert main([*words, "2026-11-03"]) == 12
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Next: --window 2026-11-04")
    assert main([*words, "2999-01-01"]) == 2


def test_a_rule_is_tried_on_past_windows(call: Command) -> None:
    rule = "expect_column_values_to_be_between: {column: price, max_value: 7, mostly: 0.9}"
    code, text, told = call("rule", "try", "clean.orders", rule)
    assert (code, told["rule"], told["severity"]) == (0, rule, "critical")
    seen = [(w["window"], w["was"], w["judged"], w["broken"], w["gate"]) for w in told["windows"]]
    assert seen == [
        ("2026-11-01", "published", 3, 1, "closes"),
        ("2026-11-02", "blocked", 2, 1, "closes"),
        ("2026-11-04", "published", 1, 0, "open"),
    ]
    assert told["total"]["closes"] == ["2026-11-01", "2026-11-02"]
    assert "total: broken by 2 of 6 rows (33.3%) in 3 windows, 2 more rows rejected" in text
    assert "the gate would have closed on 2026-11-01..2026-11-02\nNext: " in text
    code, text, told = call("rule", "try", "clean.orders", "price < 9", "--severity", "info")
    assert [window["gate"] for window in told["windows"]] == ["open"] * 3
    assert "Next: write it under `quality:` in " in text


def test_why_tells_the_life_of_a_row(call: Command) -> None:
    code, text, told = call("why", "clean.orders", "--where", "order_id IN (2, 3, 5)")
    assert (code, told["total"], told["table"]) == (0, 3, "clean.orders")
    ends = {(row["file"][7:17], row["row"]): [p["end"] for p in row["passages"]]
            for row in told["rows"]}  # fmt: skip
    assert ends == {
        ("2026-11-01", 2): ["written", "rejected"],
        ("2026-11-01", 3): ["rejected"],
        ("2026-11-02", 1): ["written", "withheld"],
    }
    assert "orders/2026-11-01/a.csv record 2  (window 2026-11-01)" in text
    assert "breaks price is positive: price > 0 (critical)" in text
    assert "derive: {vat: price * 0.2}  adds vat -0.200\n" in text
    assert told["next"] == "headgate preview clean.orders --window 2026-11-02"
    code, text, told = call("why", "clean.orders", "--where", "order_id = 99")
    assert (code, told["rows"], "ingested.orders" in told["looked"]) == (0, [], True)
    assert "no row of clean.orders or of what it reads matches; looked at" in text


def test_suggested_rules_are_yaml_with_their_evidence(call: Command) -> None:
    code, text, told = call("suggest", "clean.orders")
    assert (code, told["rows"], told["windows"]) == (0, 3, 2)
    assert told["quality"][0] == {
        "rule": {"expect_column_values_to_be_unique": {"column": "order_id"}},
        "written": "expect_column_values_to_be_unique: {column: order_id}",
        "evidence": "the key: none comes twice in 3 rows of 2 windows",
    }
    assert "quality:\n  # the key: none comes twice in 3 rows of 2 windows\n  - expect_" in text
    assert "# Next: headgate rule try clean.orders" in text
    assert "expect_column_values_to_be_unique: {column: ordered}" not in text


def test_an_open_suite_reads_tables(suite: OpenSuite) -> None:
    assert suite.tables[0] == "ingested.orders"
    assert suite.table("clean.orders").count() == 3
    assert suite.table("clean.orders", as_of="2026-11-01").count() == 2
    with pytest.raises(Usage, match=r"marts\.later has never been published"):
        suite.table("marts.later")
    with pytest.raises(Usage, match="did you mean"):
        suite.table("clean.order")


def test_an_open_suite_shows_tables_in_a_notebook(suite: OpenSuite) -> None:
    for shown in (suite.plan(), suite.status(), suite.runs()):
        assert isinstance(shown, Grid)
        assert "<table>" in shown._repr_html_()
    assert {row["table"]: row["state"] for row in suite.status()}["marts.sales"] == "ok"


def test_an_open_suite_gives_results_with_the_fields_of_the_result_object(
    folder: Path, tmp_path: Path
) -> None:
    suite = headgate.open(str(folder / "conf"), env="local", lake=tmp_path / "lake")
    result = suite.run("ingested.orders", window="2026-11-04")
    assert (result.status, result.exit_code, result.errors) == ("published", 0, ())
    (run,) = result.runs
    assert (run.table, run.window, run.rows.read) == ("ingested.orders", "2026-11-04", 1)
    assert "small: published (exit code 0)" in repr(result)
    assert "<table>" in result._repr_html_()
    again = suite.run("ingested.orders", window="2026-11-04")
    assert again.status == "unchanged"
    assert suite.run("clean.orders", window="2026-11-02").exit_code == 12


def test_an_open_suite_previews(suite: OpenSuite) -> None:
    seen = suite.preview(
        "clean.orders", window="2026-11-01", quality=[{"row": {"dear": "price > 6"}}], upto="derive"
    )
    assert seen.rows.quarantined == 2
    assert [row["_reasons"] for row in seen.rejected.collect()] == [["dear: price > 6"]] * 2
    assert [row["vat"] for row in seen.accepted.collect()] == [Decimal("1.500")]
    assert "dear: price &gt; 6" in seen._repr_html_()
    assert repr(seen).startswith("clean.orders 2026-11-01: 3 read")


def test_an_open_suite_follows_rows_and_tries_rules(suite: OpenSuite) -> None:
    lives = suite.why("clean.orders", "order_id = 2")
    assert [life.passages[-1].end for life in lives.found] == ["rejected"]
    assert repr(lives).startswith("orders/2026-11-01/a.csv record 2")
    shown = lives._repr_html_()
    assert "orders/2026-11-01/a.csv record 2" in shown
    assert ">broken (critical)<" in shown
    assert ">price is positive: price &gt; 0<" in shown
    assert "no row of clean.orders" in suite.why("clean.orders", "order_id = 99")._repr_html_()
    with pytest.raises(Misconfigured, match="is not closed"):
        suite.why("clean.orders", "(order_id = 2")

    cheap = {"expect_column_values_to_be_between": {"column": "price", "max_value": 6}}
    tried = suite.try_rule("clean.orders", cheap, window="2026-11-01", severity="warning")
    assert [(one.window, one.broken, one.ends) for one in tried.windows] == [
        ("2026-11-01", 1, "warns"),
    ]  # fmt: skip
    assert "total: broken by 1 of 3 rows (33.3%)" in repr(tried)
    assert ">2026-11-01<" in tried._repr_html_()
    assert [one.broken for one in suite.try_rule("clean.orders", "price < 100").windows] == [
        0,
        1,
        0,
    ]

    rules = suite.suggest("clean.orders")
    assert {"expect_column_values_to_not_be_null: {column: order_id}"} <= {
        row["rule"] for row in rules
    }
    assert "no null in" in rules._repr_html_()


def test_an_open_suite_gives_rejected_rows_their_own_types(suite: OpenSuite) -> None:
    names = ("order_id", "ordered", "price", "_reasons", "_window", "_file", "_row", "_state")
    clean = suite.quarantine("clean.orders").where("_window = '2026-11-01'")
    assert [tuple(row) for row in clean.select(*names).collect()] == [
        (2, date(2026, 11, 1), Decimal("-1.00"), ["price is positive: price > 0"], "2026-11-01",
         "orders/2026-11-01/a.csv", 2, "open"),
    ]  # fmt: skip
    raw = suite.quarantine("ingested.orders")
    assert [tuple(row) for row in raw.select(*names[:3], "_row").collect()] == [
        (3, None, Decimal("4.00"), 3)
    ]
    assert {"_run", "_record"} <= set(raw.columns)
    none = suite.quarantine("marts.sales")
    assert (none.count(), none.columns[:2]) == (0, ["ordered", "revenue"])
