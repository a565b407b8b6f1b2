"""Windows of a supplier that are not there: gaps, and what is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from headgate.core.errors import HeadgateError, Late
from headgate.core.spec import Ingested, Table
from headgate.stages.lake import Lake


@dataclass(frozen=True)
class Missing:
    """A window for which nothing ever came."""

    window: str
    expected: datetime | None = None  # since when it is late, where its table says so

    @property
    def why(self) -> str:
        """In the words of a plan."""
        if self.expected is None:
            return "gap: no input"
        return f"gap: no input, expected by {self.expected:%Y-%m-%d %H:%M}"


def missing(lake: Lake, table: Table) -> list[Missing]:
    """Windows since `since` for which nothing ever came, up to the newest one and yesterday.

    Of a table that says what it expects: those whose time has passed, and no others.
    """
    if not isinstance(table, Ingested) or (table.since is None and table.expects is None):
        return []
    grain, known = lake.suite.window, set(lake.history.windows(table.name))
    last = max([*known, grain.shift(grain.of(lake.now()), -1)])
    first = grain.covering(table.since, table.since)[0] if table.since else min(known, default=last)
    absent = [window for window in grain.between(first, last) if window not in known]
    if table.expects is None:
        return [Missing(window) for window in absent]
    expected = [(w, table.expects.deadline(grain.start(w), grain.end(w))) for w in absent]
    return [Missing(w, at) for w, at in expected if at is not None and at <= lake.now()]


def late_in(lake: Lake, tables: Sequence[Table]) -> dict[str, HeadgateError]:
    """What is to be told of windows that are late, by table."""
    found: dict[str, HeadgateError] = {}
    for table in tables:
        late = [one for one in missing(lake, table) if one.expected is not None]
        if late:
            found[table.name] = _said(table, late)
    return found


def _said(table: Table, late: Sequence[Missing]) -> Late:
    newest = late[-1]
    more = f", nor {len(late) - 1:,} before it" if len(late) > 1 else ""
    assert isinstance(table, Ingested)  # no other is missing
    return Late(
        f"no file of {newest.window} has come{more}: expected by {newest.expected:%Y-%m-%d %H:%M}",
        where=f"{table.name} {newest.window}",
        next=f"ask for {table.source.files}, then headgate run {table.name}",
    )
