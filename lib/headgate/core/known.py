"""Which tables keep what was known when, and which overwrite it."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.core.spec import Clean, Ingested, Table


def untold(name: str, tables: Mapping[str, Table]) -> str | None:
    """Why the rows of a table do not tell when they had arrived; None where they do."""
    table = tables.get(name)
    if table is not None and not isinstance(table, Clean | Ingested):
        return f"the rows of {name} are made of several"
    while isinstance(table, Clean):
        if table.write == "upsert":
            return f"{table.name} is 'write: upsert', which keeps only what is known now"
        table = tables.get(next(iter(table.reads.values())))
    return None
