"""Texts as dates: the form that all values of a column have, in the words of Spark's patterns."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

_ISO = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}"
    r"(?P<time>[ T]\d{1,2}:\d\d(:\d\d(\.\d{1,6})?)?( ?(Z|UTC|[+-]\d\d:?\d\d))?)?"
)
_CLOCK = r"(?:(?P<gap>T|,? )\d{1,2}:\d\d(?P<seconds>:\d\d)?(?: (?P<half>[AaPp][Mm]))?)?"
_PARTS = re.compile(
    rf"(?P<a>\d{{1,4}})(?P<sep>[./-])(?P<b>\d{{1,2}})(?P=sep)(?P<c>\d{{4}}|\d\d){_CLOCK}"
)
_NAMED = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<sep>[ -])(?P<b>[A-Za-z]{{3}})(?P=sep)(?P<c>\d{{4}}){_CLOCK}"
)
_COMPACT = {8: ("%Y%m%d", "yyyyMMdd", "date"), 14: ("%Y%m%d%H%M%S", "yyyyMMddHHmmss", "timestamp")}
_TIMELY = re.compile(r"date|day|datum|tag$|time|(^|_)(dt|ts|at|am)$", re.IGNORECASE)
_YEARS = range(1900, 2101)


@dataclass(frozen=True)
class Form:
    """How the dates of a column are written."""

    type: str  # date or timestamp
    format: str | None = None  # None: as Spark reads it anyway
    note: str = ""
    either: tuple[str, ...] = ()  # where the order of day and month is not clear: both formats


def timely(name: str) -> bool:
    """Whether a column's name speaks of time.

    >>> timely("ordered_at"), timely("Bestelldatum"), timely("what")
    (True, True, False)
    """
    return bool(_TIMELY.search(name))


def form_of(texts: Collection[str], name: str) -> Form | None:
    """The form that all these texts have; None where they have none, or several.

    >>> form_of(["2026-11-03", "2026-11-20"], "day")
    Form(type='date', format=None, note='', either=())
    >>> form_of(["3.11.2026 07:05", "20.11.2026 17:00"], "x").format
    'd.M.yyyy H:mm'
    >>> form_of(["03/11/2026", "04/11/2026"], "x").either
    ('d/M/yyyy', 'M/d/yyyy')
    >>> form_of(["2026-02-30"], "x") is None
    True
    """
    if not all(text.isascii() for text in texts):
        return None  # other digits than those that Spark reads
    iso = [_ISO.fullmatch(text) for text in texts]
    if all(iso):
        if not all(_iso_is_one(text) for text in texts):
            return None
        return Form("timestamp" if any(one and one["time"] for one in iso) else "date")
    first = next(iter(texts), "")
    if first.isdecimal() and len(first) in _COMPACT and timely(name):
        python, spark, kind = _COMPACT[len(first)]
        same = all(len(text) == len(first) and _is_one(text, python) for text in texts)
        return Form(kind, spark) if same else None
    return _of_parts(texts)


def _of_parts(texts: Collection[str]) -> Form | None:
    for shape, month in ((_PARTS, "M"), (_NAMED, "MMM")):
        found = [match for text in texts if (match := shape.fullmatch(text))]
        if not found or len(found) < len(texts):
            continue
        looks = {_look(match) for match in found}
        if len(looks) > 1:
            return None
        first, sep, clock, year = looks.pop()
        if first == 4:
            formats = [("yyyy", month, "d")] if year == 2 else []
        elif month == "MMM" or sep == ".":
            formats = [("d", month, "y" * year)]
        else:
            formats = [("d", month, "y" * year), (month, "d", "y" * year)]
        fitting = [sep.join(one) + clock for one in formats]
        fitting = [one for one in fitting if all(_is_one(text, _python(one)) for text in texts)]
        if not fitting:
            return None
        kind = "timestamp" if clock else "date"
        if len(fitting) > 1:
            return Form(kind, None, either=tuple(fitting))
        said = "day first, as dates with dots are" if sep == "." and first != 4 else ""
        return Form(kind, fitting[0], said)
    return None


def _look(match: re.Match[str]) -> tuple[int, str, str, int]:
    """What has to be the same for one format: length of the first part, signs, clock, year."""
    clock = ""
    if match["gap"]:
        gap = "'T'" if match["gap"] == "T" else match["gap"]
        seconds = ":ss" if match["seconds"] else ""
        clock = f"{gap}{'h' if match['half'] else 'H'}:mm{seconds}{' a' if match['half'] else ''}"
    first = 4 if len(match["a"]) == 4 else 2
    return first, match["sep"], clock, len(match["c"])


def _python(spark: str) -> str:
    """A pattern in the words of `strptime`.

    >>> _python("d/MMM/yyyy h:mm a"), _python("yyyy-M-d'T'H:mm:ss")
    ('%d/%b/%Y %I:%M %p', '%Y-%m-%dT%H:%M:%S')
    """
    words = {"yyyy": "%Y", "yy": "%y", "MMM": "%b", "M": "%m", "d": "%d", "H": "%H", "h": "%I",
             "mm": "%M", "ss": "%S", "a": "%p", "'T'": "T"}  # fmt: skip
    return re.sub(r"'T'|y+|M+|m+|s+|[dHha]", lambda found: words[found[0]], spark)


def _is_one(text: str, form: str) -> bool:
    try:
        return datetime.strptime(text, form).year in _YEARS  # noqa: DTZ007 - a text is tried
    except ValueError:
        return False


def _iso_is_one(text: str) -> bool:
    day, clock = text[:10].rstrip("T "), text[10:].lstrip("T ")
    day = re.split("[T ]", text)[0] if len(text) > 10 else day
    if not _is_one(day, "%Y-%m-%d"):
        return False
    hour = re.match(r"(\d{1,2}):(\d\d)(?::(\d\d))?", clock)
    return not hour or (int(hour[1]) < 24 and int(hour[2]) < 60 and int(hour[3] or 0) < 60)
