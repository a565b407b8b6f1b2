"""`headgate check`, and what every command says of words it cannot use: no Spark is started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from headgate.doors.cli import main
from unit.conf_files import laid_out

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("Spark was started")

    monkeypatch.setattr("headgate.storage.session.start", refuse)
    monkeypatch.setattr("headgate.storage.suite_session.start", refuse)


def test_a_suite_without_fault_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--conf", str(laid_out(tmp_path))]) == 0
    out = capsys.readouterr()
    assert out.out == "shop: 6 tables, no fault\n"
    assert out.err == ""


def test_check_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "--conf", str(laid_out(tmp_path))]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["suite"], told["exit_code"], told["errors"]) == ("shop", 0, [])
    assert "clean.orders" in told["tables"]


def test_all_faults_come_at_once_each_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = laid_out(
        tmp_path,
        {
            "clean/customers.yaml": "reads: ingested.customers\nkeys: customer_id\n",
            "marts/sales.yaml": """\
                reads: {orders: clean.order}
                period: {column: ordered_at, grain: fortnight}
                measures: {revenue: sum(revenue)}
                """,
        },
    )
    assert main(["check", "--conf", str(conf), "--json"]) == 2
    out = capsys.readouterr()
    lines = out.err.splitlines()
    assert lines[-1] == f"{len(lines) - 1} faults Next: headgate check"
    assert any(line.startswith(f"{conf}/clean/customers.yaml:2 keys:") for line in lines)
    assert any(f"{conf}/marts/sales.yaml:1" in line and "clean.orders" in line for line in lines)
    assert any(f"{conf}/marts/sales.yaml:2" in line and "fortnight" in line for line in lines)
    told = json.loads(out.out.splitlines()[-1])
    assert told["exit_code"] == 2
    assert told["errors"] == lines[:-1]


def test_check_imports_no_spark(tmp_path: Path) -> None:
    conf = laid_out(tmp_path)
    program = (
        "import sys; from headgate.doors.cli import main;"
        f"code = main(['check', '--conf', {str(conf)!r}]);"
        "sys.exit(code or any(name in sys.modules for name in ('pyspark', 'py4j', 'delta')))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "clean.order"],
        ["status", "clean.order"],
        ["runs", "clean.order"],
        ["quarantine", "list", "clean.order"],
        ["quarantine", "show", "clean.order"],
        ["preview", "clean.order", "--window", "2026-11-01"],
        ["test", "clean.order"],
    ],
)
def test_a_misspelt_table_is_told_with_the_likely_one(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = str(laid_out(tmp_path))
    assert main([*words, "--conf", conf, "--json"]) == 2
    out = capsys.readouterr()
    (line,) = out.err.splitlines()
    assert "'clean.order' (did you mean 'clean.orders'?)" in line
    assert json.loads(out.out.splitlines()[-1])["errors"] == [line]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["preview", "clean.orders", "--window", "2026-13-01"], "'2026-13-01' is not a window"),
        (["preview", "clean.orders", "--window", "yesterday"], "'yesterday' is not a window"),
        (["plan", "--window", "2026-11-02..2026-11-01"], "runs backwards"),
        (["runs", "--rows", "-1"], "--rows takes a number from 0"),
        (["runs", "--rows", "few"], "invalid int value"),
        (["plan", "--env", "nope"], "there is no environment 'nope'"),
        (["plan", "--conf", "nowhere"], "there is no such folder"),
        (["plan", "--set", "lak=/tmp/x"], "lake"),
        (["quarantine", "burn"], "invalid choice"),
        (["show"], "required: RUN"),
        (["preview"], "required: TABLE"),
        (["stauts"], "did you mean 'status'?"),
        (["status", "--window", "2026-11-01"], "unrecognized arguments"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = str(laid_out(tmp_path))
    placed = [] if "--conf" in words or words[0] == "stauts" else ["--conf", conf]
    assert main([*words, *placed]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    (line,) = out.err.splitlines()
    assert said in line


def test_a_suite_without_examples_says_where_they_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", "--conf", str(laid_out(tmp_path))]) == 0
    assert "no example is written (`examples:` in a table's file)" in capsys.readouterr().out
