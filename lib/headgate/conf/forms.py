"""Small forms that files share: names, shares, dates, stretches of time."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from headgate.conf import sparktypes
from headgate.conf.nodes import Node
from headgate.conf.shapes import FILLED, At, Listed, Parsed, Text

# Delta refuses these in column names unless a table asks for column mapping.
_FORBIDDEN = re.compile(r"[ ,;{}()\n\t=]")
_SHARE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)")
_STRETCH = re.compile(r"(\d+)\s+(minute|hour|day|week)s?")
_DAYS = {"day": 1, "week": 7}
_LETTERS = "GyMLdDQqEFahHKkmsSVzOXx"  # of patterns that Spark reads by
_MEANT = {"Y": " (did you mean 'y'?)", "u": " (did you mean 'E'?)", "T": ": write it as 'T'"}
MOST_KEPT = 30  # days for which Delta keeps a table's log, where nobody set it otherwise
SYSTEM = ("_file", "_row", "_window", "_ingested_at", "_rescued")


def share(text: str) -> float:
    """A share of all rows.

    >>> share("5%"), share("0.05")
    (0.05, 0.05)
    """
    match = _SHARE.fullmatch(text)
    if not match:
        raise ValueError(f"must be a share such as 5% or 0.05, not '{text[:60]}'")
    value = float(match[1]) / 100 if match[2] else float(match[1])
    if value > 1:
        fix = "" if match[2] else f": write {text}% or {float(match[1]) / 100:g}"
        raise ValueError(f"{text} is more than all{fix}")
    return value


def day(text: str) -> date:
    """A date, as 2026-11-20."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not in the calendar") from None
    raise ValueError(f"must be a date written 2026-11-20, not '{text[:60]}'")


def _whole(text: str) -> int:
    if re.fullmatch(r"[1-9]\d{0,8}", text):
        return int(text)
    raise ValueError(f"must be a whole number from 1, not '{text[:60]}'")


WHOLE = Parsed("a whole number", _whole, {"type": "integer", "minimum": 1})


def days(text: str) -> int:
    """A stretch of whole days.

    >>> days("30 days"), days("2 weeks")
    (30, 14)
    """
    match = _STRETCH.fullmatch(text)
    if match and match[2] in _DAYS and int(match[1]) > 0:
        return int(match[1]) * _DAYS[match[2]]
    fix = f" (did you mean '{text} days'?)" if text.isdigit() and int(text) > 0 else ""
    raise ValueError(f"must be a number of days or weeks such as '30 days', not '{text[:60]}'{fix}")


def kept_days(text: str) -> int:
    """How long older versions stay: readers need a day, and Delta's logs tell no more of a month.

    >>> kept_days("2 weeks")
    14
    """
    found = days(text)
    if 1 <= found <= MOST_KEPT:
        return found
    raise ValueError(f"must be between 1 day and {MOST_KEPT} days, not '{text[:60]}'")


def clock(text: str) -> str:
    """A time of day, kept as text."""
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        return text
    raise ValueError(f"must be a time of day such as 06:00, not '{text[:60]}'")


def periods(text: str) -> int:
    """A stretch of whole periods of a mart.

    >>> periods("7 periods")
    7
    """
    match = re.fullmatch(r"([1-9]\d{0,3})\s+periods?", text)
    if match:
        return int(match[1])
    raise ValueError(f"must be a number of periods such as '7 periods', not '{text[:60]}'")


def stretch(text: str) -> str:
    """A stretch of time, kept as text."""
    match = _STRETCH.fullmatch(text)
    if match and int(match[1]) > 0:
        return f"{int(match[1])} {match[2]}{'s' if int(match[1]) != 1 else ''}"
    raise ValueError(f"must be a stretch of time such as '2 days' or '6 hours', not '{text[:60]}'")


def pattern(text: str) -> str:
    """A pattern of dates or times, as far as its letters tell.

    >>> pattern("d. MMMM yyyy 'um' HH:mm")
    "d. MMMM yyyy 'um' HH:mm"
    """
    if text.count("'") % 2:
        raise ValueError(f"a quote (') is not closed in '{text[:60]}'")
    for letter in re.sub(r"'[^']*'", "", text):
        if letter.isalpha() and letter not in _LETTERS:
            hint = _MEANT.get(letter, "; put texts in single quotes")
            raise ValueError(f"'{letter}' is no letter of Spark's patterns{hint}: '{text[:60]}'")
    return text


def column_name(text: str) -> str:
    """The name of a column that a file brings into being."""
    bad = _FORBIDDEN.search(text)
    if bad:
        shown = "a space" if bad.group() == " " else f"'{bad.group().strip() or 'white space'}'"
        raise ValueError(f"a column name cannot hold {shown}: '{text[:60]}'")
    if text in SYSTEM:
        raise ValueError(f"'{text}' is a system column: give another name")
    if text.startswith("__") or "." in text or "`" in text:
        raise ValueError(f"a column name cannot begin with __ or hold a '.' or '`': '{text[:60]}'")
    return text


def contract_name(text: str) -> str:
    """The name of a column in a contract."""
    if text.startswith("_"):
        raise ValueError(f"column names that begin with _ belong to Headgate: '{text[:60]}'")
    return column_name(text)


class NewColumn(Text):
    """A name that a column is given."""

    def read(self, node: Node, at: At) -> str:
        text = super().read(node, at)
        try:
            return column_name(text)
        except ValueError as error:
            raise at.note(node, str(error)) from None


class ContractColumn(Text):
    """A name that a column of a contract is given."""

    def read(self, node: Node, at: At) -> str:
        text = super().read(node, at)
        try:
            return contract_name(text)
        except ValueError as error:
            raise at.note(node, str(error)) from None


def _form(**more: Any) -> dict[str, Any]:
    return {"anyOf": [{"type": "string", **more}, FILLED]}


SHARE = Parsed(
    "a share such as 5% or 0.05",
    share,
    {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, *_form(pattern="%$")["anyOf"]]},
)
DATE = Parsed("a date written 2026-11-20", day, _form(pattern=r"^\d{4}-\d\d-\d\d$"))
PERIODS = Parsed(
    "a number of periods such as '7 periods'", periods, _form(pattern=r"^\d+ +periods?$")
)
DAYS = Parsed("a number of days such as '30 days'", days, _form(pattern=r"^\d+ +(day|week)s?$"))
KEPT = Parsed(
    "a number of days such as '14 days'", kept_days, _form(pattern=r"^\d+ +(day|week)s?$")
)
STRETCH = Parsed(
    "a stretch of time such as '2 days'",
    stretch,
    _form(pattern=r"^\d+ +(minute|hour|day|week)s?$"),
)
CLOCK = Parsed("a time of day such as 06:00", clock, _form(pattern=r"^\d\d:\d\d$"))
TYPE = Parsed("a Spark type such as bigint or decimal(10,2)", sparktypes.checked)
PATTERN = Parsed("a pattern such as d.M.yyyy", pattern)
COLUMN = Text("a column")
COLUMNS = Listed(COLUMN, unique=True, about="list of columns, or one")
NEW_COLUMN = NewColumn("a column name")
CONTRACT_COLUMN = ContractColumn("a column name")
