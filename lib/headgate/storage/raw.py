"""Files of the raw zone as DataFrames: every record with its file and number, none lost.

Columns are read as text (Parquet as it is) and brought to the contract afterwards, so that a value
that does not fit costs its row, not the run. A record that cannot be read at all keeps its raw
text. Each file is one task and is read in order, so the number of a record is its place in it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import ShapeBroken
from headgate.core.spec import FileSource
from headgate.storage.faults import classify
from headgate.storage.files import Files
from headgate.transforms.hidden import OTHERS, TEXT

HEAD = 1 << 18  # bytes that are enough to see a header and whether a file is text
TASK = 128 << 20  # bytes that one task reads, where files are small


@dataclass(frozen=True)
class SourceFile:
    """A file that is to be read, and what its rows carry."""

    path: str  # below the raw zone
    window: str
    first_seen: datetime
    size: int = 0


@dataclass(frozen=True)
class Shape:
    """What the files of one kind hold: column names by the names their raw columns get."""

    columns: tuple[tuple[str, str], ...]  # (raw column, name in the file)


def shape_of(files: Files, path: str, source: FileSource) -> Shape | None:
    """The names in a file's header; None where the format has none. Raises `ShapeBroken`."""
    if source.format != "csv":
        _refuse_unreadable(files, path, source)
        return None
    text = _head(files, path, source)
    names = _header(text, source, path)
    if not _has_header(source):
        return Shape(tuple((f"c{place}", f"_c{place}") for place in range(len(names))))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ShapeBroken(f"the header names '{twice[0]}' twice", where=path)
    return Shape(tuple((f"c{place}", name) for place, name in enumerate(names)))


def _has_header(source: FileSource) -> bool:
    return str(source.options.get("header", True)).lower() == "true"


def _head(files: Files, path: str, source: FileSource) -> str:
    content = files.read_bytes(path, 0, HEAD)
    if not content:
        raise ShapeBroken("the file is empty (0 bytes)", where=path, next="ask for it again")
    if path.endswith(".gz"):
        try:
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read1(HEAD)
        except (OSError, EOFError):
            raise ShapeBroken(
                "the file is not gzip, as its name says", where=path, next="ask for it again"
            ) from None
    encoding = str(source.options.get("encoding", "UTF-8"))
    wide = encoding.upper().startswith(("UTF-16", "UTF-32"))
    if b"\x00" in content and not wide:
        raise ShapeBroken("the file is binary, not text", where=path, next="ask for it again")
    text = content.decode(encoding, errors="replace").removeprefix("\ufeff")
    if not text.strip():
        raise ShapeBroken("the file holds no text", where=path, next="ask for it again")
    return text


def _refuse_unreadable(files: Files, path: str, source: FileSource) -> None:
    """What can be told from a file's ends, before Spark stumbles over it."""
    if source.format != "parquet":
        if files.read_bytes(path, 0, 1):
            _head(files, path, source)
        return
    ends = files.read_bytes(path, 0, 4), files.read_bytes(path)[-4:]
    if ends != (b"PAR1", b"PAR1"):
        raise ShapeBroken(
            "the file is not Parquet, or was cut off", where=path, next="ask for it again"
        )


def _header(text: str, source: FileSource, path: str) -> list[str]:
    sep = str(source.options.get("sep", source.options.get("delimiter", ",")))
    quote = str(source.options.get("quote", '"')) or '"'
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sep, quotechar=quote)
    try:
        names = next(row for row in reader if row)
    except (StopIteration, csv.Error):
        raise ShapeBroken("the file has no header", where=path) from None
    return [name.strip() for name in names]


def read_files(
    spark: SparkSession,
    files: Files,
    chosen: Sequence[SourceFile],
    source: FileSource,
    shape: Shape | None,
    names: Sequence[str],
) -> tuple[DataFrame, Shape]:
    """The records of files of one shape. `names` are the columns that the contract looks for."""
    paths = [files.for_spark(file.path) for file in chosen]
    if source.format == "csv":
        assert shape is not None  # a CSV file has one
        rows = _csv(spark, paths, source, shape)
    elif source.format == "parquet":
        rows, shape = _parquet(spark, paths)
    else:
        rows, shape = _json(spark, paths, source, names)
    uris = [files.uri(file.path) for file in chosen]  # as Spark shows them
    return _in_few_tasks(_origin(spark, rows, chosen, uris), chosen), shape


