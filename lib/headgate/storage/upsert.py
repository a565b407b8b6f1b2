"""Upsert: a table that shows the newest row of each key among all published windows.

The accepted rows of each window stay in a store below `ops`. New windows merge into the table;
when a window is replaced, only the keys in its old and its new rows are computed again, from the
store. So the table is a function of the set of rows, whatever the order they came in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from headgate.core.errors import Held
from headgate.storage.points import reached
from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable
from headgate.storage.transaction import FENCE
from headgate.transforms.fates import newest_first
from headgate.transforms.hidden import DELETED, column, user_columns


@dataclass(frozen=True)
class Upsert:
    """How the rows of one key are ordered, and where all of them are kept."""

    store: str
    key: tuple[str, ...]
    latest_by: tuple[str, ...]
    deletes: bool


def merge(
    spark: SparkSession,
    path: str,
    upsert: Upsert,
    store_version: int,
    windows: Sequence[str],
    published: frozenset[str],
    metadata: dict[str, Any],
    fence: int,
) -> int:
    """Bring the windows just stored into the table: one commit, whose version is returned."""
    reached("store-committed")
    target = DeltaTable(spark, path)
    before = target.latest()
    seen = merged_version(target, before)
    metadata = {**metadata, "store_version": store_version}
    valid = F.col("_window").isin(sorted(published | set(windows)))
    store = DeltaTable(spark, upsert.store)
    if before is None:
        rows = _winners(store.read(store_version).where(valid), upsert)
        return _first(spark, path, _alive(rows), metadata, fence)
    apart = _session(spark, json.dumps({"headgate": metadata}, sort_keys=True), fence)
    store = DeltaTable(apart, upsert.store)
    rows = store.read(store_version).where(valid)
    again = sorted(set(windows) & published)
    if again:
        old = store.read(seen if seen is not None else store_version)
        keys = _keys(old.where(F.col("_window").isin(again)), upsert).unionAll(
            _keys(rows.where(F.col("_window").isin(list(windows))), upsert)
        )
        source = _recomputed(rows, keys.distinct(), upsert)
        _merge_recomputed(apart, path, source, upsert)
    else:
        new = rows.where(F.col("_window").isin(list(windows)))
        if upsert.deletes:
            gone = rows.where(F.col(DELETED) & ~F.col("_window").isin(list(windows)))
            new = new.unionByName(_semi(gone, _keys(new, upsert).distinct(), upsert))
        _merge_new(apart, path, _winners(new, upsert), upsert)
    return _committed(target, before, metadata["pass"])


def _session(spark: SparkSession, metadata: str, fence: int) -> SparkSession:
    """A session of its own: these settings would swallow other writes of a shared one."""
    apart = spark.newSession()
    for name, value in (
        ("spark.databricks.delta.commitInfo.userMetadata", metadata),
        ("spark.databricks.delta.write.txnAppId", FENCE),
        ("spark.databricks.delta.write.txnVersion", str(fence)),
        ("spark.databricks.delta.merge.materializeSource", "none"),
        ("spark.databricks.delta.schema.autoMerge.enabled", "true"),
        ("spark.sql.session.timeZone", spark.conf.get("spark.sql.session.timeZone") or "UTC"),
        ("spark.sql.ansi.enabled", "true"),
    ):
        apart.conf.set(name, value)
    return apart


def _first(
    spark: SparkSession, path: str, rows: DataFrame, metadata: dict[str, Any], fence: int
) -> int:
    draft = open_draft(spark, path, fence=fence, by_window=False)
    draft.write(rows)
    return draft.commit(replace=None, without=frozenset(), metadata={"headgate": metadata})


def merged_version(target: DeltaTable, version: int | None) -> int | None:
    """The store's version that the table was last brought up to."""
    while version is not None and version >= 0:
        found = target.commit(version).metadata.get("store_version")
        if found is not None:
            return int(found)
        version -= 1
    return None


def _winners(rows: DataFrame, upsert: Upsert) -> DataFrame:
    order = Window.partitionBy(*[column(name) for name in upsert.key])
    place = F.row_number().over(order.orderBy(*newest_first(rows, upsert.latest_by)))
    return rows.select("*", place.alias("__place")).where("__place = 1").drop("__place")


def _alive(rows: DataFrame) -> DataFrame:
    return rows.where(~F.col(DELETED)).drop(DELETED) if DELETED in rows.columns else rows


def _keys(rows: DataFrame, upsert: Upsert) -> DataFrame:
    return rows.select(*[column(n).alias(f"__key{i}") for i, n in enumerate(upsert.key)])


def _same(upsert: Upsert) -> Column:
    pairs = [column(n).eqNullSafe(F.col(f"__key{i}")) for i, n in enumerate(upsert.key)]
    return reduce(lambda left, right: left & right, pairs)


