"""How the protection of a column is written: a word, or a word with its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headgate.conf.forms import COLUMN, WHOLE
from headgate.conf.nodes import Entries, Node
from headgate.conf.records import Key, Record, value_of
from headgate.conf.shapes import At, Either, Mapped, Parsed, Word
from headgate.core.privacy import KINDS, Privacy
from headgate.core.spec import Small

SPELT = {"tokenize": "tokenise", "generalize": "generalise", "pseudonymise": "tokenise",
         "pseudonymize": "tokenise"}  # fmt: skip
BARE = ("drop", "mask", "hash", "tokenise", "encrypt")  # kinds that need no argument
_DATES = ("date", "timestamp", "timestamp_ntz")
_NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "float", "double")


def _size(text: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = 0.0
    if 1e-9 <= size < 1e9:
        return size
    raise ValueError(f"must be a number above 0, not '{text[:60]}'")


def _name(text: str) -> str:
    if re.fullmatch(r"[A-Za-z]\w*", text):
        return text
    raise ValueError(f"must be a name of letters, digits and _, not '{text[:60]}'")


_KEY = Key(Parsed("the name of a key", _name), "the key, where it is not `main`", default="main")
_MASK = Record(
    "mask",
    {
        "keep_first": Key(WHOLE, "so many letters at the beginning are kept"),
        "keep_last": Key(WHOLE, "so many letters at the end are kept"),
        "keep": Key(Word(("domain",)), "what stands after the @ is kept"),
    },
)
_GENERALISE = Record(
    "generalise",
    {
        "band": Key(WHOLE, "numbers, into bands of so many: 30-39"),
        "prefix": Key(WHOLE, "texts, to so many letters at the beginning"),
        "to": Key(Word(("month", "quarter", "year")), "dates and times, to the first day"),
    },
)
_KINDS: Mapping[str, Key] = {
    "mask": Key(_MASK, "`***`, and what is kept of a text"),
    "hash": Key(Record("hash", {"key": _KEY}), "HMAC-SHA256 by a key"),
    "tokenise": Key(Record("tokenise", {"key": _KEY}), "a token; the vault leads back from it"),
    "encrypt": Key(
        Record("encrypt", {"key": _KEY}),
        "AES-SIV: whoever has the key can read it",
    ),
    "generalise": Key(_GENERALISE, "a band, a prefix, a month"),
    "grid": Key(Parsed("a number", _size, {"type": "number"}), "down to a multiple of this"),
}


def _made(values: dict[str, Any], node: Entries, at: At) -> Privacy:
    if len(node.entries) != 1:
        raise at.note(node, "takes one kind of protection")
    kind, told = next(iter(values.items()), ("", None))
    if not kind:
        raise at.note(node, "says no kind of protection")
    given: dict[str, Any] = {"size": told} if kind == "grid" else dict(told or {})
    if kind == "mask" and given.pop("keep", None):
        if given:
            raise at.key(kind).note(node, "keeps the domain, or first and last letters: not both")
        given["keep_domain"] = True
    if kind == "generalise" and len(given) != 1:
        raise at.key(kind).note(node, "takes one of 'band', 'prefix' and 'to'")
    return Privacy.model_validate({"kind": kind, **given})


class Kinds(Record):
    """A map of one kind to its arguments, in either spelling."""

    def read(self, node: Node, at: At) -> Any:
        if isinstance(node, Entries):
            told = (
                (replace(key, text=SPELT.get(key.text, key.text)), value)
                for key, value in node.entries
            )
            node = replace(node, entries=tuple(told))
        return super().read(node, at)


class Kind(Word):
    """The name of a kind that needs no argument."""

    def read(self, node: Node, at: At) -> Any:
        return Privacy.model_validate(super().read(node, at))


PRIVACY = Either(Kinds("the protection of a column", _KINDS, make=_made), Kind(BARE, others=SPELT))
PRIVACIES = Mapped(
    PRIVACY,
    COLUMN,
    about="{column: [protection](#the-protection-of-a-column)}",
)
SMALL = Record(
    "the privacy of a mart",
    {
        "min_group": Key(WHOLE, "groups of fewer rows are withheld", required=True),
        "of": Key(COLUMN, "count the different values of this column instead: people, not rows"),
    },
    make=value_of(Small),
)


def unfit(how: Privacy, kind: str) -> str | None:
    """Why a column of this type cannot be protected so; None where it can.

    >>> unfit(Privacy(kind="grid", size=1), "string")
    "'grid' takes numbers, not string"
    """
    number = kind in _NUMBERS or kind.startswith("decimal")
    if (how.kind == "grid" or how.band is not None) and not number:
        word = "grid" if how.kind == "grid" else "band"
        return f"'{word}' takes numbers, not {kind}"
    if how.to is not None and kind not in _DATES:
        return f"'to: {how.to}' takes dates and times, not {kind}"
    if (how.prefix is not None or how.keep_domain) and kind != "string":
        return f"'{'prefix' if how.prefix else 'keep: domain'}' takes texts, not {kind}"
    if kind == "binary" and how.kind not in ("drop",):
        return "binary can only be dropped: write it as text first"
    return None


assert set(_KINDS) | set(BARE) == set(KINDS)
