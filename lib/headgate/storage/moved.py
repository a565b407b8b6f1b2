"""Which keys of a table came or went between two of its versions, from its log and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from urllib.parse import unquote

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import HeadgateError
from headgate.storage.changes import rows_of, vacuumed
from headgate.storage.records import literal_rows
from headgate.storage.tables import DeltaTable
from headgate.transforms.hidden import column


@dataclass(frozen=True)
class Moved:
    """Whether a version brought keys that are there still, or took some that are gone."""

    new: bool = False
    gone: bool = False

    def with_more(self, other: Moved) -> Moved:
        return Moved(self.new or other.new, self.gone or other.gone)


Moves = Mapping[int, Moved] | None  # by version; None where it is no longer known


def moved_keys(table: DeltaTable, before: int, after: int, names: Sequence[str]) -> Moves:
    """By version, whether keys without nulls came or went.

    Only files that these versions wrote or removed are read, and the newest keys: one query.
    """
    if before >= after:
        return {} if before == after else None
    try:
        commits = [table.commit(version) for version in range(before + 1, after + 1)]
    except HeadgateError:
        return None
    commits = [commit for commit in commits if not commit.same_rows]
    if any(commit.marked for commit in commits):
        return None
    told = [
        {"file": unquote(path).rpartition("/")[2], "version": commit.version, "added": added}
        for commit in commits
        for paths, added in ((commit.added, True), (commit.removed, False))
        for path in paths
    ]
    if not told:
        return {}
    files = dict.fromkeys(path for one in commits for path in (*one.added, *one.removed))
    try:
        rows = rows_of(table, after, list(files))
        assert rows is not None  # some file was told
        marks = literal_rows(table.spark, told, "file string, version bigint, added boolean")
        found = _moved(rows, marks, table.read(after), names).collect()
    except Exception as error:
        if vacuumed(error):
            return None
        raise
    return {row["version"]: Moved(row["new"], row["gone"]) for row in found}


def _moved(rows: DataFrame, marks: DataFrame, now: DataFrame, names: Sequence[str]) -> DataFrame:
    keys = [f"key{place}" for place in range(len(names))]
    plain = [column(name).alias(key) for name, key in zip(names, keys, strict=True)]
    whole = reduce(and_, (F.col(key).isNotNull() for key in keys))
    touched = rows.select(F.col("_metadata.file_name").alias("file"), *plain).where(whole)
    moved = (
        touched.join(F.broadcast(marks), "file")
        .groupBy("version", *keys)
        .agg(F.bool_or("added").alias("came"), F.bool_or(~F.col("added")).alias("went"))
        .where("came <> went")
    )
    there = now.select(*plain).where(whole).distinct().withColumn("there", F.lit(True))
    return (
        moved.join(there, keys, "left")
        .groupBy("version")
        .agg(
            F.bool_or(F.expr("came AND there IS NOT NULL")).alias("new"),
            F.bool_or(F.expr("went AND there IS NULL")).alias("gone"),
        )
    )
