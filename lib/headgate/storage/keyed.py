"""Tables laid out by key: what their ways of merging share.

The accepted rows of each window stay in a store below `ops`. New windows merge into the table;
when a window is replaced, only the keys in its old and its new rows are computed again, from the
store. So the table is a function of the set of rows, whatever the order they came in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.errors import Held
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


def merging(spark: SparkSession, coming: Coming) -> SparkSession:
    """A session of its own: these settings would swallow other writes of a shared one."""
    apart = spark.newSession()
    metadata = {**coming.metadata, "store_version": coming.version}
    for name, value in (
        (
            "spark.databricks.delta.commitInfo.userMetadata",
            json.dumps({"headgate": metadata}, sort_keys=True),
        ),
        ("spark.databricks.delta.write.txnAppId", FENCE),
        ("spark.databricks.delta.write.txnVersion", str(coming.fence)),
        ("spark.databricks.delta.merge.materializeSource", "none"),
        ("spark.databricks.delta.schema.autoMerge.enabled", "true"),
        ("spark.sql.session.timeZone", spark.conf.get("spark.sql.session.timeZone") or "UTC"),
        ("spark.sql.ansi.enabled", "true"),
    ):
        apart.conf.set(name, value)
    return apart


def first(spark: SparkSession, path: str, rows: DataFrame, coming: Coming) -> int:
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


def committed(target: DeltaTable, before: int, pass_id: str) -> int:
    """The version of the commit that names this pass: read back, there, once."""
    found = [c.version for c in target.commits(before) if c.metadata.get("pass") == pass_id]
    if len(found) != 1:
        raise Held(
            "a newer run has taken this table over: this one may not publish any more",
            where=target.path,
            next="nothing; the newer run does the work",
        )
    return found[0]
