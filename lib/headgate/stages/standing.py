"""Where each table stands: its last good window, what is wrong or waiting, how far it is behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headgate.core.records import RunRecord
from headgate.core.spec import Table
from headgate.core.windows import stretch
from headgate.stages.dismissing import let_in
from headgate.stages.due import WAITS, left_as_they_are, rebuilds
from headgate.stages.lake import Lake
from headgate.stages.missing import late_in
from headgate.stages.planning import Planned, planned
from headgate.stages.rejected import open_rows

MANY = 100  # small files beside others that are worth a word


@dataclass(frozen=True)
class Standing:
    """One table in a line."""

    table: str
    state: str  # ok, rebuild, due, blocked, failed, never run
    last_good: str | None
    windows: tuple[str, ...]  # which are in that state; the plan tells them of tables that are due
    behind: int | None  # whole windows that are over since the last good one
    late: bool  # older than `fresh_within` allows
    rejected: int  # open rows in quarantine
    message: str | None
    next: str  # the command to type; empty where nothing is to be done


def standings(lake: Lake, tables: Sequence[Table]) -> list[Standing]:
    """A line for each table."""
    lines = planned(lake, tables)
    due = {line.table for line in lines if line.runs}
    held: dict[str, list[Planned]] = {}
    for line in lines:
        if line.rebuild:
            held.setdefault(line.table, []).append(line)
    said = {line.table: line.why for line in lines if not line.runs and not line.window}
    waiting = open_rows(lake, [table.name for table in tables])
    late = late_in(lake, tables)
    made = [
        _standing(
            lake, t, t.name in due, held.get(t.name, ()), waiting.get(t.name, 0), t.name in late
        )
        for t in tables
    ]
    said |= {name: error.sentence for name, error in late.items()}
    return [replace(one, message=one.message or said.get(one.table)) for one in made]


def _standing(
    lake: Lake, table: Table, due: bool, held: Sequence[Planned], rejected: int, late: bool
) -> Standing:
    name = table.name
    tries = [lake.history.last(name, window) for window in lake.history.windows(name)]
    coming = let_in(lake, table)
    ended = {
        state: [
            one
            for one in tries
            if one is not None and one.status == state and one.window not in coming
        ]
        for state in ("failed", "blocked")
    }
    good = max(lake.history.published(name), default=None)
    state = "due" if due else "rebuild" if held else "ok"
    state = next((state for state, found in ended.items() if found), state)
    if not tries:
        state = "never run"
    worst = max(ended.get(state, ()), key=lambda one: one.window, default=None)
    return Standing(
        table=name,
        state=state,
        last_good=good,
        windows=tuple(one.window for one in (held if state == "rebuild" else ended.get(state, ()))),
        behind=_behind(lake, table, good),
        late=_late(lake, table, good) or late,
        rejected=rejected,
        message=worst.message if worst else _held(name, held),
        next=_next(state, name, worst, rejected) or _tidied(lake, table),
    )


def _held(name: str, held: Sequence[Planned]) -> str | None:
    whys = [line.why.removesuffix(f": {WAITS}") for line in held]
    return left_as_they_are(name, whys) if whys else None


def _tidied(lake: Lake, table: Table) -> str:
    """What to type where a table has become one of many small files, as its log tells."""
    latest, delta = lake.version(table.name), lake.delta(table.name)
    checksum = delta.checksum(latest) if latest is not None else None
    folders = len(lake.history.published(table.name)) if lake.by_window(table.name) else 1
    crowded = checksum is not None and checksum.crowd(folders) > MANY
    return f"headgate maintain {table.name}" if crowded else ""


def _behind(lake: Lake, table: Table, good: str | None) -> int | None:
    if good is None:
        return None
    grain = lake.grain(table)
    return max(grain.index(grain.of(lake.now())) - grain.index(good) - 1, 0)


def _late(lake: Lake, table: Table, good: str | None) -> bool:
    if good is None or table.fresh_within is None:
        return False
    return lake.now() - lake.grain(table).end(good) > stretch(table.fresh_within)


def _next(state: str, name: str, worst: RunRecord | None, rejected: int) -> str:
    if worst is not None:
        return f"headgate show {worst.run}"
    if state == "never run":
        return f"headgate run +{name}"
    if state == "due":
        return f"headgate run {name}"
    if state == "rebuild":
        return rebuilds(name)
    return f"headgate quarantine show {name}" if rejected else ""
