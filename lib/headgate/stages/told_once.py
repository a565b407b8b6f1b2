"""Drift told once: what a table above has told already is not told again by those below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headgate.core.results import Entry, Metric
from headgate.core.selection import ancestors, descendants
from headgate.core.spec import Table
from headgate.quality.drift_causes import caused, deviations, lines_of, name_of
from headgate.quality.past import OUT, Name, Ruling, group_of, rulings_of
from headgate.stages.lake import Lake


def told_once(lake: Lake, table: Table, entries: Sequence[Entry]) -> list[Entry]:
    """Runs with the words that an alert should have; their records keep all that was found."""
    return [_told(lake, table, entry) if table.drift else entry for entry in entries]


def _told(lake: Lake, table: Table, entry: Entry) -> Entry:
    out = deviations(entry.metrics)
    if not out:
        return entry
    causes = caused(out, above(lake, table, entry.window))
    warnings, message, known = list(entry.warnings), entry.message, set[Name]()
    for ruling in rulings_of(entry.window, entry.metrics).values():
        text = "; ".join(ruling.lines)
        if ruling.state != OUT or not text:
            continue
        if text in warnings:
            said = _reworded(lake, table, ruling, out, causes, known)
            warnings[warnings.index(text)] = said
        elif message and text in message and causes.keys() >= set(ruling.names):
            roots = ", ".join(dict.fromkeys(causes.values()))
            message = f"{message}; as in {roots}"
        known |= {group_of(name) for name in ruling.names}
    return replace(entry, warnings=tuple(filter(None, warnings)), message=message)


def _reworded(
    lake: Lake,
    table: Table,
    ruling: Ruling,
    out: Sequence[Metric],
    causes: Mapping[Name, str],
    known: set[Name],
) -> str:
    """A warning without what comes from above, and with how far it reaches; empty: nothing new."""
    named = [name for name in ruling.names if group_of(name) not in known]
    own = [one for one in out if name_of(one) in named and name_of(one) not in causes]
    if not own:
        return ""
    lines = ruling.lines if len(own) == len(named) else lines_of(own)
    below = len(descendants(lake.suite.tables, [table.name]))
    depend = f"{below} table{' depends' if below == 1 else 's depend'} on it"
    return "; ".join([*lines, *([depend] if below else [])])


def above(lake: Lake, table: Table, window: str) -> dict[str, list[Metric]]:
    """What was out of line, and told, in the tables that a table is made from, topmost first.

    What a person has dismissed up there, or let pass, was told as well.
    """
    names = ancestors(lake.suite.tables, [table.name])
    held = {
        name: record.run for name, spec in lake.suite.tables.items()
        if name in names and spec.drift
        and (record := lake.history.published(name).get(window)) is not None
    }  # fmt: skip
    found = lake.measured(held.values()) if held else {}
    return {name: _loud(lake.suite.tables[name], window, found[run]) for name, run in held.items()}


def _loud(table: Table, window: str, metrics: Sequence[Metric]) -> list[Metric]:
    """The deviations of a run but for those that are recorded only."""
    quiet = {rule.written for rule in table.drift if rule.severity == "info"}
    told = {
        name
        for (_, rule), ruling in rulings_of(window, metrics).items() if rule not in quiet
        for name in ruling.names
    }  # fmt: skip
    return [one for one in metrics if name_of(one) in told]
