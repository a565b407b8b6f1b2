"""Which files a table is made of: found, compared with the ledger, pinned before they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import Any

from headgate.core.paths import Pattern
from headgate.core.spec import Ingested
from headgate.stages.lake import Lake
from headgate.storage.files import FileInfo
from headgate.storage.heads import SourceFile

TAKEN, ASIDE, SKIPPED = "taken", "set aside", "skipped"  # states of a file in the ledger
# And of a read of a database, by the folder of its files.
READING, READ, REPLACED = "reading", "read", "replaced"
FOLDER = "folder"  # what stands for the content of a folder
Row = Mapping[str, Any]


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
    state: str = ""  # in the ledger; empty where the ledger does not have it like this
    aside: str = ""  # why it cannot be read, where its name alone tells
    replaces: bool = False  # whether another content of it was taken in before
    copy_of: str = ""  # an earlier file with the same content

    def source(self) -> SourceFile:
        return SourceFile(self.path, self.window, self.first_seen, self.size)


@dataclass
class Batch:
    """The files of one table by window."""

    windows: dict[str, list[Known]] = field(default_factory=dict)
    gone: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # files not there any more
    skipped: dict[str, list[Known]] = field(default_factory=dict)  # re-sent, and not wanted twice
    strangers: list[str] = field(default_factory=list)  # below the folder, but match nothing

    def files(self, windows: Iterable[str]) -> list[Known]:
        """The files of some windows, each once."""
        return list({f.path: f for w in windows for f in self.windows.get(w, ())}.values())


@dataclass
class Book:
    """The ledger of one table, by what is asked of it."""

    latest: dict[str, Row] = field(default_factory=dict)  # by file
    seen: dict[tuple[str, str], str] = field(default_factory=dict)  # by file and content, when
    states: dict[str, dict[str, str]] = field(default_factory=dict)  # by file, then by content

    @staticmethod
    def of(rows: Iterable[Row]) -> Book:
        book = Book()
        for row in rows:
            file, content = row["file"], row["content"]
            book.latest[file] = row
            book.seen.setdefault((file, content), row["first_seen"])
            book.states.setdefault(file, {})[content] = row["state"]
        return book

    def replaced(self, file: str, content: str) -> bool:
        """Whether another content of a file was taken in before."""
        states = self.states.get(file, {})
        return any(state == TAKEN for other, state in states.items() if other != content)

    def whole(self, file: str) -> bool:
        """Whether a file is of a read of a database that came over whole, and counts still."""
        read = self.latest.get(str(PurePosixPath(file).parent))
        return read is not None and read["state"] == READ


Tell = Callable[[Sequence[Known]], Mapping[str, tuple[str, ...]]]


def found_files(
    lake: Lake, table: Ingested, only: Sequence[str] | None = None, tell: Tell | None = None
) -> Batch:
    """List the table's files and compare them with the ledger.

    `tell` says to which windows the rows of new files belong, where only a column does.
    """
    pattern, book = Pattern(table.source.files, lake.suite.window), Book.of(lake.ledger(table.name))
    batch, found = Batch(), dict[str, Known]()
    prefixes = [pattern.prefix]
    if only is not None and pattern.windowed:
        prefixes = pattern.folders(only)
    now = lake.clock().replace(microsecond=0)
    for info in (info for prefix in prefixes for info in lake.raw.listing(prefix)):
        if info.path in lake.moving:
            continue
        window = pattern.window_of(info.path)
        folder = _folder(pattern, info.path) if window is None else None
        if folder is not None:
            info, window = FileInfo(folder, 0, 0), pattern.window_of(folder)
        if window is None:
            batch.strangers.append(info.path)
        elif table.database and not book.whole(info.path):
            continue  # of a read that was broken off, or gave way to a newer one
        elif info.path not in found:
            found[info.path] = _known(lake, book, info, window, now, by_column=tell is not None)
    wanted = []
    for known in _copies_told(found, book).values():
        if known.copy_of and table.resent == "skip":
            batch.windows.setdefault(known.window, [])
            batch.skipped.setdefault(known.window, []).append(known)
        else:
            wanted.append(known)
    for known in _told(wanted, tell, book.latest, batch) if tell else wanted:
        for one in known.windows or (known.window,):
            batch.windows.setdefault(one, []).append(known)
    for path, row in book.latest.items():
        # What was never taken in may go as it came.
        if path not in found and (row["state"] == TAKEN or book.replaced(path, row["content"])):
            for one in row["window"].split(","):
                batch.gone.setdefault(one, []).append((path, row["content"]))
    if only is None:
        lake.strangers[table.name] = batch.strangers
    return batch


def _folder(pattern: Pattern, path: str) -> str | None:
    """The folder above a file that is called as a file of the table would be."""
    above = (str(one) for one in PurePosixPath(path).parents if one.suffix)
    return next((one for one in above if pattern.window_of(one) is not None), None)


def _known(
    lake: Lake, book: Book, info: FileInfo, window: str, now: datetime, *, by_column: bool
) -> Known:
    row = book.latest.get(info.path)
    folder = not info.modified_ns
    content = FOLDER if folder else _content(lake, info, row)
    same = row is not None and row["content"] == content
    first = book.seen.get((info.path, content))
    return Known(
        path=info.path,
        window=window or _first_window(lake, row),
        size=info.size,
        modified=info.modified_ns,
        content=content,
        first_seen=_moment(first) if first else now,
        new="" if same else _news(info.path, row),
        windows=tuple(row["window"].split(",")) if row and by_column and same else (),
        state=str(row["state"]) if row and same else "",
        aside="it is a folder, and its name is that of a file" if folder else "",
        replaces=book.replaced(info.path, content),
    )


def _copies_told(found: Mapping[str, Known], book: Book) -> Mapping[str, Known]:
    """The files, with the earlier file of the same content that one is a copy of."""
    first: dict[str, tuple[datetime, str]] = {}
    contents = {one.content for one in found.values() if one.size}
    elsewhere = (
        (row["content"], _moment(row["first_seen"]), path)
        for path, row in book.latest.items()
        if row["content"] in contents and path not in found and row["state"] == TAKEN
    )
    here = ((one.content, one.first_seen, path) for path, one in found.items() if one.size)
    for content, seen, path in (*elsewhere, *here):
        first[content] = min(first.get(content, (seen, path)), (seen, path))
    made = {}
    for path, one in found.items():
        original = first[one.content][1] if one.size else path
        if original != path:
            one = replace(one, copy_of=original)
            if one.new:
                one = replace(one, new=f"{one.new}, which has the content of {original}")
        made[path] = one
    return made


def _first_window(lake: Lake, row: Row | None) -> str:
    """The window in which a file was first seen, pinned in the ledger."""
    moment = _moment(row["first_seen"]) if row else lake.clock()
    return lake.suite.window.of(lake.local(moment))


def _told(found: list[Known], tell: Tell, latest: Mapping[str, Row], batch: Batch) -> list[Known]:
    """Files with the windows of their rows; those that a file left are due as well."""
    windows = tell([file for file in found if file.new])
    made = []
    for file in found:
        if not file.new:
            made.append(file)
            continue
        before = latest.get(file.path)
        held = tuple(before["window"].split(",")) if before else (file.window,)
        # Without rows, or unreadable: it stays where it was, whose windows it may hold up.
        made.append(replace(file, windows=windows.get(file.path, held)))
        for one in held if before else ():
            batch.windows.setdefault(one, [])
    return made


def _content(lake: Lake, info: FileInfo, row: Row | None) -> str:
    """A name for a file's content; the file is read only where size or time have changed."""
    if row and (row["size"], row["modified"]) == (info.size, info.modified_ns):
        return str(row["content"])
    return lake.raw.digest(info.path)


