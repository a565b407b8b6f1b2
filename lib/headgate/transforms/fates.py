"""Each row's fate: accepted, rejected, or an older row of a key; counted once, at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.transforms.contract import quoted
from headgate.transforms.hidden import (
    ACCEPTED,
    AS_JSON,
    DELETED,
    DUPLICATE,
    FATE,
    QUARANTINED,
    REASONS,
    RECORD,
    column,
    user_columns,
)


def with_marks(df: DataFrame, marks: Mapping[str, Column], deletes: str | None) -> DataFrame:
    """Rows with the rules that they break, as bits; deletions are not judged."""
    made = [column(name) for name in df.columns if name != DELETED]
    if deletes is None:
        return df.select(*made, *[mark.alias(name) for name, mark in marks.items()])
    deleted = F.coalesce(F.expr(deletes), F.lit(False))
    masks = [F.when(deleted, F.lit(0).cast("long")).otherwise(mark) for mark in marks.values()]
    named = [mask.alias(name) for name, mask in zip(marks, masks, strict=True)]
    return df.select(*made, *named, deleted.alias(DELETED))


def with_record_of_rejected(df: DataFrame) -> DataFrame:
    """Rows of which only the rejected ones still say, as text, what they came as."""
    if RECORD in df.columns and isinstance(df.schema[RECORD].dataType, T.StringType):
        came = column(RECORD)
    else:  # a made row came as what it is
        whole = F.struct(*[column(name) for name in user_columns(df.columns)])
        came = F.to_json(whole, AS_JSON)
        if RECORD in df.columns:
            came = F.coalesce(F.to_json(column(RECORD), AS_JSON), came)
    return df.withColumn(RECORD, F.when(column(REASONS).isNotNull(), came))


def with_fates(
    df: DataFrame, key: Sequence[str], latest_by: Sequence[str], rejected: Column
) -> DataFrame:
    """Rows with their fate; among the rows of one key and window the newest is accepted."""
    if not key:
        fate = F.when(rejected, F.lit(QUARANTINED)).otherwise(F.lit(ACCEPTED))
        return df.select("*", fate.alias(FATE))
    # The key first: rows are sorted by it, and the first column decides most comparisons.
    partition = [*[column(name) for name in key], rejected, column("_window")]
    order = newest_first(df, latest_by, alike=key)
    place = F.row_number().over(Window.partitionBy(*partition).orderBy(*order))
    fate = (
        F.when(rejected, F.lit(QUARANTINED))
        .when(place > 1, F.lit(DUPLICATE))
        .otherwise(F.lit(ACCEPTED))
    )
    return df.select("*", fate.alias(FATE))


def newest_first(
    df: DataFrame, latest_by: Sequence[str], alike: Sequence[str] = ()
) -> list[Column]:
    """The order in which the first row of a key wins, wholly determined by the rows themselves.

    `latest_by`, then a deletion, then the remaining columns in their order, nulls lowest.
    Rows equal in all of these differ in their origin only: the earliest stays. Columns in which
    all competing rows are `alike` decide nothing.
    """
    rest = [name for name in user_columns(df.columns) if name not in {*latest_by, *alike}]
    order = [sortable(df, name).desc_nulls_last() for name in latest_by]
    if DELETED in df.columns:
        order.append(column(DELETED).desc())
    order += [sortable(df, name).desc_nulls_last() for name in rest]
    origin = [name for name in ("_window", "_file", "_row") if name in df.columns]
    return order + [column(name).asc_nulls_last() for name in origin]


def sortable(df: DataFrame, name: str) -> Column:
    """A column in a form that has an order: maps have none."""
    kind = df.schema[name].dataType
    if isinstance(kind, T.MapType) or "map<" in kind.simpleString():
        return F.to_json(column(name))
    if "variant" in kind.simpleString():
        return column(name).cast("string")
    return column(name)


def sort_text(schema: T.StructType, name: str, alias: str) -> str:
    """The same of a column of `alias`, as SQL."""
    kind = schema[name].dataType.simpleString()
    text = f"{alias}.{quoted(name)}"
    if "map<" in kind:
        return f"to_json({text})"
    return f"CAST({text} AS STRING)" if "variant" in kind else text


def exact_duplicates(df: DataFrame, among: Column) -> Column:
    """Whether a row equals an earlier one in all columns but those with _ (null equals null).

    Rows of which `among` tells otherwise are not held against each other. Which one is the earlier
    is told by the files' names, not by which of them happened to come first.
    """
    same = [sortable(df, name) for name in user_columns(df.columns)]
    origin = [name for name in ("_file", "_row", "_ingested_at") if name in df.columns]
    order = [column(name).asc_nulls_last() for name in origin] or [F.lit(1)]
    spec = Window.partitionBy(column("_window"), among, *same).orderBy(*order)
    return F.row_number().over(spec) > 1
