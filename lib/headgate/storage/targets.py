"""The ways a table is published: by window, by key, by period. Each gives a draft and a commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import DataFrame, SparkSession

from headgate.storage.files import files_for
from headgate.storage.keyed import Coming, Keyed, Way, merged, merged_version
from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable
from headgate.storage.transaction import Draft
from headgate.transforms.contract import literal, quoted


@dataclass(frozen=True)
class Publication:
    """What one commit makes visible."""

    windows: tuple[str, ...]  # published
    without: frozenset[str]  # judged in the same pass, but left out
    metadata: Mapping[str, Any]
    fence: int


class Target(Protocol):
    """Where accepted rows go."""

    path: str
    by_window: bool  # its files carry their window, so that some can be left out

    def draft(self, fence: int) -> Draft: ...

    def prepared(self, rows: DataFrame, draft: Draft, windows: Sequence[str]) -> DataFrame:
        """The rows to write: with those that share files with the replaced ones."""

    def held(self, window: str, version: int) -> DataFrame | None:
        """The rows of a slice just before a version of the table; None where there was no table."""

    def nothing(self) -> DataFrame:
        """No rows, in the shape that it takes."""

    def whole(self, rows: DataFrame) -> DataFrame:
        """The table that these accepted rows make, if they are all there are."""

    def of(self, windows: Sequence[str]) -> str | None:
        """SQL: the table's rows of some slices; None where slices are not told apart in it."""

    def publish(self, draft: Draft, publication: Publication) -> int: ...


@dataclass
class ByWindow:
    """Each window's rows replace what the table held of that window."""

    spark: SparkSession
    path: str
    by_window: bool = True
    known: frozenset[str] = frozenset()  # windows that the table may hold

    def draft(self, fence: int) -> Draft:
        return open_draft(self.spark, self.path, fence=fence, by_window=True)

    def prepared(self, rows: DataFrame, draft: Draft, windows: Sequence[str]) -> DataFrame:
        self.known = there(self.spark, self.path, windows)
        return rows

    def held(self, window: str, version: int) -> DataFrame | None:
        return _held(self.spark, self.path, version - 1, [window])

    def nothing(self) -> DataFrame:
        return DeltaTable(self.spark, self.path).nothing()

    def whole(self, rows: DataFrame) -> DataFrame:
        return rows

    def of(self, windows: Sequence[str]) -> str | None:
        return among("_window", windows)

    def publish(self, draft: Draft, publication: Publication) -> int:
        return draft.commit(
            replace=among("_window", sorted(self.known & set(publication.windows))),
            without=publication.without,
            metadata={"headgate": dict(publication.metadata)},
        )


@dataclass
class ByPeriod:
    """Rows of the given periods are replaced; the table is laid out for its readers."""

    spark: SparkSession
    path: str
    column: str
    text_of: Callable[[str], str]  # a slice as the column's text
    by_window: bool = False

    def draft(self, fence: int) -> Draft:
        return open_draft(self.spark, self.path, fence=fence, by_window=False)

    def replaced(self, windows: Sequence[str]) -> str | None:
        return among(self.column, [self.text_of(window) for window in windows])

    def prepared(self, rows: DataFrame, draft: Draft, windows: Sequence[str]) -> DataFrame:
        replaced = self.replaced(windows)
        staying = draft.survivors(replaced) if replaced else None
        if staying is None:
            return rows
        return rows.unionByName(staying, allowMissingColumns=True)

    def held(self, window: str, version: int) -> DataFrame | None:
        rows, condition = _held(self.spark, self.path, version - 1), self.replaced([window])
        return rows if rows is None or condition is None else rows.where(condition)

    def nothing(self) -> DataFrame:
        return DeltaTable(self.spark, self.path).nothing()

    def whole(self, rows: DataFrame) -> DataFrame:
        return rows

    def of(self, windows: Sequence[str]) -> str | None:
        return self.replaced(windows)

    def publish(self, draft: Draft, publication: Publication) -> int:
        return draft.commit(
            replace=self.replaced(publication.windows),
            without=frozenset(),
            metadata={"headgate": dict(publication.metadata)},
        )


@dataclass
class ByKey:
    """Accepted rows are kept by window below `ops`; the table is merged from them by key."""

    spark: SparkSession
    path: str
    keyed: Keyed
    way: Way
    published: frozenset[str]  # windows that the table already has
    by_window: bool = True
    known: frozenset[str] = frozenset()  # windows that the store may hold

    def draft(self, fence: int) -> Draft:
        self._forget_unpublished()
        return open_draft(self.spark, self.keyed.store, fence=fence, by_window=True)

    def _forget_unpublished(self) -> None:
        """What a crashed run stored but never published would hide the keys that it replaced."""
        table, store = DeltaTable(self.spark, self.path), DeltaTable(self.spark, self.keyed.store)
        seen, latest = merged_version(table, table.latest()), store.latest()
        if seen is None or latest is None or latest <= seen:
            return
        if latest > (rest := store.resting(seen)):
            store.restore(rest)

    def prepared(self, rows: DataFrame, draft: Draft, windows: Sequence[str]) -> DataFrame:
        self.known = there(self.spark, self.keyed.store, windows)
        return rows

    def held(self, window: str, version: int) -> DataFrame | None:
        before = merged_version(DeltaTable(self.spark, self.path), version - 1)
        if before is None:
            return None
        return _held(self.spark, self.keyed.store, before, [window])

    def nothing(self) -> DataFrame:
        return DeltaTable(self.spark, self.keyed.store).nothing()

    def whole(self, rows: DataFrame) -> DataFrame:
        return self.way.shown(self.spark, self.keyed, rows)

    def of(self, windows: Sequence[str]) -> str | None:
        return None

    def publish(self, draft: Draft, publication: Publication) -> int:
        version = draft.commit(
            replace=among("_window", sorted(self.known & set(publication.windows))),
            without=publication.without,
            metadata={"headgate": {"windows": list(publication.windows)}},
        )
        coming = Coming(
            version,
            publication.windows,
            self.published,
            publication.metadata,
            publication.fence,
        )
        return merged(self.spark, self.path, self.keyed, self.way, coming)


def there(spark: SparkSession, path: str, windows: Sequence[str]) -> frozenset[str]:
    """The windows of which the table may hold files, seen before anything is written.

    A partition has a folder: that is seen faster than Spark reads the log.
    """
    files = files_for(path, spark)
    return frozenset(window for window in windows if files.exists(f"_window={window}"))


def _held(
    spark: SparkSession, path: str, version: int, windows: Sequence[str] | None = None
) -> DataFrame | None:
    return None if version < 0 else DeltaTable(spark, path).read(version, windows)


def among(column: str, values: Sequence[str]) -> str | None:
    """SQL: the column is one of these texts (dates and timestamps are written as text)."""
    if not values:
        return None
    return f"{quoted(column)} IN ({', '.join(literal(value) for value in values)})"
