"""Upkeep: small files made few, files of older versions removed; every row stays as it is."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from headgate.core.spec import Clean, Table
from headgate.stages.folders import folders
from headgate.stages.holding import holding
from headgate.stages.lake import Lake
from headgate.storage.faults import classify
from headgate.storage.keyed import merged_version
from headgate.storage.points import reached
from headgate.storage.records import SCHEMAS
from headgate.storage.remains import Remains
from headgate.storage.tables import DeltaTable
from headgate.storage.upkeep import Amount, Upkeep, compacted, measured, shut_out

NONE = Amount()
# The store first: the table's commit then names the version that the store has come to.
ORDER = ("store", "table", "quarantine", "vault", "corrections", "ids")


@dataclass(frozen=True)
class Upkept:
    """One folder: what it holds, and what of that is less now, or would be."""

    table: str
    place: str  # table, or what is kept beside it
    keep: int  # days
    live: Amount  # before
    small: Amount = NONE  # small files that are written together
    into: int = 0  # to so many
    old: Amount = NONE  # files of versions that are kept no longer

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.small.files or self.old.files)

    def plain(self) -> dict[str, Any]:
        """The same for programs."""
        told = {name: dict(vars(getattr(self, name))) for name in ("live", "small", "old")}
        of = {"table": self.table, "place": self.place, "keep_versions": self.keep}
        return {**of, **told, "into": self.into}


def maintained(lake: Lake, table: Table, *, dry_run: bool, break_lease: bool) -> list[Upkept]:
    """What is kept of one table; it is changed under the table's lease, beside no run."""
    try:
        if dry_run or not any(True for _ in folders(lake, table)):
            keep = _keep(lake, table)
            return [
                _upkept(table.name, kind, keep, _measured(lake, remains, keep))
                for kind, remains in _in_order(lake, table)
            ]
        run = secrets.token_hex(6)
        with holding(lake, table, run, break_lease=break_lease) as lease:
            return list(_done(lake, table, run, lease.token))
    except Exception as error:
        raise classify(error) from error


def records_maintained(lake: Lake, *, dry_run: bool) -> Iterator[Upkept]:
    """The tables of records: small files they write together themselves as they grow."""
    keep = lake.suite.keep_versions
    for name in SCHEMAS:
        remains = Remains(lake.spark, lake.records.path(name))
        if remains.exists:
            found = _measured(lake, remains, keep)
            if not dry_run:
                remains.delete(one.path for one in found.old)
            yield Upkept(f"ops.{name}", "table", keep, found.live, old=found.freed)


def _done(lake: Lake, table: Table, run: str, fence: int) -> Iterator[Upkept]:
    keep = _keep(lake, table)
    for kind, remains in _in_order(lake, table):
        found, into = _measured(lake, remains, keep), 0
        told: dict[str, Any] = {"maintained": run, "suite": lake.suite.name}
        if kind == "table" and (merged := _merged(lake, table)) is not None:
            told["store_version"] = merged
        if found.small.files:
            into = compacted(remains, told)
        reached("compacted")
        if found.noted:
            shut_out(remains, fence, told)
        remains.delete(one.path for one in found.old)
        yield _upkept(table.name, kind, keep, found, into)


def _in_order(lake: Lake, table: Table) -> list[tuple[str, Remains]]:
    """The table's folders; not its store while that holds more than the table shows.

    A run was broken off there: the next one puts the store back, and needs all its files.
    """
    found = sorted(folders(lake, table), key=lambda one: ORDER.index(one[0]))
    store = DeltaTable(lake.spark, lake.store(table.name)).latest()
    whole = not _keyed(table) or store == _merged(lake, table)
    return [(kind, remains) for kind, remains in found if whole or kind != "store"]


def _merged(lake: Lake, table: Table) -> int | None:
    """The version of its store that a table by key shows."""
    here = lake.delta(table.name)
    seen = merged_version(here, here.latest()) if _keyed(table) else None
    store = DeltaTable(lake.spark, lake.store(table.name))
    return None if seen is None else store.resting(seen)


def _keyed(table: Table) -> bool:
    return isinstance(table, Clean) and table.write != "replace"


def _keep(lake: Lake, table: Table) -> int:
    return table.keep_versions or lake.suite.keep_versions


def _measured(lake: Lake, remains: Remains, keep: int) -> Upkeep:
    return measured(remains, (lake.clock() - timedelta(days=keep)).timestamp())


def _upkept(table: str, kind: str, keep: int, found: Upkeep, into: int | None = None) -> Upkept:
    """What was found, or was done: `into` tells how many files were made."""
    made = found.into if into is None else into
    small = found.small if made else NONE
    return Upkept(table, kind, keep, found.live, small, made, found.freed)
