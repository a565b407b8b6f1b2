"""The life of a row as plain values: where it came from, what became of it, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

End = Literal[
    "written", "replaced", "deleted", "rejected", "filtered", "duplicate", "withheld", "waits",
    "lost sight of",
]  # fmt: skip
PRIVATE = "(private)"  # in the place of a value that was declared to hold personal data


@dataclass(frozen=True, order=True)
class Origin:
    """A record of a file: what a row is known by in every table that carries it."""

    window: str
    file: str
    row: int

    def __str__(self) -> str:
        return f"{self.file} record {self.row:,}"


@dataclass(frozen=True)
class Stop:
    """What one step did to a row."""

    step: str
    did: Literal["kept", "changed", "dropped", "multiplied", "set aside"]
    changed: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)  # before and after
    added: Mapping[str, Any] = field(default_factory=dict)  # columns that were not there
    gone: tuple[str, ...] = ()  # columns that are there no more
    rows: int = 1  # that the row has become


@dataclass(frozen=True)
class Broken:
    """A rule that a row breaks."""

    rule: str
    severity: str


@dataclass(frozen=True)
class Passage:
    """A row's way through one table."""

    table: str
    window: str
    end: End
    why: str = ""  # the reason, in words
    came: Mapping[str, Any] = field(default_factory=dict)  # the row as it entered
    steps: tuple[Stop, ...] = ()
    breaks: tuple[Broken, ...] = ()
    run: str | None = None
    version: int | None = None
    state: str | None = None  # of a rejected row, in quarantine
    by: Origin | None = None  # the row that stands in its place

    def plain(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            **{name: getattr(self, name) for name in
               ("table", "window", "end", "why", "run", "version", "state")},
            "came": dict(self.came),
            "steps": [vars(one) for one in self.steps],
            "breaks": [vars(one) for one in self.breaks],
            "by": vars(self.by) if self.by else None,
        }  # fmt: skip


@dataclass(frozen=True)
class Life:
    """One record of a file, and its way as far as it came."""

    origin: Origin
    passages: tuple[Passage, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {**vars(self.origin), "passages": [one.plain() for one in self.passages]}


@dataclass(frozen=True)
class Lives:
    """What was found, and where it was looked for."""

    table: str
    where: str
    found: tuple[Life, ...]
    total: int  # how many rows match
    looked: tuple[str, ...]  # the places, in words
