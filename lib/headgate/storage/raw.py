"""Files of the raw zone as DataFrames: every record with its file and number, none lost.

Columns are read as text (those of Parquet and ORC as they are) and brought to the contract
afterwards, so that a value that does not fit costs its row, not the run. A record that cannot be
read at all keeps its raw text. Each file is one task and is read in order, so the number of a
record is its place in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.contract import FileSource
from headgate.core.errors import Unreadable
from headgate.storage.decoded import decoded
from headgate.storage.faults import classify
from headgate.storage.files import Files
from headgate.storage.heads import CHARSETS, Shape, SourceFile, codec, format_of, has_header
from headgate.transforms.change_data import debezium_rows, dms_rows
from headgate.transforms.hidden import OTHERS, TEXT

TASK = 128 << 20  # bytes that one task reads, where files are small


def read_files(
    spark: SparkSession,
    files: Files,
    chosen: Sequence[SourceFile],
    source: FileSource,
    shape: Shape,
    names: Sequence[str],
) -> tuple[DataFrame, Shape]:
    """The records of files of one shape. `names` are the columns that the contract looks for."""
    paths = [files.for_spark(file.path) for file in chosen]
    kind = format_of(source, chosen[0].path)
    if shape.way == "csv":
        rows = _csv(spark, paths, source, shape)
    elif shape.way == "typed":
        rows, shape = _typed(spark, paths, kind)
    else:
        shape = Shape.of(names, shape.way)
        if shape.way == "texts":
            records = _texts(spark, paths, whole=kind == "json")
        else:
            records = decoded(spark, paths, source, names)
        if source.format == "debezium":
            records = debezium_rows(records)
        rows = _by_name(records, names)
    if source.format == "dms":
        rows = dms_rows(rows, shape.columns, source.stamp)
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
        "header": has_header(source),
        "multiLine": True,
        "escape": str(source.options.get("quote", '"')),  # a quote in a text is written twice
        "maxCharsPerColumn": -1,
    }
    options |= dict(source.options)
    options |= {"encoding": CHARSETS[codec(source)]}
    options |= {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": TEXT, "enforceSchema": True}
    rows = spark.read.schema(schema).options(**options).csv(list(paths))
    return _numbered(rows, schema.names)


def _numbered(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """Rows with the file they come from and their number in it."""
    columns = [F.col(f"`{name}`") for name in names]
    return rows.select(
        *columns, F.col("_metadata.file_path").alias("__uri"), (_place() + 1).alias("_row")
    )


def _place() -> Column:
    """A record's place in its task, from 0."""
    return F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1))


def _texts(spark: SparkSession, paths: Sequence[str], *, whole: bool) -> DataFrame:
    """JSON records with their top-level keys as texts: numbers and nested values as they came."""
    lines = spark.read.text(list(paths), wholetext=whole)
    if whole:
        return _documents(lines)
    rows = _numbered(lines.where(F.trim("value") != ""), ["value"])
    parsed = F.from_json(F.regexp_replace("value", "^\ufeff", ""), "map<string,string>")
    return rows.select("__uri", "_row", "value", parsed.alias("map"))


def _by_name(records: DataFrame, names: Sequence[str]) -> DataFrame:
    """The values of the contract's columns, and those of all others as JSON."""
    bad = F.col("map").isNull()
    columns = [F.col("map")[name].alias(f"c{place}") for place, name in enumerate(names)]
    known = F.array(*[F.lit(name) for name in names]).cast("array<string>")
    others = F.map_filter("map", lambda key, _: ~F.array_contains(known, key))
    rest = [name for name in records.columns if name not in ("__uri", "_row", "value", "map")]
    return records.select(
        "__uri",
        "_row",
        *columns,
        F.when(F.size(others) > 0, F.to_json(others)).alias(OTHERS),
        F.when(bad, F.coalesce("value", F.lit(""))).alias(TEXT),
        *rest,
    )


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


def _typed(spark: SparkSession, paths: Sequence[str], kind: str) -> tuple[DataFrame, Shape]:
    """Files whose columns have types of their own."""
    rows = spark.read.format(kind).load(list(paths))
    shape = Shape.of(rows.columns, "typed")
    columns = [F.col(f"`{name}`").alias(raw) for raw, name in shape.columns]
    place = F.col("_metadata.row_index") if kind == "parquet" else _place()  # ORC has no such thing
    rows = rows.select(
        *columns,
        F.col("_metadata.file_path").alias("__uri"),
        (place + 1).alias("_row"),
        F.lit(None).cast("string").alias(TEXT),
    )
    return rows, shape


def typed_shapes(
    spark: SparkSession, files: Files, chosen: Sequence[SourceFile], source: FileSource
) -> tuple[Mapping[str, tuple[Sequence[str], list[SourceFile]]], Mapping[SourceFile, Unreadable]]:
    """Files by the schema in their footers, to be read together; and those with a damaged one."""
    groups: dict[str, tuple[Sequence[str], list[SourceFile]]] = {}
    damaged: dict[SourceFile, Unreadable] = {}
    for file in chosen:
        try:
            reader = spark.read.format(format_of(source, file.path))
            schema = reader.load(files.for_spark(file.path)).schema
        except Exception as error:
            told = classify(error)
            if not isinstance(told, Unreadable):
                raise
            damaged[file] = Unreadable(told.what, where=file.path, next=told.next)
            continue
        groups.setdefault(schema.json(), (schema.names, []))[1].append(file)
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
