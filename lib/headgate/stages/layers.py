"""What differs between the layers, as values: how slices come due, how a pass over them is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headgate.core.errors import InputMissing
from headgate.core.spec import Table
from headgate.stages import clean, features, ingest, marts
from headgate.stages.lake import Lake
from headgate.stages.work import Due, Work


@dataclass(frozen=True)
class Layer:
    """The two functions that a layer brings to the flow."""

    due: Callable[[Lake, Any, Sequence[str] | None, bool], list[Due]]
    work: Callable[[Lake, Any, Sequence[Due]], Work]


LAYERS = {
    "ingested": Layer(ingest.due, ingest.work),
    "clean": Layer(clean.due, clean.work),
    "features": Layer(features.due, features.work),
    "marts": Layer(marts.due, marts.work),
}


def layer_of(table: Table) -> Layer:
    """The layer that a table belongs to."""
    return LAYERS[table.layer]


def without_input(lake: Lake, table: Table, window: str) -> InputMissing | None:
    """The error for a named window for which there is nothing to read; None where there is."""
    if lake.history.last(table.name, window) is not None:
        return None
    if table.layer == "ingested":
        return ingest.missing(lake, table, window)  # type: ignore[arg-type]
    if table.layer in ("clean",):
        name = next(iter(table.inputs))
        if window not in clean.input_windows(lake, table):  # type: ignore[arg-type]
            return _unpublished(name, table, window)
        return None
    for name in table.inputs:
        if lake.version(name) is None:
            return _unpublished(name, table, window)
    return None


def _unpublished(name: str, table: Table, window: str) -> InputMissing:
    return InputMissing(
        f"{name} has not published this window",
        where=f"{table.name} {window}",
        next=f"headgate run +{table.name} --window {window}",
    )
