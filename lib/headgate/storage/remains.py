"""What of a table lies on disk: the files that no version needs, and what its log still tells."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession

from headgate.storage.files import FileInfo, files_for
from headgate.storage.tables import DeltaTable

LOG = "_delta_log"
OURS = ("_staged/", "_pending/", "_change_data/")  # beside the data: of drafts, and of Delta
STATED = ("minValues", "maxValues", "partitionValues", "stats_parsed")  # where logs hold values


@dataclass(frozen=True)
class Active:
    """A data file of the newest version."""

    path: str  # below the table
    size: int
    window: str | None  # its partition value, where the table is laid out by window


@dataclass(frozen=True)
class Remains:
    """One folder of a Delta table, as it lies on disk."""

    spark: SparkSession
    path: str

    @property
    def exists(self) -> bool:
        return DeltaTable(self.spark, self.path).latest() is not None

    def files(self) -> list[str]:
        """All files below the folder, of whatever name."""
        return sorted(info.path for info in self.infos())

    def infos(self) -> Iterator[FileInfo]:
        """All files below the folder, with their sizes and times."""
        return files_for(self.path, self.spark).listing(every=True)

    def data(self) -> list[str]:
        """The data files on disk, those of older versions and of none too."""
        return [
            name for name in self.files()
            if not name.startswith(f"{LOG}/") and name.endswith(".parquet")
        ]  # fmt: skip

    def rows(self) -> DataFrame | None:
        """The rows of all data files on disk; None where there is none."""
        names, schema = self.data(), DeltaTable(self.spark, self.path).schema()
        found: DataFrame | None = None
        parted = [name for name in names if "=" in name]
        for group in (parted, [name for name in names if "=" not in name]):
            if group:
                reader = self.spark.read.schema(schema).option("basePath", self.path)
                rows = reader.parquet(*[f"{self.path}/{name}" for name in group])
                rows = rows.select(*schema.names)
                found = rows if found is None else found.unionByName(rows)
        return found

    def told(self) -> Iterator[tuple[str, str]]:
        """Each file of the log with its lines, those of checkpoints as JSON."""
        files = files_for(self.path, self.spark)
        for name in self.files():
            if not name.startswith(f"{LOG}/") or name.rpartition("/")[2].startswith("."):
                continue
            if name.endswith(".parquet"):
                lines = self.spark.read.parquet(f"{self.path}/{name}").toJSON().toLocalIterator()
                for line in lines:
                    yield name, line
            elif name.endswith((".json", ".crc", "_last_checkpoint")):
                for line in files.read_bytes(name).decode("utf-8").splitlines():
                    yield name, line

    def cut(self, *, back_to: int | None = None) -> None:
        """Leave only the newest version: its files, and a log that tells of nothing else.

        The log stays from `back_to` on, where commits before the newest are still needed; what
        they say of files that are gone is taken out.
        """
        latest = DeltaTable(self.spark, self.path).latest()
        if latest is None:
            return
        kept = self._checkpointed()
        self.delete([name for name in self.data() if name not in kept])
        self.delete([name for name in self.files() if name.startswith(OURS)])
        oldest = latest if back_to is None else min(back_to, latest)
        self.delete([name for name in self.files() if _older(name, oldest, latest)])
        for version in range(oldest, latest + 1):
            self._without_statistics(version, kept)
        jvm: Any = self.spark._jvm
        jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()

    def _checkpointed(self) -> set[str]:
        """Write the newest version down as a checkpoint; the data files that it has."""
        log, snapshot = self._newest()
        ways = [m for m in log.getClass().getMethods() if m.getName() == "checkpoint"]
        if any(way.getParameterCount() == 2 for way in ways):  # Delta 4
            jvm: Any = self.spark._jvm
            log.checkpoint(snapshot, jvm.scala.Option.apply(None))
        else:
            log.checkpoint(snapshot)
        return {one.path for one in self._in(snapshot)}

    def active(self) -> list[Active]:
        """The data files of the newest version."""
        return self._in(self._newest()[1])

    def _newest(self) -> tuple[Any, Any]:
        """Delta's log of the table, and its newest snapshot."""
        jvm: Any = self.spark._jvm
        session: Any = self.spark._jsparkSession
        log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(session, self.path)
        return log, log.startTransaction().snapshot()

    def _in(self, snapshot: Any) -> list[Active]:
        rows = DataFrame(snapshot.allFiles().toDF(), self.spark)
        told = rows.select("path", "size", rows["partitionValues"]["_window"].alias("window"))
        return [Active(unquote(row[0]), row[1], row[2]) for row in told.collect()]

    def delete(self, names: Iterable[str]) -> None:
        """Remove files below the folder, with what Hadoop keeps beside them."""
        jvm: Any = self.spark._jvm
        conf: Any = self.spark._jsc.hadoopConfiguration()
        system = jvm.org.apache.hadoop.fs.Path(self.path).getFileSystem(conf)
        for name in names:
            system.delete(jvm.org.apache.hadoop.fs.Path(f"{self.path}/{name}"), False)

    def _without_statistics(self, version: int, kept: set[str]) -> None:
        """Take what a commit says of the values in files that it removed out of it."""
        files, name = files_for(self.path, self.spark), f"{LOG}/{version:020d}.json"
        lines = files.read_bytes(name).decode("utf-8").splitlines()
        actions = [json.loads(line) for line in lines]
        for action in actions:
            for kind in ("add", "remove"):
                if kind in action and unquote(action[kind]["path"]) not in kept:
                    action[kind].pop("stats", None)
        text = "".join(json.dumps(action) + "\n" for action in actions)
        if [json.loads(line) for line in lines] != actions:
            # First Hadoop's own checksum, of the old text: with it the new one could not be read.
            files.delete(f"{LOG}/.{name.rpartition('/')[2]}.crc")
            files.write_atomic(name, text.encode())


def _older(name: str, oldest: int, latest: int) -> bool:
    """Whether a file of the log is of a version that goes.

    >>> log = "_delta_log/00000000000000000003"
    >>> [_older(f"{log}{end}", 3, 4) for end in (".json", ".crc", ".checkpoint.parquet")]
    [False, True, True]
    """
    folder, _, file = name.rpartition("/")
    digits = file.lstrip(".").partition(".")[0]
    if not folder.startswith(LOG) or not digits.isdigit():
        return False
    return int(digits) < (oldest if file.lstrip(".").endswith((".json", ".json.crc")) else latest)


def states(line: str, values: dict[str, frozenset[str]]) -> bool:
    """Whether a line of a log tells one of these values as the least or greatest of a column.

    >>> line = '{"add":{"stats":"{\\\\"minValues\\\\":{\\\\"id\\\\":42}}"}}'
    >>> states(line, {"id": frozenset({"42"})}), states(line, {"id": frozenset({"4"})})
    (True, False)
    """
    try:
        return _states(json.loads(line), values, stated=False)
    except ValueError:
        return False


def _states(found: Any, values: dict[str, frozenset[str]], *, stated: bool) -> bool:
    if isinstance(found, dict):
        return any(
            (stated and name.lower() in values and str(one) in values[name.lower()])
            or _states(one, values, stated=stated or name in STATED)
            for name, one in found.items()
        )
    if isinstance(found, list):
        return any(_states(one, values, stated=stated) for one in found)
    if isinstance(found, str) and found.startswith("{"):
        return states(found, values)
    return False
