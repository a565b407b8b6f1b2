"""A raw file without some of its records; the others stay as they came, byte for byte in texts."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Sequence, Set

from headgate.core.contract import FileSource
from headgate.readers.packed import packing
from headgate.storage.heads import codec, format_of, has_header

_ENDS = ("\n", "\r")


def without(
    content: bytes,
    name: str,
    source: FileSource,
    rows: Set[int],
    values: Sequence[str],
    total: int,
    sure: Set[int] = frozenset(),
) -> bytes | None:
    """The file without records of these numbers, from 1; None where it cannot be taken apart.

    What is taken for a record has to be one: there are `total` of them in the file, and each that
    goes holds one of the `values`, unless it is one of which somebody is `sure`.
    """
    kind, packed = format_of(source, name), packing(name)
    if source.reader or packed not in ("", ".gz"):
        return None
    if kind == "parquet":
        return _parquet(content, rows, total)
    if kind not in ("csv", "jsonl"):
        return None
    plain = gzip.decompress(content) if packed else content
    try:
        text = plain.decode(codec(source))
        if text.encode(codec(source)) != plain:
            return None
    except UnicodeError:
        return None
    parts = list(records(text, str(source.options.get("quote", '"')) if kind == "csv" else ""))
    counted = [at for at, part in enumerate(parts) if part.strip()]
    if kind == "csv" and has_header(source):
        counted = counted[1:]
    if len(counted) != total or max(rows) > total:
        return None
    gone = {counted[row - 1] for row in rows}
    doubtful = {counted[row - 1] for row in rows if row not in sure}
    if not all(any(value in parts[at] for value in values) for at in doubtful):
        return None
    kept = "".join(part for at, part in enumerate(parts) if at not in gone).encode(codec(source))
    return gzip.compress(kept, mtime=0) if packed else kept


def records(text: str, quote: str) -> Iterator[str]:
    """A text's lines with their ends; a line that ends inside quotes goes on in the next.

    >>> list(records("a,'x\\ny'\\nb,z\\n", "'"))
    ["a,'x\\ny'\\n", 'b,z\\n']
    """
    held = ""
    for line in _lines(text):
        held += line
        if not quote or held.count(quote) % 2 == 0:
            yield held
            held = ""
    if held:
        yield held


def _lines(text: str) -> Iterator[str]:
    """Lines as Spark parts them: no other signs end one."""
    at = 0
    while at < len(text):
        ends = [place for end in _ENDS if (place := text.find(end, at)) >= 0]
        if not ends:
            yield text[at:]
            return
        after = min(ends) + 1
        if text[after - 1] == "\r" and text[after : after + 1] == "\n":
            after += 1
        yield text[at:after]
        at = after


def _parquet(content: bytes, rows: Set[int], total: int) -> bytes | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    if table.num_rows != total:
        return None
    kept = table.filter(pa.array([at + 1 not in rows for at in range(table.num_rows)]))
    out = io.BytesIO()
    pq.write_table(
        kept, out, compression="snappy", coerce_timestamps="us", allow_truncated_timestamps=True
    )
    return out.getvalue()
