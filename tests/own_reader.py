"""Readers of one's own, as a person would write them for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def columns_of_ten(content: bytes, name: str) -> Iterator[dict[str, Any] | str]:
    """Records of ten signs: a number and a name. What has another length cannot be read."""
    if not content.startswith(b"FIXED"):
        raise ValueError("no such file")
    for line in content.decode().splitlines()[1:]:
        if len(line) == 10:
            yield {"id": int(line[:3]), "name": line[3:].strip(), "more": {"from": name}}
        else:
            yield line


def that_is_wrong(content: bytes, name: str) -> Iterator[dict[str, Any]]:
    """A reader with a fault of its own."""
    known: dict[str, int] = {}
    yield {"id": known["secret 4711"]}
