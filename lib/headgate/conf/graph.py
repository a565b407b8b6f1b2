"""Who reads whom: unknown tables, layers that cannot read each other, circles, the order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headgate.conf.nodes import Entries
from headgate.conf.tables import Draft
from headgate.conf.words import meant
from headgate.core.results import LAYERS
from headgate.core.spec import Clean, Features

MAY_READ: Mapping[str, tuple[str, ...]] = {
    "ingested": (),
    "clean": ("ingested", "clean"),
    "features": ("ingested", "clean", "features"),
    "marts": ("ingested", "clean", "features", "marts"),
}
Reference = tuple[str, tuple[str | int, ...]]  # the table, and where it is named


def references(draft: Draft) -> list[Reference]:
    """The tables that one table names, and where."""
    named: list[Reference] = []
    held = draft.node.get("reads") if isinstance(draft.node, Entries) else None
    for name, table in draft.reads.items():
        named.append((table, ("reads", name) if isinstance(held, Entries) else ("reads",)))
    if isinstance(draft.table, Clean):
        for place, step in enumerate(draft.table.steps):
            if step.name == "lookup":
                table = getattr(step, "table", "")
                named.append((table, ("steps", place, "lookup", "table")))
    if isinstance(draft.table, Features) and draft.table.entity.from_:
        named.append((draft.table.entity.from_, ("entity", "from")))
    return named


def check_references(drafts: Mapping[str, Draft], declared: Iterable[str]) -> set[str]:
    """Note tables that are not there, and layers that cannot read each other; who does so."""
    names = sorted(declared)
    faulty: set[str] = set()
    for draft in drafts.values():
        for table, parts in references(draft):
            layer = table.partition(".")[0]
            may = MAY_READ[draft.layer]
            if layer == "raw":
                draft.note("the raw zone has no tables: describe its files in ingested/", *parts)
            elif table not in names:
                draft.note(f"unknown table '{table[:80]}'{_hint(table, names, may)}", *parts)
            elif layer not in may:
                readable = " and ".join(may) if len(may) < 3 else ", ".join(may)
                draft.note(f"a table of {draft.layer} reads {readable}, not {table}", *parts)
            else:
                continue
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
        for table, parts in references(drafts[name]):
            if state.get(table) == 1:
                circle = [*trail[trail.index(table) :], table] if table in trail else []
                shown = " → ".join(circle)
                own = table == name
                what = "reads itself" if own else f"these tables read each other: {shown}"
                drafts[name].note(what, *parts)
            else:
                visit(table, [*trail, table])
        state[name] = 2
        order.append(name)

    for name in sorted(drafts, key=lambda n: (LAYERS.index(n.partition(".")[0]), n)):
        visit(name, [name])
    return order
