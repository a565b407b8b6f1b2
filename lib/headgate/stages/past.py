"""The past of a table as drift needs it: what the windows that are published now measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headgate.core.records import RunRecord
from headgate.core.results import Metric
from headgate.quality.past import (
    NO_PAST,
    SEASONS,
    Dismissed,
    Name,
    Past,
    Ruling,
    index_of,
    profile_of,
    rulings_of,
)
from headgate.stages.lake import Lake
from headgate.stages.work import Work


def past_of(lake: Lake, work: Work) -> Past:
    """What the slices of a pass are held against; nothing is read where no rule asks for it."""
    if not work.table.drift or not work.slices.names:
        return NO_PAST
    tries: dict[tuple[str, str], list[str]] = {}  # runs by window and fingerprint, newest first
    for record in reversed(lake.history.records):
        if record.table == work.table.name and record.status in ("published", "blocked"):
            tries.setdefault((record.window, record.fingerprint), []).append(record.run)
    # An undo puts back what an earlier run made of the same input: that run has measured it.
    held = {
        record.window: tries[record.window, record.fingerprint] for record in _before(lake, work)
    }
    again = {
        window: runs for window, due in work.due.items()
        if due.fingerprint and (runs := tries.get((window, due.fingerprint)))
    }  # fmt: skip
    wanted = {run for runs in (*held.values(), *again.values()) for run in runs}
    found = lake.measured(wanted)
    dismissed = dismissed_in(lake, work.table.name)
    profiles = {
        window: profile_of(_first(runs, found), dismissed.get(window, {}))
        for window, runs in held.items()
    }
    rulings: dict[tuple[str, str], Ruling] = {}
    for window, runs in again.items():
        rulings |= rulings_of(window, _first(runs, found))
    return Past({window: one for window, one in profiles.items() if one}, rulings, dismissed)


def dismissed_in(lake: Lake, table: str) -> Mapping[str, Dismissed]:
    """For each window, what a person called a false alarm."""
    found: dict[str, dict[Name, frozenset[str]]] = {}
    for one in lake.dismissed(table):
        names = found.setdefault(one.window, {})
        name = (one.column, one.metric)
        names[name] = names.get(name, frozenset()) | {one.content}
    return found


def _before(lake: Lake, work: Work) -> list[RunRecord]:
    """The runs that decided what the windows hold which count for some slice of the pass."""
    grain = work.slices.grain
    indices = [grain.index(name) for name in work.slices.names]
    published = lake.history.published(work.table.name).values()
    placed = [(at, one) for one in published if (at := index_of(one.window, grain)) is not None]
    placed.sort(key=lambda pair: pair[0])
    memory = SEASONS[grain].memory
    return [
        one for place, (at, one) in enumerate(placed)
        if at < max(indices) and _matters(place, placed, indices, memory)
    ]  # fmt: skip


def _matters(
    place: int, placed: list[tuple[int, RunRecord]], indices: list[int], memory: int
) -> bool:
    """Whether a window is among the last ones before some slice."""
    at = placed[place][0]
    beyond = placed[place + memory][0] if place + memory < len(placed) else None
    return any(at < index and (beyond is None or index <= beyond) for index in indices)


def _first(runs: Iterable[str], found: dict[str, list[Metric]]) -> list[Metric]:
    """What the newest of some runs of one content measured."""
    return next((found[run] for run in runs if found.get(run)), [])
