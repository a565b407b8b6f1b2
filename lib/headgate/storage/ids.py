"""Ids that were given to values once: a small Delta table for each column of a feature table."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable
from headgate.transforms.hidden import THEIRS, column
from headgate.transforms.ids import ID, SINCE

FOLDER = "ops/ids"


class Ids:
    """The ids of one column's values. Written under the lease of the table that uses them."""

    def __init__(self, spark: SparkSession, lake: str, table: str, name: str) -> None:
        self.spark, self.name = spark, name
        self.path = f"{lake}/{FOLDER}/{table}/{name}"
        self._delta = DeltaTable(spark, self.path)

    def rows(self) -> DataFrame | None:
        """All ids; None where none was ever given. Of a value that was forgotten the id stays."""
        return self._delta.read() if self._delta.latest() is not None else None

    def keep(self, new: DataFrame, fence: int) -> None:
        """Commit new ids before anybody sees them; a writer that lost its lease cannot.

        If the table is not published after that, they are there for the next try.
        """
        first = self._delta.latest() is None
        draft = open_draft(self.spark, self.path, fence=fence, by_window=False)
        try:
            draft.write(new.select(column(self.name), F.col(ID).cast("int").alias(ID), SINCE))
            if first or any(file.rows for file in draft.written()):
                draft.commit(
                    replace=None, without=frozenset(), metadata={"headgate": {"ids": self.name}}
                )
            else:
                draft.abandon()
        except BaseException:
            draft.abandon()
            raise

    def forget(self, marked: DataFrame) -> None:
        """Leave ids without the values of people who are erased: nobody else is given them."""
        value = F.when(~column(THEIRS), column(self.name)).alias(self.name)
        draft = open_draft(self.spark, self.path, fence=None, by_window=False)
        draft.write(marked.select(value, ID, SINCE))
        draft.commit(replace="true", without=frozenset(), metadata={"headgate": {"erased": True}})
