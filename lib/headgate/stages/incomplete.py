"""Periods of marts that are kept back while a window of what they are made from is."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.core.errors import GateClosed, InputMissing
from headgate.core.fingerprint import digest
from headgate.core.selection import ancestors
from headgate.core.spec import Clean, Ingested, Mart
from headgate.core.windows import Grain
from headgate.stages.aside import fails
from headgate.stages.due import HELD
from headgate.stages.lake import Lake
from headgate.stages.slices import overlapping
from headgate.stages.work import Fails


def held(lake: Lake, table: Mart, grain: Grain) -> dict[str, str]:
    """The periods in which an input window is blocked or failed, with the first cause of each.

    None unless the table asks for it: then its periods are made of what is published.
    """
    if table.incomplete != "hold":
        return {}
    tables, found = lake.suite.tables, dict[str, str]()
    for name in sorted(ancestors(tables, [table.name])):
        if not isinstance(tables[name], Ingested | Clean):
            continue
        for window in lake.history.windows(name):
            last = lake.history.last(name, window)
            if last is None or last.status not in ("blocked", "failed"):
                continue
            if last.exit_code == InputMissing.exit_code:
                continue
            for period in overlapping([window], lake.suite.window, grain):
                found.setdefault(period, f"{name} {window} is {last.status}")
    return found


def held_by(waiting: Mapping[str, str], period: str) -> dict[str, str]:
    """The part of a period that tells what keeps it back; it comes due when that changes."""
    return {HELD: digest(waiting[period])} if period in waiting else {}


def kept_back(cause: str) -> Fails:
    """How the run of a period ends that is kept back."""
    table = cause.partition(" ")[0]
    what = f"{cause}, and incomplete periods are held"
    return fails(GateClosed(what, next=f"headgate status {table}"))
