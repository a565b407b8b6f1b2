"""A read of a database, carried out: pinned, brought over, counted on both sides, on record."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timezone
from pathlib import PurePosixPath
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from headgate.conf.databases import READS
from headgate.core.contract import Database
from headgate.core.errors import HeadgateError, Infrastructure
from headgate.core.spec import Ingested
from headgate.stages.lake import Lake
from headgate.stages.ledger import READ, READING, REPLACED, TAKEN, Book
from headgate.stages.reads import Kept, kept, last_of, unseen
from headgate.storage.databases import Bounds, Connected, Measured, connected, contract_of
from headgate.storage.points import reached
from headgate.transforms.reads import OF_A_READ, of_keys, still_there, with_changes, without_known

Check = Callable[[Sequence[str]], object]  # raises where these columns break the contract


@dataclass
class Outcome:
    """What reads came to."""

    broken: dict[str, HeadgateError] = field(default_factory=dict)
    warnings: dict[str, tuple[str, ...]] = field(default_factory=dict)


def take(lake: Lake, table: Ingested, chosen: Mapping[str, str], check: Check) -> Outcome:
    """Carry out the reads of some windows, by the folders in which they began."""
    done = Outcome()
    for window, folder in chosen.items():
        try:
            warning = _taken(lake, table, window, folder, check)
        except HeadgateError as error:
            done.broken[window] = error
        else:
            done.warnings[window] = (warning,) if warning else ()
    lake.asked.pop(table.name, None)
    return done


def _taken(lake: Lake, table: Ingested, window: str, folder: str, check: Check) -> str | None:
    """One read, whole: pinned, read, counted on both sides, and put on record with its files."""
    database = table.database
    assert database is not None
    reads = kept(lake, table)
    begun = next((one for one in reads if one.folder == folder), None)
    with connected(lake.spark, database, table.name) as there:
        check(list(there.columns))
        read = begun or _begun(lake, table, database, there, reads, window)
        if read is None:
            return None
        bounds = _bounds(read)
        if begun is None:
            lake.pin(table.name, [_row(lake, table, read, READING, "it is being read")])
        reached("pinned")
        for one in reads:
            if one.state == READING:  # broken off: this one or one that nobody wants any more
                lake.raw.delete(one.folder)
        measured = there.measured(bounds)
        count = _brought(lake, there, read, measured, bounds, reads)
        rows = _files(lake, table, read, there)
        _record(lake, table, read, there, measured, count, rows, reads)
    return unseen(database, measured.unknown)


def _begun(
    lake: Lake,
    table: Ingested,
    database: Database,
    there: Connected,
    reads: list[Kept],
    window: str,
) -> Kept | None:
    """A new read with its bounds; None where there is no row to read."""
    moment = lake.clock().astimezone(timezone.utc)
    newest = int(reads[-1].number) if reads else 0
    name = f"{newest + 1:08d}-{secrets.token_hex(3)}"
    said: dict[str, Any] = {}
    if database.increment is not None:
        by, last = there.native(database.increment.by).name, last_of(table, database, reads)
        after = last.said["upto"] if last else None
        now = there.pulse(by, after)
        if now.upto is None:
            return None
        said = {
            "by": database.increment.by, "after": after, "upto": now.upto,
            "overlap": there.overlap(by),
        }  # fmt: skip
    folder = f"{READS}/{table.short}/{window}/{name}"
    return Kept(folder, window, READING, moment.isoformat(), said)


def _bounds(read: Kept) -> Bounds | None:
    said = read.said
    if not said.get("by"):
        return None
    return Bounds(said["by"], said["after"], said["upto"], said["overlap"])


def _brought(
    lake: Lake, there: Connected, read: Kept, measured: Measured, bounds: Bounds | None,
    reads: list[Kept],
) -> int:  # fmt: skip
    """Write the rows down; how many came. Of an increment, those that are new."""
    earlier = [one for one in reads if one.state == READ and one.said.get("by")]
    apart = bounds is not None and (bool(earlier) or bool(there.database.deletes))
    first = _hidden(read.folder) if apart else read.folder
    lake.raw.delete(first)
    try:
        there.read(measured, bounds).write.mode("error").parquet(_at(lake, first))
        came = lake.spark.read.parquet(lake.raw.for_spark(first))
        count = _rows_in(lake, first)
        try:
            _compare(there, bounds, measured, count)
        except Infrastructure:
            lake.raw.delete(first)
            raise
        if apart and bounds is not None:
            made = _new(lake, there, came, earlier, bounds, measured, read)
            made.write.mode("error").parquet(_at(lake, read.folder))
    finally:
        if apart:
            lake.raw.delete(first)
    return count


def _new(
    lake: Lake, there: Connected, came: DataFrame, reads: list[Kept], bounds: Bounds,
    measured: Measured, read: Kept,
) -> DataFrame:  # fmt: skip
    """The rows of an increment that are not held already, and what became of keys."""
    lower, by = there.lower_text(bounds), there.native(bounds.by).name
    keys = [there.native(one).name for one in there.database.key]
    # Only reads that came so far can hold rows of the overlap.
    near = [one for one in reads if there.reaches(bounds.by, one.said["upto"], lower)]
    held = _held(lake, there.table, near, came.schema.fields)
    if there.database.deletes is None:
        return came if held is None else without_known(came, held, by, lower)
    every = _held(lake, there.table, reads, [came.schema[name] for name in keys])
    known = None if every is None else still_there(every, keys)
    if held is not None and known is not None:
        came = without_known(came, of_keys(held, known, keys), by, lower)
    now = there.read(measured, None, only=keys)
    return with_changes(came, known, now, keys, read.number)


def _compare(there: Connected, bounds: Bounds | None, measured: Measured, count: int) -> None:
    """Rows on both sides: to the last one where both are of one moment, else within its changes."""
    most = least = measured.rows
    if not there.dialect.consistent:
        after = there.measured(bounds).rows
        most, least = max(most, after), min(least, after)
    if least <= count <= most:
        return
    between = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    raise Infrastructure(
        f"{count:,} rows of {there.database.shown} came over, and the database counts {between}; "
        "nothing was taken in",
        where=there.address.shown,
        next="run again; where it stays so, read without 'partition', or when nobody writes",
    )


def _held(
    lake: Lake, table: str, reads: Sequence[Kept], columns: Sequence[T.StructField]
) -> DataFrame | None:
    """Columns of the rows of earlier reads, and what was told of each row."""
    folders = {one.folder for one in reads}
    files = {row["file"] for row in lake.ledger(table) if _folder(row["file"]) in folders}
    if not files:
        return None
    told = [T.StructField(name, T.StringType()) for name in OF_A_READ]
    paths = [lake.raw.for_spark(file) for file in sorted(files)]
    return lake.spark.read.schema(T.StructType([*columns, *told])).parquet(*paths)


def _files(lake: Lake, table: Ingested, read: Kept, there: Connected) -> list[dict[str, Any]]:
    """The files of a read that has come over, for the ledger; none of an increment without rows."""
    found = sorted(lake.raw.listing(read.folder))
    if read.said.get("after") and not _rows_in(lake, read.folder):
        lake.raw.delete(read.folder)
        found = []
    now = lake.clock().isoformat()
    return [
        {
            "table": table.name, "file": info.path, "window": read.window, "size": info.size,
            "modified": info.modified_ns,
            "content": f"{PurePosixPath(read.folder).name}/{place}",
            "first_seen": read.first_seen, "state": TAKEN,
            "reason": f"read from {there.shown}",
            "seen_at": now,
        }
        for place, info in enumerate(found)
    ]  # fmt: skip


def _record(
    lake: Lake, table: Ingested, read: Kept, there: Connected, measured: Measured, count: int,
    files: list[dict[str, Any]], reads: list[Kept],
) -> None:  # fmt: skip
    """One commit: the read is whole, these are its files; an earlier snapshot gives way to it."""
    database = there.database
    said = {**read.said, "columns": contract_of(there.columns)}
    if database.increment is not None:
        said |= {"tail": measured.tail, "all": there.everything()}
    whole = Kept(read.folder, read.window, READ, read.first_seen, said)
    rows = [*files, _row(lake, table, whole, READ, f"{count:,} rows of {database.shown}")]
    old = {one.folder for one in reads if one.window == read.window and one.state == READ}
    if database.increment is None and old:
        why = "a newer snapshot stands in its place"
        now = lake.clock().isoformat()
        for row in Book.of(lake.ledger(table.name)).latest.values():
            if row["file"] in old or _folder(row["file"]) in old:
                rows.append({**row, "state": REPLACED, "reason": why, "seen_at": now})
    lake.pin(table.name, rows)


def _row(lake: Lake, table: Ingested, read: Kept, state: str, reason: str) -> dict[str, Any]:
    return {
        "table": table.name, "file": read.folder, "window": read.window, "size": 0, "modified": 0,
        "content": json.dumps(dict(read.said), sort_keys=True), "first_seen": read.first_seen,
        "state": state, "reason": reason, "seen_at": lake.clock().isoformat(),
    }  # fmt: skip


def _folder(file: str) -> str:
    return str(PurePosixPath(file).parent)


def _hidden(folder: str) -> str:
    """A folder beside one, which no listing shows."""
    path = PurePosixPath(folder)
    return str(path.with_name(f"_{path.name}"))


def _at(lake: Lake, path: str) -> str:
    """Where Spark writes a folder of the raw zone."""
    root = lake.raw.root
    return f"{'file:' if root.startswith('/') else ''}{root.rstrip('/')}/{path}"


def _rows_in(lake: Lake, folder: str) -> int:
    """How many rows the files of a folder hold: their footers tell."""
    return lake.spark.read.parquet(lake.raw.for_spark(folder)).count()
