"""What a table's folder costs: small files that could be few, and files that nobody needs.

Measuring decides nothing, and changes nothing. Compaction is Delta's own OPTIMIZE, whose commit
moves rows and says so. Removing is not Delta's VACUUM: that lists by Spark jobs, tells no sizes
beforehand, and knows nothing of what drafts leave beside the data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pyspark.sql import SparkSession

from headgate.storage.checksum import SMALL
from headgate.storage.files import FileInfo
from headgate.storage.remains import LOG, Active, Remains
from headgate.storage.session import committing_session
from headgate.storage.staged import offers_transaction
from headgate.storage.tables import DeltaTable
from headgate.storage.transaction import FileDraft

FULL = 4 * SMALL  # bytes: what compaction fills
DRAFTS = ("_staged/", "_pending/")  # what drafts leave beside the data


@dataclass(frozen=True)
class Amount:
    """Some files."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Upkeep:
    """What of a table's folder could be fewer, or gone."""

    live: Amount  # of the newest version
    small: Amount  # small ones that lie beside others of their kind
    into: int  # files that those would be
    old: tuple[FileInfo, ...]  # that no version needs which is still to be kept

    @property
    def freed(self) -> Amount:
        return Amount(len(self.old), sum(one.size for one in self.old))

    @property
    def noted(self) -> bool:
        """Whether drafts that were never committed are among what nobody needs."""
        return any(one.path.startswith("_pending/") for one in self.old)


def measured(remains: Remains, since: float) -> Upkeep:
    """What a folder holds; versions that ended before `since` (seconds) are kept no longer."""
    active = remains.active()
    needed = {one.path for one in active} | _removed(remains, since)
    old = tuple(
        one for one in remains.infos()
        if one.modified_ns < since * 1e9 and _of_rows(one.path) and one.path not in needed
    )  # fmt: skip
    groups = [one for one in _small(active) if len(one) > 1]
    small = [file.size for group in groups for file in group]
    into = sum(math.ceil(sum(file.size for file in group) / FULL) for group in groups)
    live = Amount(len(active), sum(one.size for one in active))
    return Upkeep(live, Amount(len(small), sum(small)), into, old)


def _removed(remains: Remains, since: float) -> set[str]:
    """The files of versions that were the newest at that moment or later, and are not any more."""
    table, found = DeltaTable(remains.spark, remains.path), set[str]()
    for version in reversed(table.versions()):
        commit = table.commit(version)
        if 0 < commit.at < since:
            break
        found |= {unquote(path) for path in commit.removed}
    return found


def _of_rows(path: str) -> bool:
    """Whether a file below a table is Headgate's or Delta's to remove, once nobody needs it.

    >>> [_of_rows(p) for p in ("_window=a/part-0.parquet", "_delta_log/1.checkpoint.parquet",
    ...                        "notes.txt", "_staged/4-ab/_SUCCESS", "_staged/4-ab/.x.crc")]
    [True, False, False, True, False]
    """
    if path.startswith(f"{LOG}/") or path.rpartition("/")[2].startswith("."):
        return False  # Hadoop's own checksums go with their files
    return path.endswith(".parquet") or path.startswith(DRAFTS)


def _small(active: list[Active]) -> list[list[Active]]:
    """Small files, by the partition that they lie in."""
    groups: dict[str | None, list[Active]] = {}
    for one in active:
        if one.size < SMALL:
            groups.setdefault(one.window, []).append(one)
    return list(groups.values())


def compacted(remains: Remains, told: Mapping[str, Any]) -> int:
    """Write small files together, in one commit that says this; how many files that made."""
    from delta.tables import DeltaTable as Handle

    sizes = {
        "spark.databricks.delta.optimize.minFileSize": str(SMALL),
        "spark.databricks.delta.optimize.maxFileSize": str(FULL),
    }
    apart = committing_session(remains.spark, told, sizes)
    row = Handle.forPath(apart, remains.path).optimize().executeCompaction().collect()[0]
    return int(row["metrics"]["numFilesAdded"])


def shut_out(remains: Remains, fence: int, told: Mapping[str, Any]) -> None:
    """Let no driver that slept through its lease commit files that are about to be removed.

    A commit with this token, of no rows; it removes what such drivers have noted.
    """
    if offers_transaction(remains.spark):
        draft = FileDraft(remains.spark, remains.path, fence=fence, by_window=False)
        draft.commit(replace=None, without=frozenset(), metadata={"headgate": dict(told)})


def whole_versions(spark: SparkSession, path: str) -> frozenset[int]:
    """The versions of a table whose log and files are all there."""
    table, there = DeltaTable(spark, path), set(Remains(spark, path).data())
    versions = table.versions()
    for version in reversed(versions):
        gone = [name for name in table.commit(version).removed if unquote(name) not in there]
        if gone:
            return frozenset(one for one in versions if one >= version)
    return frozenset(versions)
