"""Sample files: found, and read without Spark as far as a guess needs them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from headgate.core.errors import HeadgateError, Unreadable, Usage
from headgate.guessing.dialect import NotATable, dialect_of, encoding_of
from headgate.guessing.samples import Record, Sample
from headgate.readers import containers, texts
from headgate.readers.packed import DAMAGE, head, packing
from headgate.storage.decoded import told
from headgate.storage.files import unusable
from headgate.storage.heads import AGAIN, HOW, MAGIC, NAMES
from headgate.storage.names import hidden

READ = 16 << 20  # bytes of a text that are looked at
DOCUMENT = 256 << 20  # of a JSON document, which is read whole
RECORDS, EVERY = 10_000, 30_000  # records of one file, and of all
FILES = 200  # that are read
_OF_A_DAY = re.compile(r"(\w+=)?(\d\d|\d{4}([-_.]?\d\d){0,2}(T\d\d)?)")  # a folder's name
_SHEETS = (".xlsx", ".xls", ".ods", ".xlsm")
_PYTHON = {bool: "boolean", int: "bigint", float: "double", datetime: "timestamp", date: "date"}
_ARROW = {"int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint",
          "bool": "boolean", "uint8": "smallint", "uint16": "int", "uint32": "bigint",
          "uint64": "decimal(20,0)",
          "float": "float", "double": "double", "halffloat": "float", "string": "string",
          "large_string": "string", "binary": "binary", "large_binary": "binary",
          "date32[day]": "date"}  # fmt: skip


def found(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each file that is meant, and its path from what all have above them on.

    Of a folder it is all that is in it; names with _ or . in front are passed over, as ingest does.
    """
    files: list[Path] = []
    for name in names:
        path = Path(name)
        try:
            if not name or not path.exists():
                raise Usage("it is not there", where=name or "FILES", next="correct the name")
            inside = sorted(_below(path)) if path.is_dir() else [path]
        except OSError as error:
            raise unusable(error, name) from error
        if not inside:
            raise Usage(
                "the folder holds no file", where=name, next="name files, or another folder"
            )
        files += inside
    files = list(dict.fromkeys(files))
    whole = [Path(os.path.abspath(one)) for one in files]  # noqa: PTH100 - a link keeps its name
    above = Path(os.path.commonpath([one.parent for one in whole]))
    while _OF_A_DAY.fullmatch(above.name):
        above = above.parent  # a folder of one day belongs to the path
    shown = [one.relative_to(above).as_posix() for one in whole]
    return [(str(file), path) for file, path in zip(files, shown, strict=True)]


def _below(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not hidden(name)]
        yield from (Path(at, name) for name in names if not hidden(name))


def sampled(file: str, path: str, most: int = RECORDS) -> Sample:
    """The first records of a file. Raises `Unreadable` where it holds none."""
    try:
        size = Path(file).stat().st_size
        with Path(file).open("rb") as opened:
            start = opened.read(READ)
    except OSError as error:
        raise unusable(error, file) from error
    if not size:
        raise Unreadable("the file is empty (0 bytes)", where=file, next=AGAIN)
    if file.lower().endswith(_SHEETS) or start.startswith(b"PK\x03\x04"):
        what = "it is a spreadsheet or a zip archive"
        raise Unreadable(what, where=file, next="save its sheet as CSV, or unpack it")
    for kind, (first, _) in MAGIC.items():
        if start.startswith(first):
            return _contained(kind, file, path, most)
    try:
        content = head(path, start, READ)
    except DAMAGE:
        how = HOW[packing(path)]
        raise Unreadable(
            f"the file is not {how}, as its name says", where=file, next=AGAIN
        ) from None
    if not content:
        raise Unreadable("the file holds no text", where=file, next=AGAIN)
    return _text(file, path, content, most, whole=len(start) == size and len(content) < READ)