def _news(path: str, row: Row | None) -> str:
    return f"new content of {path}" if row else f"new file {path}"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def pin(
    lake: Lake, table: str, batch: Batch, windows: Sequence[str], aside: Mapping[str, str]
) -> None:
    """Write down which files, with which content, a pass is about to read, and which not.

    `aside` are files that cannot be read, and why. What the ledger says already is not repeated.
    """
    now = lake.clock().isoformat()
    rows = []
    for file in batch.files(windows):
        state = ASIDE if file.path in aside else TAKEN
        if file.new or file.state != state:
            why = aside.get(file.path) or file.new or "it can be read now"
            rows.append(_row(table, file, state, why, now))
    for file in (file for window in windows for file in batch.skipped.get(window, ())):
        if file.new or file.state != SKIPPED:
            rows.append(_row(table, file, SKIPPED, copied(file), now))
    lake.pin(table, rows)


def copied(file: Known) -> str:
    """What is to be said of a file that was sent again."""
    return f"it has the content of {file.copy_of}"


def _row(table: str, file: Known, state: str, reason: str, now: str) -> dict[str, Any]:
    return {
        "table": table,
        "file": file.path,
        "window": ",".join(file.windows or (file.window,)),
        "size": file.size,
        "modified": file.modified,
        "content": file.content,
        "first_seen": file.first_seen.isoformat(),
        "state": state,
        "reason": reason,
        "seen_at": now,
    }
