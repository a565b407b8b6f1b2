"""Markdown in which no text of the data can be anything but text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from headgate.doors.tables import cut, shown

_MARKS = re.compile(r"([\\`*_{}\[\]<>|~#@])")


def text(said: object) -> str:
    """A text in which no sign is markup, on one line.

    >>> text("a|b <i> @all")
    'a\\\\|b \\\\<i\\\\> \\\\@all'
    """
    return _MARKS.sub(r"\\\1", " ".join(shown(said).split()))


def code(said: object) -> str:
    """A text as it is written, whatever is in it; in a table too.

    >>> code("a|b"), code("it`s")
    ('`a\\\\|b`', '``it`s``')
    """
    body = cut(shown(str(said))).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", body)), default=0) + 1)
    pad = " " if body.startswith("`") or body.endswith("`") or not body.strip() else ""
    return f"{ticks}{pad}{body}{pad}{ticks}"


def value(one: Any) -> str:
    """A value of the data as code: texts in quotes, numbers as they are."""
    if isinstance(one, Decimal):
        return code(one)
    return code(json.dumps(one, ensure_ascii=False, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> list[str]:
    """A table whose cells are Markdown already; the last `numbers` columns to the right."""
    words = len(columns) - numbers
    rule = ["---"] * words + ["---:"] * numbers
    return [_row(columns), _row(rule), *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
