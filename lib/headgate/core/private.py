"""Which columns of a table may hold what was declared personal above it, by the files alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from headgate.core.spec import Clean, Features, Mart, Table
from headgate.core.steps import Flatten, Lookup, Python, Rename, Sql, Step

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Private:
    """Columns whose values are not shown."""

    names: frozenset[str] = frozenset()
    every: bool = False  # something was declared, and where it went cannot be told

    def hides(self, name: str) -> bool:
        """Whether a column's values are kept to itself. `_rescued` may hold anything.

        >>> email = Private(frozenset({"Email"}))
        >>> email.hides("email"), email.hides("_rescued"), email.hides("id"), Private().hides("id")
        (True, True, False, False)
        """
        if name == "_rescued":
            return self.every or bool(self.names)
        return self.every or name.lower() in {each.lower() for each in self.names}

    def in_text(self, text: str) -> bool:
        """Whether an expression names one of these columns."""
        words = {word.lower() for word in _WORD.findall(text)}
        return self.every or any({w.lower() for w in _WORD.findall(n)} <= words for n in self.names)

    def and_those(self, more: Iterable[str]) -> Private:
        return replace(self, names=self.names | frozenset(more))

    def with_all_of(self, other: Private) -> Private:
        return Private(self.names | other.names, self.every or other.every)


def private_in(table: Table, tables: Mapping[str, Table]) -> Private:
    """The columns of a table that are declared private, or made from such; in doubt they are."""
    found = Private(table.private)
    if isinstance(table, Clean):
        main, *others = table.reads.values()
        found = found.with_all_of(_above(main, tables))
        beside = Private()
        for name in others:
            beside = beside.with_all_of(_above(name, tables))
        for step in table.steps:
            found = _after(step, found, beside, tables)
    elif isinstance(table, Mart | Features):
        for name in table.inputs:
            found = found.with_all_of(_above(name, tables))
        if isinstance(table, Mart) and table.sql is not None and found.names:
            return replace(found, every=True)
        made = table.measures.items() if isinstance(table, Mart) else _features(table)
        found = found.and_those([name for name, text in made if found.in_text(text)])
    return found


def unkeyable(table: Table, above: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The columns of a table that are no keys, since they are protected, and how they are.

    `above` tells the same of the tables that it reads. What SQL or Python makes under a name that
    its input had is taken for the same column.
    """
    found: dict[str, str] = {}
    if isinstance(table, Clean):
        found |= above.get(next(iter(table.reads.values())), {})
        for step in table.steps:
            before = dict(found)
            if isinstance(step, Rename):
                found = {n: word for n, word in found.items() if n not in step.columns}
            for new, old in step.made().items():
                if old and before.keys() >= {*old}:
                    found[new] = before[old[0]]
            for new, text in step.computed().items():
                if (copied := text.strip("` ")) in found:
                    found[new] = found[copied]
            if isinstance(step, Lookup):
                there = above.get(step.table, {})
                found |= {name: there[name] for name in step.take if name in there}
    own = table.protection.items()
    return found | {name: how.word for name, how in own if not how.keyed}


def _features(table: Features) -> Iterable[tuple[str, str]]:
    every = {**table.features, **table.label}
    made = [(name, one.measure) for name, one in every.items()]
    for name in table.format.made:
        source = getattr(table.format, name, None)
        if isinstance(source, str):
            made.append((name, every[source].measure if source in every else source))
    return [*made, ("features", " ".join(one.measure for one in every.values()))]


def _above(name: str, tables: Mapping[str, Table]) -> Private:
    return private_in(tables[name], tables) if name in tables else Private()


def _after(step: Step, before: Private, beside: Private, tables: Mapping[str, Table]) -> Private:
    """What is private once a step is done."""
    if isinstance(step, Flatten) and any(before.hides(n) for n, f in step.columns.items() if not f):
        return replace(before, every=True)  # which columns its fields become, only Spark can tell
    made = [new for new, old in step.made().items() if any(map(before.hides, old))]
    before = before.and_those(made)
    for name, text in step.computed().items():
        if before.in_text(text):
            before = before.and_those([name])
    if isinstance(step, Lookup):
        there = _above(step.table, tables)
        return before.and_those(name for name in step.take if there.hides(name))
    if isinstance(step, Sql):
        before = before.with_all_of(beside)
    if isinstance(step, Sql | Python) and before.names:
        return replace(before, every=True)
    return before
