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


def groups_by(made: DataFrame, period: str) -> bool:
    """Whether rows of one period are made from rows of that period only.

    True for a query over one input, row by row or grouped by an expression of the period column.
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
            if not re.search(rf"\b{re.escape(period)}#\d+", keys):
                return False
        elif node[1] not in _BY_ROW:
            return False
        leaves += node[1] in ("LocalRelation", "LogicalRDD")
    return leaves == 1 and aggregates <= 1
