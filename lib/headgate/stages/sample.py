"""Rows that a person wrote down, as DataFrames: in a table's types, or as a file's texts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import Usage
from headgate.storage.records import literal_rows
from headgate.transforms.contract import cast_text
from headgate.transforms.hidden import TEXT, user_columns

Rows = Sequence[Mapping[str, Any]]
FILE = "example"  # where such rows say that they are from
SYSTEM = {
    "_file": T.StringType(),
    "_row": T.LongType(),
    "_window": T.StringType(),
    "_ingested_at": T.TimestampType(),
    "_rescued": T.StringType(),
}


def typed_rows(
    spark: SparkSession, rows: Rows, schema: T.StructType, window: str, at: str, where: str
) -> DataFrame:
    """Rows in the types of a table; what they leave out is null, or Headgate's own."""
    kinds = {field.name: field.dataType for field in schema.fields}
    for row in rows:
        for key in row:
            if key not in kinds:
                raise unknown("column", key, user_columns(list(kinds)), where)
    texts = _texts(spark, _filled(rows, window, at), list(kinds))
    made = {
        key: F.expr(cast_text(f"c{place}", T.StringType(), kind, None))
        for place, (key, kind) in enumerate(kinds.items())
    }
    _all_fit(texts, made, kinds, where)
    return texts.select([value.alias(key) for key, value in made.items()])


def _filled(rows: Rows, window: str, at: str) -> list[dict[str, Any]]:
    own = {"_file": FILE, "_window": window, "_ingested_at": at}
    return [{**own, "_row": place, **row} for place, row in enumerate(rows, 1)]


def _all_fit(
    texts: DataFrame, made: Mapping[str, Column], kinds: Mapping[str, T.DataType], where: str
) -> None:
    """Say which written value is not of its column's type."""
    wrong = [
        F.count(F.when(F.col(f"c{place}").isNotNull() & value.isNull(), 1)).alias(f"c{place}")
        for place, value in enumerate(made.values())
    ]
    found = texts.agg(*wrong).collect()[0]
    for place, (key, kind) in enumerate(kinds.items()):
        if found[f"c{place}"]:
            raise Usage(
                f"a given value of {key} is not a {kind.simpleString()}",
                where=where,
                next=f"write a {kind.simpleString()}, or null",
            )


def raw_rows(
    spark: SparkSession, rows: Rows, names: Sequence[str], window: str, at: str
) -> DataFrame:
    """Rows as a reader of files gives them: columns c0, c1, … of texts, and where they are from."""
    system = ("_file", "_row", "_window", "_ingested_at")
    texts = _texts(spark, _filled(rows, window, at), [*names, *system])
    kept = [F.col(f"c{place}") for place in range(len(names))]
    own = [
        F.col(f"c{len(names) + place}").cast(SYSTEM[name]).alias(name)
        for place, name in enumerate(system)
    ]
    return texts.select(*kept, F.lit(None).cast("string").alias(TEXT), *own)


def _texts(spark: SparkSession, rows: Rows, names: Sequence[str]) -> DataFrame:
    """Rows of texts, with the columns c0, c1, …"""
    made = [{f"c{n}": as_text(row.get(name)) for n, name in enumerate(names)} for row in rows]
    return literal_rows(spark, made, ", ".join(f"c{n} string" for n in range(len(names))))


def as_text(value: Any) -> str | None:
    """A Python value as a file would hold it.

    >>> as_text(True), as_text(2.5), as_text({"a": 1}), as_text(None)
    ('true', '2.5', '{"a": 1}', None)
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=str)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)


def unknown(what: str, name: str, known: Sequence[str], where: str) -> Usage:
    """The error for a name that is not there, with the likely one."""
    close = get_close_matches(name, known, 1, 0.5)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    listed = ", ".join(known[:20])
    return Usage(f"unknown {what} '{name[:60]}'{hint}", where=where, next=f"one of {listed}")
