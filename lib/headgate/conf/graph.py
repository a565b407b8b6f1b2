"""Who reads whom: unknown tables, layers that cannot read each other, circles, the order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from headgate.conf.nodes import Entries
from headgate.conf.tables import Draft
from headgate.conf.words import meant
from headgate.core.results import LAYERS
from headgate.core.spec import Clean, Drift, Features

MAY_READ: Mapping[str, tuple[str, ...]] = {
    "ingested": (),
    "clean": ("ingested", "clean"),
    "features": ("ingested", "clean", "features"),
    "marts": ("ingested", "clean", "features", "marts"),
}
# Rules hold rows against what came in beside them, too: no rows are made of it.
MAY_NAME: Mapping[str, tuple[str, ...]] = {**MAY_READ, "ingested": ("ingested",)}


@dataclass(frozen=True)
class Reference:
    """A table that another one names."""

    table: str
    note: Callable[[str], object]  # notes a fault where it is named
    in_rule: bool = False

    def layers(self, layer: str) -> tuple[str, ...]:
        """The layers whose tables a table of this layer may name so."""
        return (MAY_NAME if self.in_rule else MAY_READ)[layer]


def references(draft: Draft) -> Iterator[Reference]:
    """The tables that one table names."""

    def at(table: str, *path: str | int) -> Reference:
        return Reference(table, lambda what: draft.note(what, *path))

    held = draft.node.get("reads") if isinstance(draft.node, Entries) else None
    for name, table in draft.reads.items():
        yield at(table, "reads", name) if isinstance(held, Entries) else at(table, "reads")
    if isinstance(draft.table, Clean):
        for place, step in enumerate(draft.table.steps):
            if step.name == "lookup":
                yield at(getattr(step, "table", ""), "steps", place, "lookup", "table")
    if isinstance(draft.table, Features) and draft.table.entity.from_:
        yield at(draft.table.entity.from_, "entity", "from")
    for placed in draft.rules:
        other = None if isinstance(placed.rule, Drift) else placed.rule.other
        if other is not None:
            yield Reference(other, partial(placed.at.note, placed.node), in_rule=True)


def check_references(drafts: Mapping[str, Draft], declared: Iterable[str]) -> set[str]:
    """Note tables that are not there, and layers that cannot read each other; who does so."""
    names = sorted(declared)
    faulty: set[str] = set()
    for draft in drafts.values():
        for one in references(draft):
            table, may = one.table, one.layers(draft.layer)
            layer = table.partition(".")[0]
            if layer == "raw":
                one.note("the raw zone has no tables: describe its files in ingested/")
            elif table not in names:
                one.note(f"unknown table '{table[:80]}'{_hint(table, names, may)}")
            elif layer not in may:
                readable = " and ".join(may) if len(may) < 3 else ", ".join(may)
                does = "is held against tables of" if one.in_rule else "reads"
                one.note(f"a table of {draft.layer} {does} {readable}, not {table}")
            else:
                continue
            if not one.in_rule:
                faulty.add(draft.name)
    return faulty


def _hint(table: str, names: list[str], may: tuple[str, ...]) -> str:
    """The table that was likely meant; one of that very name in a layer it may read first."""
    readable = [name for name in names if name.partition(".")[0] in may]
    short = table.rpartition(".")[2]
    same = [name for name in readable if name.partition(".")[2] == short]
    if same:
        return f" (did you mean '{same[-1] if '.' not in table else same[0]}'?)"
    return meant(table, readable)


def ordered(drafts: Mapping[str, Draft]) -> list[str]:
    """The names, dependencies first; circles are noted."""
    order: list[str] = []
    state: dict[str, int] = {}

    def visit(name: str, trail: list[str]) -> None:
        if state.get(name) == 2 or name not in drafts:
            return
        if state.get(name) == 1:
            return
        state[name] = 1
        for one in references(drafts[name]):
            if state.get(one.table) == 1:
                circle = trail[trail.index(one.table) :] if one.table in trail else []
                shown = " → ".join([*circle, one.table])
                own = "is held against itself" if one.in_rule else "reads itself"
                one.note(own if one.table == name else f"these tables read each other: {shown}")
            else:
                visit(one.table, [*trail, one.table])
        state[name] = 2
        order.append(name)

    for name in sorted(drafts, key=lambda n: (LAYERS.index(n.partition(".")[0]), n)):
        visit(name, [name])
    return order
