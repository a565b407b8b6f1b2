"""What a table's tokens stand for: the one place that leads from a token back to its value."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable


class Vault:
    """The tokens of one table, each with its value, encrypted. Written under the table's lease."""

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.spark, self.path = spark, path
        self._delta = DeltaTable(spark, path)

    def rows(self) -> DataFrame | None:
        """All tokens, or None where none was ever made."""
        return self._delta.read() if self._delta.latest() is not None else None

    def keep(self, told: DataFrame) -> None:
        """Commit the tokens that are not there yet; whose table is never published does no harm."""
        new = told.dropDuplicates(["token"])
        known = self.rows()
        if known is not None:
            new = new.join(known.select("token"), "token", "left_anti")
        draft = open_draft(self.spark, self.path, fence=None, by_window=False)
        draft.write(new.select("token", "sealed"))
        if sum(file.rows for file in draft.written()):
            draft.commit(replace=None, without=frozenset(), metadata={"headgate": {"vault": True}})
        else:
            draft.abandon()

    def keep_only(self, used: DataFrame) -> int:
        """Forget the tokens that are not among these; how many those were."""
        known = self.rows()
        if known is None:
            return 0
        kept = known.join(used.select("token").distinct(), "token", "left_semi")
        draft = open_draft(self.spark, self.path, fence=None, by_window=False)
        draft.write(kept.select("token", "sealed"))
        gone = known.count() - sum(file.rows for file in draft.written())
        if gone:
            metadata = {"headgate": {"vault": True}}
            draft.commit(replace="true", without=frozenset(), metadata=metadata)
        else:
            draft.abandon()
        return gone
