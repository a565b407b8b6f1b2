"""Upsert: a table that shows the newest row of each key among all published windows."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from headgate.storage.keyed import Brought, Keyed, MergeOf, in_windows, keys_of, on_keys
from headgate.transforms.fates import newest_first, sort_text
from headgate.transforms.hidden import DELETED, column, user_columns


def bring(keyed: Keyed, stored: DataFrame, table: Brought) -> None:
    """Merge the windows just stored: the keys that they touch, or the new rows alone."""
    coming = table.coming
    new = stored.where(in_windows(coming.windows))
    if keyed.absent:
        stored = _counting(stored, keyed)
        keys = keys_of(table.held(), keyed.key).unionAll(keys_of(stored, keyed.key))
    elif coming.again:
        old = table.stored_before(keyed.store)
        keys = keys_of(old, keyed.key).unionAll(keys_of(new, keyed.key))
    else:
        if keyed.deletes:
            gone = stored.where(F.col(DELETED) & ~in_windows(coming.windows))
            keys = keys_of(new, keyed.key).distinct()
            new = new.unionByName(on_keys(gone, keys, keyed.key, "left_semi"))
        _merge_new(table.merge(_winners(new, keyed), keyed.key), keyed)
        return
    table.merge(_recomputed(stored, keys.distinct(), keyed), keyed.key).settle()


def shown(_: SparkSession, keyed: Keyed, rows: DataFrame) -> DataFrame:
    """The table that these rows make: of each key the newest, unless it is a deletion."""
    return _alive(_winners(_counting(rows, keyed), keyed))


def _counting(rows: DataFrame, keyed: Keyed) -> DataFrame:
    """The rows that count: of whole dumps, those of the last. One without a row is none."""
    if not keyed.absent:
        return rows
    last = rows.agg(F.max("_window")).collect()[0][0]
    return rows.where(F.col("_window") == F.lit(last))


def _winners(rows: DataFrame, keyed: Keyed) -> DataFrame:
    order = Window.partitionBy(*[column(name) for name in keyed.key])
    place = F.row_number().over(order.orderBy(*newest_first(rows, keyed.latest_by)))
    return rows.select("*", place.alias("__place")).where("__place = 1").drop("__place")


def _alive(rows: DataFrame) -> DataFrame:
    return rows.where(~F.col(DELETED)).drop(DELETED) if DELETED in rows.columns else rows


def _recomputed(rows: DataFrame, keys: DataFrame, keyed: Keyed) -> DataFrame:
    """For each key its winner; where there is none, the key alone, marked as deleted."""
    of_keys = on_keys(rows, keys, keyed.key, "left_semi")
    winners = _winners(of_keys, keyed).select("*", F.lit(True).alias("__is"))
    joined = on_keys(keys, winners, keyed.key, "left")
    made = []
    for name in winners.columns:
        if name in keyed.key:
            made.append(F.col(f"__key{keyed.key.index(name)}").alias(name))
        elif name not in ("__is", DELETED):
            made.append(column(name))
    gone = F.col("__is").isNull()
    if DELETED in winners.columns:
        gone = gone | F.col(DELETED)
    return joined.select(*made, gone.alias(DELETED))


def _merge_new(merge: MergeOf, keyed: Keyed) -> None:
    newer = _newer(merge.source, keyed, merge.have)
    builder, values = merge.start(), merge.values
    if keyed.deletes:
        builder = builder.whenMatchedDelete(f"s.`{DELETED}` AND {newer}")
        builder = builder.whenMatchedUpdate(f"NOT s.`{DELETED}` AND {newer}", values)
        builder.whenNotMatchedInsert(f"NOT s.`{DELETED}`", values).execute()
    else:
        builder.whenMatchedUpdate(newer, values).whenNotMatchedInsert(None, values).execute()


def _newer(source: DataFrame, keyed: Keyed, have: set[str]) -> str:
    """SQL: the source's row wins over the table's, in the order of `newest_first`."""
    latest = list(keyed.latest_by)
    rest = [n for n in user_columns(source.columns) if n not in latest]
    origin: list[str] = [
        n for n in ("_window", "_file", "_row") if n in source.columns and n in have
    ]

    def side(names: list[str], alias: str) -> str:
        known = [n for n in names if n in have] if alias == "t" else names
        # A column that is new has no values in the table: nulls, but of its own type. CASE without
        # ELSE, as Delta 3.3 leaves the branches of an `if` in a MERGE with different types.
        made = [
            sort_text(source.schema, n, alias)
            if n in known
            else f"CASE WHEN false THEN {sort_text(source.schema, n, 's')} END"
            for n in names
        ]
        # Named by place: structs whose names differ are of different types to Delta 3.3.
        named = ", ".join(f"'{at}', {one}" for at, one in enumerate(made))
        return f"named_struct({named})"

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
