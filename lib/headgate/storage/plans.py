"""What Spark's analyser says of a step: whether it works row by row."""

from __future__ import annotations

import re
from typing import Any

from pyspark.sql import DataFrame

_BY_ROW = {
    "Project", "Filter", "SubqueryAlias", "View", "Generate", "LocalRelation", "LogicalRDD",
    "CollectMetrics", "ResolvedHint", "Sort", "BatchEvalPython", "ArrowEvalPython",
}  # fmt: skip
_NODE = re.compile(r"^[\s:+\-|]*(?:'|!)?([A-Za-z]+)")


def works_by_row(before: DataFrame, after: DataFrame) -> bool:
    """Whether `after`, made from `before`, looks at each row by itself."""
    plan: Any = after._jdf.queryExecution().analyzed()
    if not bool(plan.deterministic()):
        return False
    leaves = 0
    for line in str(plan.toString()).splitlines():
        node = _NODE.match(line)
        if node is None:
            continue
        if node[1] not in _BY_ROW:
            return False
        leaves += node[1] in ("LocalRelation", "LogicalRDD")
    return leaves == _leaves(before)


def _leaves(df: DataFrame) -> int:
    plan: Any = df._jdf.queryExecution().analyzed()
    lines = str(plan.toString()).splitlines()
    found = (_NODE.match(line) for line in lines)
    return sum(1 for node in found if node and node[1] in ("LocalRelation", "LogicalRDD"))


# Units whose stretches lie wholly in one period of the grain.
_WITHIN = {
    "hour": {"hour"},
    "day": {"hour", "day"},
    "week": {"hour", "day", "week"},
    "month": {"hour", "day", "month"},
    "year": {"hour", "day", "month", "year"},
}
_HARMLESS = {"cast", "to_timestamp", "gettimestamp", "coalesce"}


def groups_by(made: DataFrame, period: str, grain: str) -> bool:
    """Whether rows of one period are made from rows of that period only.

    True for a query over one input, row by row or grouped by the period's column, whole or cut to
    a unit that lies within the period.
    """
    plan: Any = made._jdf.queryExecution().analyzed()
    if not bool(plan.deterministic()):
        return False
    leaves = aggregates = 0
    for line in str(plan.toString()).splitlines():
        node = _NODE.match(line)
        if node is None:
            continue
        if node[1] == "Aggregate":
            aggregates += 1
            keys = line.partition("Aggregate [")[2].partition("], [")[0]
            if not any(_within(key, period, grain) for key in _separate(keys)):
                return False
        elif node[1] not in _BY_ROW:
            return False
        leaves += node[1] in ("LocalRelation", "LogicalRDD")
    return leaves == 1 and aggregates <= 1


def _separate(keys: str) -> list[str]:
    """Grouping expressions, parted at the commas outside brackets."""
    parts, depth, at = [], 0, 0
    for place, sign in enumerate(keys):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append(keys[at:place])
            at = place + 1
    return [*parts, keys[at:]]


def _within(key: str, period: str, grain: str) -> bool:
    """Whether a grouping expression tells periods apart.

    >>> _within("to_date(at#1, None, Some(UTC), true)", "at", "month"), _within("at#1", "at", "day")
    (True, True)
    >>> _within("year(cast(at#1 as date))", "at", "day")
    False
    """
    if not re.search(rf"\b{re.escape(period)}#\d+", key):
        return False
    calls = {name.lower() for name in re.findall(r"([a-zA-Z_]+)\(", key)} - {"some"}
    units = set()
    if calls & {"to_date"} or "as date)" in key:
        units.add("day")
    if calls & {"date_trunc", "trunc"}:
        units |= {unit.lower() for unit in re.findall(r"\b(hour|day|week|month|year)\b", key, re.I)}
    known = calls <= _HARMLESS | {"to_date", "date_trunc", "trunc"}
    return known and units <= _WITHIN[grain]
