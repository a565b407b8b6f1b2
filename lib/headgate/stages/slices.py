"""Slices of a pass (windows, or a mart's periods) as small whole numbers inside Spark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from headgate.core.windows import Grain


@dataclass(frozen=True)
class Slices:
    """The windows of one pass, and SQL that numbers them."""

    names: tuple[str, ...]
    grain: Grain

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def base(self) -> int:
        return min((self.grain.index(name) for name in self.names), default=0)

    def code(self, text: str = "`_window`") -> str:
        """SQL for the number of the slice that some text (or a date) names; the first is 0."""
        if self.span == 1 and text == "`_window`":  # a pass reads no other windows than its own
            return f"CASE WHEN {text} IS NOT NULL THEN 0 END"
        text = f"cast({text} as string)"
        days = f"datediff(to_date(substr({text}, 1, 10)), DATE'1970-01-01')"
        year, month = f"int(substr({text}, 1, 4))", f"int(substr({text}, 6, 2))"
        number = {
            Grain.hour: f"{days} * 24 + int(substr({text}, 12, 2))",
            Grain.day: days,
            Grain.week: f"int(floor(({days} + 3) / 7))",
            Grain.month: f"({year} - 1970) * 12 + {month} - 1",
            Grain.year: f"{year} - 1970",
        }[self.grain]
        return f"({number} - {self.base})"

    @cached_property
    def span(self) -> int:
        """How many numbers there are between the first slice and the last."""
        return max((self.grain.index(n) for n in self.names), default=0) - self.base + 1

    @cached_property
    def _first(self) -> str:
        return min(self.names, key=self.grain.index)

    def name(self, code: int) -> str:
        """The slice of a number."""
        return self.grain.shift(self._first, code)

    def text(self, first: str) -> str:
        """SQL for a slice as it is written, from Spark's text of its first day (or hour)."""
        if self.grain is Grain.hour:
            return f"concat(substr({first}, 1, 10), 'T', substr({first}, 12, 2))"
        length = {Grain.month: 7, Grain.year: 4}.get(self.grain, 10)
        return f"substr({first}, 1, {length})"

    def named(self, text: str) -> str:
        """The slice that Spark's text of its first day (or hour) names."""
        return named_period(text, self.grain)

    def only(self, names: Sequence[str]) -> Slices:
        return Slices(tuple(names), self.grain)


def named_period(value: str, grain: Grain) -> str:
    """How a period is written, from its first day (or hour) as Spark writes it.

    >>> named_period("2026-11-01", Grain.month), named_period("2026-11-20 05:00:00", Grain.hour)
    ('2026-11', '2026-11-20T05')
    """
    if grain is Grain.hour:
        return f"{value[:10]}T{value[11:13]}"
    return {Grain.month: value[:7], Grain.year: value[:4]}.get(grain, value[:10])


def first_day(period: str, grain: Grain) -> str:
    """A period's first day (or hour) as Spark writes it."""
    start = grain.start(period)
    return str(start) if grain is Grain.hour else start.date().isoformat()


def overlapping(windows: Sequence[str], grain: Grain, periods: Grain) -> set[str]:
    """The periods of another grain that share time with some windows."""
    found: set[str] = set()
    for window in windows:
        first, last = periods.of(grain.start(window)), grain.end(window)
        for period in periods.between(first, periods.of(last)):
            if periods.start(period) < last:
                found.add(period)
    return found
