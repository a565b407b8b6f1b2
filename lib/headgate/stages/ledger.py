"""Which files a table is made of: found, compared with the ledger, pinned before they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from headgate.core.paths import Pattern
from headgate.core.spec import Ingested
from headgate.stages.lake import Lake
from headgate.storage.files import FileInfo
from headgate.storage.raw import SourceFile


@dataclass(frozen=True)
class Known:
    """A file as it stands in the ledger, or as it was just found."""

    path: str
    window: str
    size: int
    modified: int
    content: str
    first_seen: datetime
    new: str = ""  # what is new about it; empty where the ledger has it like this

    def source(self) -> SourceFile:
        return SourceFile(self.path, self.window, self.first_seen)


@dataclass
class Batch:
    """The files of one table by window."""

    windows: dict[str, list[Known]] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)  # in the ledger, no longer there
    strangers: list[str] = field(default_factory=list)  # below the folder, but match nothing

    def fresh(self, windows: Iterable[str]) -> list[Known]:
        """The files of some windows that the ledger does not have like this."""
        return [file for w in windows for file in self.windows.get(w, ()) if file.new]


def found_files(lake: Lake, table: Ingested, only: Sequence[str] | None = None) -> Batch:
    """List the table's files and compare them with the ledger."""
    pattern = Pattern(table.source.files, lake.suite.window)
    rows = lake.ledger(table.name)
    latest = {row["file"]: row for row in rows}
    seen: dict[tuple[str, str], str] = {}
    for row in rows:
        seen.setdefault((row["file"], row["content"]), row["first_seen"])
    batch = Batch()
    prefixes = [pattern.prefix]
    if only is not None and pattern.windowed:
        prefixes = pattern.folders(only)
    now = lake.clock()
    there = set()
    for prefix in prefixes:
        for info in lake.raw.listing(prefix):
            window = pattern.window_of(info.path)
            if window is None:
                batch.strangers.append(info.path)
                continue
            there.add(info.path)
            known_row = latest.get(info.path)
            if not window:
                window = known_row["window"] if known_row else lake.suite.window.of(lake.now())
            content = _content(lake, info, known_row)
            same = known_row is not None and known_row["content"] == content
            new = "" if same else _news(info.path, known_row)
            first = seen.get((info.path, content))
            known = Known(
                info.path, window, info.size, info.modified_ns, content,
                _moment(first) if first else now, new,
            )  # fmt: skip
            batch.windows.setdefault(window, []).append(known)
    for path, row in latest.items():
        listed = only is None or row["window"] in only
        if listed and path not in there and row["state"] != "broken":
            batch.gone.setdefault(row["window"], []).append(path)
    return batch


def _content(lake: Lake, info: FileInfo, row: Mapping[str, Any] | None) -> str:
    """A name for a file's content; the file is read only where size or time have changed."""
    if row and (row["size"], row["modified"]) == (info.size, info.modified_ns):
        return str(row["content"])
    return lake.raw.digest(info.path)


def _news(path: str, row: Mapping[str, Any] | None) -> str:
    return f"new content of {path}" if row else f"new file {path}"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def pin(lake: Lake, table: str, files: Sequence[Known]) -> None:
    """Write down which files, with which content, the batch is about to read."""
    now = lake.clock().isoformat()
    lake.pin(
        table,
        [
            {
                "table": table,
                "file": file.path,
                "window": file.window,
                "size": file.size,
                "modified": file.modified,
                "content": file.content,
                "first_seen": file.first_seen.isoformat(),
                "state": "taken",
                "reason": file.new,
                "seen_at": now,
            }
            for file in files
        ],
    )
