"""The `why` command: what became of a row, in plain lines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from headgate.conf.typed import condition_typed
from headgate.doors.looking import opened
from headgate.doors.tables import Grid, cut, shown
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.core.lives import Life, Lives, Origin, Passage, Stop


def why(arguments: argparse.Namespace) -> Answer:
    """`headgate why`: the condition is looked at before Spark starts."""
    where = condition_typed(arguments.where, "--where")
    app = opened(arguments, [arguments.table])
    lives = app.why(arguments.table, where, arguments.window)
    then = next_line(lives, arguments.window)
    if not arguments.json:
        print("\n".join([*lines(lives), then]))
    return {
        "suite": app.suite.name,
        "exit_code": 0,
        "table": lives.table,
        "where": lives.where,
        "total": lives.total,
        "looked": list(lives.looked),
        "rows": [life.plain() for life in lives.found],
        "next": then.removeprefix("Next: "),
    }, 0


def lines(lives: Lives) -> list[str]:
    """Each row with what became of it."""
    if not lives.found:
        looked = "\n".join(f"  {place}" for place in lives.looked)
        return [f"no row of {lives.table} or of what it reads matches; looked at\n{looked}"]
    told = []
    for life in lives.found:
        told += [f"{life.origin}  (window {life.origin.window})", *_life(life), ""]
    more = lives.total - len(lives.found)
    if more > 0:
        told.append(f"and {more:,} rows more: a narrower --where, or --window, shows them")
    return told


def _life(life: Life) -> list[str]:
    told = []
    for place, passage in enumerate(life.passages):
        if place == 0 and passage.came:
            told.append(f"  came as {_row(passage.came)}")
        told.append(f"  {passage.table}: {ending(passage)}")
        told += [f"    {_step(one)}" for one in passage.steps]
        told += [f"    breaks {one.rule} ({one.severity})" for one in passage.breaks]
    return told


def life_sheet(life: Life) -> Grid:
    """One row's way as a table: what each step and rule did, and where it went."""
    rows = []
    for place, passage in enumerate(life.passages):
        told = [("came as", _row(passage.came))] if place == 0 and passage.came else []
        told += [(cut(one.step), _did(one)) for one in passage.steps]
        told += [(one.rule, f"broken ({one.severity})") for one in passage.breaks]
        rows += [(passage.table, what, did) for what, did in (*told, ("", ending(passage)))]
    title = f"{life.origin} (window {life.origin.window})"
    return Grid(("table", "what", "did"), tuple(rows), title=title)


def _row(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in row.items())


def _value(value: Any) -> str:
    """A value as it is written, whoever it is of: no separators in its numbers."""
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    text = str(value) if number else json.dumps(value, ensure_ascii=False, default=str)
    return cut(shown(text))


def _step(one: Stop) -> str:
    return f"{cut(one.step)}  {_did(one)}"


def _did(one: Stop) -> str:
    return {
        "kept": "unchanged",
        "dropped": "drops it",
        "set aside": "sets it aside: it is rejected",
        "multiplied": f"makes {one.rows:,} rows of it",
        "changed": "; ".join(_columns(one)),
    }[one.did]


def _columns(one: Stop) -> list[str]:
    """What a step did to the columns of a row."""
    changed = [f"{n} {_value(old)} -> {_value(new)}" for n, (old, new) in one.changed.items()]
    added = [f"adds {_row(one.added)}"] if one.added else []
    gone = [f"leaves out {', '.join(one.gone)}"] if one.gone else []
    return [*changed, *added, *gone]


def ending(passage: Passage) -> str:
    """Where a row went, in a sentence."""
    why, by = passage.why, passage.by
    run = f" by run {passage.run}" if passage.run else ""
    version = f", version {passage.version}" if passage.version is not None else ""
    if passage.end == "written":
        return f"written{run}{version}" + (f"; {why}" if why else "")
    if passage.end == "rejected":
        state = f"; in quarantine: {passage.state}" if passage.state else ""
        return f"rejected{run}: {why}{state}"
    if passage.end == "withheld":
        return f"withheld{run}: the gate closed: {why}"
    instead = f": {_other(by, passage.window)}" if by else ""
    if passage.end == "replaced":
        return f"written{run}, and replaced since by {why}{instead}"
    said = {
        "filtered": "left out",
        "duplicate": "left out as a duplicate",
        "deleted": "not shown",
        "waits": "not published",
    }.get(passage.end, passage.end)
    return f"{said}: {why}{instead}"


def _other(origin: Origin, window: str) -> str:
    return f"{origin}" + (f" (window {origin.window})" if origin.window != window else "")


def next_line(lives: Lives, window: str | None) -> str:
    """What to type next."""
    ends = [life.passages[-1] for life in lives.found if life.passages]
    waits = next((one for one in ends if one.end in ("withheld", "waits")), None)
    if not lives.found:
        narrow = "" if window else " --window W looks into the raw files of a window too;"
        return f"Next:{narrow} headgate quarantine list {lives.table} counts what was rejected"
    if waits is not None:
        return f"Next: headgate preview {waits.table} --window {waits.window}"
    thrown = next((one for one in ends if one.end == "rejected"), None)
    if thrown is not None:
        return f"Next: headgate quarantine show {thrown.table}"
    return f"Next: headgate runs {lives.table}"
