"""Files that Python reads on the executors: each file's bytes become records, in their order."""

from __future__ import annotations

import base64
import functools
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.contract import FileSource
from headgate.readers import containers, texts
from headgate.readers.packed import DAMAGE, unpacked
from headgate.storage.heads import codec, format_of

Read = Callable[[bytes, str], Iterable[Any]]
# Each record with its file, its number, its raw text, and its values by name; no values where the
# record could not be read.
SCHEMA = T.StructType(
    [
        T.StructField("__uri", T.StringType()),
        T.StructField("_row", T.LongType()),
        T.StructField("value", T.StringType()),
        T.StructField("map", T.MapType(T.StringType(), T.StringType())),
    ]
)


class UnreadableFile(Exception):
    """A file cannot be read. Its message is the file's URI, by which the driver knows it."""


def decoded(
    spark: SparkSession, paths: Sequence[str], source: FileSource, names: Sequence[str]
) -> DataFrame:
    """The records of files that Spark does not read."""
    read = functools.partial(_read, source, tuple(names))
    content = spark.read.format("binaryFile").load(list(paths))
    found = content.select(F.col("_metadata.file_path").alias("uri"), "content")
    rows = found.rdd.flatMap(functools.partial(_rows, read))
    return spark.createDataFrame(rows, SCHEMA, verifySchema=False)


def _read(source: FileSource, names: tuple[str, ...], content: bytes, name: str) -> Iterable[Any]:
    if source.reader:
        module, _, function = source.reader.rpartition(".")
        found: Iterable[Any] = getattr(importlib.import_module(module), function)(content, name)
        return found
    kind = format_of(source, name)
    if kind == "avro":
        return containers.avro(content)
    text = unpacked(name, content).decode(codec(source), errors="replace").removeprefix("\ufeff")
    if kind == "csv":
        return texts.delimited(text, source.options, names)
    return texts.json_document(text) if kind == "json" else texts.json_lines(text)


def _rows(read: Read, file: Any) -> Iterator[tuple[str, int, str | None, dict[str, Any] | None]]:
    uri = file["uri"]
    name = unquote(uri.rpartition("/")[2])
    try:
        for number, record in enumerate(read(bytes(file["content"]), name), 1):
            if isinstance(record, str):
                yield uri, number, record, None
            elif isinstance(record, Mapping):
                yield uri, number, None, {str(key): told(one) for key, one in record.items()}
            else:
                raise TypeError(f"a record is a dict or a text, not a {type(record).__name__}")
    except DAMAGE:
        raise UnreadableFile(uri) from None


def told(value: Any) -> str | None:
    """A value as the text that a contract reads: nested ones as JSON, bytes in base64.

    >>> told(True), told(Decimal("1E+2")), told({"a": [Decimal("1.5"), b"x"]}), told(None)
    ('true', '100', '{"a": [1.5, "eA=="]}', None)
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=_within, ensure_ascii=False)
    return str(value)


def _within(value: Any) -> Any:
    """A value within a nested one, as JSON has it."""
    return float(value) if isinstance(value, Decimal) else told(value)
