"""Delta tables as they stand: their schema, log and versions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import Infrastructure, Usage
from headgate.core.fingerprint import digest
from headgate.storage.checksum import Checksum
from headgate.storage.files import Files, files_for


def as_nullable(schema: T.StructType) -> T.StructType:
    """The same schema with every column nullable: a contract is judged by rules, not by Spark."""
    return T.StructType([T.StructField(f.name, f.dataType, True) for f in schema.fields])


def schema_after(before: T.StructType | None, rows: T.StructType, *, where: str) -> T.StructType:
    """The table's schema once these rows are in it: columns may come, types stay."""
    if before is None:
        return as_nullable(rows)
    fields = list(before.fields)
    known = {field.name.lower(): field for field in fields}
    for field in rows.fields:
        old = known.get(field.name.lower())
        if old is None:
            fields.append(T.StructField(field.name, field.dataType, True))
        elif as_text(old.dataType) != as_text(field.dataType):
            raise Usage(
                f"column {field.name} is {as_text(old.dataType)} in the table and "
                f"{as_text(field.dataType)} in this suite",
                where=where,
                next="give the column a new name, or remove the table's folder and run it again",
            )
    return T.StructType(fields)


def as_text(kind: T.DataType) -> str:
    """A type as SQL writes it."""
    return kind.simpleString()


def null_filled(df: DataFrame, schema: T.StructType) -> DataFrame:
    """The rows with exactly these columns, in this order."""
    have = {name.lower() for name in df.columns}

    def column(field: T.StructField) -> Column:
        if field.name.lower() in have:
            return F.col(f"`{field.name}`").alias(field.name)
        return F.lit(None).cast(field.dataType).alias(field.name)

    return df.select([column(field) for field in schema.fields])


def of_windows(rows: DataFrame, windows: Collection[str]) -> DataFrame:
    """The rows of some windows."""
    return rows.where(F.col("_window").isin(list(windows)))


@dataclass(frozen=True)
class Commit:
    """One version of a table, as its log tells."""

    version: int
    metadata: dict[str, Any]  # what Headgate wrote into it; empty where others wrote
    added: tuple[str, ...]
    removed: tuple[str, ...]
    marked: bool  # rows were deleted by marks beside the files, or the schema changed
    same_rows: bool = False  # the table holds what it held before, at most laid out anew
    at: float = 0.0  # seconds since 1970


class DeltaTable:
    """A table in the lake, known by its path."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.spark, self.path = spark, path
        self._files: Files = files_for(path, spark)

    def versions(self) -> list[int]:
        """The versions whose log is still there, in order."""
        names = (info.path for info in self._files.listing("_delta_log/"))
        plain = (name.rpartition("/")[2] for name in names)
        return sorted(int(n[:-5]) for n in plain if n.endswith(".json") and n[:-5].isdigit())

    def stamp(self, version: int) -> str:
        """What tells one version of this table from that of another table at the same place."""
        name = f"_delta_log/{version:020d}.json"
        return digest([self.path, version, self._files.digest(name)])

    def latest(self) -> int | None:
        """The newest version, or None where there is no table."""
        versions = self.versions()
        return versions[-1] if versions else None

    def read(self, version: int | None = None, windows: Collection[str] | None = None) -> DataFrame:
        """The table's rows, now or at a version; all, or those of some windows."""
        checksum = self._checksum(version)
        rows = checksum.rows(self.spark, self.path, windows) if checksum else None
        if rows is None:
            reader = self.spark.read.format("delta")
            if version is not None:
                reader = reader.option("versionAsOf", version)
            rows = reader.load(self.path)
        return rows if windows is None else of_windows(rows, windows)

    def schema(self, version: int | None = None) -> T.StructType:
        """The table's columns, now or at a version."""
        checksum = self._checksum(version)
        found = checksum.schema() if checksum else None
        return self.read(version).schema if found is None else found

    def nothing(self) -> DataFrame:
        """No rows, with the table's columns."""
        return self.spark.createDataFrame([], self.schema())

    def _checksum(self, version: int | None) -> Checksum | None:
        at = self.latest() if version is None else version
        return None if at is None else self.checksum(at)

    def checksum(self, version: int) -> Checksum | None:
        """What Delta noted of a version, where it did."""
        try:
            return Checksum.of(self._files.read_bytes(f"_delta_log/{version:020d}.crc"))
        except FileNotFoundError:
            return None

    def restore(self, version: int) -> None:
        """Make the table what it was at a version, in one commit."""
        from delta.tables import DeltaTable as Handle

        Handle.forPath(self.spark, self.path).restoreToVersion(version)

    def commit(self, version: int) -> Commit:
        """What one version did."""
        name = f"_delta_log/{version:020d}.json"
        try:
            text = self._files.read_bytes(name).decode("utf-8")
        except FileNotFoundError:
            raise Infrastructure(
                f"version {version} is no longer in the log", where=self.path
            ) from None
        added, removed, marked, info = [], [], False, {}
        same, at = True, 0.0
        for line in text.splitlines():
            action = json.loads(line)
            if "add" in action:
                added.append(action["add"]["path"])
                marked = marked or bool(action["add"].get("deletionVector"))
                same = same and not action["add"].get("dataChange", True)
            elif "remove" in action:
                removed.append(action["remove"]["path"])
                same = same and not action["remove"].get("dataChange", True)
            elif "metaData" in action:
                same = False
            elif "commitInfo" in action:
                info = _metadata(action["commitInfo"].get("userMetadata"))
                at = float(action["commitInfo"].get("timestamp", 0)) / 1000
        return Commit(version, info, tuple(added), tuple(removed), marked, same, at)

    def resting(self, version: int) -> int:
        """The newest version that holds just the rows of this one, as far as the log tells."""
        latest = self.latest()
        try:
            while latest is not None and version < latest and self.commit(version + 1).same_rows:
                version += 1
        except Infrastructure:
            pass  # the log was cut there
        return version

    def commits(self, after: int) -> Iterator[Commit]:
        """All versions after one."""
        for version in self.versions():
            if version > after:
                yield self.commit(version)


def _metadata(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found.get("headgate", {}) if isinstance(found, dict) else {}
