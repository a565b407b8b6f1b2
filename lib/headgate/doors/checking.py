"""Commands that look at the configuration: its faults, and its examples."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from headgate.conf import read_suite
from headgate.core.errors import HeadgateError, StepFailed, Usage, worst
from headgate.core.selection import selected
from headgate.core.spec import Suite
from headgate.doors.words import Answer


def check(arguments: argparse.Namespace) -> Answer:
    """The configuration, without Spark. Faults come as an error, all at once."""
    suite = read_suite(arguments.conf, env=arguments.env, overrides=arguments.overrides)
    if arguments.source:
        return _sources(suite, arguments)
    if arguments.what:
        raise Usage("a check is of the whole suite", next="headgate check, or with --source TABLE")
    count = len(suite.tables)
    if not arguments.json:
        print(f"{suite.name}: {count} table{'s' if count != 1 else ''}, no fault")
    from headgate.storage.keys import lacking

    keys = [error.sentence for error in lacking(suite)]  # no fault of the files
    for sentence in keys if not arguments.json else ():
        print(f"a run would stop here: {sentence}")
    shown = {
        "suite": suite.name, "exit_code": 0, "errors": [], "warnings": keys,
        "tables": list(suite.tables),
    }  # fmt: skip
    return shown, 0


def _sources(suite: Suite, arguments: argparse.Namespace) -> Answer:
    """Each contract against its live database or its newest file; the worst is the exit code."""
    from headgate.doors.opening import on_its_lake

    found = on_its_lake(suite).sources(arguments.what)
    if not found:
        raise Usage("none of these tables has a source", next="name tables of the layer ingested")
    if not arguments.json:
        for one in found:
            print(f"{one.table} against {one.source}: {one.fault or 'as the contract says'}")
            for said in one.said:
                print(f"    {said}")
    code = worst([one.code for one in found])
    shown = {
        "suite": suite.name,
        "exit_code": code,
        "errors": [one.fault for one in found if one.fault],
        "sources": [asdict(one) for one in found],
    }
    return shown, code


def test(arguments: argparse.Namespace) -> Answer:
    """The examples of the table files; 30 where one comes out otherwise than it says."""
    suite = read_suite(arguments.conf, env=arguments.env, overrides=arguments.overrides)
    names = selected(suite.tables, arguments.what)
    found = _results(suite, [name for name in names if suite.tables[name].examples])
    failed = [one for one in found if one["problems"]]
    if not arguments.json:
        for one in failed:
            print(f"{one['place']}: {one['table']}: the example comes out otherwise")
            for problem in one["problems"]:
                print(f"    {problem}")
        print(_summary(suite, found, failed))
    code = StepFailed.exit_code if failed else 0
    shown = {
        "suite": suite.name,
        "exit_code": code,
        "errors": [f"{o['place']}: {o['table']}: {o['problems'][0]}" for o in failed],
        "examples": found,
    }
    return shown, code


def _summary(suite: Suite, found: list[dict[str, Any]], failed: list[dict[str, Any]]) -> str:
    if not found:
        return f"{suite.name}: no example is written (`examples:` in a table's file)"
    count = f"{len(found)} example{'s' if len(found) != 1 else ''}"
    ends = f"{len(failed)} not as written" if failed else "all as written"
    return f"{suite.name}: {count}, {ends}"


def _results(suite: Suite, names: list[str]) -> list[dict[str, Any]]:
    if not names:
        return []
    from headgate.stages.examples import differences, outcome
    from headgate.storage.faults import classify
    from headgate.storage.suite_session import small_session

    spark, found = small_session(suite), []
    for name in names:
        table = suite.tables[name]
        for example in table.examples:
            try:
                problems = differences(example, outcome(spark, suite, table, example.given))
            except HeadgateError as error:
                problems = [error.sentence]
            except Exception as error:
                problems = [classify(error).sentence]
            found.append({"table": name, "place": example.place, "problems": problems})
    return found
