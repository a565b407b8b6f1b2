"""What an erasure would do, and what it did: places, counts and the proof; never a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headgate.core.results import Entry


@dataclass(frozen=True)
class Spot:
    """Rows of people in one place."""

    kind: str  # table, store, quarantine, corrections, ids, raw
    table: str
    rows: int
    windows: tuple[str, ...] = ()
    records: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # raw: by file

    @property
    def place(self) -> str:
        """The place in words."""
        words = {
            "table": "", "store": "the store of ", "quarantine": "the quarantine of ",
            "corrections": "what was repaired of ", "ids": "the ids of ",
        }  # fmt: skip
        return words.get(self.kind, "raw files of ") + self.table

    def plain(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "place": self.place, "kind": self.kind, "table": self.table, "rows": self.rows,
            "windows": list(self.windows), "files": {f: list(n) for f, n in self.records.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """What a second look at everything on disk found."""

    files: int = 0  # data files that were read, those of no version included
    logs: int = 0  # files of Delta's logs
    found: tuple[str, ...] = ()  # where somebody is still

    @property
    def holds(self) -> bool:
        return not self.found


@dataclass(frozen=True)
class Erasure:
    """One erasure: its plan, and once it was carried out what came of it."""

    id: str
    table: str
    columns: tuple[str, ...]  # by which people are known
    people: int
    spots: tuple[Spot, ...] = ()
    again: tuple[str, ...] = ()  # tables that are made again
    untraced: Mapping[str, str] = field(default_factory=dict)  # columns that find nobody, and why
    unread: Mapping[str, str] = field(default_factory=dict)  # raw files, and why
    before: str | None = None  # when the same people were erased before
    runs: tuple[Entry, ...] = ()
    left: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # raw records, by file
    proof: Proof | None = None  # none: it is a plan

    @property
    def rows(self) -> int:
        """Rows in all places."""
        return sum(one.rows for one in self.spots)

    def plain(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "erasure": self.id, "table": self.table, "columns": list(self.columns),
            "people": self.people, "rows": self.rows,
            "places": [one.plain() for one in self.spots], "again": list(self.again),
            "untraced": dict(self.untraced), "unread": dict(self.unread), "before": self.before,
            "runs": [one.shown() for one in self.runs],
            "left": {file: list(rows) for file, rows in self.left.items()},
            "proof": None if self.proof is None else
            {"files": self.proof.files, "logs": self.proof.logs, "found": list(self.proof.found)},
        }  # fmt: skip
