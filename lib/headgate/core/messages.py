"""Alerts put together: a hundred that follow from one fault are one message, which names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headgate.core.alerts import Alert
from headgate.core.lines import followed, parted
from headgate.core.selection import ancestors
from headgate.core.spec import Table

NAMED = 5  # tables of a message; the others are counted
MOST_LINES = 100  # for programs, and for mails
_WEIGHT = {"critical": 2, "warning": 1, "info": 0}
_ANYWHERE = (20,)  # a fault of the storage or the network is one fault, whatever tables it strikes
Span = tuple[datetime, datetime]  # the second is the first instant after it


@dataclass(frozen=True)
class Lineage:
    """What is known of a suite's tables: who reads whom, and when a window begins and ends."""

    tables: Mapping[str, Table]  # dependencies first
    span: Callable[[str, str], Span | None]  # of a table's window; None: of no window

    def above(self, alert: Alert) -> set[str]:
        """The tables from which trouble can have come to that of an alert."""
        return ancestors(self.tables, [alert.table]) if alert.table in self.tables else set()

    def follows(self, later: Sequence[Alert], root: Sequence[Alert]) -> bool:
        """Whether alerts can come from those of a table above: no milder ones, of that time."""
        mild, grave = _WEIGHT[later[0].severity], _WEIGHT[root[0].severity]
        if grave < mild or (grave > 0) != (mild > 0):
            return False
        return any(self._meet(a, b) for a in later for b in root)

    def _meet(self, one: Alert, other: Alert) -> bool:
        spans = self.span(one.table, one.window), self.span(other.table, other.window)
        if spans[0] is None or spans[1] is None:
            return True
        return spans[0][0] < spans[1][1] and spans[1][0] < spans[0][1]


@dataclass(frozen=True)
class Message:
    """What is told at once: an alert, and all that follows from it."""

    root: Alert
    alerts: tuple[Alert, ...]  # the root first
    text: str

    def plain(self, **more: Any) -> dict[str, Any]:
        """For programs: the line, and what it is made of."""
        root = self.root
        state = "raised" if root.severity != "info" else "recovered"
        tables = dict.fromkeys(one.table for one in self.alerts if one.table)
        return {
            "text": self.text,
            "id": root.id,
            "state": state,
            "severity": root.severity,
            "table": root.table or None,
            "window": root.window or None,
            "run": root.run or None,
            "raised_at": root.raised_at,
            "tables": list(tables),
            "lines": [one.line for one in self.alerts[:MOST_LINES]],
            **more,
        }


def messages(alerts: Sequence[Alert], lineage: Lineage) -> list[Message]:
    """The messages that tell some alerts: by cause, then by who depends on whom."""
    place = {name: at for at, name in enumerate(lineage.tables)}
    ordered = sorted(alerts, key=lambda one: (place.get(one.table, -1), one.window))
    parts: dict[tuple[str, str, str], list[Alert]] = {}
    for one in ordered:  # all warnings of a window are one
        cause = "" if one.severity == "warning" else f"{one.severity} {one.cause}"
        parts.setdefault((one.table, one.window, cause), []).append(one)
    bunches: dict[tuple[str, ...], list[Alert]] = {}
    for part in parts.values():
        where = "" if part[0].exit_code in _ANYWHERE else part[0].table
        key = (where, part[0].severity, *(one.cause for one in part))
        bunches.setdefault(key, []).extend(part)
    roots: list[tuple[list[Alert], list[Alert]]] = []
    for bunch in sorted(bunches.values(), key=lambda b: -_WEIGHT[b[0].severity]):
        above = lineage.above(bunch[0])
        found = [r for r in roots if r[0][0].table in above and lineage.follows(bunch, r[0])]
        if found:
            min(found, key=lambda r: place[r[0][0].table])[1].extend(bunch)
        else:
            roots.append((bunch, []))
    return [_message(root, later) for root, later in roots]


def _message(root: list[Alert], later: list[Alert]) -> Message:
    first = root[0]
    line, then = parted(first.line)
    beside = [one for one in root[1:] if (one.table, one.window) == (first.table, first.window)]
    what = "; ".join([line.rstrip(".; "), *(parted(one.text)[0] for one in beside)])
    own = list(dict.fromkeys(one.window for one in root if one.table == first.table))
    struck = [name for name in dict.fromkeys(one.table for one in root) if name != first.table]
    depend = list(dict.fromkeys(one.table for one in later))
    more = []
    if len(own) > 1:
        more.append(f"the same in {_count(len(own) - 1, 'more window')} up to {own[-1]}")
    if struck:
        more.append(f"the same for {_count(len(struck), 'more table')}: {_named(struck)}")
    if depend:
        verb = "depends" if len(depend) == 1 else "depend"
        said = f"and with it {_count(len(depend), 'table')} that {verb} on it"
        more.append(f"{said}: {_named(depend)}")
    text = followed("; ".join([what, *more]), then) if more or beside else first.line
    return Message(first, (*root, *later), text)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _named(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join([*names[:NAMED], *([f"and {rest} more"] if rest > 0 else [])])
