"""Labels as a person hands them in: a file or a Delta table; and what is made of them, as files."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from headgate.conf.settings import placed
from headgate.core.errors import Usage
from headgate.storage.files import files_for
from headgate.storage.vectors import as_arrays

LINES = (".jsonl", ".ndjson")


def labels_at(spark: SparkSession, place: str) -> DataFrame:
    """The rows of a CSV, JSON-lines or Parquet file, or of a Delta table, with their types."""
    where = placed(place, Path.cwd())
    folder, _, name = where.rstrip("/").rpartition("/")
    files = files_for(folder or "/", spark)
    if not files.exists(name):
        raise Usage("there are no labels", where=place, next="--labels FILE, or a table's name")
    kind = Path(name).suffix.lower()
    if files.exists(f"{name}/_delta_log"):
        return spark.read.format("delta").load(where)
    if kind == ".csv":
        return spark.read.option("header", True).option("inferSchema", True).csv(where)
    if kind in LINES:
        return spark.read.json(where)
    if kind == ".parquet":
        return spark.read.parquet(where)
    raise Usage("labels come as .csv, .jsonl or .parquet, or as a Delta table", where=place)


def as_parquet(rows: DataFrame, place: str) -> DataFrame:
    """Write rows as Parquet files where nothing is yet, and read them back.

    Vectors become arrays of numbers, which everybody reads.
    """
    spark, where = rows.sparkSession, placed(place, Path.cwd())
    if any(True for _ in files_for(where, spark).listing("")):
        raise Usage("there is something already", where=place, next="--to another place")
    as_arrays(rows).write.mode("errorifexists").parquet(where)
    return spark.read.parquet(where)
