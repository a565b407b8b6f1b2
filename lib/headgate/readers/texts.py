"""Texts that Spark does not read itself: compressed with zstd, or JSON in other encodings."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

Record = Mapping[str, Any] | str  # a text is a record that cannot be read
Options = Mapping[str, bool | int | str]


def delimited(text: str, options: Options, names: tuple[str, ...]) -> Iterator[Record]:
    """The records of a CSV text, by the names of its columns.

    >>> list(delimited('a,b\\n1,"x, y"\\n2\\n', {}, ("a", "b")))
    [{'a': '1', 'b': 'x, y'}, '2']
    """
    csv.field_size_limit(1 << 30)  # 128 KB else
    lines = _Lines(text)
    rows = csv.reader(lines, strict=True, **_dialect(options))
    null, comment = str(options.get("nullValue", "")), str(options.get("comment", ""))
    header = str(options.get("header", True)).lower() == "true"
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield lines.taken()
            continue
        raw = lines.taken()
        if not row or (comment and raw.startswith(comment)):
            continue
        if header:
            header = False
        elif len(row) != len(names):
            yield raw
        else:
            yield {n: None if v in ("", null) else v for n, v in zip(names, row, strict=True)}


def _dialect(options: Options) -> dict[str, Any]:
    """Spark's options in the words of Python's reader."""
    quote = str(options.get("quote", '"'))
    escape = str(options.get("escape", quote or '"'))
    return {
        "delimiter": separator(options),
        "quotechar": quote or None,
        "quoting": csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        "doublequote": escape == quote,
        "escapechar": None if escape == quote else escape,
    }


def separator(options: Options) -> str:
    """What stands between two columns."""
    written = str(options.get("sep", options.get("delimiter", ",")))
    return "\t" if written == "\\t" else written


class _Lines:
    """The lines of a text, which remembers those that were read since it was asked last."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._taken.append(line)
            yield line

    def taken(self) -> str:
        found, self._taken = "".join(self._taken), []
        return found.rstrip("\r\n")


def json_lines(text: str) -> Iterator[Record]:
    """The records of a text with one JSON object a line."""
    for line in text.split("\n"):
        if line.strip():
            yield _object(line)


def json_document(text: str) -> Iterator[Record]:
    """The objects of one JSON document: an array of them, or one."""
    try:
        found = json.loads(text, parse_float=Decimal)
    except ValueError:
        yield text
        return
    for one in found if isinstance(found, list) else [found]:
        yield one if isinstance(one, dict) else json.dumps(one)


def _object(line: str) -> Record:
    try:
        found = json.loads(line, parse_float=Decimal)
    except ValueError:
        return line.strip()
    return found if isinstance(found, dict) else line.strip()
