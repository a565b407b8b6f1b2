"""Rules that a table's published rows and its history suggest: two passes, nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame

from headgate.core.errors import HeadgateError, InputMissing
from headgate.core.selection import ancestors
from headgate.core.spec import Table
from headgate.quality.portrait import (
    Proposal,
    Seen,
    first_pass,
    own_columns,
    private_of,
    proposals,
    second_pass,
)
from headgate.stages.lake import Lake
from headgate.storage.faults import classify
from headgate.storage.jobs import tracked


def suggested(lake: Lake, table: Table) -> tuple[Seen, list[Proposal]]:
    """What was seen in the table as it is published, and the rules that it does not have yet."""
    name, tables = table.name, lake.suite.tables
    if lake.version(name) is None:
        what = f"{name} has never been published: there is nothing to learn from"
        raise InputMissing(what, next=f"headgate run +{name}")
    hidden = private_of([table, *(tables[one] for one in ancestors(tables, [name]))])
    try:
        with tracked(lake.spark, f"{name} suggest"):
            seen = _seen(lake, table, lake.delta(name).read(), hidden)
    except HeadgateError:
        raise
    except Exception as error:
        raise classify(error) from error
    return seen, proposals(table, seen, hidden)


def _seen(lake: Lake, table: Table, rows: DataFrame, hidden: frozenset[str]) -> Seen:
    published = lake.history.published(table.name)
    written = tuple(published[window].rows.written for window in sorted(published))
    kinds = own_columns(rows.schema)
    names = first_pass(table, rows.schema, hidden)
    seen = Seen(kinds, aggregated(rows, names), {}, written)
    names = second_pass(table, seen, hidden, lake.by_window(table.name))
    return Seen(kinds, seen.found, aggregated(rows, names), written) if names else seen


def aggregated(rows: DataFrame, named: Mapping[str, Column]) -> dict[str, Any]:
    """One aggregate over all rows, by name."""
    values = [value.alias(f"v{place}") for place, value in enumerate(named.values())]
    return dict(zip(named, rows.agg(*values).collect()[0], strict=True))
