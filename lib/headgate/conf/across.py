"""What rules across tables ask of the tables that they name, as far as it shows before Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headgate.conf.tables import Draft
from headgate.core.across import EXISTS_IN, TOTALS
from headgate.core.kinds import comparable, unlike
from headgate.core.slicing import sliced_alike
from headgate.core.spec import Clean, Drift, Ingested, Rule, Table
from headgate.core.steps import AS_BEFORE, Lookup, Rename, Step
from headgate.core.windows import Grain


def type_of(tables: Mapping[str, Table], name: str, column: str) -> str | None:
    """The type of a table's column; None where only Spark can tell."""
    table = tables.get(name)
    if isinstance(table, Ingested):
        return table.columns[column].kept if column in table.columns else None
    if not isinstance(table, Clean):
        return None
    kind, how = type_before(tables, table, table.steps, column), table.privacy.get(column)
    return how.type_after(kind) if how and kind else kind


def type_before(
    tables: Mapping[str, Table], table: Clean, steps: Sequence[Step], column: str
) -> str | None:
    """The type of a column once these first steps of a table are done."""
    for step in reversed(steps):
        if isinstance(step, Rename):
            column = {new: old for old, new in step.columns.items()}.get(column, column)
        elif isinstance(step, Lookup) and column in step.take:
            return type_of(tables, step.table, column)
        elif (kind := step.type_after(column)) != AS_BEFORE:
            return kind
    return type_of(tables, next(iter(table.reads.values())), column)


def differing(tables: Mapping[str, Table], table: str, rule: Rule) -> str | None:
    """What is wrong with the types of a rule across tables; None where nothing is known of it."""
    if rule.expectation != EXISTS_IN:
        return None
    for here, there in zip(rule.columns, rule.key, strict=False):
        one, other = type_of(tables, table, here), type_of(tables, rule.other or "", there)
        if one is not None and other is not None and not comparable(one, other):
            return unlike(here, one, f"{rule.other}.{there}", other)
    return None


def check_slices(drafts: Mapping[str, Draft], grain: str) -> None:
    """Note totals that are held against a table without slices of the same length."""
    tables = {name: each.table for name, each in drafts.items() if each.table is not None}
    for draft in drafts.values():
        for placed in draft.rules if draft.table is not None else ():
            rule = placed.rule
            if isinstance(rule, Drift) or rule.expectation not in TOTALS:
                continue
            other = tables.get(rule.other or "")
            if draft.table and other and not sliced_alike(draft.table, other, Grain(grain)):
                placed.at.note(placed.node, _unsliced(other))


def _unsliced(other: Table) -> str:
    if isinstance(other, Clean) and other.write != "replace":
        return f"{other.name} is kept by key: later windows take its rows over, so none has a total"
    return f"{other.name} has no slices of the same length, whose totals could agree"
