"""Short names for contents: equal exactly where what they stand for is equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from headgate.core.formats import OF_KEY

_PLACES = {
    "place",
    "written",
    "file",
}  # where a thing stands in a file does not change what it does

# What values came to say later: where they say nothing of it, they are what they were.
_LATER = {
    *(("Format", key) for key in (*OF_KEY, "rating", "weight", "items", "encode", "weights",
                                   "split")),
    ("Cast", "formats"), ("Cast", "otherwise"), ("Lookup", "otherwise"), ("Lookup", "instead"),
    ("Deduplicate", "by"), ("Deduplicate", "near"), ("Deduplicate", "within"),
    ("Deduplicate", "distance"), ("Deduplicate", "latest_by"), ("Python", "leaves"),
}  # fmt: skip
_LOOKED_AT = {("Python", "twice")}  # what is only looked at makes no other rows

_IN_ORDER = {("Derive", "columns")}  # later expressions see earlier columns


def digest(value: Any) -> str:
    """Sixteen hex digits of a value made of plain Python.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(_plain(value), sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        kind = type(value).__name__
        named = {name: getattr(value, name) for name in type(value).model_fields}
        kept = {
            name: _plain(list(one.items()) if (kind, name) in _IN_ORDER else one)
            for name, one in named.items()
            if name not in _PLACES and not _unsaid(value, kind, name)
        }
        return {"": kind} | kept
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value


def _unsaid(value: BaseModel, kind: str, name: str) -> bool:
    default = type(value).model_fields[name].default
    later = (kind, name) in _LATER and getattr(value, name) == default
    return later or (kind, name) in _LOOKED_AT


def whole(parts: Mapping[str, str]) -> str:
    """The fingerprint of a run: of its inputs, rules and code together."""
    return digest(dict(parts))


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The names of parts that are not the same any more.

    >>> differing({"rules": "a", "steps": "b"}, {"rules": "c", "steps": "b"})
    ['rules']
    """
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
