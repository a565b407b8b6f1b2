"""Which files a table is made of: found, compared with the ledger, pinned before they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    window: str  # of its path, or the one in which it was first seen
    size: int
    modified: int
    content: str
    first_seen: datetime
    new: str = ""  # what is new about it; empty where the ledger has it like this
    windows: tuple[str, ...] = ()  # those its rows belong to, where a column tells (`window_by`)

    def source(self) -> SourceFile:
        return SourceFile(self.path, self.window, self.first_seen, self.size)


@dataclass
class Batch:
    """The files of one table by window."""

    windows: dict[str, list[Known]] = field(default_factory=dict)
    gone: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # files not there any more
    strangers: list[str] = field(default_factory=list)  # below the folder, but match nothing

    def fresh(self, windows: Iterable[str]) -> list[Known]:
        """The files of some windows that the ledger does not have like this."""
        new = {f.path: f for w in windows for f in self.windows.get(w, ()) if f.new}
        return list(new.values())


Tell = Callable[[Sequence[Known]], Mapping[str, tuple[str, ...]]]


def found_files(
    lake: Lake, table: Ingested, only: Sequence[str] | None = None, tell: Tell | None = None
) -> Batch:
    """List the table's files and compare them with the ledger.

    `tell` says to which windows the rows of new files belong, where only a column does.
    """
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
    now = lake.clock().replace(microsecond=0)
    there = set()
    found: list[Known] = []
    for prefix in prefixes:
        for info in lake.raw.listing(prefix):
            window = pattern.window_of(info.path)
            if window is None:
                batch.strangers.append(info.path)
                continue
            there.add(info.path)
            known_row = latest.get(info.path)
            content = _content(lake, info, known_row)
            same = known_row is not None and known_row["content"] == content
            new = "" if same else _news(info.path, known_row)
            first = seen.get((info.path, content))
            seen_at = _moment(first) if first else now
            if not window:
                window = _first_window(lake, known_row)
            told = tuple(known_row["window"].split(",")) if known_row and tell and same else ()
            found.append(
                Known(info.path, window, info.size, info.modified_ns, content, seen_at, new, told)
            )
    if tell:
        found = _told(found, tell, latest, batch)
    for known in found:
        for one in known.windows or (known.window,):
            batch.windows.setdefault(one, []).append(known)
    for path, row in latest.items():
        if path not in there:
            for one in row["window"].split(","):
                batch.gone.setdefault(one, []).append((path, row["content"]))
    return batch


def _first_window(lake: Lake, row: Mapping[str, Any] | None) -> str:
    """The window in which a file was first seen, pinned in the ledger."""
    moment = _moment(row["first_seen"]) if row else lake.clock()
    return lake.suite.window.of(lake.local(moment))


def _told(
    found: list[Known], tell: Tell, latest: Mapping[str, Mapping[str, Any]], batch: Batch
) -> list[Known]:
    """Files with the windows of their rows; those that a file left are due as well."""
    windows = tell([file for file in found if file.new])
    made = []
    for file in found:
        if not file.new:
            made.append(file)
            continue
        made.append(replace(file, windows=windows.get(file.path, (file.window,))))
        before = latest.get(file.path)
        for one in before["window"].split(",") if before else ():
            batch.windows.setdefault(one, [])
    return made


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
                "window": ",".join(file.windows or (file.window,)),
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
