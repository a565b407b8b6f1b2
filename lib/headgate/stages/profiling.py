"""A table's published rows, or those of some windows, looked at in one pass; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from headgate.core.errors import HeadgateError, Usage
from headgate.core.private import private_in
from headgate.core.spec import Mart, Table
from headgate.core.windows import written
from headgate.quality.portrait import own_columns
from headgate.quality.profile import Profile, aggregates, faces
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of
from headgate.stages.slices import overlapping
from headgate.stages.suggesting import aggregated
from headgate.storage.faults import classify
from headgate.storage.jobs import tracked


def profiled(
    lake: Lake, table: Table, rows: DataFrame, windows: Sequence[str] | None, as_of: str | None
) -> Profile:
    """What the columns of these rows look like."""
    of = f"as of {as_of}" if as_of else ""
    if windows is not None:
        rows, of = rows.where(_condition(lake, table, windows)), ""
        of = written(list(windows), lake.suite.window)
    private = private_in(table, lake.suite.tables)
    hidden = frozenset(name for name in own_columns(rows.schema) if private.hides(name))
    counts_top = lake.spark.catalog.functionExists("approx_top_k")  # Spark 4.1 and newer
    made = aggregates(table, rows.schema, hidden, counts_top=counts_top)
    try:
        with tracked(lake.spark, f"{table.name} profile"):
            found = aggregated(rows, made)
    except HeadgateError:
        raise
    except Exception as error:
        raise classify(error) from error
    looked = faces(rows.schema, hidden, found)
    return Profile(table.name, of, int(found["rows"]), looked, counts_top)


def _condition(lake: Lake, table: Table, windows: Sequence[str]) -> str:
    """SQL: the table's rows of these windows."""
    names = list(windows)
    if isinstance(table, Mart):
        names = sorted(overlapping(windows, lake.suite.window, lake.grain(table)))
    condition = layer_of(table).target(lake, table).of(names)
    if condition is None:
        raise Usage(
            f"{table.name} keeps one row for each key: its rows are of no window",
            next=f"headgate profile {table.name} --as-of {windows[-1]}",
        )
    return condition
