"""Reads of databases: when one is due, what it takes, and how none of its rows comes twice.

A read is kept as files below the raw zone, and from there on it is like any other: what its window
is made of, what is judged again when a rule changes. It is pinned in the ledger, with its bounds,
before a row comes over; its files count once the ledger says that they are whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from headgate.core.contract import Column, Database
from headgate.core.errors import HeadgateError, Usage
from headgate.core.spec import Ingested, Suite
from headgate.stages.lake import Lake
from headgate.stages.ledger import READ, READING, REPLACED, Book
from headgate.storage.databases import Pulse, connected

NEXT = "next"  # in the place of a read that was broken off: one that is to begin


@dataclass(frozen=True)
class Kept:
    """A read as the ledger has it."""

    folder: str
    window: str
    state: str
    first_seen: str
    said: Mapping[str, Any]  # after, upto, tail, overlap, columns

    @property
    def number(self) -> str:
        """Its place among the reads of its table, whatever clocks say."""
        return PurePosixPath(self.folder).name.partition("-")[0]

    @staticmethod
    def of(row: Mapping[str, Any]) -> Kept:
        return Kept(
            row["file"], row["window"], row["state"], row["first_seen"], json.loads(row["content"])
        )


@dataclass(frozen=True)
class Wanted:
    """A read that is due."""

    window: str
    why: str
    folder: str = NEXT  # of one that was broken off


def kept(lake: Lake, table: Ingested) -> list[Kept]:
    """The reads of a table, the oldest first."""
    book = Book.of(lake.ledger(table.name))
    rows = (row for row in book.latest.values() if row["state"] in (READ, READING, REPLACED))
    made = [Kept.of(row) for row in rows if row["content"].startswith("{")]
    return sorted(made, key=lambda one: one.number)


def known(lake: Lake, table: Ingested) -> Ingested:
    """The table with the columns of its reads, where it leaves them to the database.

    What was there once stays, with its first type: an empty column is no lost one.
    """
    if not table.left_to_database:
        return table
    kinds: dict[str, str] = {}
    for one in kept(lake, table):
        for name, kind in one.said.get("columns", {}).items():
            kinds.setdefault(name, kind)
    columns = {name: Column.model_validate({"type": kind}) for name, kind in kinds.items()}
    return table.model_copy(update={"columns": columns})


def with_known_columns(lake: Lake) -> Suite:
    """The suite with the columns of tables that leave them to their database."""
    tables = lake.suite.tables
    left = {n: known(lake, t) for n, t in tables.items() if isinstance(t, Ingested)
            and t.left_to_database}  # fmt: skip
    return lake.suite.model_copy(update={"tables": {**tables, **left}}) if left else lake.suite


def wanted(lake: Lake, table: Ingested, named: Sequence[str] | None, force: bool) -> Wanted | None:
    """The read that is due now; None where there is none, or where its window is not meant."""
    database = table.database
    if database is None or lake.only_looks:
        return None
    now, reads = lake.suite.window.of(lake.now()), kept(lake, table)
    unfinished = [one for one in reads if one.state == READING]
    if database.increment is not None:
        found = _next_increment(lake, table, database, reads, unfinished, now, named)
    else:
        found = _next_snapshot(lake, table, database, reads, unfinished, now, force)
    return found if found and (named is None or found.window in named) else None


def _next_snapshot(
    lake: Lake, table: Ingested, database: Database, reads: list[Kept], unfinished: list[Kept],
    now: str, force: bool,
) -> Wanted | None:  # fmt: skip
    """A window has one snapshot. One that no gate let through may be taken anew, by force."""
    begun = next((one.folder for one in unfinished if one.window == now), NEXT)
    if not any(one.window == now and one.state == READ for one in reads):
        again = ", which was broken off" if begun != NEXT else ""
        return Wanted(now, f"snapshot of {database.shown}{again}", begun)
    if force and now not in lake.history.published(table.name):
        return Wanted(now, f"forced: a new snapshot of {database.shown}")
    return None


def _next_increment(
    lake: Lake, table: Ingested, database: Database, reads: list[Kept], unfinished: list[Kept],
    now: str, named: Sequence[str] | None,
) -> Wanted | None:  # fmt: skip
    if unfinished:
        one = unfinished[-1]
        return Wanted(one.window, f"a read of {database.shown} was broken off", one.folder)
    if named is not None and now not in named:
        return None
    if table.name not in lake.asked:
        lake.asked[table.name] = _news(lake, table, database, reads)
    why = lake.asked[table.name]
    return Wanted(now, why) if why else None


def _news(lake: Lake, table: Ingested, database: Database, reads: list[Kept]) -> str | None:
    """Why an increment is due; None where the database has nothing new."""
    assert database.increment is not None
    last = last_of(table, database, reads)
    after = last.said["upto"] if last else None
    try:
        with connected(lake.spark, database, table.name) as there:
            now = there.pulse(database.increment.by, after)
    except HeadgateError as error:
        # A run says the same, on record; a plan tells it.
        return f"{database.shown} could not be asked: {error.what}"
    if now.upto is None or (last and now == _pulse(last)):
        return None
    return f"new rows in {database.shown}" if last else f"all rows of {database.shown} so far"


def _pulse(last: Kept) -> Pulse:
    return Pulse(last.said["upto"], last.said["tail"], last.said["all"])


def unseen(database: Database, count: int) -> str | None:
    """What to say of rows that no increment reads."""
    if not count or database.increment is None:
        return None
    many, by = "rows have" if count > 1 else "row has", database.increment.by
    return (
        f"{count:,} {many} no {by}: no increment ever reads what has none. "
        f"Next: fill {by} in {database.shown}, or read it as a snapshot"
    )


def last_of(table: Ingested, database: Database, reads: list[Kept]) -> Kept | None:
    """The newest increment; one by another column says nothing of this one."""
    done = [one for one in reads if one.state == READ and one.said.get("by")]
    by = database.increment.by if database.increment else None
    if done and done[-1].said["by"] != by:
        raise Usage(
            f"it was read by '{done[-1].said['by']}' so far, and by '{by}' from now on: whether "
            "rows would come twice or never cannot be told",
            where=table.file or table.name,
            next="give the table a new name, or leave the column as it was",
        )
    return done[-1] if done else None
