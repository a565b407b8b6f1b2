"""One writer at a time: a table is held while a person's word on it is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headgate.core.spec import Table
from headgate.stages.lake import Lake
from headgate.stages.repair import repaired
from headgate.storage.files import files_for
from headgate.storage.lease import Lease, acquire


@contextmanager
def holding(lake: Lake, table: Table, run: str, *, break_lease: bool = False) -> Iterator[Lease]:
    """The table's lease; its records are read again, and mended where its last holder died."""
    files = files_for(lake.suite.environment.lake, lake.spark)
    lease = acquire(
        files, table.name, run=run, break_it=break_lease, above=lambda: lake.fence(table.name)
    )
    clean = False
    try:
        lake.refreshed(table.name)
        repaired(lake, table.name, crashed=lease.crashed_before)
        yield lease
        clean = True
    finally:
        lease.release(clean=clean)
