"""Versions: what a key's rows were, and from when to when (slowly changing, type 2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from headgate.core.spec import VERSIONED
from headgate.transforms.fates import newest_first, sortable
from headgate.transforms.hidden import DELETED, column, user_columns, without_hidden

VALID_FROM, VALID_TO, IS_CURRENT = VERSIONED
SEEN = "__seen"  # of whole dumps: the window in which a row stood


def versions(
    events: DataFrame, key: Sequence[str], latest_by: Sequence[str], untracked: Sequence[str] = ()
) -> DataFrame:
    """The versions of each key, of rows that say from when they hold (`valid_from`).

    Of rows that begin at one instant the newest is shown. Neighbours that are equal in all tracked
    columns are one version. A deletion ends a version and begins none.
    """
    own = Window.partitionBy(*map(column, key))
    begin = column(VALID_FROM).desc_nulls_last()
    # One sort serves all that follows: newest first, wholly determined.
    order = own.orderBy(begin, *newest_first(events, latest_by, alike=[*key, VALID_FROM]))
    if DELETED not in events.columns:
        events = events.withColumn(DELETED, F.lit(False))
    newer = F.lag(F.struct(column(VALID_FROM))).over(order)
    longer = newer.isNull() | ~newer[VALID_FROM].eqNullSafe(column(VALID_FROM))
    shown = events.select("*", longer.alias("__longer")).where("__longer").drop("__longer")
    down = own.orderBy(begin)
    state = _state(shown, {*key, *latest_by, *untracked})
    older = F.lead(state).over(down)
    begins = older.isNull() | ~older.eqNullSafe(state)
    shown = shown.select("*", begins.alias("__begins"))
    if untracked:
        shown = _as_last_seen(shown, key, untracked)
    shown = shown.where("__begins")
    later = F.lag(F.struct(column(VALID_FROM))).over(down)
    kept = [column(n) for n in without_hidden(shown).columns if n not in ("__begins", SEEN)]
    made = shown.select(
        *kept,
        column(DELETED),
        later[VALID_FROM].alias(VALID_TO),
        later.isNull().alias(IS_CURRENT),
    )
    return made.where(~column(DELETED)).drop(DELETED)


def _state(events: DataFrame, besides: set[str]) -> Column:
    """What makes a version: a deletion, or the tracked columns' values."""
    names = [n for n in user_columns(events.columns) if n not in {*besides, *VERSIONED}]
    tracked = F.struct(F.lit(0).alias("one"), *[sortable(events, name) for name in names])
    return F.struct(column(DELETED), F.when(~column(DELETED), tracked).alias("tracked"))


def _as_last_seen(events: DataFrame, key: Sequence[str], untracked: Sequence[str]) -> DataFrame:
    """Untracked columns of a version's first row, as its last row has them."""
    up = Window.partitionBy(*map(column, key)).orderBy(column(VALID_FROM).asc_nulls_first())
    run = events.select("*", F.sum(F.col("__begins").cast("int")).over(up).alias("__run"))
    whole = Window.partitionBy(*map(column, key), F.col("__run")).orderBy(
        column(VALID_FROM).desc_nulls_last()
    )
    made = [
        (F.first(column(name)).over(whole) if name in untracked else column(name)).alias(name)
        for name in events.columns
    ]
    return run.select(*made)


def held_at(rows: DataFrame, moment: datetime) -> DataFrame:
    """The versions that held just before a moment: the end of a window belongs to the next one."""
    begin, end = column(VALID_FROM), column(VALID_TO)
    held = (begin.isNull() | (begin < moment)) & (end.isNull() | (end >= moment))
    return rows.where(held)


def with_absences(events: DataFrame, key: Sequence[str], next_dumps: DataFrame) -> DataFrame:
    """Rows of whole dumps, and a deletion where the next dump no longer has a row's key.

    `next_dumps` has a row for each dump: `__seen`, and of the one after it `__next` and `__at`.
    """
    rows = events.join(F.broadcast(next_dumps), SEEN, "left")
    order = Window.partitionBy(*map(column, key)).orderBy(column(SEEN))
    following = F.lead(column(SEEN)).over(order)
    gone = F.col("__next").isNotNull() & ~F.col("__next").eqNullSafe(following)
    both, one = F.array(F.lit(False), F.lit(True)), F.array(F.lit(False))
    flagged = rows.select("*", F.when(gone, both).otherwise(one).alias("__fates"))
    told = flagged.select("*", F.explode("__fates").alias("__gone"))
    made = [
        F.when(F.col("__gone"), F.col("__at")).otherwise(column(name)).alias(name)
        if name == VALID_FROM
        else column(name)
        for name in events.columns
        if name != DELETED
    ]
    return told.select(*made, F.col("__gone").alias(DELETED))
