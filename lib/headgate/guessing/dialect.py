"""How a text file is written: its encoding, what parts its columns, whether it has a header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from headgate.guessing.values import plain_word
from headgate.readers.texts import separator

SEPARATORS = (",", ";", "\t", "|", "^", "~", "\x01")
_LOOKED = 300  # records
_HEAD = 1 << 18
_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_MOSTLY = 0.8  # of the records have as many fields as the header
Options = Mapping[str, bool | int | str]


class NotATable(ValueError):
    """The text holds no records that could be columns; its message says what was seen."""


@dataclass(frozen=True)
class Dialect:
    """How a CSV text is written, with what speaks for it."""

    options: Options
    names: tuple[str, ...]
    evidence: str


def encoding_of(content: bytes, *, whole: bool = True) -> str:
    """The encoding of a text by its mark, its NULs, or its bytes; not `whole`: its first bytes.

    >>> encoding_of(b"caf\\xc3\\xa9"), encoding_of(b"caf\\xe9"), encoding_of(b"5 \\x80")
    ('UTF-8', 'ISO-8859-1', 'windows-1252')
    >>> encoding_of("a;b".encode("utf-16")), encoding_of("a;b".encode("utf-16-be"))
    ('UTF-16', 'UTF-16BE')
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    head = content[:_HEAD]
    for name, zeros, others in (
        ("UTF-16LE", head[1::2], head[::2]),
        ("UTF-16BE", head[::2], head[1::2]),
    ):
        if len(head) > 1 and zeros.count(0) > 0.6 * len(zeros) and others.count(0) == 0:
            return name
    try:
        # The first bytes may end within a sign.
        codecs.getincrementaldecoder("utf-8")().decode(content, final=whole)
    except UnicodeDecodeError:
        pass
    else:
        return "UTF-8"
    return "windows-1252" if re.search(rb"[\x80-\x9f]", content) else "ISO-8859-1"


def dialect_of(text: str, *, sure: bool = True) -> Dialect:
    """How a CSV text is written; `sure`: it is said to be a table, though it had one column.

    >>> found = dialect_of("Nr;Preis\\n1;2,50\\n2;13,00\\n")
    >>> found.options["sep"], found.names
    (';', ('Nr', 'Preis'))
    """
    head = text[:_HEAD]
    comment = "#" if head.lstrip("\r\n").startswith("#") else ""
    options: dict[str, bool | int | str] = {"header": True}
    if comment:
        options["comment"] = comment
        kept = [line for line in head.splitlines(keepends=True) if not line.startswith("#")]
        head = "".join(kept)
    quote = _quote(head)
    escape = "\\" if "\\" + quote in head and quote * 2 not in head else ""
    sep, rows = _parted(head, quote, escape, sure=sure)
    options |= {} if sep == "," else {"sep": sep}
    options |= {} if quote == '"' else {"quote": quote}
    options |= {"escape": escape} if escape else {}
    names = tuple(name.strip() for name in rows[0])
    evidence = ""
    if not _is_header(rows):
        options["header"] = False
        names = tuple(f"column_{place}" for place in range(1, len(rows[0]) + 1))
        evidence = "the first record looks like the others, so there is no header"
    return Dialect(options, names, evidence)


def _quote(text: str) -> str:
    """The sign around texts: a single quote only where it stands at both ends of fields."""
    if '"' in text:
        return '"'
    whole = re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", text, re.MULTILINE)
    return "'" if len(whole) > 2 else '"'


def _records(text: str, sep: str, quote: str, escape: str) -> list[list[str]]:
    rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=sep, quotechar=quote,
        doublequote=not escape, escapechar=escape or None,
    )  # fmt: skip
    found: list[list[str]] = []
    with suppress(csv.Error):  # what was read before will do
        found.extend(row for row in islice(rows, _LOOKED) if row)
    return found


def _parted(text: str, quote: str, escape: str, *, sure: bool) -> tuple[str, list[list[str]]]:
    """What parts the fields: that by which most records have as many as the first."""
    best: tuple[float, int, str, list[list[str]]] | None = None
    title: tuple[int, int] | None = None
    for sep in SEPARATORS:
        rows = _records(text, sep, quote, escape)
        widths = Counter(map(len, rows))
        width, usual = widths.most_common(1)[0] if rows else (0, 0)
        if width < 2:
            continue
        share = usual / len(rows)
        if len(rows[0]) != width:
            if usual >= _MOSTLY * (len(rows) - 1) and usual > 1:
                title = (len(rows[0]), width)
            continue
        if share >= _MOSTLY and (best is None or (share, width) > best[:2]):
            best = (share, width, sep, rows)
    if best is not None:
        return best[2], best[3]
    if title is not None:
        what = (
            f"its first record has {title[0]} field{'s' * (title[0] != 1)}, the others {title[1]}"
        )
        raise NotATable(f"{what}: the first one has to be the header")
    rows = _records(text, ",", quote, escape)
    if not sure or any(len(row) > 1 for row in rows):
        raise NotATable("its lines do not have the same number of fields, whatever parts them")
    return ",", rows


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first record names the columns."""
    first = [name.strip() for name in rows[0]]
    if any(not plain_word(name) for name in first if name):
        return False
    if len(set(first)) < len(first) and len(rows) > 1:
        return len({*map(tuple, rows)}) > 1 and not set(first) & {v.strip() for v in rows[1]}
    below = [
        {row[place].strip() for row in rows[1:] if place < len(row)} for place in range(len(first))
    ]
    return not any(name and name in values for name, values in zip(first, below, strict=True))


def shown(options: Options) -> str:
    """What parts columns, in words.

    >>> shown({"sep": ";"}), shown({"sep": "\\t"}), shown({})
    ("';'", 'tabs', "','")
    """
    sep = separator(options)
    return "tabs" if sep == "\t" else f"'{sep}'" if sep.isprintable() else repr(sep)