def _text(file: str, path: str, content: bytes, most: int, *, whole: bool) -> Sample:
    code = encoding_of(content, whole=whole)
    if not code.startswith("UTF-16") and content.count(b"\x00") * 20 > len(content):
        raise Unreadable("the file is binary, not text", where=file, next="name a file of records")
    text = content.decode(code, errors="replace").removeprefix("\ufeff")
    if sum(not (one.isprintable() or one.isspace()) for one in text[:4000]) > 200:
        raise Unreadable("the file is binary, not text", where=file, next="name a file of records")
    if not text.strip():
        raise Unreadable("the file holds no text", where=file, next=AGAIN)
    if not whole:
        text = text[: text.rfind("\n") + 1] or text
    options: dict[str, bool | int | str] = {} if code == "UTF-8" else {"encoding": code}
    plain = content.isascii()
    if text.lstrip()[0] in "[{":
        return _json(file, path, text, most, options, whole=whole, ascii=plain)
    try:
        named = re.search(r"\.(csv|tsv|txt|tab|psv|dat)(\.\w+)?$", path.lower())
        dialect = dialect_of(text, sure=bool(named))
    except NotATable as error:
        raise Unreadable(
            f"nothing in it looks like a table: {error}", where=file,
            next="name a file with a header and records, or write its table by hand: docs/files.md",
        ) from None  # fmt: skip
    _refuse_twice(dialect.names, file)
    options = {**dialect.options, **options}
    read = texts.delimited(text, options, dialect.names)
    records, lost, more = _taken(read, most)
    quote = str(dialect.options.get("quote", '"'))
    sep = re.escape(texts.separator(dialect.options))
    return Sample(
        file, path, "csv", dialect.names, records, options,
        unreadable=lost, whole=whole and not more, ascii=plain,
        blank=bool(re.search(rf"(^|{sep}){quote * 2}({sep}|\r?$)", text, re.MULTILINE)),
        evidence=dialect.evidence,
    )  # fmt: skip


def _refuse_twice(names: Sequence[str], file: str) -> None:
    folded = [name.lower() for name in names if name]
    twice = next((name for name in names if folded.count(name.lower()) > 1), None)
    if twice is not None:
        what = f"the header names '{twice}' twice, or in two cases"
        raise Unreadable(what, where=file, next="give each column a name of its own")


def _json(
    file: str, path: str, text: str, most: int, options: Mapping[str, Any], *, whole: bool,
    ascii: bool,
) -> Sample:  # fmt: skip
    first = next(line for line in text.splitlines() if line.strip())
    lines = isinstance(next(texts.json_lines(first)), Mapping)
    if lines:
        read: Iterable[Any] = texts.json_lines(text)
    else:
        if not whole:
            text = _document(file, path, str(options.get("encoding", "UTF-8")))
        read = texts.json_document(text)
        whole = True
    records, lost, more = _taken(read, most)
    if not records:
        what = (
            "nothing in it looks like a table: it is no JSON object, list of objects or JSON lines"
        )
        raise Unreadable(what, where=file, next="name a file of records")
    names = dict.fromkeys(name for _, record in records for name in record)
    quoted = frozenset(
        name for name in names
        if any(isinstance(record.get(name), str) for _, record in records)
        and not any(isinstance(record.get(name), int | float | Decimal) for _, record in records)
    )  # fmt: skip
    nested = {name: kind for name in names if (kind := _nested(r.get(name) for _, r in records))}
    shown = [(n, {k: told(v) for k, v in record.items()}) for n, record in records]
    return Sample(
        file, path, "jsonl" if lines else "json", tuple(names), shown, options,
        types={}, texts=quoted, unreadable=lost, whole=whole and not more, ascii=ascii,
        blank=any(value == "" for _, record in records for value in record.values()),
        nested=nested,
    )  # fmt: skip


