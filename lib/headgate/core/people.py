"""Who is meant: a condition as plain values of the columns by which a person is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

_TOKEN = re.compile(
    r"\s*(?:(?P<name>`[^`]+`|[A-Za-z_]\w*)|'(?P<text>(?:[^'\\]|'')*)'"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign>[=(),]))"
)
_WHOLE = ("tinyint", "smallint", "int", "integer", "bigint", "long")


@dataclass(frozen=True)
class People:
    """Some people, by their key in a table. They do not show themselves."""

    table: str
    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...] = field(repr=False)  # in plain, as text

    def __len__(self) -> int:
        return len(self.values)


def equalities(where: str) -> Mapping[str, tuple[str, ...]] | None:
    """The values that a condition gives its columns; None where it is of another form.

    >>> equalities("customer_id = 42 AND `shop` IN ('a', 'it''s')")
    {'customer_id': ('42',), 'shop': ('a', "it's")}
    >>> equalities("customer_id > 42") is None, equalities("a = 1 OR b = 2") is None
    (True, True)
    """
    words = _words(where)
    if words is None:
        return None
    found: dict[str, tuple[str, ...]] = {}
    while words:
        taken = _one(words)
        if taken is None or taken[0] in found:
            return None
        name, values, words = taken
        found[name] = values
        if words:
            if words[0] != ("word", "and") or len(words) == 1:
                return None
            words = words[1:]
    return found or None


def _words(text: str) -> list[tuple[str, str]] | None:
    """The condition's words with their kinds; None where it holds others."""
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        at = token.end()
        kind = str(token.lastgroup)
        said = token[kind]
        if kind == "name" and said.lower() in ("and", "in"):
            kind, said = "word", said.lower()
        elif kind == "name":
            said = said.strip("`")
        elif kind == "text":
            said = said.replace("''", "'")
        found.append((kind, said))
    return found


def _one(
    words: list[tuple[str, str]],
) -> tuple[str, tuple[str, ...], list[tuple[str, str]]] | None:
    """The first equality, and the words after it."""
    values = ("text", "number")
    if len(words) < 3 or words[0][0] != "name":
        return None
    name = words[0][1]
    if words[1] == ("sign", "=") and words[2][0] in values:
        return name, (words[2][1],), words[3:]
    if words[1] != ("word", "in") or words[2] != ("sign", "("):
        return None
    listed, at = [], 3
    while at + 1 < len(words) and words[at][0] in values:
        listed.append(words[at][1])
        if words[at + 1] == ("sign", ")"):
            return name, tuple(listed), words[at + 2 :]
        if words[at + 1] != ("sign", ","):
            return None
        at += 2
    return None


def as_kept(text: str, kind: str) -> str:
    """A value as a column of this type writes it.

    >>> as_kept("042", "bigint"), as_kept("042", "string"), as_kept("4.2", "decimal(10,2)")
    ('42', '042', '4.20')
    """
    try:
        if kind in _WHOLE:
            number = Decimal(text)
            return str(int(number)) if number == int(number) else text
        if scale := re.fullmatch(r"decimal\(\d+, ?(\d+)\)", kind):
            return str(Decimal(text).quantize(Decimal(1).scaleb(-int(scale[1]))))
    except (InvalidOperation, ValueError, OverflowError):
        return text
    return text
