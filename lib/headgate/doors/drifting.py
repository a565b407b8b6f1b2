"""The `drift` command: what is out of line with a table's past, and what a person says to it."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from headgate.core.errors import Usage
from headgate.doors import sheets
from headgate.doors.looking import opened
from headgate.doors.words import Answer


def drift(arguments: argparse.Namespace) -> Answer:
    """`headgate drift list` and `headgate drift dismiss`."""
    return _dismiss(arguments) if arguments.action == "dismiss" else _list(arguments)


def _list(arguments: argparse.Namespace) -> Answer:
    """What the last run of each window found; nothing is written."""
    app = opened(arguments, arguments.what)
    windows = app.windows(arguments.window)
    found = [
        one for one in app.drift(arguments.what)
        if (windows is None or one.record.window in (*windows, arguments.window))
        and arguments.metric in (None, one.metric.metric)
        and arguments.column in (None, one.metric.column)
    ]  # fmt: skip
    shown = found[: arguments.rows]
    if not arguments.json:
        more = f"{len(shown):,} of {len(found):,} lines; --rows shows more"
        print(sheets.drift_sheet(shown, note=more if len(found) > len(shown) else ""))
    lines = [sheets.drift_line(one) for one in shown]
    return {"suite": app.suite.name, "exit_code": 0, "total": len(found), "drift": lines}, 0


def _dismiss(arguments: argparse.Namespace) -> Answer:
    """On record: who says so, when, and why."""
    if len(arguments.what) != 1 or not arguments.window:
        typed = arguments.what[0] if arguments.what else "TABLE"
        raise Usage(
            "drift dismiss needs one table and one window",
            next=f"headgate drift dismiss {typed} --window W --because 'why it is no fault'",
        )
    if not (arguments.because or "").strip():
        raise Usage("a dismissal needs a reason", next="--because 'why it is no fault'")
    (name,) = arguments.what
    app = opened(arguments, [name])
    made = app.dismiss(
        name, arguments.window, arguments.because.strip(),
        metric=arguments.metric, column=arguments.column,
    )  # fmt: skip
    waiting = app.let_in([name, *dict.fromkeys(one.table for one in made)])
    then = f"headgate run {' '.join(waiting)}" if waiting else f"headgate drift list {name}"
    if not arguments.json:
        said = [f"{one.table} {one.window}: {one.text}: dismissed" for one in made]
        print("\n".join([*(said or ["all of it was dismissed before"]), f"Next: {then}"]))
    return {
        "suite": app.suite.name,
        "exit_code": 0,
        "dismissed": [asdict(one) for one in made],
        "next": then,
    }, 0
