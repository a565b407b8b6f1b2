"""What is open of each table and what has still to be told: a small file a table, below `ops`.

Files, not a Delta table: a commit costs more than the rest of a small run, and a table about which
there is nothing to tell has no file at all.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from headgate.core.alerts import Alert
from headgate.core.errors import Infrastructure
from headgate.storage import process
from headgate.storage.files import Files

FOLDER = "ops/outbox"
CLAIM_SECONDS = 120.0  # longer than any telling may take
TRIES = 20


@dataclass(frozen=True)
class Claim:
    """Who is telling the alerts of a table right now."""

    home: str
    pid: int
    started: str
    until: float

    @staticmethod
    def mine() -> Claim:
        pid, until = os.getpid(), time.time() + CLAIM_SECONDS
        return Claim(process.home(), pid, process.started(pid) or "", until)

    @property
    def bars(self) -> bool:
        """Whether others have to leave them alone: not where their teller is dead."""
        if self.home != process.home():
            return time.time() < self.until
        own = self.pid == os.getpid()
        return not own and time.time() < self.until and process.lives(self.pid, self.started)


@dataclass(frozen=True)
class Kept:
    """One file of the outbox as it was read."""

    content: bytes | None = None  # None: there is no file
    alerts: tuple[Alert, ...] = ()
    claim: Claim | None = None


class Outbox:
    """The alerts of a lake that are open or untold, by the table that they are about."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def names(self) -> list[str]:
        """The tables that have a file."""
        found = (info.path.rpartition("/")[2] for info in self._files.listing(FOLDER))
        return [name.removesuffix(".json") for name in found if name.endswith(".json")]

    def read(self, name: str) -> Kept:
        """The alerts of one table; a damaged file counts as none, and is written over."""
        try:
            content = self._files.read_bytes(_path(name))
        except FileNotFoundError:
            return Kept()
        try:
            told = json.loads(content)
            claim = Claim(**told["claim"]) if told.get("claim") else None
            return Kept(content, tuple(map(Alert.from_plain, told["alerts"])), claim)
        except (ValueError, TypeError, KeyError, AttributeError):
            return Kept(content)

    def change(self, name: str, changed: Callable[[Kept], Kept | None]) -> Kept:
        """Write what a function makes of a table's alerts; None leaves the file as it is.

        Returns what stands there afterwards.
        """
        for _ in range(TRIES):
            kept = self.read(name)
            new = changed(kept)
            if new is None or (kept.content is None and not new.alerts):
                return kept
            content = _content(new)
            if self._files.replace_if(_path(name), kept.content, content):
                return Kept(content, new.alerts, new.claim)
        raise Infrastructure("others keep writing it", where=f"{self._files.root}/{_path(name)}")

    def forget(self, name: str) -> None:
        """Remove the file of a table; for the one who holds its lease and found it empty."""
        self._files.delete(_path(name))


def _content(kept: Kept) -> bytes:
    told = {
        "alerts": [one.plain() for one in kept.alerts],
        "claim": asdict(kept.claim) if kept.claim else None,
    }
    return json.dumps(told, indent=1, ensure_ascii=False).encode()


def _path(name: str) -> str:
    return f"{FOLDER}/{name}.json"
