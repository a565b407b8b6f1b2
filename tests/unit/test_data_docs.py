"""Data Docs: what is refused, which runs are shown, and whose values are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headgate.core.contract import Column, FileSource
from headgate.core.records import RunRecord
from headgate.core.results import Gate, Rows
from headgate.core.spec import Clean, Ingested, Mart, Period, Table
from headgate.doors import data_docs
from headgate.doors.cli import main
from headgate.stages.unexpected import may_be_told


def test_without_great_expectations_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(data_docs, "find_spec", lambda _: None)
    assert main(["report", "--data-docs", "--json"]) == 2
    out, err = capsys.readouterr()
    assert err == (
        "Data Docs are made by great-expectations, which is not installed "
        "Next: pip install 'headgate[quality]'\n"
    )
    assert json.loads(out)["exit_code"] == 2


def record(run: str, **more: Any) -> RunRecord:
    given: dict[str, Any] = {
        "run": run, "suite": "s", "job": "clean", "table": "clean.a", "window": "2026-01-01",
        "status": "published", "started_at": "", "finished_at": "", "seconds": 1.0, "rows": Rows(),
        "gate": Gate(), "version": 0, "message": None, "exit_code": 0, "fingerprint": "f",
        "causes": "new input",
    }  # fmt: skip
    return RunRecord(**{**given, **more})


def test_the_newest_runs_of_each_table_that_were_judged() -> None:
    records = [
        record("1"), record("2", table="clean.b"), record("3", status="blocked"),
        record("4", status="failed"), record("5", status="unchanged"), record("6"),
        record("7", fingerprint=""),
    ]  # fmt: skip
    assert [one.run for one in data_docs.newest(records, 2)] == ["2", "3", "6"]
    assert [one.run for one in data_docs.newest(records, 1)] == ["2", "6"]


def contract(name: str, **privacy: str | None) -> Ingested:
    columns = {
        column: Column.model_validate({"type": "string", "privacy": how})
        for column, how in privacy.items()
    }
    return Ingested(name=name, source=FileSource(files="x"), columns=columns)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        contract("ingested.people", country=None, mail="tokenise"),
        contract("ingested.goods", price=None),
        Clean(name="clean.people", reads={"people": "ingested.people"}),
        Clean(name="clean.goods", reads={"goods": "ingested.goods"}),
        Clean(name="clean.dear", reads={"goods": "clean.goods"}),
        Clean(name="clean.bought", reads={"goods": "clean.goods", "people": "clean.people"}),
        Mart(name="marts.sold", reads={"goods": "clean.goods"}, period=Period(column="day")),
    )
}


@pytest.mark.parametrize(
    ("table", "column", "told"),
    [
        ("ingested.people", "country", True),
        ("ingested.people", "mail", False),
        ("ingested.people", "_rescued", False),
        ("clean.people", "country", True),
        ("clean.people", "mail", False),
        ("clean.people", "contact", False),  # what a step made, or a column that nobody declared
        ("clean.dear", "price", True),
        ("clean.dear", "price_with_tax", True),  # of columns that are all nobody's
        ("clean.dear", "_file", False),
        ("clean.bought", "price", False),  # a private column is somewhere above
        ("marts.sold", "price", False),
    ],
)
def test_values_are_told_of_columns_that_are_nobodys(table: str, column: str, told: bool) -> None:
    assert may_be_told(TABLES, table, column) is told
