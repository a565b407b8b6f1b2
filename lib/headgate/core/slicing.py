"""How long the slices of a table are, and how rows of another table are told by them."""

from __future__ import annotations

from typing import Literal

from headgate.core.spec import Clean, Features, Mart, Table
from headgate.core.windows import Grain

Slicing = Literal["window", "period", "input"]


def grain_of(table: Table, window: Grain) -> Grain:
    """How long a slice of a table is."""
    if isinstance(table, Mart):
        return Grain(table.period.grain)
    if isinstance(table, Features) and table.every == "month":
        return Grain.month
    return window


def sliced_alike(table: Table, other: Table, window: Grain) -> Slicing | None:
    """By what rows of another table fall into the slices of a table; None where they do not.

    Its own slices, where they are as long; or a mart's period, in the table that the mart is made
    of. A table that is kept by key has no slices: a later window takes its rows over.
    """
    if isinstance(table, Mart) and table.reads[table.period_input] == other.name:
        return "input"
    if grain_of(table, window) is not grain_of(other, window):
        return None
    if isinstance(other, Mart):
        return "period"
    by_key = isinstance(other, Features) or (isinstance(other, Clean) and other.write != "replace")
    return None if by_key else "window"
