"""Avro files, by fastavro."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any


def avro(content: bytes) -> Iterator[Mapping[str, Any]]:
    """The records of an Avro file; ValueError where it is none, or was cut off."""
    import fastavro

    try:
        for record in fastavro.reader(io.BytesIO(content)):
            yield record if isinstance(record, Mapping) else {"value": record}
    except ImportError:
        raise
    except Exception as error:  # fastavro raises what it stumbles over: IndexError, KeyError, …
        raise ValueError("not Avro, or cut off") from error