def _document(file: str, path: str, code: str) -> str:
    size = Path(file).stat().st_size
    if size > DOCUMENT:
        raise Unreadable("one JSON document of this size is read by no sample",
                         where=file, next="name a smaller one, or write JSON lines")  # fmt: skip
    content = head(path, Path(file).read_bytes(), DOCUMENT)
    return content.decode(code, errors="replace").removeprefix("\ufeff")


def _nested(values: Iterable[Any]) -> str:
    """The type of lists and objects, for a comment; empty for all else."""
    held = [value for value in values if value is not None]
    if not held or not all(isinstance(value, list | dict) for value in held):
        return ""
    return "a list" if all(isinstance(value, list) for value in held) else "an object"


def _taken(read: Iterable[Any], most: int) -> tuple[list[tuple[int, Any]], tuple[int, ...], bool]:
    """The first records with their numbers, the numbers of those that cannot be read, and whether
    there are more."""
    records: list[tuple[int, Any]] = []
    lost: list[int] = []
    for number, record in enumerate(read, 1):
        if number > most:
            return records, tuple(lost), True
        if isinstance(record, str):
            lost.append(number)
        else:
            records.append((number, record))
    return records, tuple(lost), False


def _contained(kind: str, file: str, path: str, most: int) -> Sample:
    """Avro, Parquet or ORC."""
    try:
        if kind == "avro":
            records, _, more = _taken(containers.avro(Path(file).read_bytes()), most)
            names = dict.fromkeys(name for _, record in records for name in record)
            said = {n: _python(r.get(n) for _, r in records) for n in names}
            types = {n: one for n, one in said.items() if one}
        else:
            rows, fields, more = _arrow(kind, file, most)
            records = list(enumerate(rows, 1))
            types = {field.name: _spark(field.type) for field in fields}
            names = dict.fromkeys(types)
    except ImportError:
        raise Usage(
            "Avro needs fastavro, which is not installed",
            where=file, next="pip install 'headgate[formats]'",
        ) from None  # fmt: skip
    except HeadgateError:
        raise
    except Exception as error:  # pyarrow raises what it stumbles over, and quotes the file
        what = f"the file is not {NAMES[kind]}, or was cut off"
        raise Unreadable(what, where=file, next=AGAIN) from error
    _refuse_twice(list(names), file)
    shown: list[tuple[int, Record]] = [(n, {k: told(v) for k, v in r.items()}) for n, r in records]
    return Sample(file, path, kind, tuple(names), shown, types=types, whole=not more)


def _python(values: Iterable[Any]) -> str | None:
    """The type of values that are no texts, where all have one."""
    kinds = {type(value) for value in values if value is not None}
    return _PYTHON.get(kinds.pop()) if len(kinds) == 1 else None


def _arrow(kind: str, file: str, most: int) -> tuple[list[dict[str, Any]], Any, bool]:
    if kind == "parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(file) as opened:
            rows: list[dict[str, Any]] = []
            for batch in opened.iter_batches(batch_size=most):
                rows = batch.to_pylist()
                break
            return rows, opened.schema_arrow, opened.metadata.num_rows > most
    from pyarrow import orc

    stripes = orc.ORCFile(file)
    first = stripes.read_stripe(0).slice(0, most).to_pylist() if stripes.nstripes else []
    return first, stripes.schema, stripes.nrows > most


def _spark(kind: Any) -> str:
    """An Arrow type in Spark's words, where a contract has one for it."""
    text = str(kind)
    if text.startswith("timestamp"):
        return "timestamp"
    if text.startswith("decimal"):
        return f"decimal({kind.precision},{kind.scale})"
    if text.startswith(("list<", "large_list<")):
        return f"array<{_spark(kind.value_type)}>"
    if text.startswith("map<"):
        return f"map<{_spark(kind.key_type)},{_spark(kind.item_type)}>"
    if text.startswith("struct<"):
        inner = ",".join(f"{one.name}:{_spark(one.type)}" for one in kind)
        return f"struct<{inner}>"
    if text.startswith("dictionary"):
        return _spark(kind.value_type)
    return _ARROW.get(text, "string")
