"""The cells of the report's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from headgate.doors.markup import Html, tag

Cell = tuple[object, str]  # what stands in it, and its class


def table(heads: Sequence[Cell], rows: Iterable[Html]) -> Html:
    """A table that is moved sideways where the page is narrow."""
    head = tag("thead", tag("tr", *[tag("th", said, class_=kind or None) for said, kind in heads]))
    return tag("div", tag("table", head, tag("tbody", *rows)), class_="wide")


def row(*cells: Cell) -> Html:
    """One line of a table."""
    return tag("tr", *[tag("td", said, class_=kind or None) for said, kind in cells])


def number(count: int) -> Cell:
    """A count; none is there to be overlooked."""
    return (f"{count:,}" if count else tag("span", "0", class_="zero")), "n"


def word(state: str) -> Html:
    """A state in its colour."""
    return tag("span", state, class_=f"word {state.replace(' ', '-')}")


def moment(text: str, zone: str) -> str:
    """An instant on record, as a person in the suite's zone reads it.

    >>> moment("2026-11-20T05:06:07.123Z", "UTC")
    '2026-11-20 05:06'
    """
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return text
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
