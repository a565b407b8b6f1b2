"""Which files of a folder have stopped growing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from headgate.core.landing import Offer
from headgate.storage.files import FileInfo


@dataclass
class Settling:
    """Files as they were last seen, and since when they have been so.

    A file is ready once, when it has looked the same for `seconds`; after a change, once more.

    >>> seen = Settling(seconds=5)
    >>> [len(seen.ready([Offer("a", "a", size=1)], at)) for at in (0, 4, 5, 6)]
    [0, 0, 1, 0]
    >>> [len(seen.ready([Offer("a", "a", size=2)], at)) for at in (7, 12)]
    [0, 1]
    """

    seconds: float
    _since: dict[Offer, float] = field(default_factory=dict)
    _given: set[Offer] = field(default_factory=set)

    def ready(self, now: Sequence[Offer], at: float) -> list[Offer]:
        """The files that have come to rest and were not given out as they are."""
        self._since = {offer: self._since.get(offer, at) for offer in now}
        self._given &= set(now)
        found = [
            offer
            for offer, since in self._since.items()
            if at - since >= self.seconds and offer not in self._given
        ]
        self._given.update(found)
        return found

    def again(self, offers: Iterable[Offer]) -> None:
        """These did not get there: they are ready once more."""
        self._given.difference_update(offers)


@dataclass
class Resting:
    """Files of a folder as they were last seen: those that changed of late are moving.

    >>> seen, old, new = Resting(seconds=5), FileInfo("a", 1, 10**9), FileInfo("b", 1, 99 * 10**9)
    >>> [sorted(seen.moving([old, new], at, clock=100 + at)) for at in (0, 4, 5)]
    [['b'], ['b'], []]
    """

    seconds: float
    _since: dict[FileInfo, float] = field(default_factory=dict)

    def moving(self, files: Iterable[FileInfo], at: float, clock: float) -> frozenset[str]:
        """The files that may still be written: seen as they are for too short a time.

        What is seen for the first time is as old as it says; a clock that is wrong costs a wait.
        """

        def first(one: FileInfo) -> float:
            age = clock - one.modified_ns / 1e9
            return at - self.seconds if self.seconds <= age else at

        self._since = {one: self._since.get(one, first(one)) for one in files}
        return frozenset(
            one.path for one, since in self._since.items() if at - since < self.seconds
        )
