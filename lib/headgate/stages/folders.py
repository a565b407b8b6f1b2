"""Where rows of a table lie: itself, and what is kept beside it."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.core.spec import Table
from headgate.stages.lake import Lake
from headgate.storage.remains import Remains


def folders(lake: Lake, table: Table) -> Iterator[tuple[str, Remains]]:
    """The folders in which rows of a table are kept, as far as they are there."""
    for kind, path in (
        ("table", lake.path(table.name)),
        ("store", lake.store(table.name)),
        ("quarantine", lake.quarantine(table.name).path),
        ("vault", lake.vault(table.name).path),
        ("corrections", lake.corrections(table.name).path),
        *(("ids", ids.path) for ids in lake.ids_of(table)),
    ):
        remains = Remains(lake.spark, path)
        if remains.exists:
            yield kind, remains
