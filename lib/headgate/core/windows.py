"""Windows: the slices of time that runs cover, written as text that sorts in time order."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from enum import Enum

from headgate.core.errors import Usage

_FORMS = {
    "hour": "%Y-%m-%dT%H",
    "day": "%Y-%m-%d",
    "week": "%Y-%m-%d",  # its Monday
    "month": "%Y-%m",
    "year": "%Y",
}
_EXAMPLES = {"hour": "2026-11-20T05", "day": "2026-11-20", "month": "2026-11"}
_SHAPES = {
    "hour": re.compile(r"\d{4}-\d\d-\d\dT\d\d"),
    "day": re.compile(r"\d{4}-\d\d-\d\d"),
    "week": re.compile(r"\d{4}-\d\d-\d\d"),
    "month": re.compile(r"\d{4}-\d\d"),
    "year": re.compile(r"\d{4}"),
}
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_EPOCH = datetime(1970, 1, 1)


class Grain(Enum):
    """How long a window is; a mart's period may also be an ISO week or a year."""

    hour = "hour"
    day = "day"
    week = "week"
    month = "month"
    year = "year"

    def start(self, window: str) -> datetime:
        """The first instant of a window, in the suite's time zone.

        >>> Grain.day.start("2026-11-20")
        datetime.datetime(2026, 11, 20, 0, 0)
        """
        if not _SHAPES[self.value].fullmatch(window):
            raise ValueError(window)
        return datetime.strptime(window, _FORMS[self.value])

    def end(self, window: str) -> datetime:
        """The first instant after a window.

        >>> Grain.month.end("2026-12")
        datetime.datetime(2027, 1, 1, 0, 0)
        """
        return self.start(self.shift(window, 1))

    def of(self, moment: datetime) -> str:
        """The window that holds a moment.

        >>> Grain.hour.of(datetime(2026, 11, 20, 5, 59))
        '2026-11-20T05'
        """
        if self is Grain.week:
            moment -= timedelta(days=moment.weekday())
        return moment.strftime(_FORMS[self.value])

    def shift(self, window: str, by: int) -> str:
        """The window `by` places later.

        >>> Grain.month.shift("2026-11", 3), Grain.day.shift("2026-03-01", -1)
        ('2027-02', '2026-02-28')
        """
        start = self.start(window)
        if self is Grain.year:
            return f"{start.year + by:04d}"
        if self is Grain.month:
            months = start.year * 12 + start.month - 1 + by
            return f"{months // 12:04d}-{months % 12 + 1:02d}"
        return self.of(start + _STEPS[self.value] * by)

    def index(self, window: str) -> int:
        """A whole number for each window; neighbours differ by one.

        >>> Grain.day.index("1970-01-02"), Grain.month.index("1971-01")
        (1, 12)
        """
        start = self.start(window)
        if self is Grain.year:
            return start.year - 1970
        if self is Grain.month:
            return (start.year - 1970) * 12 + start.month - 1
        if self is Grain.week:
            return ((start - _EPOCH).days + 3) // 7  # 1970 began on a Thursday
        return (start - _EPOCH) // _STEPS[self.value]

    def between(self, first: str, last: str) -> tuple[str, ...]:
        """All windows from first to last, both in.

        >>> Grain.day.between("2026-11-29", "2026-12-01")
        ('2026-11-29', '2026-11-30', '2026-12-01')
        """
        count = self.index(last) - self.index(first) + 1
        return tuple(self.shift(first, place) for place in range(max(count, 0)))

    def covering(self, first: date, last: date) -> tuple[str, ...]:
        """All windows that overlap two days and what is between them."""
        begin = datetime(first.year, first.month, first.day)
        end = datetime(last.year, last.month, last.day, 23)
        return self.between(self.of(begin), self.of(end))


def parse_ends(text: str, grain: Grain) -> tuple[str, str]:
    """The first and the last of the windows that a person named."""
    first, dots, last = text.partition("..")
    last = last if dots else first
    try:
        backwards = grain.index(last) < grain.index(first)
    except (ValueError, OverflowError):
        raise Usage(
            f"'{text}' is not a window: this suite's windows are written {_EXAMPLES[grain.value]}",
            next=f"--window {_EXAMPLES[grain.value]} or a range with '..' between two of them",
        ) from None
    if backwards:
        raise Usage(f"the range '{text}' runs backwards", next=f"--window {last}..{first}")
    return first, last


def parse_range(text: str, grain: Grain) -> tuple[str, ...]:
    """The windows that a person named: one, or a range with both ends in.

    >>> parse_range("2026-11-01..2026-11-03", Grain.day)
    ('2026-11-01', '2026-11-02', '2026-11-03')
    """
    return grain.between(*parse_ends(text, grain))


def stretch(text: str) -> timedelta:
    """A stretch of time as files write it.

    >>> stretch("2 days"), stretch("1 hour")
    (datetime.timedelta(days=2), datetime.timedelta(seconds=3600))
    """
    count, _, unit = text.partition(" ")
    return timedelta(**{unit if unit.endswith("s") else f"{unit}s": int(count)})


def written(windows: tuple[str, ...] | list[str], grain: Grain) -> str:
    """Windows as a person would write them: neighbours as ranges.

    >>> written(["2026-11-01", "2026-11-02", "2026-11-05"], Grain.day)
    '2026-11-01..2026-11-02, 2026-11-05'
    """
    runs: list[list[str]] = []
    for window in sorted(windows):
        if runs and grain.shift(runs[-1][-1], 1) == window:
            runs[-1].append(window)
        else:
            runs.append([window])
    return ", ".join(r[0] if len(r) == 1 else f"{r[0]}..{r[-1]}" for r in runs)
