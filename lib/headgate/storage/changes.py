"""Which slices of a table differ between two of its versions, from its log and changed files."""

from __future__ import annotations

from urllib.parse import unquote

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import HeadgateError
from headgate.storage.tables import DeltaTable
from headgate.transforms.hidden import AS_JSON


def changed_slices(
    table: DeltaTable, before: int | None, after: int, slice_of: Column
) -> frozenset[str] | None:
    """The values of `slice_of` whose rows differ; None where that can no longer be known."""
    if before == after:
        return frozenset()
    if before is None:
        return _distinct(table.read(after), slice_of)
    if before > after:
        return None
    try:
        added, removed, marked = _net_files(table, before, after)
    except HeadgateError:
        return None
    if marked:
        return None
    if not added and not removed:
        return frozenset()
    try:
        new, old = rows_of(table, after, added), rows_of(table, after, removed)
        if old is None or new is None:
            rows = new if new is not None else old
            assert rows is not None  # at least one side has files
            return _distinct(rows, slice_of)
        return _distinct(_differing(old, new, slice_of), F.col("slice"))
    except Exception as error:
        if vacuumed(error):
            return None
        raise


def vacuumed(error: Exception) -> bool:
    """Whether files of an older version are not there any more."""
    return any(word in str(error) for word in ("FILE_NOT_EXIST", "FileNotFound", "PATH_NOT_FOUND"))


def published_windows(table: DeltaTable, before: int | None, after: int) -> frozenset[str] | None:
    """The windows that commits between two versions published; None where others wrote too."""
    if before is None or before > after:
        return None
    windows: set[str] = set()
    try:
        for version in range(before + 1, after + 1):
            commit = table.commit(version)
            if "windows" not in commit.metadata:
                return None
            windows.update(commit.metadata["windows"])
    except HeadgateError:
        return None
    return frozenset(windows)


def _net_files(table: DeltaTable, before: int, after: int) -> tuple[list[str], list[str], bool]:
    added: dict[str, None] = {}
    removed: dict[str, None] = {}
    marked = False
    for version in range(before + 1, after + 1):
        commit = table.commit(version)
        if commit.same_rows:
            continue  # what it wrote and removed holds the same rows: in sum it is nothing
        marked = marked or commit.marked
        for path in commit.removed:
            if added.pop(path, 0) == 0:
                removed[path] = None
        added.update(dict.fromkeys(commit.added))
    return list(added), list(removed), marked


def rows_of(table: DeltaTable, version: int, files: list[str]) -> DataFrame | None:
    """The rows of some files, as they were written; None without files."""
    if not files:
        return None
    schema = table.schema(version)
    paths = [f"{table.path}/{unquote(name)}" for name in files]
    reader = table.spark.read.schema(schema).option("basePath", table.path)
    return reader.parquet(*paths)


def _differing(old: DataFrame, new: DataFrame, slice_of: Column) -> DataFrame:
    """Rows that stand a different number of times on the two sides."""

    def side(df: DataFrame, sign: int) -> DataFrame:
        row = F.to_json(F.struct(*[F.col(f"`{name}`") for name in sorted(df.columns)]), AS_JSON)
        return df.select(slice_of.cast("string").alias("slice"), row.alias("row")).select(
            "slice", F.xxhash64("row").alias("row"), F.lit(sign).alias("sign")
        )

    both = side(old, -1).unionAll(side(new, 1))
    return both.groupBy("slice", "row").agg(F.sum("sign").alias("n")).where("n <> 0")


def _distinct(rows: DataFrame, slice_of: Column) -> frozenset[str]:
    found = rows.select(slice_of.cast("string").alias("slice")).distinct().collect()
    return frozenset(row["slice"] for row in found if row["slice"] is not None)
