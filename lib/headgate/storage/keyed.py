"""Tables laid out by key: what their ways of merging share.

The accepted rows of each window stay in a store below `ops`. New windows merge into the table;
when a window is replaced, only the keys in its old and its new rows are computed again, from the
store. So the table is a function of the set of rows, whatever the order they came in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, Protocol

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.errors import Held
from headgate.storage.points import reached
from headgate.storage.session import committing_session
from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable
from headgate.storage.transaction import FENCE
from headgate.transforms.fates import sort_text
from headgate.transforms.hidden import DELETED, column


@dataclass(frozen=True)
class Keyed:
    """How the rows of one key are ordered, and where all of them are kept."""

    store: str
    key: tuple[str, ...]
    latest_by: tuple[str, ...]
    start: Callable[[str], datetime]  # of a window
    deletes: bool = False  # a row may say that its key is gone
    absent: bool = False  # a window holds all keys there are: one that is not in it is gone
    untracked: tuple[str, ...] = ()  # history: columns whose change makes no new version


@dataclass(frozen=True)
class Coming:
    """Windows whose rows were just committed to the store."""

    version: int  # of the store
    windows: tuple[str, ...]
    published: frozenset[str]  # windows that the table had before
    metadata: Mapping[str, Any]
    fence: int

    @property
    def again(self) -> list[str]:
        """Those of the windows that the table had before."""
        return sorted(set(self.windows) & self.published)

    @property
    def all(self) -> list[str]:
        """Every window that the table is to show."""
        return sorted(self.published | set(self.windows))


def in_windows(windows: Sequence[str]) -> Column:
    """Rows of some windows."""
    return F.col("_window").isin(list(windows))


class Way(Protocol):
    """What a table by key shows of its rows: `storage.upsert` or `storage.versions`."""

    def shown(self, spark: SparkSession, keyed: Keyed, rows: DataFrame) -> DataFrame:
        """The table that these rows make, if they are all there are."""

    def bring(self, keyed: Keyed, stored: DataFrame, table: Brought) -> None:
        """Merge the windows just stored into the table; `stored` are all rows that it is of."""


@dataclass(frozen=True)
class Brought:
    """A table that is about to be brought up to its store."""

    spark: SparkSession  # of its own: each write of it is this pass's commit
    path: str
    before: int  # its version
    coming: Coming

    def held(self) -> DataFrame:
        """What the table holds."""
        return DeltaTable(self.spark, self.path).read(self.before)

    def stored_before(self, store: str) -> DataFrame:
        """What the store held of the windows that come again, when the table was last merged."""
        seen = merged_version(DeltaTable(self.spark, self.path), self.before)
        kept = DeltaTable(self.spark, store)
        version = self.coming.version if seen is None else kept.resting(seen)
        return kept.read(version, self.coming.again)

    def merge(self, source: DataFrame, key: Sequence[str]) -> MergeOf:
        """A MERGE of rows into it."""
        return MergeOf(self.spark, self.path, source, tuple(key))


def merged(spark: SparkSession, path: str, keyed: Keyed, way: Way, coming: Coming) -> int:
    """Bring the windows just stored into the table: one commit, whose version is returned."""
    reached("store-committed")
    target = DeltaTable(spark, path)
    before = target.latest()
    apart = spark if before is None else _merging(spark, coming)
    stored = DeltaTable(apart, keyed.store).read(coming.version, coming.all)
    if before is None:
        return _first(spark, path, way.shown(spark, keyed, stored), coming)
    way.bring(keyed, stored, Brought(apart, path, before, coming))
    return _committed(target, before, coming.metadata["pass"])


def _merging(spark: SparkSession, coming: Coming) -> SparkSession:
    """A session of its own: these settings would swallow other writes of a shared one."""
    settings = {
        "spark.databricks.delta.write.txnAppId": FENCE,
        "spark.databricks.delta.write.txnVersion": str(coming.fence),
        "spark.databricks.delta.merge.materializeSource": "none",
        "spark.databricks.delta.schema.autoMerge.enabled": "true",
    }
    told = {**coming.metadata, "store_version": coming.version}
    return committing_session(spark, told, settings)


def _first(spark: SparkSession, path: str, rows: DataFrame, coming: Coming) -> int:
    """Make the table, which was not there."""
    draft = open_draft(spark, path, fence=coming.fence, by_window=False)
    draft.write(rows)
    metadata = {**coming.metadata, "store_version": coming.version}
    return draft.commit(replace=None, without=frozenset(), metadata={"headgate": metadata})


def merged_version(target: DeltaTable, version: int | None) -> int | None:
    """The store's version that the table was last brought up to."""
    while version is not None and version >= 0:
        found = target.commit(version).metadata.get("store_version")
        if found is not None:
            return int(found)
        version -= 1
    return None


def keys_of(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """The keys of rows, each as often as it is there."""
    return rows.select(*[column(name).alias(f"__key{at}") for at, name in enumerate(key)])


def on_keys(left: DataFrame, right: DataFrame, key: Sequence[str], how: str) -> DataFrame:
    """Rows joined with the keys of others (`keys_of`), on either side; null equals null."""
    pairs = [column(name).eqNullSafe(F.col(f"__key{at}")) for at, name in enumerate(key)]
    return left.join(right, reduce(lambda one, other: one & other, pairs), how)


@dataclass(frozen=True)
class MergeOf:
    """A MERGE: `t` is the table, `s` are the rows."""

    spark: SparkSession
    path: str
    source: DataFrame
    key: tuple[str, ...]

    @property
    def have(self) -> set[str]:
        """The columns that the table has."""
        return set(DeltaTable(self.spark, self.path).read().columns)

    @property
    def values(self) -> dict[str, str]:
        """What is written of a row."""
        return {f"`{name}`": f"s.`{name}`" for name in self.source.columns if name != DELETED}

    def start(self) -> Any:
        """Delta's builder."""
        from delta.tables import DeltaTable as Handle

        on = " AND ".join(f"t.`{name}` <=> s.`{name}`" for name in self.key)
        return Handle.forPath(self.spark, self.path).alias("t").merge(self.source.alias("s"), on)

    def settle(self) -> None:
        """Make the table hold just these rows of their keys, without those marked as deleted."""
        have, schema = self.have, self.source.schema
        equal = " AND ".join(
            f"{sort_text(schema, name, 't')} <=> {sort_text(schema, name, 's')}" if name in have
            else f"s.`{name}` IS NULL"
            for name in self.source.columns if name != DELETED
        )  # fmt: skip
        self.start().whenMatchedDelete(f"s.`{DELETED}`").whenMatchedUpdate(
            f"NOT s.`{DELETED}` AND NOT ({equal})", self.values
        ).whenNotMatchedInsert(f"NOT s.`{DELETED}`", self.values).execute()


def _committed(target: DeltaTable, before: int, pass_id: str) -> int:
    """The version of the commit that names this pass: read back, there, once."""
    found = [c.version for c in target.commits(before) if c.metadata.get("pass") == pass_id]
    if len(found) != 1:
        raise Held(
            "a newer run has taken this table over: this one may not publish any more",
            where=target.path,
            next="nothing; the newer run does the work",
        )
    return found[0]
