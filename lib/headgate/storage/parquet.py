"""Rows that were made in Python, as a Parquet file: for a few rows a Spark job takes far longer."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from pyspark.sql import types as T


def parquet_of(rows: Sequence[Mapping[str, Any]], schema: T.StructType) -> bytes:
    """The content of a Parquet file as Spark writes and reads it; moments may be given as text."""
    import pyarrow
    import pyarrow.parquet
    from pyspark.sql.pandas.types import to_arrow_schema

    cells = [{f.name: _cell(row.get(f.name), f.dataType) for f in schema} for row in rows]
    table = pyarrow.Table.from_pylist(cells, schema=to_arrow_schema(schema))
    content = io.BytesIO()
    pyarrow.parquet.write_table(table, content, compression="snappy", store_schema=False)
    return content.getvalue()


def _cell(value: Any, kind: T.DataType) -> Any:
    if isinstance(kind, T.TimestampType) and isinstance(value, str):
        return _moment(value)
    if isinstance(kind, T.TimestampType) and isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(kind, T.StringType) and value is not None:
        return str(value)
    return value


def _moment(text: str) -> datetime:
    """A moment written with its zone, or in UTC.

    >>> _moment("2026-01-02T03:04:05Z"), _moment("2026-01-02T03:04:05").tzinfo
    (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), datetime.timezone.utc)
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
