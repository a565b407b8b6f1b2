"""Slips of the pen are told before Spark starts, in a line that says what to type next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from headgate.conf import read_suite
from headgate.core.errors import Usage
from headgate.core.selection import selected
from headgate.doors.cli import main
from unit.conf_files import laid_out

ROOT = Path(__file__).parents[2]
Changes = dict[str, str | None]
Told = Callable[..., list[str]]


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Type a command in a small suite: what it says, when it ends as every slip has to end."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("Spark was started")

    monkeypatch.setattr("headgate.storage.suite_session.start", refuse)
    monkeypatch.chdir(tmp_path)

    def typed(words: Sequence[str], changes: Changes | None = None) -> list[str]:
        laid_out(tmp_path, changes)
        assert main([*words, "--json"]) == 2
        out = capsys.readouterr()
        lines = out.err.splitlines()
        assert "Traceback" not in out.err + out.out
        assert " Next: " in lines[-1]
        (line,) = out.out.splitlines()
        shown: dict[str, Any] = json.loads(line)
        assert (shown["status"], shown["exit_code"], shown["runs"]) == ("failed", 2, [])
        assert shown["errors"] == lines if len(lines) == 1 else lines[:-1]
        assert not (tmp_path / "data").exists()
        return lines

    return typed


WORDS: dict[str, tuple[list[str], str]] = {
    "command": (["rnu"], "'rnu' (did you mean 'run'?)"),
    "job": (["claen"], "'claen' (did you mean 'clean'?)"),
    "option": (["run", "--windw", "2026-11-01"], "--windw (did you mean '--window'?)"),
    "flag": (["run", "--break-leese"], "--break-leese (did you mean '--break-lease'?)"),
    "option of another command": (["status", "--force"], "unrecognized arguments: --force"),
    "table": (["run", "clean.ordrs"], "'clean.ordrs' (did you mean 'clean.orders'?)"),
    "table of a job": (["clean", "ordrs"], "'ordrs' (did you mean 'clean.orders'?)"),
    "layer": (["run", "cleen"], "'cleen' (did you mean 'clean'?)"),
    "table of another job": (
        ["ingest", "clean.orders"],
        "the job ingest writes no table of clean, such as 'clean.orders' Next: headgate clean",
    ),
    "window": (["run", "--window", "2026-11-40"], "'2026-11-40' is not a window"),
    "window of another grain": (["run", "--window", "2026-11"], "'2026-11' is not a window"),
    "range": (["run", "--window", "2026-11-02..2026-11-01"], "runs backwards"),
    "future": (["run", "--window", "2999-01-01"], "the window 2999-01-01 is in the future"),
    "half future": (["plan", "--window", "2026-01-01..2999-01-01"], "is in the future (it is "),
    "environment": (["run", "--env", "locl"], "there is no environment 'locl' (did you mean"),
    "conf": (["run", "--conf", "cnof"], "cnof: there is no such folder"),
    "override": (["run", "--set", "lak=x"], "--set lak: there is no key 'lak' (did you mean"),
    "waiver without a reason": (["run", "--waive", "x"], "a waived rule needs a reason"),
    "waived rule": (
        ["run", "clean.orders", "--waive", "not_be_nul(order_id)", "--because", "x"],
        "'not_be_nul(order_id)' Next: --waive '",
    ),
    "undo": (["undo", "clean.ordrs", "--window", "2026-11-01"], "did you mean 'clean.orders'?"),
    "undo of no window": (["undo", "clean.orders"], "undo needs a window"),
    "rule to try": (
        ["rule", "try", "clean.orders", "expect_column_values_to_be_nul: {column: a}"],
        "rule: unknown rule 'expect_column_values_to_be_nul' (did you mean 'expect_column_",
    ),
    "argument of a rule to try": (
        ["rule", "try", "clean.orders", "expect_column_values_to_be_null: {column: a, mosty: 1}"],
        "rule mosty: unknown argument 'mosty' (did you mean 'mostly'?)",
    ),
    "condition to try": (["rule", "try", "clean.orders", "(a > 1"], "a '(' is not closed"),
    "severity of a rule to try": (
        ["rule", "try", "clean.orders", "a > 1", "--severity", "warn"],
        "(did you mean 'warning'?)",
    ),
    "condition of a life": (["why", "clean.orders", "--where", "id = 'x"], "is not closed"),
    "no condition of a life": (["why", "clean.orders"], "required: --where"),
    "life in a mart": (["why", "clean.ordrs", "--where", "id = 1"], "'clean.orders'?"),
    "table of a rule to try": (["rule", "try", "clean.ordrs", "a > 1"], "'clean.orders'?"),
    "window of a rule to try": (
        ["rule", "try", "clean.orders", "a > 1", "--window", "2999-01-01"],
        "in the future",
    ),
    "diff of no window": (["diff", "clean.orders"], "a diff needs a window Next: headgate diff"),
    "diff without a repository": (
        ["diff", "clean.orders", "--window", "2026-11-01"],
        "this folder is in no git repository that can be read: fatal: not a git repository",
    ),
    "export to no place": (["quarantine", "export", "clean.orders"], "an export needs a place"),
    "export of two": (["quarantine", "export", "--to", "x.csv"], "an export takes one table"),
    "state of an export": (
        ["quarantine", "export", "clean.orders", "--to", "x.csv", "--state", "shut"],
        "there is no state 'shut' Next: one of open, ",
    ),
    "dismissal for no reason": (
        ["quarantine", "dismiss", "clean.orders", "--because", " "],
        "rows are dismissed for a reason Next: --because",
    ),
    "replay of two": (["quarantine", "replay"], "a replay takes one table"),
    "replay of no file": (
        ["quarantine", "replay", "clean.orders", "--from", "x.csv"],
        "there are no repaired rows",
    ),
    "replay of a file and a window": (
        ["quarantine", "replay", "clean.orders", "--from", "x.csv", "--window", "2026-11-01"],
        "a file says itself which rows are meant",
    ),
    "expiry of no day": (["quarantine", "expire", "--before", "May"], "'May' is no day"),
    "option of another action": (
        ["quarantine", "expire", "--window", "2026-11-01", "--before", "2026-11-01"],
        "quarantine expire takes no --window",
    ),
    "preview of the future": (["preview", "clean.orders", "--window", "2999-01-01"], "future"),
}


@pytest.mark.parametrize("slip", WORDS)
def test_words_that_nothing_is_called(told: Told, slip: str) -> None:
    words, said = WORDS[slip]
    (line,) = told(words)
    assert said in line


FILES: dict[str, tuple[Changes, list[str]]] = {
    "no suite": ({"suite.yaml": None}, ["conf/suite.yaml: is missing: it names the suite"]),
    "empty suite": ({"suite.yaml": ""}, ["conf/suite.yaml: is empty"]),
    "no environment": ({"env/local.yaml": None}, ["conf/env/local.yaml: there is no environment"]),
    "key of an environment": (
        {"env/local.yaml": "rw: a\nlake: b\n"},
        ["conf/env/local.yaml:1: key 'raw' is missing",
         "conf/env/local.yaml:1 rw: unknown key 'rw' (did you mean 'raw'?)"],
    ),
    "tab": (
        {"suite.yaml": "name: shop\n\ttimezone: UTC\n"},
        ["conf/suite.yaml:2 name: not YAML: found a tab character that violates indentation"],
    ),
    "tab in a list": (
        {"clean/customers.yaml": "reads: ingested.customers\nsteps:\n\t- trim: [name]\n"},
        ["conf/clean/customers.yaml:3 steps: a tab stands here: indent with spaces"],
    ),
    "quote": (
        {"clean/customers.yaml": "reads: 'ingested.customers\nkey: customer_id\n"},
        ["conf/clean/customers.yaml:1 reads: the quote opened here is not closed"],
    ),
    "key": (
        {"clean/customers.yaml": "reads: ingested.customers\nkee: customer_id\n"},
        ["conf/clean/customers.yaml:2 kee: unknown key 'kee' (did you mean 'key'?)"],
    ),
    "step": (
        {"clean/customers.yaml": "reads: ingested.customers\nsteps: [{trimm: [name]}]\n"},
        ["conf/clean/customers.yaml:2 steps[0]: unknown step 'trimm' (did you mean 'trim'?)"],
    ),
    "function": (
        {"clean/customers.yaml": "reads: ingested.customers\n"
         "steps: [{step: shop.steps.known_contry}]\n"},
        ["conf/clean/customers.yaml:2 steps[0].step: the module 'shop.steps' has no function"
         " 'known_contry' (did you mean 'known_country'?)"],
    ),
    "rule": (
        {"clean/customers.yaml": "reads: ingested.customers\n"
         "quality: [{expect_column_values_to_not_be_nul: {column: name}}]\n"},
        ["conf/clean/customers.yaml:2 quality[0]: unknown rule 'expect_column_values_to_not_be_nul'"
         " (did you mean 'expect_column_values_to_not_be_null'?)"],
    ),
    "column": (
        {"clean/customers.yaml": "reads: ingested.customers\nsteps: [{trim: [nmae]}]\n"},
        ["conf/clean/customers.yaml:2 steps[0].trim[0]: unknown column 'nmae' (did you mean"
         " 'name'?)"],
    ),
    "column of an expression": (
        {"clean/customers.yaml": "reads: ingested.customers\n"
         "steps: [{derive: {old: year(sinse) < 2000}}]\n"},
        ["conf/clean/customers.yaml:2 steps[0].derive.old: unknown column 'sinse' (did you mean"
         " 'since'?)"],
    ),
    "layer": ({"clen/a.yaml": "a: 1\n"}, ["conf/clen: unknown layer 'clen' (did you mean"]),
    "table that is read": (
        {"clean/customers.yaml": "reads: ingested.custmers\n"},
        ["conf/clean/customers.yaml:1 reads: unknown table 'ingested.custmers' (did you mean"
         " 'ingested.customers'?)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", FILES)
def test_files_that_cannot_be_understood(told: Told, slip: str) -> None:
    changes, said = FILES[slip]
    lines = told(["run"], changes)
    if len(said) > 1:
        assert lines.pop() == f"{len(said)} faults Next: headgate check"
    assert len(lines) == len(said)
    for line, start in zip(lines, said, strict=True):
        assert line.startswith(start)


def test_a_folder_that_is_not_there_says_how_to_make_one(told: Told) -> None:
    (line,) = told(["run", "--conf", "elsewhere"])
    assert line.endswith(" Next: headgate init DIR makes a small suite")


def test_a_job_takes_what_its_tables_read_with_a_plus(tmp_path: Path) -> None:
    tables = read_suite(laid_out(tmp_path)).tables
    assert selected(tables, ["+clean.orders"], "clean") == ["ingested.orders", "clean.orders"]


@pytest.mark.parametrize("where", ["no home", "no path"])
def test_without_java_the_command_that_installs_it_is_said(tmp_path: Path, where: str) -> None:
    laid_out(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "PATH": str(tmp_path)}
    environment.pop("JAVA_HOME", None)
    if where == "no home":
        environment["JAVA_HOME"] = str(tmp_path / "jdk")
    done = subprocess.run(
        [sys.executable, "-m", "headgate", "run", "--json"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == Usage.exit_code, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        f"JAVA_HOME is {tmp_path}/jdk, which holds no bin/java; "
        if where == "no home"
        else "there is no java; "
    )
    assert " needs Java " in line
    assert "nstall" in line.partition(" Next: ")[2] or "apk add" in line
    assert json.loads(done.stdout.splitlines()[-1])["errors"] == [line]
    assert not (tmp_path / "data").exists()
