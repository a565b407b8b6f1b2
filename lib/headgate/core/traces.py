"""Which columns of which tables hold the same key: followed through steps, lookups and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headgate.core.privacy import KEYED, Privacy
from headgate.core.spec import Clean, Features, Ingested, Mart, Table
from headgate.core.steps import Derive, Drop, Lookup, Rename, Select, Sql

Node = tuple[str, str]  # a table, and a column of it
# Names that mean something else in each table: one is followed only where files say so.
COMMON = frozenset({"id", "key", "code", "name", "no", "nr", "number", "type", "value", "line"})


@dataclass
class Traces:
    """Columns in groups of one meaning, and how each was protected on its way."""

    groups: dict[Node, Node] = field(default_factory=dict)
    hows: dict[Node, tuple[Privacy, ...]] = field(default_factory=dict)
    keys: set[Node] = field(default_factory=set)  # groups that hold a declared key

    @staticmethod
    def of(tables: Mapping[str, Table]) -> Traces:
        """What the files of a suite say; `tables` come dependencies first."""
        made = Traces()
        columns: dict[str, tuple[str, ...]] = {}
        for table in tables.values():
            come = _come(table, columns, made)
            kept = {n: at for n, at in come.items() if not _dropped(table, n)}
            columns[table.name] = tuple(kept)
            for name, at in kept.items():
                node = (table.name, name)
                made._link(node, at)
                own = table.protection.get(name)
                made.hows[node] = (*made.hows.get(at, ()), *([own] if own else []))
            for rule in table.quality:
                if rule.other:
                    for mine, theirs in zip(rule.columns, rule.key, strict=False):
                        made._link((table.name, mine), (rule.other, theirs))
        first: dict[str, Node] = {}
        for name, table in tables.items():
            for one in columns[name] if isinstance(table, Ingested) else ():
                if one.lower() not in COMMON:
                    made._link((name, one), first.setdefault(one.lower(), (name, one)))
        for table in tables.values():
            made.keys |= {made.group((table.name, one)) for one in key_of(table)}
        return made

    def group(self, node: Node) -> Node:
        """What stands for all columns of one meaning."""
        while (above := self.groups.get(node, node)) != node:
            node = above
        return node

    def _link(self, one: Node, other: Node) -> None:
        one, other = self.group(one), self.group(other)
        if one != other:
            self.groups[one] = other

    def like(self, node: Node, table: str) -> tuple[str, ...]:
        """The columns of a table that mean the same as this one, those of its name first."""
        group = self.group(node)
        found = {one for one in (*self.groups, *self.hows) if one[0] == table}
        same = sorted(name for _, name in found if self.group((table, name)) == group)
        return tuple(sorted(same, key=lambda name: name.lower() != node[1].lower()))

    def hidden(self, node: Node) -> str | None:
        """How a column was made so that nobody is found by it any more; None where one is."""
        lost = [how for how in self.hows.get(node, ()) if how.kind not in KEYED or how.person]
        return lost[0].word if lost else None


def key_of(table: Table) -> tuple[str, ...]:
    """The columns that a table calls its key."""
    if isinstance(table, Clean):
        return table.key
    if isinstance(table, Features):
        return table.entity.key
    return table.source.key if isinstance(table, Ingested) else ()


def _dropped(table: Table, name: str) -> bool:
    how = table.protection.get(name)
    return how is not None and how.kind == "drop"


def _come(table: Table, columns: Mapping[str, Iterable[str]], made: Traces) -> dict[str, Node]:
    """The columns of a table before it protects them, and which column each comes from."""
    if isinstance(table, Ingested):
        return {name: ("", f"{table.name}.{name}") for name in table.columns}
    if isinstance(table, Clean):
        return _cleaned(table, columns, made)
    if isinstance(table, Features):
        for name in table.entity.key:
            sources = [one for one in table.sources if name in columns.get(one, ())]
            for one in sources:
                made._link((sources[0], name), (one, name))
        first = [one for one in table.sources if set(table.entity.key) <= set(columns.get(one, ()))]
        return {name: (first[0], name) for name in table.entity.key if first}
    assert isinstance(table, Mart)
    main = (table.reads[table.period_input],)
    seen: dict[str, Node] = {}
    for one in table.sources if table.sql is not None else main:
        for name in columns.get(one, ()):
            if table.sql is not None or name in table.group_by:
                seen.setdefault(name, (one, name))
    return seen


def _cleaned(table: Clean, columns: Mapping[str, Iterable[str]], made: Traces) -> dict[str, Node]:
    """The columns after a table's steps."""
    main, *others = table.reads.values()
    now: dict[str, Node] = {name: (main, name) for name in columns.get(main, ())}
    for step in table.steps:
        if isinstance(step, Rename):
            now = {step.columns.get(name, name): at for name, at in now.items()}
        elif isinstance(step, Derive):
            for name, text in step.columns.items():
                copied = now.get(text.strip("` "))
                now.pop(name, None)
                if copied:
                    now[name] = copied
        elif isinstance(step, Select):
            now = {name: at for name, at in now.items() if name in step.columns}
        elif isinstance(step, Drop):
            now = {name: at for name, at in now.items() if name not in step.columns}
        elif isinstance(step, Lookup):
            for mine, theirs in step.on.items():
                if mine in now:
                    made._link(now[mine], (step.table, theirs))
            now |= {name: (step.table, name) for name in step.take}
        elif isinstance(step, Sql):
            for other in others:
                for name in columns.get(other, ()):
                    now.setdefault(name, (other, name))
    return now
