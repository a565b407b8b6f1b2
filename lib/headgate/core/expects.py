"""When a supplier's window is expected, and from when on it is late."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal

from headgate.core.contract import Value

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Expects(Value):
    """Which windows come, and at what time of day their files are there."""

    every: Literal[
        "window", "weekday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
        "sunday",
    ] = "window"  # fmt: skip
    by: str = "00:00"

    def deadline(self, start: datetime, end: datetime) -> datetime | None:
        """From when on a window is late: the time of day `by` that follows its end.

        None where no such window is expected.

        >>> friday, saturday = datetime(2026, 11, 20), datetime(2026, 11, 21)
        >>> str(Expects(every="weekday", by="06:00").deadline(friday, saturday))
        '2026-11-21 06:00:00'
        >>> Expects(every="weekday").deadline(saturday, datetime(2026, 11, 22)) is None
        True
        """
        day = start.weekday()
        if self.every == "weekday" and day > 4:
            return None
        if self.every in WEEKDAYS and day != WEEKDAYS.index(self.every):
            return None
        at = datetime.combine(end.date(), time.fromisoformat(self.by))
        return at if at >= end else at + timedelta(days=1)
