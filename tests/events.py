"""Events that collide: few keys, few times, nulls, NaN, deletions, repetitions; and which of them
no rule rejects."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from builders import Lab, fine

COLUMNS = ("k", "s", "at", "d", "v", "op")
KINDS = ("int", "string", "int", "double", "string", "string")
WINDOWS = tuple(f"2026-01-{day:02d}" for day in range(1, 8))
GOOD = {"row": {"v is not bad": "v <> 'bad'"}}
INGESTED: dict[str, Any] = {
    "source": {"files": "events/{window}/*.csv"},
    "columns": {
        name: {"type": kind, "nulls": [""]} for name, kind in zip(COLUMNS, KINDS, strict=True)
    },
}
Row = tuple[Any, ...]  # a value for each of COLUMNS
Content = Mapping[str, Sequence[Row]]  # by window
Holds = Callable[[Lab, Content], None]


def ordered(value: Any) -> tuple[Any, ...]:
    """A value as it sorts: null lowest, NaN highest."""
    if value is None:
        return (0,)
    if isinstance(value, float) and math.isnan(value):
        return (2,)
    return (1, value)


def candidates(content: Content, deletes: bool) -> list[Row]:
    """The rows that no rule rejects, with their origin; deletions are not judged."""
    found = []
    for window, rows in content.items():
        for place, row in enumerate(rows, start=1):
            if (row[4] is not None and row[4] != "bad") or (deletes and row[5] == "gone"):
                found.append((*row, window, f"events/{window}/a.csv", place))
    return found


def some_rows(dice: random.Random, keys: int) -> list[Row]:
    """Rows that collide often: few keys, few times, nulls, NaN, deletions, equal rows."""
    made: list[Row] = []
    for _ in range(dice.choice((0, 1, 8, 24))):
        if made and dice.random() < 0.15:
            made.append(dice.choice(made))
            continue
        made.append(
            (
                dice.choice((None, *range(keys))),
                dice.choice((None, "a", "a")),
                dice.choice((None, 1, 2, 2, 3, 4)),
                dice.choice((None, math.nan, -1.5, 2.0)),
                dice.choice((None, "bad", "u", "w", "ü")),
                dice.choice((None, None, None, "gone")),
            )
        )
    return made


def come_in_any_order(lab: Lab, dice: random.Random, keys: int, holds: Holds) -> None:
    """Windows come, change and are repeated in random groups; `holds` looks after each run."""
    files: dict[str, list[Row]] = {}
    taken: dict[str, list[Row]] = {}
    for step in range(5):
        for window in dice.sample(WINDOWS, dice.randint(1, 4)):
            files[window] = some_rows(dice, keys)
            lab.file(f"events/{window}/a.csv", COLUMNS, files[window])
        first, last = sorted(dice.choices(WINDOWS, k=2))
        if step == 4 or dice.random() < 0.3:
            first, last = WINDOWS[0], WINDOWS[-1]
        result = lab.run(window=f"{first}..{last}", force=dice.random() < 0.3)
        told = [run.message for run in result.runs if run.exit_code not in (0, 12)]
        assert result.exit_code in (0, 12), told
        taken |= {window: rows for window, rows in files.items() if first <= window <= last}
        holds(lab, taken)
    before = {table: lab.app().lake.version(table) for table in lab.tables}
    assert not fine(lab.run()).runs
    assert {table: lab.app().lake.version(table) for table in lab.tables} == before
