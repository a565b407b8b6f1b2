"""What differs between the layers, as values: how slices come due, how a pass over them is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headgate.core.policy import in_force
from headgate.core.spec import Table
from headgate.stages import clean, features, ingest, marts
from headgate.stages.across import pinned
from headgate.stages.lake import Lake
from headgate.stages.work import Due, Work
from headgate.storage.targets import Target


@dataclass(frozen=True)
class Layer:
    """The functions that a layer brings to the flow."""

    due: Callable[[Lake, Any, Sequence[str] | None, bool], list[Due]]
    work: Callable[[Lake, Any, Sequence[Due]], Work]
    target: Callable[[Lake, Any], Target]


def _pinning(
    work: Callable[[Lake, Any, Sequence[Due]], Work],
) -> Callable[[Lake, Any, Sequence[Due]], Work]:
    """A layer's work with what the table's rules see of other tables."""
    return lambda lake, table, chosen: pinned(lake, work(lake, table, chosen))


LAYERS = {
    "ingested": Layer(ingest.due, _pinning(ingest.work), ingest.target),
    "clean": Layer(clean.due, _pinning(clean.work), clean.target),
    "features": Layer(features.due, _pinning(features.work), features.target),
    "marts": Layer(marts.due, _pinning(marts.work), marts.target),
}


def layer_of(table: Table) -> Layer:
    """The layer that a table belongs to."""
    return LAYERS[table.layer]


def under_policy(lake: Lake, table: Table, window: str) -> Table:
    """The table with the rules that are in force for a window: those of its first day."""
    return in_force(table, lake.grain(table).start(window).date())
