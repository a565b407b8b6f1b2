"""Just enough reading of SQL text to carry columns through a SELECT that names its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Texts, quoted names and comments.
_SKIP = r"""(?P<skip>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|`[^`]*`|--[^\n]*|/\*.*?\*/)"""
_TOKEN = re.compile(
    rf"""{_SKIP}|(?P<open>[(\[])|(?P<close>[)\]])|(?P<word>[A-Za-z_][A-Za-z_0-9]*)""", re.DOTALL
)
_NAMED = re.compile(rf"{_SKIP}|(?<![:\w]):(?P<name>[A-Za-z_]\w*)", re.DOTALL)
_REGROUPS = {"group", "having", "union", "intersect", "except", "distinct", "with", "pivot"}


def carrying(text: str, columns: list[str]) -> str | None:
    """The SELECT with more columns at the end of its list; None where that is not safe to do.

    >>> carrying("SELECT a, b FROM input WHERE a > 0", ["_row"])
    'SELECT a, b, `_row` FROM input WHERE a > 0'
    >>> carrying("SELECT a, count(*) FROM input GROUP BY a", ["_row"]) is None
    True
    """
    depth, at = 0, None
    words = []
    for token in _TOKEN.finditer(text):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth -= 1
        elif token["word"] and depth == 0:
            word = token["word"].lower()
            words.append(word)
            if word == "from" and at is None:
                at = token.start()
    if not words or words[0] != "select" or at is None or _REGROUPS & set(words):
        return None
    listed = ", ".join(f"`{name}`" for name in columns)
    head = text[:at].rstrip()
    end = "\n" if "--" in head else ""  # of a comment that would swallow what is added
    return f"{head}{end}, {listed} {text[at:]}"


def parameters(text: str) -> frozenset[str]:
    """The named parameters that a text uses.

    >>> sorted(parameters("SELECT :window_start, ':no'"))
    ['window_start']
    """
    return frozenset(token["name"] for token in _NAMED.finditer(text) if token["name"])


def bound(text: str, values: Mapping[str, str]) -> str:
    """The text with SQL in the place of its named parameters.

    >>> bound("SELECT :a, ':a'", {"a": "1"})
    "SELECT 1, ':a'"
    """
    return _NAMED.sub(lambda token: values[token["name"]] if token["name"] else token[0], text)
