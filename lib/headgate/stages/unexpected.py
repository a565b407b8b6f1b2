"""Some of the values that broke rules, from rejected rows, and only of columns that are nobody's.

A rejected row is kept as it entered its table: these are the values before the table's steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from headgate.core.selection import ancestors
from headgate.core.spec import Clean, Ingested, Table
from headgate.stages.lake import Lake
from headgate.stages.rejected import typed
from headgate.transforms.hidden import AS_JSON, column

MOST = 20  # as many as great-expectations tells
Found = Mapping[tuple[str, str], Sequence[Any]]  # by run, and rule as written


@dataclass(frozen=True)
class Asked:
    """The values of some columns that broke a rule in one run."""

    table: str
    run: str
    rule: str  # as written: what the rows' reasons hold
    columns: tuple[str, ...]


def may_be_told(tables: Mapping[str, Table], name: str, column: str) -> bool:
    """Whether a column of a table's rejected rows holds nobody's data: declared, and not private.

    Where rows come from a clean table, what its steps made of a private column cannot be told
    apart: one private column above it, and nothing is told.
    """
    table = tables[name]
    if isinstance(table, Ingested):
        return column in table.columns and column not in table.private
    if not isinstance(table, Clean):
        return False
    source = next(iter(table.reads.values()))
    if isinstance(tables.get(source), Ingested):
        return may_be_told(tables, source, column)
    above = [tables[one] for one in ancestors(tables, [name])]
    contracts = [one for one in above if isinstance(one, Ingested)]
    private = any(one.private for one in contracts)
    return bool(contracts) and not private and not column.startswith("_")


def unexpected_values(lake: Lake, asked: Sequence[Asked], most: int = MOST) -> Found:
    """Up to so many values for each rule and run: one job for all tables."""
    tables = lake.suite.tables
    told = [
        one for one in asked
        if one.table in tables and one.columns
        and all(may_be_told(tables, one.table, name) for name in one.columns)
    ]  # fmt: skip
    parts = [
        part
        for name in dict.fromkeys(one.table for one in told)
        if (part := _rows(lake, name, [one for one in told if one.table == name])) is not None
    ]
    if not parts:
        return {}
    alike = Window.partitionBy("run", "rule").orderBy("_file", "_row", "shown")
    every = reduce(DataFrame.unionByName, parts).withColumn("nth", F.row_number().over(alike))
    rows = every.where(F.col("nth") <= most).orderBy("run", "rule", "nth")
    wanted = {(one.run, one.rule): one.columns for one in told}
    found: dict[tuple[str, str], list[Any]] = {}
    for row in rows.select("run", "rule", "shown").collect():
        key = (row["run"], row["rule"])
        values = json.loads(row["shown"])
        if key in wanted and all(name in values for name in wanted[key]):
            found.setdefault(key, []).append(_told(wanted[key], values))
    return found


def _rows(lake: Lake, name: str, asked: Sequence[Asked]) -> DataFrame | None:
    """Rejected rows of one table by run and rule, with the columns that are asked for as JSON."""
    if not lake.quarantine(name).exists():
        return None
    rows = typed(lake, lake.suite.tables[name])
    there = set(rows.columns)
    named = dict.fromkeys(one for each in asked for one in each.columns if one in there)
    if not named:
        return None
    shown = F.to_json(F.struct(*[column(one).alias(one) for one in named]), dict(AS_JSON))
    reasons = F.explode("_reasons")
    rows = rows.where(F.col("_run").isin(sorted({one.run for one in asked})))
    rows = rows.select(
        F.col("_run").alias("run"), "_file", "_row", shown.alias("shown"), reasons.alias("rule")
    )
    return rows.where(F.col("rule").isin(sorted({one.rule for one in asked})))


def _told(columns: Sequence[str], values: Mapping[str, Any]) -> Any:
    """Values as great-expectations lists them: of one column plain, of several by name."""
    if len(columns) == 1:
        return values[columns[0]]
    return {name: values[name] for name in columns}
