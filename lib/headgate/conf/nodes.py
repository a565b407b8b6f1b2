"""What a file says, as a tree of values that know their file and line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Plain = None | bool | int | float | str

_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_WORDS: dict[str, Plain] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_LONGEST_NUMBER = 60
_SHOWN = 60


def resolved(text: str) -> Plain:
    """What an unquoted text means in YAML 1.2's core schema.

    >>> [resolved(text) for text in ("12", "1.5", "true", "NO", "18:00", "2026-01-01", "~")]
    [12, 1.5, True, 'NO', '18:00', '2026-01-01', None]
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST_NUMBER or not (text[0] in "-+." or text[0].isdigit()):
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    return text


@dataclass(frozen=True)
class Node:
    """One value of a file, and where it stands."""

    file: str
    line: int  # from 1; 0 where there are no lines

    @property
    def place(self) -> str:
        """The place as messages write it."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Scalar(Node):
    """A text, number, truth value or null."""

    value: Plain
    text: str  # as it is written, before any ${NAME} is put in
    filled: str | None = None  # the text after ${NAME} was put in; None where there was none
    quoted: bool = False

    @property
    def said(self) -> str:
        """The text that is meant, whatever its type."""
        return self.text if self.filled is None else self.filled

    @property
    def empty(self) -> bool:
        """Whether nothing was written."""
        return not self.said and not self.quoted


@dataclass(frozen=True)
class Listing(Node):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Entries(Node):
    """A map, in the order of the file."""

    entries: tuple[tuple[Scalar, Node], ...]

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        return next((value for name, value in self.entries if name.text == key), None)

    def key(self, key: str) -> Scalar | None:
        """The key itself, for its place."""
        return next((name for name, _ in self.entries if name.text == key), None)


def from_python(value: Any, file: str) -> Node:
    """A tree from Python values."""
    if isinstance(value, Mapping):
        pairs = ((Scalar(file, 0, str(k), str(k)), from_python(v, file)) for k, v in value.items())
        return Entries(file, 0, tuple(pairs))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return Listing(file, 0, tuple(from_python(item, file) for item in value))
    if value is None or isinstance(value, bool):
        return Scalar(file, 0, value, json.dumps(value))
    if isinstance(value, int | float):
        return Scalar(file, 0, value, str(value))
    return Scalar(file, 0, str(value), str(value), quoted=True)


def to_python(node: Node) -> Any:
    """The plain values of a tree; lists become tuples."""
    if isinstance(node, Entries):
        return {key.said: to_python(value) for key, value in node.entries}
    if isinstance(node, Listing):
        return tuple(to_python(item) for item in node.items)
    return node.value if isinstance(node, Scalar) else None


_SPECIAL = re.compile(r"[,\[\]{}\"'\n#]|:([ ?]|$)|^[-?:&*!|>%@`]")  # what means something in YAML


def _flow_text(node: Scalar) -> str:
    text = node.text
    if not isinstance(node.value, str):
        return text or "null"
    # A text that YAML would read as something else keeps its quotes.
    plain = node.filled is not None or isinstance(resolved(text), str)
    whole = text.count("(") == text.count(")")  # the reader takes others for half an expression
    if plain and whole and text == text.strip() and not _SPECIAL.search(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def flow(node: Node) -> str:
    """A tree on one line, in YAML's flow style, as it was written before ${NAME} was put in."""
    if isinstance(node, Entries):
        return "{" + ", ".join(f"{_flow_text(key)}: {flow(v)}" for key, v in node.entries) + "}"
    if isinstance(node, Listing):
        return "[" + ", ".join(flow(item) for item in node.items) + "]"
    return _flow_text(node) if isinstance(node, Scalar) else ""


def kind_of(node: Node) -> str:
    """What a value is, as messages say it."""
    if isinstance(node, Entries):
        return "a map"
    if isinstance(node, Listing):
        return "a list"
    if not isinstance(node, Scalar):
        return "nothing"
    if node.value is None:
        return "empty" if node.empty else "null"
    text = node.text if len(node.text) <= _SHOWN else node.text[: _SHOWN - 1] + "…"
    return f"'{' '.join(text.split())}'"
