"""What people repaired, table by table: it is read in the place of what was rejected."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from headgate.storage.files import files_for
from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable

FOLDER = "ops/corrections"


class Corrections:
    """The corrections of one table, the newest of a record in force. Written under its lease."""

    def __init__(self, spark: SparkSession, lake: str, table: str) -> None:
        self.spark, self.path = spark, f"{lake}/{FOLDER}/{table}"
        self._delta = DeltaTable(spark, self.path)

    def rows(self) -> DataFrame | None:
        """All that were ever made, or None where there is none."""
        return self._delta.read() if self._delta.latest() is not None else None

    def keep(self, made: DataFrame, replay: str) -> None:
        """Commit new ones."""
        draft = open_draft(self.spark, self.path, fence=None, by_window=False)
        draft.write(made)
        draft.commit(replace=None, without=frozenset(), metadata={"headgate": {"replay": replay}})

    def keep_only(self, rows: DataFrame) -> None:
        """Make these all the corrections that there are."""
        draft = open_draft(self.spark, self.path, fence=None, by_window=False)
        draft.write(rows)
        draft.commit(replace="true", without=frozenset(), metadata={"headgate": {"erased": True}})


def corrected_tables(spark: SparkSession, lake: str) -> frozenset[str]:
    """The tables that have corrections: one listing for all."""
    files = files_for(lake, spark).listing(f"{FOLDER}/")
    return frozenset(file.path.removeprefix(f"{FOLDER}/").partition("/")[0] for file in files)