def _in_few_tasks(rows: DataFrame, chosen: Sequence[SourceFile]) -> DataFrame:
    """The rows of small files, several files a task, one after the other.

    They were read a file at a time, for the numbers of their records; a task of its own for each
    would cost more than its rows.
    """
    enough = 4 * rows.sparkSession.sparkContext.defaultParallelism
    tasks = max(enough, sum(file.size for file in chosen) // TASK + 1)
    return rows.coalesce(tasks) if len(chosen) > tasks else rows


def _csv(spark: SparkSession, paths: Sequence[str], source: FileSource, shape: Shape) -> DataFrame:
    fields = [T.StructField(raw, T.StringType()) for raw, _ in shape.columns]
    schema = T.StructType([*fields, T.StructField(TEXT, T.StringType())])
    options: dict[str, bool | int | str] = {
        "header": _has_header(source),
        "multiLine": True,
        "escape": str(source.options.get("quote", '"')),  # a quote in a text is written twice
        "maxCharsPerColumn": -1,
    }
    options |= dict(source.options)
    options |= {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": TEXT, "enforceSchema": True}
    rows = spark.read.schema(schema).options(**options).csv(list(paths))
    return _numbered(rows, schema.names)


def _numbered(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """Rows with the file they come from and their number in it."""
    place = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1))
    columns = [F.col(f"`{name}`") for name in names]
    return rows.select(
        *columns, F.col("_metadata.file_path").alias("__uri"), (place + 1).alias("_row")
    )


def _json(
    spark: SparkSession, paths: Sequence[str], source: FileSource, names: Sequence[str]
) -> tuple[DataFrame, Shape]:
    """Top-level keys as texts: numbers and nested values keep the form they came in."""
    encoding = str(source.options.get("encoding", "UTF-8"))
    whole = source.format == "json"
    lines = spark.read.option("encoding", encoding).text(list(paths), wholetext=whole)
    if whole:
        rows = _documents(lines)
    else:
        rows = _numbered(lines.where(F.trim("value") != ""), ["value"])
        parsed = F.from_json("value", "map<string,string>")
        rows = rows.select("__uri", "_row", "value", parsed.alias("map"))
    bad = F.col("map").isNull()
    columns = [F.col("map")[name].alias(f"c{place}") for place, name in enumerate(names)]
    known = F.array(*[F.lit(name) for name in names]).cast("array<string>")
    others = F.map_filter("map", lambda key, _: ~F.array_contains(known, key))
    rows = rows.select(
        "__uri",
        "_row",
        *columns,
        F.when(F.size(others) > 0, F.to_json(others)).alias(OTHERS),
        F.when(bad, F.col("value")).alias(TEXT),
    )
    return rows, Shape(tuple((f"c{place}", name) for place, name in enumerate(names)))


def _documents(texts: DataFrame) -> DataFrame:
    """One row for each object of a document that holds an array of them, or one."""
    document = F.regexp_replace("value", "^\ufeff", "")
    parsed = F.from_json(document, "array<map<string,string>>")
    rows = texts.select(
        F.col("_metadata.file_path").alias("__uri"), F.col("value"), parsed.alias("maps")
    )
    rows = rows.select("__uri", "value", F.posexplode_outer("maps").alias("place", "map"))
    place = F.coalesce(F.col("place"), F.lit(0)) + 1
    return rows.select("__uri", place.cast("bigint").alias("_row"), "value", "map")


def _parquet(spark: SparkSession, paths: Sequence[str]) -> tuple[DataFrame, Shape]:
    rows = spark.read.parquet(*paths)
    names = rows.columns
    columns = [F.col(f"`{name}`").alias(f"c{place}") for place, name in enumerate(names)]
    rows = rows.select(
        *columns,
        F.col("_metadata.file_path").alias("__uri"),
        (F.col("_metadata.row_index") + 1).alias("_row"),
        F.lit(None).cast("string").alias(TEXT),
    )
    return rows, Shape(tuple((f"c{place}", name) for place, name in enumerate(names)))


def parquet_shapes(
    spark: SparkSession, files: Files, chosen: Sequence[SourceFile]
) -> tuple[Mapping[str, list[SourceFile]], Mapping[SourceFile, ShapeBroken]]:
    """Files by the schema in their footers, to be read together; and those with a damaged one."""
    groups: dict[str, list[SourceFile]] = {}
    damaged: dict[SourceFile, ShapeBroken] = {}
    for file in chosen:
        try:
            text = spark.read.parquet(files.for_spark(file.path)).schema.json()
        except Exception as error:
            told = classify(error)
            if not isinstance(told, ShapeBroken):
                raise
            damaged[file] = told
            continue
        groups.setdefault(text, []).append(file)
    return groups, damaged


def _origin(
    spark: SparkSession, rows: DataFrame, chosen: Sequence[SourceFile], uris: Sequence[str]
) -> DataFrame:
    """Rows with `_file`, `_window` and `_ingested_at`."""
    if len(chosen) == 1:
        file = chosen[0]
        return rows.select(
            *_but_uri(rows),
            F.lit(file.path).alias("_file"),
            F.lit(file.window).alias("_window"),
            _moment(F.lit(file.first_seen.isoformat())).alias("_ingested_at"),
        )
    listed = [
        {
            "__uri": uri,
            "_file": file.path,
            "_window": file.window,
            "_at": file.first_seen.isoformat(),
        }
        for uri, file in zip(uris, chosen, strict=True)
    ]
    kind = "array<struct<__uri: string, _file: string, _window: string, _at: string>>"
    known = spark.range(1).select(F.inline(F.from_json(F.lit(json.dumps(listed)), kind)))
    known = known.select(
        F.col("__uri").alias("__of"),
        "_file",
        "_window",
        _moment(F.col("_at")).alias("_ingested_at"),
    )
    # Outer: a record whose file is not found here must show up as a miscount, not vanish.
    joined = rows.join(F.broadcast(known), F.col("__uri") == F.col("__of"), "left")
    return joined.select(*_but_uri(rows), "_file", "_window", "_ingested_at")


def _but_uri(rows: DataFrame) -> list[Column]:
    return [F.col(f"`{name}`") for name in rows.columns if name != "__uri"]


def _moment(text: Column) -> Column:
    return text.cast("timestamp")
