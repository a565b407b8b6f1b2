"""What somebody should hear of, and whether it is news: the same is told once until it is over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from headgate.core.errors import HeadgateError, Late
from headgate.core.fingerprint import digest
from headgate.core.lines import followed, parted, told
from headgate.core.results import LAYERS, Entry
from headgate.core.spec import AlertRoute, Severity

# Numbers that stand alone: what was measured is another each time, `line_2` is a name.
_NUMBERS = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*%?(?!\w)")
_LONGEST_CAUSE = 300
WAITING, TOLD, GIVEN_UP, FOR_NOBODY = "waiting", "told", "given up", "for nobody"


@dataclass(frozen=True)
class Alert:
    """One thing that somebody should hear of, and how far that has got."""

    table: str  # empty: the suite as a whole
    window: str  # empty: the table as a whole
    severity: Severity
    text: str  # what is wrong; with what to type next where that is not `headgate show`
    line: str  # the same as the one line that is told
    cause: str  # by which it is the same as that of an earlier try
    raised_at: str  # ISO 8601, UTC
    run: str = ""  # empty: it came to no run
    exit_code: int = 0
    open: bool = True  # whether things are still so
    state: str = WAITING
    tries: int = 0
    tried_at: str = ""
    route: str = ""  # its kind, and why it did not get through; never its address
    told_with: str = ""  # the table whose trouble it follows from, in whose message it was told

    @property
    def id(self) -> str:
        """The same for every try to tell it, so that whoever hears it twice can know."""
        by = self.run or self.raised_at
        return digest([by, self.table, self.window, self.severity, self.cause])[:12]

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same alert as another of its table."""
        return self.window, self.severity, self.cause

    def plain(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return asdict(self)

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> Alert:
        """The alert that `plain` wrote; keys of another release are left out."""
        known = {field.name for field in fields(Alert)}
        return Alert(**{name: value for name, value in values.items() if name in known})


def cause_of(text: str, table: str) -> str:
    """A sentence without what differs from try to try.

    >>> cause_of("mean(price_2) 41.2, usual 3.9 to 4.6; 1,000 rows kept back", "clean.orders")
    'mean(price_2) #, usual # to #; # rows kept back'
    >>> cause_of("/lake/clean/orders: the disk is full Next: make room", "clean.orders")
    '/lake/…: the disk is full'
    """
    what = parted(text)[0]
    for name in (table, table.replace(".", "/", 1)) if table else ():
        what = what.replace(name, "…")
    return _NUMBERS.sub("#", what)[:_LONGEST_CAUSE]


def raised_by(entry: Entry, at: str) -> list[Alert]:
    """What a run has to tell: a closed gate, a failure, warnings."""
    found = []
    if entry.exit_code and entry.message:
        closed = [check for check in entry.checks if check.closed]
        # Which rules closed the gate is steadier than how they say it; drift is one rule for all.
        by_name = closed and all(check.expectation != "drift" for check in closed)
        rules = "; ".join(sorted(check.rule for check in closed))
        cause = rules if by_name else cause_of(entry.message, entry.table)
        found.append(_of(entry, "critical", entry.message, told(entry), cause, at))
    for text in entry.warnings:
        what, then = parted(text)
        line = followed(
            f"{entry.table} {entry.window} WARNING {what}", then or f"headgate show {entry.run}"
        )
        found.append(_of(entry, "warning", text, line, cause_of(text, entry.table), at))
    return found


def _of(entry: Entry, severity: Severity, text: str, line: str, cause: str, at: str) -> Alert:
    return Alert(
        table=entry.table, window=entry.window, severity=severity, text=text,
        line=" ".join(line.split()), cause=cause[:_LONGEST_CAUSE], raised_at=at, run=entry.run,
        exit_code=entry.exit_code,
    )  # fmt: skip


def raised_without_run(error: HeadgateError, suite: str, table: str, at: str) -> Alert:
    """What kept a table, or the whole suite, from being looked at."""
    what, then = parted(error.sentence)
    word = "LATE" if isinstance(error, Late) else "FAILED"
    line = followed(f"{table or suite} {word} {what.removeprefix(f'{table}: ')}", then)
    cause = cause_of(error.sentence, table)
    return Alert(
        table=table, window="", severity="critical", text=error.sentence, line=line, cause=cause,
        raised_at=at, exit_code=error.exit_code,
    )  # fmt: skip


def recovered(gone: Alert, entry: Entry, at: str) -> Alert:
    """That something is well again."""
    was = "blocked" if gone.exit_code in (10, 11) else "failed"
    since = gone.raised_at[:16].replace("T", " ")
    text = f"well again: {entry.rows.written:,} rows published; it was {was} since {since} UTC"
    line = followed(f"{entry.table} {entry.window} {text}", f"headgate show {entry.run}")
    return Alert(
        table=entry.table, window=entry.window, severity="info", text=text, line=line,
        cause="well again", raised_at=at, run=entry.run, open=False,
    )  # fmt: skip


def noted(known: Sequence[Alert], entry: Entry, raised: Sequence[Alert], at: str) -> list[Alert]:
    """The alerts of a table after one more run: what is told already is not told again."""
    others = [one for one in known if one.window != entry.window or not one.open]
    before = {one.key: one for one in known if one.window == entry.window and one.open}
    now = {one.key: one for one in raised}
    kept = [_again(before[key], one) if key in before else one for key, one in now.items()]
    gone = [one for key, one in before.items() if key not in now]
    # What is over before anybody heard of it is told all the same.
    over = [replace(one, open=False) for one in gone if one.state == WAITING]
    worst = next((one for one in gone if one.severity == "critical"), None)
    heard = worst is not None and worst.state in (WAITING, TOLD) and not worst.told_with
    if worst and heard and entry.status == "published":
        over.append(recovered(worst, entry, at))
    return [*others, *over, *kept]


def _again(before: Alert, now: Alert) -> Alert:
    """One that was raised before: where nobody has heard of it yet, it names the newer run."""
    if before.state == TOLD:
        return before
    if before.state != WAITING:  # the routes may be others by now
        return now
    return replace(
        now, raised_at=before.raised_at, tries=before.tries, tried_at=before.tried_at,
        route=before.route,
    )  # fmt: skip


def news(known: Sequence[Alert], raised: Iterable[Alert]) -> list[Alert]:
    """Those that say what was not so before."""
    before = {one.key for one in known if one.open}
    return [one for one in raised if one.key not in before]


def route_for(routes: Sequence[AlertRoute], alert: Alert, owner: str | None) -> int | None:
    """The place of the first route that takes an alert."""
    for place, route in enumerate(routes):
        owned = not route.owner or (owner is not None and owner in route.owner)
        named = not route.tables or any(covers(one, alert.table) for one in route.tables)
        if alert.severity in route.severity and owned and named:
            return place
    return None


def covers(pattern: str, table: str) -> bool:
    """Whether a name of a route's `tables` means a table.

    >>> covers("clean.*", "clean.orders"), covers("marts", "marts.sales"), covers("clean", "")
    (True, True, False)
    """
    if pattern in LAYERS:
        return table.startswith(f"{pattern}.")
    return bool(table) and fnmatchcase(table, pattern)
