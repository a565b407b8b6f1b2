"""Where rejected rows wait, whole, with every reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.errors import StepFailed
from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable

COLUMNS = ("_record", "_reasons", "_window", "_run", "_file", "_row", "_state")


class Quarantine:
    """The quarantine of one table."""

    def __init__(self, spark: SparkSession, lake: str, table: str) -> None:
        self.spark, self.table = spark, table
        self.path = f"{lake}/quarantine/{table}"
        self._delta = DeltaTable(spark, self.path)

    def exists(self) -> bool:
        return self._delta.latest() is not None

    def rows(self) -> DataFrame | None:
        """All rejected rows, or None where there never were any."""
        return self._delta.read() if self.exists() else None

    def keep(self, rejected: DataFrame, expected: int, runs: Mapping[str, str]) -> None:
        """Commit rejected rows under their runs' ids, if they are as many as were judged."""
        run_of = F.create_map(*[F.lit(text) for pair in runs.items() for text in pair])
        named = rejected.select(
            "*",
            run_of[F.col("_window")].alias("_run"),
            F.lit("open").alias("_state"),
        ).select(*COLUMNS)
        draft = open_draft(self.spark, self.path, fence=None, by_window=False)
        draft.write(named)
        kept = sum(file.rows for file in draft.written())
        if kept != expected:
            draft.abandon()
            raise StepFailed(
                f"{expected:,} rows were rejected, but {kept:,} when they were read again: "
                "a step does not give the same rows twice; nothing was published",
                where=self.table,
                next="make the table's steps deterministic (no rand, no clock, no LIMIT)",
            )
        metadata = {"headgate": {"kept": sorted(runs.values())}}
        draft.commit(replace=None, without=frozenset(), metadata=metadata)

    def supersede(self, runs: Mapping[str, str]) -> None:
        """Rows of these windows that other runs rejected are no longer open."""
        if runs and self.exists():
            others = ~F.col("_run").isin(list(runs.values()))
            self.settle(F.col("_window").isin(list(runs)) & others, "superseded")

    def settle(self, which: Column, state: str) -> None:
        """Open rows that wait for nobody any more."""
        if self.exists():
            mine = which & (F.col("_state") == "open")
            self._handle().update(mine, {"_state": F.lit(state)})

    def settle_each(self, rows: DataFrame) -> None:
        """Open rows become what `state` says, each of them."""
        known = [name for name in COLUMNS if name not in ("_state", "_reasons")]
        same = " AND ".join(f"t.`{name}` <=> s.`{name}`" for name in known)
        told = rows.select(*known, "state").distinct()
        merge = self._handle().alias("t").merge(told.alias("s"), f"t._state = 'open' AND {same}")
        merge.whenMatchedUpdate(set={"_state": "s.state"}).execute()

    def withdraw(self, runs: Sequence[str]) -> None:
        """Rows of runs that published nothing after all do not count."""
        if runs and self.exists():
            self._handle().delete(F.col("_run").isin(list(runs)))

    def reopen(self, run: str) -> None:
        """Rows that a run rejected are open again: what it published is what readers see."""
        if self.exists():
            gone = F.col("_state").isin("superseded", "replayed")
            mine = (F.col("_run") == run) & gone
            self._handle().update(mine, {"_state": F.lit("open")})

    def forget(self, known_runs: Sequence[str]) -> int:
        """Remove rows of runs that crashed: they are in no commit and on no record."""
        if not self.exists():
            return 0
        unknown = ~F.col("_run").isin(list(known_runs))
        lost = self._delta.read().where(unknown).count()
        if lost:
            self._handle().delete(unknown)
        return lost

    def keep_only(self, rows: DataFrame) -> None:
        """Make these all the rows that there are."""
        draft = open_draft(self.spark, self.path, fence=None, by_window=False)
        draft.write(rows.select(*COLUMNS))
        draft.commit(replace="true", without=frozenset(), metadata={"headgate": {"erased": True}})

    def _handle(self) -> Any:
        from delta.tables import DeltaTable as Handle

        return Handle.forPath(self.spark, self.path)
