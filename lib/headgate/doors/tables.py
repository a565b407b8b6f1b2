"""Plain tables: aligned text for terminals, HTML for notebooks, plain values for programs."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_STYLE = "text-align:left;white-space:pre-wrap;vertical-align:top"
_LONGEST = 90  # signs of a cell that is not in the last column


@dataclass(frozen=True, repr=False)
class Grid:
    """Rows under column names; iterating gives a dictionary for each row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    empty: str = "nothing"  # what is said where there is no row
    title: str = ""
    note: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return dict(zip(self.columns, self.rows[place], strict=True))

    def __str__(self) -> str:
        title = [self.title] if self.title else []
        note = [self.note] if self.note else []
        return "\n".join([*title, *(self._lines() if self.rows else [self.empty]), *note])

    __repr__ = __str__

    def _lines(self) -> list[str]:
        """Columns side by side; numbers to the right, the last column as long as it likes."""
        cells = [[shown(value) for value in row] for row in self.rows]
        numeric = [
            all(isinstance(row[at], int | float | None) for row in self.rows)
            for at in range(len(self.columns))
        ]
        last = len(self.columns) - 1
        cells = [[c if at == last else cut(c) for at, c in enumerate(row)] for row in cells]
        table = [[name.upper() for name in self.columns], *cells]
        widths = [max(width(row[at]) for row in table) for at in range(len(self.columns))]
        return [
            "  ".join(
                padded(text, widths[at], right=numeric[at]) for at, text in enumerate(row)
            ).rstrip()
            for row in table
        ]

    def _repr_html_(self) -> str:
        title = f"<p>{html.escape(self.title)}</p>" if self.title else ""
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        if not self.rows:
            return f"{title}<p>{html.escape(self.empty)}</p>{note}"
        head = "".join(f'<th style="{_STYLE}">{html.escape(name)}</th>' for name in self.columns)
        body = "".join(
            "<tr>"
            + "".join(f'<td style="{_STYLE}">{html.escape(shown(v))}</td>' for v in row)
            + "</tr>"
            for row in self.rows
        )
        return f"{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def grid(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], **more: str) -> Grid:
    """A table of some keys of dictionaries."""
    return Grid(tuple(columns), tuple(tuple(row.get(n) for n in columns) for row in rows), **more)


def shown(value: Any) -> str:
    """A value as a person reads it, on one line, without signs that would move a cursor.

    >>> shown(12345), shown(None), shown(["a", "b"]), shown("two\\nlines")
    ('12,345', '', 'a; b', 'two\\\\nlines')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, list | tuple):
        return "; ".join(shown(item) for item in value)
    return "".join(_sign(sign) for sign in str(value))


def _sign(sign: str) -> str:
    if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp", "Cs"):
        return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
    return sign


def cut(text: str) -> str:
    """A text that leaves room for others."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def width(text: str) -> int:
    """How many places a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(unicodedata.combining(sign) > 0 for sign in text)


def padded(text: str, places: int, *, right: bool) -> str:
    """A text with blanks on one side."""
    blanks = " " * (places - width(text))
    return blanks + text if right else text + blanks
