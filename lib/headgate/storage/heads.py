"""What the ends of a file tell before Spark reads it: how to read it, and the names it holds."""

from __future__ import annotations

import codecs
import csv
import importlib.util
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from headgate.core.contract import FileSource
from headgate.core.errors import Unreadable, Usage
from headgate.readers.packed import DAMAGE, head, packing
from headgate.readers.texts import separator
from headgate.storage.files import Files

HEAD = 1 << 18  # bytes that are enough to see a header and whether a file is text
BLOCK = 1 << 20  # bzip2 gives nothing before a whole block of up to 900 KB is there
AGAIN = "ask for it again"
MAGIC = {"parquet": (b"PAR1", b"PAR1"), "orc": (b"ORC", b"ORC"), "avro": (b"Obj\x01", b"")}
NAMES = {"parquet": "Parquet", "orc": "ORC", "avro": "Avro"}
# The encodings that Spark's CSV reader knows, by Python's names and by its own.
CHARSETS = {"utf-8": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16LE", "utf-16-be": "UTF-16BE",
            "iso8859-1": "ISO-8859-1", "ascii": "US-ASCII"}  # fmt: skip
HOW = {".gz": "gzip", ".bz2": "bzip2", ".zst": "zstd"}
OPERATION = "op"  # the column in which DMS says what happened to a row
Way = Literal["csv", "texts", "typed", "rows"]


@dataclass(frozen=True)
class SourceFile:
    """A file that is to be read, and what its rows carry."""

    path: str  # below the raw zone
    window: str
    first_seen: datetime
    size: int = 0


@dataclass(frozen=True)
class Shape:
    """What the files of one kind hold: column names by the names their raw columns get."""

    columns: tuple[tuple[str, str], ...]  # (raw column, name in the file); none: not known yet
    way: Way = "csv"  # by Spark: csv, texts of JSON, typed columns; by Python on executors: rows

    @staticmethod
    def of(names: Sequence[str], way: Way = "csv") -> Shape:
        return Shape(tuple((f"c{place}", name) for place, name in enumerate(names)), way)


def shape_of(
    files: Files, file: SourceFile, source: FileSource, contract: Sequence[str] = ()
) -> Shape:
    """How a file is to be read, and the names in its header where it has one.

    `contract` are the names that are looked for: a file without a header has them in this order.
    """
    files.for_spark(file.path)  # refuses names that Spark cannot read
    kind, way = format_of(source, file.path), way_of(source, file.path)
    if source.reader:
        if not file.size:
            raise Unreadable("the file is empty (0 bytes)", where=file.path, next=AGAIN)
    elif kind in MAGIC:
        _refuse_cut(files, file, kind)
    elif kind == "csv":
        names = _header(_head(files, file, source), source, file.path)
        return Shape.of(_names(names, source, contract, file.path), way)
    elif file.size or kind == "json":
        _head(files, file, source, blank=kind != "json")
    return Shape((), way)


def format_of(source: FileSource, path: str) -> str:
    """The format of one file: DMS writes two.

    >>> format_of(FileSource(files="*", format="dms"), "LOAD1.csv.gz")
    'csv'
    """
    if source.format == "dms":
        return "parquet" if path.endswith(".parquet") else "csv"
    return "jsonl" if source.format == "debezium" else source.format


def way_of(source: FileSource, path: str) -> Way:
    """Who reads a file, and how."""
    kind = format_of(source, path)
    if source.reader or kind == "avro":
        _need("fastavro" if not source.reader else "")
        return "rows"
    if kind in ("parquet", "orc"):
        return "typed"
    if packing(path) == ".zst":  # Hadoop reads it with a library of the system's, seldom there
        _need("zstandard")
        return "rows"
    if kind == "csv":
        return "csv" if codec(source) in CHARSETS else "rows"
    return "texts" if codec(source) == "utf-8" else "rows"