def _semi(rows: DataFrame, keys: DataFrame, upsert: Upsert) -> DataFrame:
    return rows.join(keys, _same(upsert), "left_semi")


def _recomputed(rows: DataFrame, keys: DataFrame, upsert: Upsert) -> DataFrame:
    """For each key its winner; where there is none, the key alone, marked as deleted."""
    winners = _winners(_semi(rows, keys, upsert), upsert).select("*", F.lit(True).alias("__is"))
    joined = keys.join(winners, _same(upsert), "left")
    made = []
    for name in winners.columns:
        if name in upsert.key:
            made.append(F.col(f"__key{upsert.key.index(name)}").alias(name))
        elif name not in ("__is", DELETED):
            made.append(column(name))
    gone = F.col("__is").isNull()
    if DELETED in winners.columns:
        gone = gone | F.col(DELETED)
    return joined.select(*made, gone.alias(DELETED))


def _on(upsert: Upsert) -> str:
    return " AND ".join(f"t.`{name}` <=> s.`{name}`" for name in upsert.key)


def _handle(spark: SparkSession, path: str) -> Any:
    from delta.tables import DeltaTable as Handle

    return Handle.forPath(spark, path).alias("t")


def _values(rows: DataFrame) -> dict[str, str]:
    return {f"`{name}`": f"s.`{name}`" for name in rows.columns if name != DELETED}


def _merge_new(spark: SparkSession, path: str, source: DataFrame, upsert: Upsert) -> None:
    newer = _newer(source, upsert, set(DeltaTable(spark, path).read().columns))
    values = _values(source)
    builder = _handle(spark, path).merge(source.alias("s"), _on(upsert))
    if upsert.deletes:
        builder = builder.whenMatchedDelete(f"s.`{DELETED}` AND {newer}")
        builder = builder.whenMatchedUpdate(f"NOT s.`{DELETED}` AND {newer}", values)
        builder.whenNotMatchedInsert(f"NOT s.`{DELETED}`", values).execute()
    else:
        builder.whenMatchedUpdate(newer, values).whenNotMatchedInsert(None, values).execute()


def _merge_recomputed(spark: SparkSession, path: str, source: DataFrame, upsert: Upsert) -> None:
    have = set(DeltaTable(spark, path).read().columns)
    names = [name for name in source.columns if name != DELETED]
    equal = " AND ".join(
        f"{_sql(source, name, 't')} <=> {_sql(source, name, 's')}" if name in have
        else f"s.`{name}` IS NULL"
        for name in names
    )  # fmt: skip
    values = _values(source)
    _handle(spark, path).merge(source.alias("s"), _on(upsert)).whenMatchedDelete(
        f"s.`{DELETED}`"
    ).whenMatchedUpdate(f"NOT s.`{DELETED}` AND NOT ({equal})", values).whenNotMatchedInsert(
        f"NOT s.`{DELETED}`", values
    ).execute()


def _newer(source: DataFrame, upsert: Upsert, have: set[str]) -> str:
    """SQL: the source's row wins over the table's, in the order of `newest_first`."""
    latest = list(upsert.latest_by)
    rest = [n for n in user_columns(source.columns) if n not in latest]
    origin: list[str] = [
        n for n in ("_window", "_file", "_row") if n in source.columns and n in have
    ]

    def side(names: list[str], alias: str) -> str:
        known = [n for n in names if n in have] if alias == "t" else names
        # A column that is new has no values in the table: nulls, but of its own type. CASE without
        # ELSE, as Delta 3.3 leaves the branches of an `if` in a MERGE with different types.
        made = [
            _sql(source, n, alias)
            if n in known
            else f"CASE WHEN false THEN {_sql(source, n, 's')} END"
            for n in names
        ]
        return f"struct({', '.join(made)})"

    def after(names: list[str]) -> str:
        return f"{side(names, 's')} > {side(names, 't')}"

    def equal(names: list[str]) -> str:
        return f"{side(names, 's')} <=> {side(names, 't')}"

    wins = []
    same = "true"
    if latest:
        wins.append(after(latest))
        same = equal(latest)
    if DELETED in source.columns:  # a deletion wins a tie
        wins.append(f"({same} AND s.`{DELETED}`)")
    if rest:
        wins.append(f"({same} AND {after(rest)})")
        same = f"{same} AND {equal(rest)}"
    if origin:
        wins.append(f"({same} AND {side(origin, 's')} < {side(origin, 't')})")
    return f"({' OR '.join(wins)})" if wins else "true"


def _sql(source: DataFrame, name: str, alias: str) -> str:
    """A column in a form that has an order, as `fates.sortable` does."""
    kind = source.schema[name].dataType.simpleString()
    text = f"{alias}.`{name}`"
    return f"to_json({text})" if "map<" in kind else text


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
