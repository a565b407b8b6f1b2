"""What one round of `watch` needs to know of the raw zone: what is new there, and what moves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headgate.core.paths import Pattern
from headgate.core.spec import Ingested, Suite
from headgate.stages.at_rest import Resting
from headgate.storage.files import FileInfo, Files

RECHECK = 300.0  # seconds: other runs and the calendar make windows due without a new file


@dataclass
class Zone:
    """The raw zone of a suite as one round after the other sees it."""

    suite: Suite
    files: Files
    settle: float
    moving: frozenset[str] = frozenset()  # files that are still being written
    took: float = 0.0  # seconds that the last look took
    _resting: Resting = field(init=False)
    _there: frozenset[FileInfo] = frozenset()  # at rest
    _done: tuple[str, frozenset[FileInfo]] | None = None  # what the last whole round had seen
    _at: float = 0.0

    def __post_init__(self) -> None:
        self._resting = Resting(self.settle)

    def look(self) -> None:
        """See which files are there, and which of them are at rest."""
        began = time.monotonic()
        found = {info.path: info for one in self._prefixes() for info in self.files.listing(one)}
        self.moving = self._resting.moving(found.values(), began, time.time())
        self._there = frozenset(one for one in found.values() if one.path not in self.moving)
        self.took = time.monotonic() - began

    def news(self, window: str) -> bool:
        """Whether a round may find something to do."""
        return (window, self._there) != self._done or time.monotonic() - self._at > RECHECK

    def done(self, window: str) -> None:
        """A round has seen to all that was there."""
        self._done, self._at = (window, self._there), time.monotonic()

    def rewritten(self, taken: Mapping[str, Sequence[str]]) -> list[str]:
        """Tables with a file that was taken in before and is being written anew: they wait."""
        return [name for name, files in taken.items() if self.moving.intersection(files)]

    def _prefixes(self) -> list[str]:
        ingested = [one for one in self.suite.tables.values() if isinstance(one, Ingested)]
        found = [Pattern(one.source.files, self.suite.window).prefix for one in ingested]
        return list(dict.fromkeys(found))
