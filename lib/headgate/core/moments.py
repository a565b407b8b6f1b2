"""Which texts Spark reads as a date or timestamp."""

from __future__ import annotations

import re
from datetime import date

_MOMENT = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)"
    r"([T ]([01]?\d|2[0-3]):[0-5]?\d(:[0-5]?\d(\.\d{1,6})?)?\s*(Z|UTC|[+-]\d\d?:?\d\d)?)?"
)


def is_moment(text: str) -> bool:
    """Whether Spark reads a text as a date or timestamp; a cast of any other stops the run.

    >>> [is_moment(text) for text in ("2026-01-02", "2026-1-2 5:30", "2026-02-31", "soon", "12")]
    [True, True, False, False, False]
    """
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        return False
    try:
        date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return False
    return True
