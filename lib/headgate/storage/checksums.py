"""Checksums as S3 keeps them of objects: SHA-256, of the whole or of its parts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headgate.core.landing import part_size
from headgate.storage.landing import Opened


@dataclass(frozen=True)
class Part:
    """One piece of a large file."""

    number: int
    start: int
    length: int


def parts_of(size: int) -> list[Part]:
    """The pieces in which a file of this size goes up."""
    step = part_size(size)
    starts = range(0, size, step)
    return [Part(n, start, min(step, size - start)) for n, start in enumerate(starts, 1)]


def text(digest: bytes) -> str:
    """A digest as S3 writes it.

    >>> text(bytes(3))
    'AAAA'
    """
    return base64.b64encode(digest).decode()


def whole(source: Opened) -> bytes:
    """The digest of a file."""
    seen = hashlib.sha256()
    for piece in source.pieces():
        seen.update(piece)
    return seen.digest()


def part_digests(source: Opened) -> Iterator[bytes]:
    """The digests of a file's parts, in order."""
    for part in parts_of(source.size):
        yield hashlib.sha256(source.read(part.start, part.length)).digest()


def composite(digests: Iterable[bytes]) -> str:
    """What S3 keeps of an object in parts: the digest of its parts' digests, and their number.

    >>> composite([bytes(32), bytes(32)])
    '9aX9QtFqIDAnmO9u0wmXm0MAPSMg2fDo6pgxqSdZ+0s=-2'
    """
    every = list(digests)
    return f"{text(hashlib.sha256(b''.join(every)).digest())}-{len(every)}"


def agree(said: str, checksum: str) -> bool:
    """Whether two checksums are one; some servers leave out the number of parts.

    >>> agree("AAAA-2", "AAAA-2"), agree("AAAA", "AAAA-2"), agree("AAAA", "BBBB")
    (True, True, False)
    """
    return said.partition("-")[0] == checksum.partition("-")[0]
