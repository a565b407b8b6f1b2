"""The checksum that Delta leaves beside a commit: what a small table holds, without a Spark job.

Delta finds the files of each query, and the writers it has seen, by a job of its own, which for a
small table takes longer than reading it, and so it does for a few windows of a large one. The
checksum of a version names all files up to a number that the session sets.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

SMALL = 32 << 20  # bytes: a file below is small
MOST = 50  # files that are read by their names: more would be listed by a job of Spark's


@dataclass(frozen=True)
class Checksum:
    """What is noted of one version of a table; anything may be missing."""

    found: dict[str, Any]

    @classmethod
    def of(cls, content: bytes) -> Checksum | None:
        try:
            found = json.loads(content)
        except ValueError:
            return None
        return cls(found) if isinstance(found, dict) else None

    def transaction(self, name: str) -> int | None:
        """The last transaction of a writer, -1 where it is not known; None where none is told.

        >>> told = Checksum({"setTransactions": [{"appId": "a", "version": 4}]})
        >>> told.transaction("a"), told.transaction("b"), Checksum({}).transaction("a")
        (4, -1, None)
        """
        told = self.found.get("setTransactions")
        if told is None:
            return None
        return max((int(one["version"]) for one in told if one["appId"] == name), default=-1)

    def crowd(self, folders: int) -> int:
        """How many files more than folders there are, where they are small on the average.

        >>> Checksum({"numFiles": 90, "tableSizeBytes": 900_000}).crowd(3)
        87
        >>> Checksum({"numFiles": 90, "tableSizeBytes": 90 * SMALL}).crowd(3), Checksum({}).crowd(1)
        (0, 0)
        """
        files, size = self.found.get("numFiles") or 0, self.found.get("tableSizeBytes") or 0
        return max(files - folders, 0) if size < files * SMALL else 0

    def schema(self) -> T.StructType | None:
        """The table's columns, where they are called as in its files."""
        text = (self.found.get("metadata") or {}).get("schemaString")
        return T.StructType.fromJson(json.loads(text)) if text and self._plain() else None

    def rows(
        self, spark: SparkSession, table: str, windows: Collection[str] | None = None
    ) -> DataFrame | None:
        """The rows of the table, or at least those of some windows.

        None where the names of its files do not tell all, or are too many.
        """
        paths, schema = self._paths(windows), self.schema()
        if paths is None or schema is None or any(letter in table for letter in "*?[]{}\\"):
            return None
        if len(paths) > MOST:
            return None
        if not paths:
            return spark.createDataFrame([], schema)
        reader = spark.read.schema(schema).option("basePath", table)
        rows = reader.parquet(*[f"{table}/{path}" for path in paths])
        return rows.select([F.col(f"`{name}`") for name in schema.names])

    def _plain(self) -> bool:
        """Whether the table asks nothing of its readers."""
        return bool((self.found.get("protocol") or {}).get("minReaderVersion") == 1)

    def _paths(self, windows: Collection[str] | None) -> list[str] | None:
        """The files below the table, or of some windows, where each is read as it is."""
        files, about = self.found.get("allFiles"), self.found.get("metadata") or {}
        if files is None or not self._plain() or len(files) != self.found.get("numFiles"):
            return None
        parts = about.get("partitionColumns") or []
        if windows is not None and "_window" in parts:
            files = [one for one in files if one["partitionValues"].get("_window") in windows]
        paths = [unquote(one["path"]) for one in files]
        marked = any(one.get("deletionVector") for one in files)
        return None if marked or not all(_lies_by(path, parts) for path in paths) else paths


def _lies_by(path: str, columns: Sequence[str]) -> bool:
    """Whether a file lies in the folders of its partition, below the table.

    >>> _lies_by("_window=2026-11-20/part-0.parquet", ["_window"]), _lies_by("/a/b", [])
    (True, False)
    """
    *folders, _ = path.split("/")
    return [folder.partition("=")[0] for folder in folders] == list(columns)
