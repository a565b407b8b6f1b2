"""The `quarantine` command: rejected rows are shown, handed out, taken back, set aside."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.core.errors import Usage
from headgate.core.spec import Ingested
from headgate.doors import looking
from headgate.doors.looking import opened
from headgate.doors.replaying import replay
from headgate.doors.sheets import span
from headgate.doors.tables import shown
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.stages.exporting import Record

STATES = ("open", "replayed", "superseded", "dismissed", "expired")


def quarantine(arguments: argparse.Namespace) -> Answer:
    """`headgate quarantine`, by its action; a word that this action does not take is a slip."""
    takes = {
        "list": (),
        "show": (),
        "export": ("to", "state", "for_supplier", "window"),
        "replay": ("repaired", "reason", "window"),
        "dismiss": ("because", "reason", "window"),
        "expire": ("because", "before"),
    }[arguments.action]
    for word in ("to", "state", "for_supplier", "repaired", "because", "reason", "before",
                 "window"):  # fmt: skip
        if getattr(arguments, word) and word not in takes:
            option = "--from" if word == "repaired" else f"--{word.replace('_', '-')}"
            raise Usage(
                f"quarantine {arguments.action} takes no {option}", next="headgate quarantine -h"
            )
    done: dict[str, Callable[[argparse.Namespace], Answer]] = {
        "export": export, "replay": replay, "dismiss": dismiss, "expire": expire,
    }  # fmt: skip
    return done.get(arguments.action, looking.quarantine)(arguments)


def export(arguments: argparse.Namespace) -> Answer:
    """Rejected rows of one table as a file or a table, or as a letter to the supplier."""
    if len(arguments.what) != 1:
        raise Usage("an export takes one table", next="headgate quarantine export TABLE --to PATH")
    if not (arguments.to or arguments.for_supplier):
        raise Usage("an export needs a place", next="--to rejected.csv")
    state = arguments.state or "open"
    if state not in STATES:
        raise Usage(f"there is no state '{state}'", next=f"one of {', '.join(STATES)}")
    app = opened(arguments, arguments.what)
    table = app.named(arguments.what[0])
    from headgate.stages import exporting

    windows = app.windows(arguments.window)
    if not arguments.for_supplier:
        count = exporting.exported(app.lake, table, windows, state, arguments.to)
    elif isinstance(table, Ingested):
        records = exporting.records_of(app.lake, table, windows, state)
        count = written(records, table.short, arguments)
    else:
        way = next(iter(table.inputs), "TABLE")
        what = f"{table.name} is no table of a supplier's files"
        raise Usage(what, next=f"headgate quarantine export {way} --for-supplier")
    if not arguments.json and arguments.to:
        print(f"{count:,} rows of {table.name} in {arguments.to}")
    return {
        "suite": app.suite.name, "exit_code": 0, "table": table.name, "state": state,
        "rows": count, "to": arguments.to,
    }, 0  # fmt: skip


def written(records: Iterator[Record], name: str, arguments: argparse.Namespace) -> int:
    """The letter, line by line, to its file or to the terminal; how many records it tells of."""
    count = 0

    def counted() -> Iterator[Record]:
        nonlocal count
        for one in records:
            count += 1
            yield one

    lines = letter(counted(), name)
    if arguments.to:
        from headgate.storage.exports import text_written

        text_written(lines, Path(arguments.to))
        return count
    for line in lines:
        if not arguments.json:
            print(line)
    return count


def letter(records: Iterator[Record], name: str) -> Iterator[str]:
    """What a supplier can use: their files, their records, what is wrong in plain words."""
    yield f"Records of {name} that could not be used"
    yield ""
    yield "The number of a record counts from 1 after the header; a record may take several lines."
    file = None
    for one in records:
        if one.file != file:
            file = one.file
            yield from ("", one.file, "-" * len(one.file))
        yield f"record {one.number:,}: {'; '.join(one.reasons)}"
        yield f"    {came(one.came)}"
    if file is None:
        yield from ("", "There are none.")


def came(record: Any) -> str:
    """A record as it was sent, on one line."""
    if isinstance(record, str):
        return shown(record)
    texts = {
        name: "" if value is None else value if isinstance(value, str) else json.dumps(value)
        for name, value in record.items()
    }
    return shown(", ".join(f"{name}={text}" for name, text in texts.items()))


def dismiss(arguments: argparse.Namespace) -> Answer:
    """Open rows that nobody will repair, with the reason."""
    if not arguments.what:
        raise Usage("which table?", next="headgate quarantine dismiss TABLE --because 'why'")
    if not (arguments.because or "").strip():
        raise Usage("rows are dismissed for a reason", next="--because 'why nobody repairs them'")
    return _settled(arguments, "dismissed", arguments.because, None)


def expire(arguments: argparse.Namespace) -> Answer:
    """Open rows of windows before a day."""
    if not arguments.before:
        raise Usage("rows expire by a day", next="headgate quarantine expire --before 2026-01-01")
    try:
        day = date.fromisoformat(arguments.before)
    except ValueError:
        raise Usage(f"'{arguments.before[:40]}' is no day", next="--before 2026-01-01") from None
    because = arguments.because or f"windows before {day}"
    return _settled(arguments, "expired", because, day)


def _settled(
    arguments: argparse.Namespace, state: str, because: str, before: date | None
) -> Answer:
    app = opened(arguments, arguments.what)
    from headgate.stages.settling import Choice

    choice = Choice(state, because, app.windows(arguments.window), arguments.reason, before)
    done = app.settle(arguments.what, choice)
    if not arguments.json:
        for name, counts in done.items():
            rows = sum(counts.values())
            print(f"{name} {span(list(counts))}: {rows:,} row{'' if rows == 1 else 's'} {state}")
        if not done:
            print("no open row is meant Next: headgate quarantine list")
    return {"suite": app.suite.name, "exit_code": 0, "state": state, "rows": done}, 0
