"""What a call would do: slices that are due, gaps, and named windows with nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headgate.core.errors import HeadgateError
from headgate.core.paths import Pattern
from headgate.core.spec import Ingested, Table
from headgate.stages.due import WAITS
from headgate.stages.lake import Lake
from headgate.stages.missing import missing
from headgate.stages.runner import Orders, due_now
from headgate.stages.work import Due

MOST = 3  # files that are named
NOTHING_SAID = Orders()


@dataclass(frozen=True)
class Planned:
    """One line of a plan."""

    table: str
    window: str
    why: str
    runs: bool = True  # False: it waits, as a gap does for its input
    rebuild: bool = False  # whether it waits for `--rebuild`


def planned(lake: Lake, tables: Sequence[Table], orders: Orders = NOTHING_SAID) -> list[Planned]:
    """What is due now, table by table. What a table's own inputs will change is not known yet."""
    lines: list[Planned] = []
    told: set[str] = set()  # files that no table reads
    for table in tables:
        try:
            due = due_now(lake, table, orders)
        except HeadgateError as error:
            lines.append(Planned(table.name, "", error.sentence, runs=False))
            continue
        lines += [_line(table, one, orders.meant(one)) for one in due]
        if orders.named is None:
            found = [path for path in strange(lake, table) if path not in told]
            lines += told_of(table, found)
            told |= set(found)
            coming = {one.window for one in due}
            lines += [
                Planned(table.name, one.window, one.why, runs=False)
                for one in missing(lake, table)
                if one.window not in coming
            ]
        waiting = {line.table for line in lines if line.runs} & set(table.inputs)
        if waiting:
            why = f"after {', '.join(sorted(waiting))}"
            lines.append(Planned(table.name, "…", why))
    return lines


def _line(table: Table, due: Due, meant: bool) -> Planned:
    if meant:
        return Planned(table.name, due.window, due.why)
    return Planned(table.name, due.window, f"{due.why}: {WAITS}", runs=False, rebuild=True)


def strange(lake: Lake, table: Table) -> list[str]:
    """Files beside those of a table that no table of the suite reads.

    They were listed when it was asked what is due.
    """
    every = (one for one in lake.suite.tables.values() if isinstance(one, Ingested))
    patterns = [Pattern(one.source.files, lake.suite.window) for one in every]
    found = lake.strangers.get(table.name, ())
    return [path for path in found if all(one.window_of(path) is None for one in patterns)]


def told_of(table: Table, found: Sequence[str]) -> list[Planned]:
    """A line for files that no table reads."""
    if not found:
        return []
    more = f" and {len(found) - MOST:,} more" if len(found) > MOST else ""
    many = f"{len(found):,} files match" if len(found) > 1 else "a file matches"
    return [
        Planned(table.name, "", f"{many} no table: {', '.join(found[:MOST])}{more}", runs=False)
    ]
