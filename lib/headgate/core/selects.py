"""SQL text as tokens, and the columns of a plain SELECT, as far as they show without Spark."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
      |(?P<text>r?'(?:[^'\\]|\\.|'')*'|r?"(?:[^"\\]|\\.|"")*")
      |(?P<quoted>`(?:[^`]|``)*`)
      |(?P<number>\d+\w*(?:\.\d+\w*)?|\.\d+)
      |(?P<word>[^\W\d]\w*)
      |(?P<mark><=>|->|=>|::|<>|!=|<=|>=|==|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
# After one of these the table named in FROM still is all that `*` stands for.
_CLAUSES = {"where", "group", "order", "having", "limit", "sort", "distribute", "cluster"}


@dataclass(frozen=True)
class Token:
    """One word, mark, number or text of SQL, and how many brackets are open around it."""

    kind: str
    text: str
    depth: int = 0

    @property
    def word(self) -> str:
        """A bare word in lower case; empty for all else."""
        return self.text.lower() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """The name that a bare or a back-quoted word stands for."""
        if self.kind == "quoted":
            return self.text[1:-1].replace("``", "`")
        return self.text if self.kind == "word" else ""


def tokens(text: str) -> list[Token]:
    """The tokens of a SQL text; ValueError says which bracket or quote is not closed.

    >>> [token.text for token in tokens("a + f('(', 1) -- so")]
    ['a', '+', 'f', '(', "'('", ',', '1', ')']
    """
    found: list[Token] = []
    opened: list[str] = []
    for match in _TOKEN.finditer(text):
        kind, said = match.lastgroup or "mark", match.group()
        if kind == "space":
            continue
        if kind == "mark" and said in "'\"`":
            raise ValueError(f"a quote ({said}) is not closed")
        if kind == "mark" and said in _PAIRS and (not opened or opened.pop() != _PAIRS[said]):
            raise ValueError(f"a '{said}' closes what is not open")
        found.append(Token(kind, said, len(opened)))
        if kind == "mark" and said in _PAIRS.values():
            opened.append(said)
    if opened:
        raise ValueError(f"a '{opened[-1]}' is not closed")
    return found


def columns_of(text: str, before: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The columns that a SELECT from `input` leaves; None where the text does not show them.

    >>> columns_of("SELECT *, revenue * 0.2 AS vat FROM input", ("id", "revenue"))
    ('id', 'revenue', 'vat')
    >>> columns_of("SELECT id, upper(name) FROM input", ("id", "name")) is None
    True
    """
    try:
        words = tokens(text.rstrip().rstrip(";"))
    except ValueError:
        return None
    at = next((n for n, t in enumerate(words) if t.word == "from" and t.depth == 0), None)
    if at is None or not words or words[0].word != "select":
        return None
    items = _items([t for t in words[1:at] if t.word not in ("distinct", "all") or t.depth])
    plain = _only_input(words[at + 1 :])
    columns: list[str] = []
    for item in items:
        named = _named(item, before if plain else None)
        if named is None:
            return None
        columns.extend(named)
    return tuple(dict.fromkeys(columns))


def _items(words: list[Token]) -> list[list[Token]]:
    """A SELECT list, cut at its commas."""
    items: list[list[Token]] = [[]]
    for token in words:
        if token.text == "," and token.depth == 0:
            items.append([])
        else:
            items[-1].append(token)
    return items


def _only_input(after: list[Token]) -> bool:
    """Whether all rows come from `input`, and no clause adds columns."""
    if not after or after[0].name != "input":
        return False
    top = [t for t in after[1:] if t.depth == 0]
    if top and top[0].word == "as":
        top = top[1:]
    if top and top[0].name and top[0].word not in _CLAUSES:
        if top[0].word in ("join", "left", "right", "full", "inner", "cross", "lateral", "natural"):
            return False
        top = top[1:]
    return not top or top[0].word in _CLAUSES


def _named(item: list[Token], before: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The columns that one item of a SELECT list stands for."""
    shown = [token.text.lower() for token in item]
    if shown == ["*"] or shown == ["input", ".", "*"]:
        return before
    if shown[:2] == ["*", "except"] and before is not None:
        left_out = {token.name.lower() for token in item[2:] if token.name}
        return tuple(name for name in before if name.lower() not in left_out)
    if not item or not item[-1].name:
        return None
    if len(item) == 1:
        return None if item[0].word in ("null", "true", "false") else (item[0].name,)
    if item[-2].word == "as" and item[-2].depth == 0:
        return (item[-1].name,)
    if len(item) == 3 and item[1].text == "." and item[0].name:
        return (item[2].name,)
    return None
