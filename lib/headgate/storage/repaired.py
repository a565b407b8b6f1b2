"""Repaired rows as a person hands them back: a file or a table, each cell a text by its name."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.conf.settings import placed
from headgate.core.errors import Usage
from headgate.storage.files import Files, files_for
from headgate.transforms.contract import as_text
from headgate.transforms.corrections import CELLS, MAP
from headgate.transforms.hidden import column

SEPARATORS = ",;\t"  # some programs write others than they read
TEXTS = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class Given:
    """Repaired rows: CELLS, texts by name. A name that is not there says nothing of its cell."""

    rows: DataFrame
    names: tuple[str, ...]  # all that occur
    blank: bool = False  # whether nothing and an empty text look the same


def given_at(spark: SparkSession, place: str) -> Given:
    """The rows of a CSV, JSON-lines or Parquet file, or of a Delta table."""
    where = placed(place, Path.cwd())
    folder, _, name = where.rstrip("/").rpartition("/")
    files = files_for(folder or "/", spark)
    if not files.exists(name):
        raise Usage("there are no repaired rows", where=place, next="--from FILE")
    kind = Path(name).suffix.lower()
    if files.exists(f"{name}/_delta_log"):
        return given_in(spark.read.format("delta").load(where))
    if kind == ".csv":
        return _csv(spark, files.read_bytes(name), place)
    if kind in TEXTS:
        return _lines(spark, files, name, place)
    if kind == ".parquet":
        return given_in(spark.read.parquet(files.for_spark(name)))
    raise Usage("repaired rows come as .csv, .jsonl or .parquet, or as a Delta table", where=place)


def given_in(rows: DataFrame) -> Given:
    """The rows of a DataFrame."""
    names = tuple(rows.columns)
    if not names:
        raise Usage("the repaired rows have no columns")
    texts = [as_text(column(name), rows.schema[name].dataType) for name in names]
    cells = F.map_from_arrays(F.array(*map(F.lit, names)), F.array(*texts))
    return Given(rows.select(cells.alias(CELLS)), names)


def _csv(spark: SparkSession, content: bytes, place: str) -> Given:
    """Through the driver, by what wrote it; a program in between may have changed its separator."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Usage("is not UTF-8", where=place, next="save it as CSV in UTF-8") from None
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    names, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)) or [[]]
    rows = [row for row in rows if row]
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            what = f"row {number:,} has {len(row)} cells, and the header {len(names)}"
            raise Usage(what, where=place, next="export the rows once more, and repair these")
    cells = [({name: cell or None for name, cell in zip(names, row, strict=True)},) for row in rows]
    frame = spark.createDataFrame(cells, f"`{CELLS}` {MAP}", verifySchema=False)
    return Given(frame, _once(names, place), blank=True)


def _lines(spark: SparkSession, files: Files, name: str, place: str) -> Given:
    lines = spark.read.text(files.for_spark(name)).where(F.trim("value") != "")
    cells = lines.select(F.from_json("value", MAP).alias(CELLS))
    bad = cells.where(column(CELLS).isNull()).count()
    if bad:
        raise Usage(f"{bad:,} lines are no JSON object", where=place, next="one object on a line")
    found = cells.select(F.explode(F.map_keys(CELLS))).distinct().collect()
    return Given(cells, tuple(sorted(row[0] for row in found)))


def _once(names: Sequence[str], place: str) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise Usage("two columns have the same name", where=place, next="is its header there?")
    return tuple(names)
