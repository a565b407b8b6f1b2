"""History: a table that shows every version of each key, with its stretch of time.

It is a function of the set of rows in its published windows. Rows that come after all others of
the table lengthen it by what they change; else the keys they touch are computed again from all.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.errors import Usage
from headgate.core.spec import VERSIONED
from headgate.storage.keyed import Brought, Keyed, in_windows, keys_of, on_keys
from headgate.transforms.hidden import DELETED, column
from headgate.transforms.versions import (
    IS_CURRENT,
    SEEN,
    VALID_FROM,
    versions,
    with_absences,
)


def bring(keyed: Keyed, stored: DataFrame, table: Brought) -> None:
    """Merge the windows just stored: what they lengthen, or the keys that they touch."""
    events, coming, held = Events(table.spark, keyed, stored), table.coming, table.held()
    if not coming.again and events.lengthen(coming.windows):
        held, rows = events.and_current(held, coming.windows)
    else:
        keys = events.touched(table.stored_before(keyed.store), coming.windows)
        held = on_keys(held, keys, keyed.key, "left_semi")
        rows = events.dated(on_keys(stored, keys, keyed.key, "left_semi"))
    source = _with_gone(events.versions(rows), held, keyed)
    table.merge(source, (*keyed.key, VALID_FROM)).settle()


def shown(spark: SparkSession, keyed: Keyed, rows: DataFrame) -> DataFrame:
    """The table that these rows make."""
    events = Events(spark, keyed, rows)
    return events.versions(events.dated(rows))


def _refuse_own_names(rows: DataFrame, where: str) -> None:
    """A history table's own columns cannot come from its rows."""
    taken = [name for name in VERSIONED if name in (each.lower() for each in rows.columns)]
    if taken:
        raise Usage(
            f"its rows have a column '{taken[0]}', which a history table makes itself",
            where=where,
            next=f"- rename: {{{taken[0]}: {taken[0]}_told}}   as a step",
        )


class Events:
    """The rows of a history table's windows, as events of their keys."""

    def __init__(self, spark: SparkSession, keyed: Keyed, rows: DataFrame) -> None:
        _refuse_own_names(rows, keyed.store.rpartition("/")[2])
        self.spark, self.keyed, self.rows = spark, keyed, rows
        self.whole = keyed.absent or not keyed.latest_by  # windows are dumps, dated by their start
        self._dumps: list[str] | None = None

    def versions(self, events: DataFrame) -> DataFrame:
        """The versions of dated events."""
        keyed = self.keyed
        if keyed.absent:
            events = with_absences(events, keyed.key, self._next_dumps())
        order = () if self.whole else keyed.latest_by
        besides = (*keyed.untracked, *keyed.latest_by) if self.whole else keyed.untracked
        return versions(events, keyed.key, order, besides)

    def dated(self, rows: DataFrame) -> DataFrame:
        """Rows that say from when they hold."""
        if not self.whole:
            return rows.select("*", column(self.keyed.latest_by[0]).alias(VALID_FROM))
        starts = [(window, self.keyed.start(window)) for window in self.dumps]
        table = self.spark.createDataFrame(starts, f"{SEEN} string, {VALID_FROM} timestamp")
        seen = rows.select("*", F.col("_window").alias(SEEN))
        dated = seen.join(F.broadcast(table), SEEN, "left")
        return dated.select(*map(column, seen.columns), VALID_FROM)

    @property
    def dumps(self) -> list[str]:
        """The windows that hold a row, in order. An empty one says nothing of anyone."""
        if self._dumps is None:
            self._dumps = sorted(r[0] for r in self.rows.select("_window").distinct().collect())
        return self._dumps

    def _next_dumps(self) -> DataFrame:
        pairs = itertools.pairwise(self.dumps)
        rows = [(one, after, self.keyed.start(after)) for one, after in pairs]
        return self.spark.createDataFrame(rows, f"{SEEN} string, __next string, __at timestamp")

    def lengthen(self, windows: Sequence[str]) -> bool:
        """Whether the rows of these windows come after all others of the table."""
        new = in_windows(windows)
        if self.whole:
            others = [window for window in self.dumps if window not in windows]
            return not others or min(windows) > max(others)
        at = column(self.keyed.latest_by[0])
        found = self.rows.agg(
            F.max(F.when(~new, at)).alias("last"),
            F.min(F.when(new, at)).alias("first"),
            F.max(new & at.isNull()).alias("undated"),
        ).collect()[0]
        if found["first"] is None or found["undated"]:
            return False
        return found["last"] is None or bool(found["first"] > found["last"])

    def and_current(self, held: DataFrame, windows: Sequence[str]) -> tuple[DataFrame, DataFrame]:
        """The table's current versions that new windows may end, and with them the new rows."""
        new = self.dated(self.rows.where(in_windows(windows)))
        current = held.where(column(IS_CURRENT))
        if not self.keyed.absent:
            keys = keys_of(new, self.keyed.key).distinct()
            current = on_keys(current, keys, self.keyed.key, "left_semi")
        seeds = current.drop(*VERSIONED[1:])
        if DELETED in new.columns:
            seeds = seeds.withColumn(DELETED, F.lit(False))
        if self.whole:
            before = [window for window in self.dumps if window < min(windows)]
            seeds = seeds.withColumn(SEEN, F.lit(before[-1] if before else None).cast("string"))
        return current, new.unionByName(seeds, allowMissingColumns=True)

    def touched(self, old: DataFrame, windows: Sequence[str]) -> DataFrame:
        """The keys whose versions may differ: of old and new rows, and of the dumps before them."""
        wanted = {*windows}
        if self.keyed.absent:
            for window in windows:
                wanted |= set([one for one in self.dumps if one < window][-1:])
        new = keys_of(self.rows.where(in_windows(sorted(wanted))), self.keyed.key)
        return keys_of(old, self.keyed.key).unionAll(new).distinct()


def _with_gone(made: DataFrame, held: DataFrame, keyed: Keyed) -> DataFrame:
    """The versions to show; and those of the table that are no more, marked as deleted."""
    key = (*keyed.key, VALID_FROM)
    gone = on_keys(held.select(*map(column, key)), keys_of(made, key), key, "left_anti")
    return made.withColumn(DELETED, F.lit(False)).unionByName(
        gone.withColumn(DELETED, F.lit(True)), allowMissingColumns=True
    )
