"""One call of `run`: tables in the order of dependencies, and what is told when all have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headgate.core.errors import HeadgateError, InputMissing
from headgate.core.results import Entry, Result
from headgate.core.selection import ancestors
from headgate.core.spec import Ingested, Table
from headgate.stages.abreast import abreast
from headgate.stages.idle import idle
from headgate.stages.lake import Lake
from headgate.stages.missing import late_in
from headgate.stages.runner import Orders, due_now, record_idle, run_table
from headgate.stages.telling import tell
from headgate.storage.faults import classify


def run_all(
    lake: Lake, names: Sequence[str], orders: Orders, at_once: int, until: Callable[[], bool]
) -> Result:
    """Run what is due of these tables; `until` ends the call before the next table."""
    try:
        _need_raw_zone(lake, names)
    except HeadgateError as missing:
        tell(lake, {"": missing}, (), orders.say)
        raise
    tables, result = lake.suite.tables, Result(lake.suite.name)
    failed, errors = set[str](), list[str]()
    faults: dict[str, HeadgateError] = {}

    def may(name: str) -> bool:
        if until():
            return False
        stopped = sorted(failed & ancestors(tables, [name]))
        if stopped:
            errors.append(f"{name} waits for {stopped[0]}, which failed")
        return not stopped

    ended = abreast(
        names,
        after=lambda name: ancestors(tables, [name]),
        may=may,
        work=lambda name: run_one(lake, tables[name], orders),
        at_once=at_once,
        spark=lake.spark,
    )
    for name, (entries, error) in ended:
        if error is not None:
            errors.append(error.sentence)
            faults[name] = error
            failed.add(name)
        # A window without input holds nothing up: the others are as good as without it.
        if any(e.status == "failed" and e.exit_code != 12 for e in entries):
            failed.add(name)
        result = result.plus(*entries)
        for entry in entries:
            orders.say("entry", entry=entry)
    late = late_in(lake, [tables[name] for name in names]) if orders.named is None else {}
    tell(lake, {**late, **faults}, ("", *names), orders.say)
    codes = tuple(error.exit_code for error in faults.values())
    place = {name: number for number, name in enumerate(names)}
    runs = tuple(sorted(result.runs, key=lambda run: place[run.table]))
    return Result(lake.suite.name, runs, tuple(errors), codes)


def _need_raw_zone(lake: Lake, names: Sequence[str]) -> None:
    """A raw zone that is not there is misspelt or unmounted: that is more than no news."""
    tables = [lake.suite.tables[name] for name in names]
    if not any(isinstance(one, Ingested) and one.database is None for one in tables):
        return
    if not lake.raw.exists(""):
        env = lake.suite.environment
        raise InputMissing(
            "the raw zone is not there",
            where=env.raw,
            next=f"put the suppliers' files there, or correct raw in env/{env.name}.yaml",
        )


def run_one(lake: Lake, table: Table, orders: Orders) -> tuple[list[Entry], HeadgateError | None]:
    """What came of one table: how its slices ended, or what kept it from being looked at."""
    try:
        entries = run_table(lake, table, orders)
        if orders.named is not None:
            rest = idle(lake, table, orders.named, entries)
            if orders.most is not None:  # what is due still is not unchanged
                left = {one.window for one in due_now(lake, table, orders)}
                rest = [one for one in rest if one.window not in left]
                if not isinstance(table, Ingested):  # nor is what waits for such a window missing
                    rest = [one for one in rest if one.exit_code != 12]
            record_idle(lake, table, rest)
            entries += rest
    except HeadgateError as error:
        return [], error
    except Exception as error:
        return [], classify(error)
    return entries, None
