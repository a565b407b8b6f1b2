"""Drafts: Delta's own transaction where it offers one, else staged files that are written again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import Held
from headgate.storage.files import files_for
from headgate.storage.pending import stage_of, stages_left
from headgate.storage.tables import DeltaTable, null_filled, schema_after
from headgate.storage.transaction import (
    FENCE,
    Draft,
    FileDraft,
    WrittenFile,
    in_own_windows,
)
from headgate.transforms.hidden import ASIDE, VAULT

_OFFERS: dict[str, bool] = {}  # by version of Spark: whether the transaction can be used


def open_draft(
    spark: SparkSession,
    path: str,
    *,
    fence: int | None,
    by_window: bool,
    properties: Mapping[str, str] = MappingProxyType({}),
) -> Draft:
    """The draft that this build of Delta allows. Properties are those of a table it makes."""
    if os.environ.get("HEADGATE_PUBLISH") == "staged" or not offers_transaction(spark):
        return StagedDraft(spark, path, fence=fence, by_window=by_window)
    return FileDraft(spark, path, fence=fence, by_window=by_window, properties=properties)


def offers_transaction(spark: SparkSession) -> bool:
    """Whether Delta's transaction has the methods that `FileDraft` calls."""
    known = _OFFERS.get(spark.version)
    if known is None:
        known = _OFFERS[spark.version] = _probe(spark)
    return known


def _probe(spark: SparkSession) -> bool:
    jvm: Any = spark._jvm
    try:
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        kind = loader.loadClass("org.apache.spark.sql.delta.OptimisticTransaction")
        names = {method.getName() for method in kind.getMethods()}
    except Exception:
        return False
    return {"writeFiles", "filterFiles", "commit", "txnVersion", "updateMetadata"} <= names


class StagedDraft:
    """Rows are staged as Parquet, judged there, and written again by Delta's own writer."""

    def __init__(
        self, spark: SparkSession, path: str, *, fence: int | None, by_window: bool
    ) -> None:
        self._spark, self._path, self._fence, self._by_window = spark, path, fence, by_window
        self._table = DeltaTable(spark, path)
        self._version = self._table.latest()
        self._stage = f"{path}/{stage_of(fence)}"
        self._rows: DataFrame | None = None
        self._aside: DataFrame | None = None

    @property
    def read_version(self) -> int:
        return -1 if self._version is None else self._version

    def write(self, df: DataFrame, apart: Sequence[str] = ()) -> None:
        before = self._table.schema() if self._version is not None else None
        schema = schema_after(before, df.drop(*apart).schema, where=self._path)
        whole = T.StructType([*schema.fields, *(df.schema[name] for name in apart)])
        null_filled(df, whole).write.parquet(self._stage)
        rows = self._spark.read.schema(whole).parquet(self._stage)
        if apart:
            aside = F.col("_window").startswith(ASIDE) | F.col("_window").startswith(VAULT)
            self._aside, rows = rows.where(aside), rows.where(~aside)
        self._rows = rows.drop(*apart)

    def place(self, content: bytes, rows: int, schema: T.StructType) -> None:
        files_for(self._stage, self._spark).create_exclusive("part-0.parquet", content)
        self._rows = self._spark.read.schema(schema).parquet(self._stage)

    def aside(self, mark: str = ASIDE) -> DataFrame:
        assert self._aside is not None  # they were written
        return in_own_windows(self._aside.where(F.col("_window").startswith(mark)), mark)

    def read_back(self) -> DataFrame:
        assert self._rows is not None  # write comes first
        return self._rows

    def written(self) -> tuple[WrittenFile, ...]:
        rows = self.read_back()
        if not self._by_window:
            return (WrittenFile(self._stage, None, rows.count()),)
        found = rows.groupBy("_window").count().collect()
        return tuple(WrittenFile(self._stage, row["_window"], row["count"]) for row in found)

    def survivors(self, replace: str) -> DataFrame | None:
        return None  # Delta's writer keeps them

    def commit(
        self, *, replace: str | None, without: frozenset[str], metadata: Mapping[str, Any]
    ) -> int:
        rows = self.read_back()
        if without:
            rows = rows.where(~F.col("_window").isin(sorted(without)))
        text = json.dumps(metadata, sort_keys=True)
        writer = rows.write.format("delta").option("userMetadata", text)
        if self._by_window:
            writer = writer.partitionBy("_window")
        if self._fence is not None:
            writer = writer.option("txnAppId", FENCE).option("txnVersion", self._fence)
        if replace is None or self._version is None:
            writer = writer.mode("append")
        elif replace == "true":
            writer = writer.mode("overwrite")
        else:
            writer = writer.mode("overwrite").option("replaceWhere", replace)
        writer.option("mergeSchema", "true").save(self._path)
        version = self._committed(text)
        self.abandon()
        if self._fence is not None:
            files = files_for(self._path, self._spark)
            for folder in stages_left(files, self._fence):
                files.delete(folder)
        return version

    def _committed(self, metadata: str) -> int:
        """Spark skips a write with an old fence in silence: the commit has to be there."""
        wanted = json.loads(metadata).get("headgate", {})
        for commit in self._table.commits(self.read_version):
            if commit.metadata == wanted:
                return commit.version
        raise Held(
            "a newer run has taken this table over: this one may not publish any more",
            where=self._path,
            next="nothing; the newer run does the work",
        )

    def abandon(self) -> None:
        jvm: Any = self._spark._jvm
        stage = jvm.org.apache.hadoop.fs.Path(self._stage)
        conf: Any = self._spark._jsc.hadoopConfiguration()
        stage.getFileSystem(conf).delete(stage, True)
