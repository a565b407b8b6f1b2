"""How a landing goes: a line a file, how fast it is, what came of it in all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from headgate.core.errors import HeadgateError, Interrupted, Usage, worst
from headgate.core.landing import AGAIN, Landed, Offer, bytes_told
from headgate.core.spec import Suite
from headgate.doors.living import Living
from headgate.stages.landing import readers
from headgate.storage.landing import Meter
from headgate.storage.offered import Offered

ARRIVED = ("landed", "replaced")


class Tally(Living):
    """Says what becomes of each file, and keeps count."""

    plain_every = 10.0

    def __init__(self, suite: Suite, *, follows: bool = False, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self.meter = Meter()
        self._suite, self._follows = suite, follows
        self._since = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._files: dict[str, Landed] = {}
        self._readers: dict[str, None] = {}
        self._errors: list[str] = []
        self._codes: list[int] = []
        self._passed_over, self._bytes, self._of = 0, 0, 0
        self._before: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return worst([*self._codes, *(one.exit_code for one in self._files.values())])

    def all_of(self, found: Offered) -> Sequence[Offer]:
        """The files of a call; none where one cannot be landed."""
        if not found.files and not found.faults:
            raise Usage("there is no file to land", next="name files, or a folder that has some")
        for fault in found.faults:
            self._failed(fault)
        self._passed_over, self._of = found.passed_over, len(found.files)
        return () if found.faults else found.files

    def some_of(self, found: Offered) -> Sequence[Offer]:
        """The files that can be landed; what hinders the others is said once."""
        faults = tuple(fault.sentence for fault in found.faults)
        for fault in faults:
            if fault not in self._before:
                self.trouble(fault)
        self._before = faults
        return found.files

    def take(self, outcomes: Iterable[Landed]) -> None:
        """Tell of each file as its outcome is known."""
        for one in outcomes:
            self._counts[one.status] += 1
            if one.status in ARRIVED:
                self._bytes += one.offer.size
            # What is followed for months is counted, not remembered.
            if one.exit_code or not self._follows:
                self._files[one.offer.path] = one
            else:
                self._files.pop(one.offer.path, None)
            tell = self.trouble if one.exit_code else self.line
            tell(self._told(one))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What ends the landing is told after what had landed by then."""
        try:
            yield
        except KeyboardInterrupt:
            if self._follows:
                self._codes.append(Interrupted.exit_code)
            else:
                self._failed(Interrupted("interrupted", next=AGAIN))
        except HeadgateError as error:
            self._failed(error)

    def text(self) -> str:
        """How far it is, how fast, and how long it will take."""
        meter = self.meter
        done = sum(self._counts.values())
        if self._follows and meter.moved >= meter.total:
            return f"following: {done:,} so far" if self._living else ""
        if not meter.total:
            return "looking at what is there already"
        rate = meter.moved / max(time.monotonic() - meter.since, 0.001)
        known = meter.moved * 1000 > meter.total  # before that, the rate says little
        left = f"  {_lasting((meter.total - meter.moved) / rate)} left" if known else ""
        files = f"{done:,}/{self._of:,} files  " if self._of else ""
        moved = f"{bytes_told(meter.moved)} of {bytes_told(meter.total)}"
        return f"{files}{moved}  {bytes_told(rate)}/s{left}"

    def summary(self) -> None:
        """The last word of a call."""
        for error in self._errors:
            self.trouble(error)
        if self._quiet:
            return
        counts = ", ".join(f"{count:,} {status}" for status, count in self._counts.items())
        said = [counts] if counts else []
        if self._bytes:
            seconds = time.monotonic() - self._since
            speed = f" in {seconds:.1f} s, {bytes_told(self._bytes / seconds)}/s"
            said.append(bytes_told(self._bytes) + ("" if self._follows else speed))
        if self._left or not said:
            some = f"{self._left:,} of {self._of:,} not landed"
            said.append(some if self._left < self._of else "nothing landed")
        if self._passed_over:
            said.append(f"{self._passed_over:,} passed over for their names, as ingest would")
        self.line(f"{self._suite.name}: {'; '.join(said)}")
        if self._readers:
            named = self._suite.environment.name
            env = "" if named == "local" else f" --env {named}"
            self.line(f"Next: headgate run {' '.join(f'{name}+' for name in self._readers)}{env}")

    @property
    def _left(self) -> int:
        there = sum(self._counts[status] for status in (*ARRIVED, "unchanged"))
        return max(0, self._of - there)

    def shown(self) -> dict[str, Any]:
        """The result object."""
        arrived = any(self._counts[status] for status in ARRIVED)
        bad = [f"{one.offer.path}: {one.message}" for one in self._files.values() if one.exit_code]
        errors = [*self._errors, *bad]
        return {
            "suite": self._suite.name,
            "status": "failed" if errors else "landed" if arrived else "unchanged",
            "exit_code": self.exit_code,
            "errors": errors,
            "runs": [],
            "counts": dict(self._counts),
            "bytes": self._bytes,
            "seconds": round(time.monotonic() - self._since, 3),
            "files": [
                {**one.shown(), "tables": readers(self._suite, path)}
                for path, one in self._files.items()
            ],
        }

    def _told(self, one: Landed) -> str:
        path, status = one.offer.path, one.status
        if one.exit_code:
            return f"{path} {status.upper()}: {one.message}"
        if status == "unchanged":
            return f"{path} unchanged: the same content is there"
        tables = readers(self._suite, path)
        self._readers |= dict.fromkeys(tables)
        unread = "" if tables else "; no table of the suite reads it"
        return f"{path} {status}: {bytes_told(one.offer.size)}{unread}"

    def _failed(self, error: HeadgateError) -> None:
        self._errors.append(error.sentence)
        self._codes.append(error.exit_code)


def _lasting(seconds: float) -> str:
    """A length of time as a person reads it.

    >>> _lasting(99.4), _lasting(3000)
    ('99 s', '50 min')
    """
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"
