"""Rules across tables: which version of the other table a pass sees, when windows are due again.

A window is bound to the version that its last run saw. Keys that have come since matter only where
rows lacked one, keys that have gone matter to every window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from headgate.core.across import EXISTS_IN, FRESH, TOTALS
from headgate.core.errors import InputMissing
from headgate.core.records import RunRecord
from headgate.core.slicing import sliced_alike
from headgate.core.spec import Mart, Rule, Table
from headgate.core.windows import stretch
from headgate.quality.others import Other
from headgate.stages.due import FRESHNESS_OF, KEYS_OF, TOTALS_OF
from headgate.stages.lake import Lake
from headgate.stages.sample import unknown
from headgate.stages.work import Work
from headgate.storage.moved import Moved, Moves
from headgate.transforms.hidden import column
from headgate.transforms.marts import period_of

Parts = dict[str, str]


def pinned(lake: Lake, work: Work) -> Work:
    """The work with the other tables that its rules name, at the version that it reads itself."""
    versions = {
        name: work.inputs.get(name, _version(lake, work.table, name)) for name in work.table.others
    }
    others = {name: _other(lake, work.table, name, version) for name, version in versions.items()}
    return replace(work, others=others, inputs={**work.inputs, **versions})


def _version(lake: Lake, table: Table, name: str) -> int:
    if name not in lake.suite.tables:  # a rule that was typed, or came from a notebook
        raise unknown("table", name, tuple(lake.suite.tables), table.name)
    version = lake.version(name)
    if version is None:
        raise InputMissing(
            f"{name} has never been published, and rules of {table.name} look at it",
            where=table.file or table.name,
            next=f"headgate run +{name}",
        )
    return version


def _other(lake: Lake, table: Table, name: str, version: int) -> Other:
    other = lake.suite.tables[name]
    kind, by = sliced_alike(table, other, lake.suite.window), None
    if kind == "window":
        by = column("_window")
    elif kind == "period" and isinstance(other, Mart):
        by = column(other.period_column).cast("string")
    elif kind == "input" and isinstance(table, Mart):
        by = period_of(column(table.period_column), table.period.grain).cast("string")
    return Other(lake.delta(name).read(version), by, _until(lake, other))


def _until(lake: Lake, other: Table) -> datetime | None:
    """When the last published window of a table ends."""
    newest = max(lake.history.published(other.name), default=None)
    return lake.grain(other).end(newest) if newest else None


def beside(lake: Lake, table: Table) -> Callable[[str], Parts]:
    """For each window, what it is made of besides its own rows: what rules see of other tables."""
    asked: dict[tuple[str, str], list[Rule]] = {}
    for rule in table.quality if table.gate != "off" else ():
        if rule.other is not None:
            asked.setdefault((_PART[rule.expectation], rule.other), []).append(rule)
    seen = {
        f"{kind}{name}": _SEEN[kind](lake, table, name, tuple(rules)).part
        for (kind, name), rules in asked.items()
    }
    return lambda window: {name: part(window) for name, part in seen.items()}


@dataclass(frozen=True)
class _Seen(ABC):
    """One other table, as the rules of a kind see it from each window."""

    lake: Lake
    table: Table
    name: str
    rules: tuple[Rule, ...]

    @cached_property
    def version(self) -> int:
        return _version(self.lake, self.table, self.name)

    def part(self, window: str) -> str:
        """A name for what a window sees: another one where it makes a difference."""
        _ = self.version  # refuses what was never published
        return self._named(window)

    @abstractmethod
    def _named(self, window: str) -> str: ...


class _Totals(_Seen):
    """Totals are those of the run that published the same window there."""

    def _named(self, window: str) -> str:
        other, grain = self.lake.suite.tables[self.name], self.lake.suite.window
        if sliced_alike(self.table, other, grain) == "input":
            return "the mart's own rows"  # they make it due themselves
        record = self.lake.history.published(self.name).get(window)
        return record.fingerprint if record else ""


class _Freshness(_Seen):
    """Once a table is fresh enough, it may be fresher without a difference."""

    @cached_property
    def _ends(self) -> datetime | None:
        return _until(self.lake, self.lake.suite.tables[self.name])

    def _named(self, window: str) -> str:
        end, until = self.lake.grain(self.table).end(window), self._ends
        within = [stretch(rule.arguments["within"]) for rule in self.rules]
        late = until is None or any(end - until > one for one in within)
        return str(until) if late else "fresh"


class _Keys(_Seen):
    """Keys that came matter where rows lacked one; keys that went matter everywhere."""

    def _named(self, window: str) -> str:
        """A name for the keys that a window sees; its last one where they make no difference."""
        last = self.lake.history.last(self.table.name, window)
        before = last.parts.get(f"{KEYS_OF}{self.name}") if last else None
        if last is None or before is None or self._matter(last):
            return f"@{self.version}"
        return before

    def _matter(self, last: RunRecord) -> bool:
        """Whether keys that moved since a run make it another one."""
        since = self._since(last)
        if since == self.version:
            return False
        if since is None or since > self.version or self._moved is None:
            return True
        moved = [one for version, one in self._moved.items() if version > since]
        if any(one.gone for one in moved):
            return True
        return any(one.new for one in moved) and self._lacking.get(last.run, True)

    def _since(self, last: RunRecord) -> int | None:
        """The newest version of which it is known that the window is as if it had seen it."""
        seen = last.inputs.get(self.name)
        through = self.lake.history.through(self.table.name).get(self.name)
        return seen if seen is None or through is None else max(seen, through)

    @cached_property
    def _tries(self) -> list[RunRecord]:
        history = self.lake.history
        tries = [history.last(self.table.name, w) for w in history.windows(self.table.name)]
        return [one for one in tries if one is not None]

    @cached_property
    def _moved(self) -> Moves:
        """By version of the other table, whether keys came or went with it."""
        since = [at for one in self._tries if (at := self._since(one)) is not None]
        keys = list(dict.fromkeys(rule.key for rule in self.rules))
        found: dict[int, Moved] = {}
        for names in keys:
            one = self.lake.moved(self.name, min(since), self.version, names)
            if one is None:
                return None
            for version, moved in one.items():
                found[version] = found.get(version, Moved()).with_more(moved)
        return found

    @cached_property
    def _lacking(self) -> dict[str, bool]:
        """By run, whether rows lacked a key; what is not on record may have."""
        written = {rule.written for rule in self.rules}
        found: dict[str, bool] = {}
        for check in self.lake.records.checks_of([one.run for one in self._tries]):
            if check["rule"] in written:
                found[check["run"]] = found.get(check["run"], False) or bool(check["unexpected"])
        return found


_PART = {EXISTS_IN: KEYS_OF, **dict.fromkeys(TOTALS, TOTALS_OF), FRESH: FRESHNESS_OF}
_SEEN: dict[str, type[_Seen]] = {KEYS_OF: _Keys, TOTALS_OF: _Totals, FRESHNESS_OF: _Freshness}