def _need(library: str) -> None:
    if library and importlib.util.find_spec(library) is None:
        raise Usage(
            f"files of this kind need {library}, which is not installed",
            next="pip install 'headgate[formats]', here and where Spark's workers run",
        )


def codec(source: FileSource) -> str:
    """The encoding of texts, by Python's name."""
    written = str(source.options.get("encoding", source.options.get("charset", "UTF-8")))
    name = codecs.lookup(written).name
    return "utf-8" if name == "utf-8-sig" else name


def has_header(source: FileSource) -> bool:
    return str(source.options.get("header", True)).lower() == "true"


def _head(files: Files, file: SourceFile, source: FileSource, *, blank: bool = False) -> str:
    path, how = file.path, packing(file.path)
    content = files.read_bytes(path, 0, BLOCK if how == ".bz2" else HEAD)
    if not content:
        raise Unreadable("the file is empty (0 bytes)", where=path, next=AGAIN)
    try:
        content = head(path, content, HEAD)
    except DAMAGE:
        what = f"the file is not {HOW[how]}, as its name says"
        raise Unreadable(what, where=path, next=AGAIN) from None
    wide = codec(source).startswith(("utf-16", "utf-32"))
    first = content[: content.find(b"\n", 1) if b"\n" in content[1:] else 1000]
    # One NUL among the rows costs its row; a file that begins with them, or is full of them, is not
    # text.
    if not wide and (b"\x00" in first or content.count(b"\x00") * 20 > len(content)):
        raise Unreadable("the file is binary, not text", where=path, next=AGAIN)
    text = content.decode(codec(source), errors="replace").removeprefix("\ufeff")
    if not text.strip() and not blank:
        raise Unreadable("the file holds no text", where=path, next=AGAIN)
    return text


def _refuse_cut(files: Files, file: SourceFile, kind: str) -> None:
    """What can be told from a file's ends, before a reader stumbles over it."""
    first, last = MAGIC[kind]
    # An ORC file says how long its last part is in its very last byte.
    after = files.read_bytes(file.path, max(file.size - 16, 0))
    after = after[:-1] if kind == "orc" else after
    start = files.read_bytes(file.path, 0, len(first))
    if start != first or (last and not after.endswith(last)):
        raise Unreadable(
            f"the file is not {NAMES[kind]}, or was cut off", where=file.path, next=AGAIN
        )


def _header(text: str, source: FileSource, path: str) -> list[str]:
    quote = str(source.options.get("quote", '"')) or '"'
    sep = separator(source.options)
    reader: Iterable[list[str]] = (line.split(sep) for line in text.splitlines())
    if len(sep) == 1:  # Spark takes several signs, Python's reader one
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=sep, quotechar=quote)
    comment = str(source.options.get("comment", ""))
    try:
        names = next(row for row in reader if row and not (comment and row[0].startswith(comment)))
    except (StopIteration, csv.Error):
        raise Unreadable("the file has no header", where=path) from None
    return [name.strip() for name in names]


def _names(
    found: list[str], source: FileSource, contract: Sequence[str], path: str
) -> Sequence[str]:
    """The names of a file's columns: from its header, or by their places."""
    if has_header(source):
        twice = sorted({name for name in found if found.count(name) > 1})
        if twice:
            raise Unreadable(f"the header names '{twice[0]}' twice", where=path, next=AGAIN)
        if any("\ufffd" in name for name in found):
            raise Unreadable(
                f"the header holds bytes that are not {codec(source)}",
                where=path,
                next="say how it is written in source.options: {encoding: …}",
            )
        return found
    by_place = [f"_c{place}" for place in range(len(found))]
    if set(contract) & set(by_place):
        return by_place
    known = [*_before_columns(found, source), *contract]
    return [*known[: len(found)], *by_place[len(known) :]]


def _before_columns(found: list[str], source: FileSource) -> list[str]:
    """What DMS writes in front of a row's own columns."""
    if source.format != "dms":
        return []
    named = [source.stamp] if source.stamp else []
    return ["Op", *named] if found[0] in ("I", "U", "D") else named
