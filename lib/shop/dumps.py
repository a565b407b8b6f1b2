"""Records as the bytes of raw files: CSV and JSON lines, with the ways of each sender."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shop.story import FileFacts

Cells = Sequence[str]  # of a line of CSV; one too many or too few makes it malformed
Fields = Mapping[str, object]  # of a line of JSON


@dataclass(frozen=True)
class Record:
    """One record as it stands in a file, and what is wrong with it."""

    content: Cells | Fields | str  # text: a line that was broken on its way
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draft:
    """One raw file, not yet written."""

    source: str
    window: str
    name: str
    records: tuple[Record, ...]
    header: Cells | None = None  # None: JSON lines
    separator: str = ","
    line_end: str = "\n"
    encoding: str = "utf-8"
    cut_in: str | None = None  # the file ends within the record with this text
    removed: int = 0  # rows that an earlier version of the file had

    @property
    def path(self) -> str:
        return f"{self.source}/{self.window}/{self.name}"

    def facts(self) -> FileFacts:
        """What stands in the file."""
        kinds = Counter(kind for record in self._left() for kind in record.kinds)
        if self.removed:
            kinds["removed"] = self.removed
        return FileFacts(
            self.path, self.source, self.window, len(self._left()), tuple(sorted(kinds.items()))
        )

    def content(self) -> bytes:
        """Its bytes."""
        text = self._json() if self.header is None else self._csv(self.header)
        if self.cut_in is not None:
            text = text[: text.index(self.cut_in) + len(self.cut_in) // 3]
        return text.encode(self.encoding)

    def _left(self) -> tuple[Record, ...]:
        """The records that are in the file, the one that was cut included."""
        if self.cut_in is None:
            return self.records
        ends = (n for n, r in enumerate(self.records, start=1) if "truncated" in r.kinds)
        return self.records[: next(ends)]

    def _csv(self, header: Cells) -> str:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.separator, lineterminator=self.line_end)
        writer.writerow(header)
        for record in self.records:
            if isinstance(record.content, str):
                text.write(record.content + self.line_end)
            else:
                writer.writerow(record.content)
        return text.getvalue()

    def _json(self) -> str:
        lines = (
            one.content
            if isinstance(one.content, str)
            else json.dumps(one.content, ensure_ascii=False)
            for one in self.records
        )
        return "".join(f"{line}{self.line_end}" for line in lines)


def write(raw: Path, draft: Draft) -> None:
    """Put a file into the raw zone; a reader sees the old content or the new, never a part."""
    path = raw / draft.path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(draft.content())
    unfinished.replace(path)
