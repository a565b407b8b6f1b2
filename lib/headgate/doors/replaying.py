"""`quarantine replay`: rejected rows go through once more, repaired or under what has changed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.core.errors import Usage
from headgate.doors.opening import on_its_lake, refuse_without_keys, understood
from headgate.doors.progress import Progress
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.stages.replaying import Replay, Replayed

SAID = {
    "unchanged": "as they were exported: nobody repaired them",
    "misfit": "with cells that do not fit their columns",
    "settled": "that are not open any more, or came anew since",
    "unknown": "that are no rejected rows of this table",
}


def replay(arguments: argparse.Namespace) -> Answer:
    """Take repaired rows back, run their windows, and say what became of them."""
    if len(arguments.what) != 1:
        raise Usage("a replay takes one table", next="headgate quarantine replay TABLE --from FILE")
    if arguments.repaired and (arguments.window or arguments.reason):
        raise Usage(
            "a file says itself which rows are meant", next="leave --window and --reason out"
        )
    place = arguments.repaired
    if place and "://" not in place and not Path(place).exists():
        raise Usage("there are no repaired rows", where=place, next="--from FILE")
    suite = understood(arguments, arguments.what)
    refuse_without_keys(suite, arguments.what)
    with Progress(quiet=arguments.json) as progress:
        app = on_its_lake(suite)
        progress.watch(app.spark)
        given = None
        if place:
            from headgate.storage.repaired import given_at

            given = given_at(app.spark, place)
        result, done = app.replay(
            arguments.what[0], given, window=arguments.window, reason=arguments.reason,
            say=progress.say,
        )  # fmt: skip
    if not arguments.json:
        for line in lines(done):
            print(line)
    if result.runs or result.errors:
        progress.summary(result)
    return {**result.shown(), "replay": shown(done)}, result.exit_code


def lines(done: Replayed) -> Iterator[str]:
    """What a person is told, and what to type next."""
    if done.taken is not None:
        yield from _of_file(done.taken)
        if not done.taken.windows:
            yield f"{done.table}: nothing was repaired, and nothing ran"
            return
    still = f"{done.open:,} of the same windows still open"
    yield f"{done.table}: {_rows(done.replayed)} replayed, {still}"
    if done.open:
        yield f"Next: headgate quarantine show {done.table}"
    elif done.replayed:
        yield f"Next: headgate run {done.table}+"


def _of_file(taken: Replay) -> Iterator[str]:
    yield f"{_rows(taken.given)} handed back, {taken.rows.get('corrected', 0):,} repaired"
    for state, said in SAID.items():
        if count := taken.rows.get(state):
            yield f"  {count:,} {said}"
    for name, count in taken.misfits.items():
        yield f"    {name}: {count:,}"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def shown(done: Replayed) -> dict[str, Any]:
    """The same for a program."""
    found: dict[str, Any] = {"table": done.table, "replayed": done.replayed, "open": done.open}
    if done.taken is not None:
        states = {state: done.taken.rows.get(state, 0) for state in ("corrected", *SAID)}
        found |= {"given": done.taken.given, **states, "misfits": done.taken.misfits}
    return found
