"""Compressed files, by the ends of their names."""

from __future__ import annotations

import bz2
import gzip
import zlib
from typing import Any

ENDS = (".gz", ".bz2", ".zst")
DAMAGE = (ValueError, EOFError, OSError, zlib.error)  # what a cut or damaged file raises


def packing(name: str) -> str:
    """How a file is compressed, as its name says.

    >>> packing("a/b.csv.gz"), packing("a/b.csv")
    ('.gz', '')
    """
    return next((end for end in ENDS if name.lower().endswith(end)), "")


def unpacked(name: str, content: bytes) -> bytes:
    """A file's whole content."""
    how = packing(name)
    if how == ".gz":
        return gzip.decompress(content)
    if how == ".bz2":
        return bz2.decompress(content)
    if how == ".zst":
        return _whole_zstd(content)
    return content


def head(name: str, content: bytes, most: int) -> bytes:
    """The first bytes of a file's content, from the first bytes of the file."""
    how = packing(name)
    if how == ".gz":
        return zlib.decompressobj(31).decompress(content, most)
    if how == ".bz2":
        return bz2.BZ2Decompressor().decompress(content, most)
    if how == ".zst":
        return _head_zstd(content, most)
    return content


def _head_zstd(content: bytes, most: int) -> bytes:
    library = _zstd()
    try:
        with library.ZstdDecompressor().stream_reader(content) as stream:
            found: bytes = stream.read(most)
            return found
    except library.ZstdError as error:
        raise ValueError("damaged") from error


def _whole_zstd(content: bytes) -> bytes:
    library = _zstd()
    made, rest = [], content
    while rest:  # frames may follow each other
        one = library.ZstdDecompressor().decompressobj()
        try:
            made.append(one.decompress(rest))
        except library.ZstdError as error:
            raise ValueError("damaged") from error
        if not one.eof:
            raise EOFError("cut off")
        rest = one.unused_data
    return b"".join(made)


def _zstd() -> Any:
    import zstandard

    return zstandard
