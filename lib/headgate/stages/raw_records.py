"""Records of people taken out of raw files, and the ledger told, so that nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import PurePosixPath

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.erasure import Spot
from headgate.core.errors import Infrastructure
from headgate.core.spec import Ingested
from headgate.stages.erased import BECAUSE
from headgate.stages.finding import Trail
from headgate.stages.ledger import TAKEN, Book
from headgate.storage.files import FileInfo
from headgate.storage.logs import log
from headgate.storage.rewriting import without


def rewritten(trail: Trail, spots: Sequence[Spot], *, all_files: bool) -> Mapping[str, set[str]]:
    """Write raw files without their records; by table, the windows that this changes.

    Without `all_files` only those in which Headgate itself keeps what it read from databases.
    """
    lake = trail.lake
    wanted: dict[str, set[int]] = {}
    owner: dict[str, Ingested] = {}
    for spot in spots:
        table = lake.suite.tables[spot.table]
        if spot.kind == "raw" and isinstance(table, Ingested) and (all_files or table.database):
            for file, rows in spot.records.items():
                wanted.setdefault(file, set()).update(rows)
                owner[file] = table
    totals = {t: _totals(trail, t, wanted) for t in {one.name for one in owner.values()}}
    values = [value for each in trail.people.values for value in each]
    written = []
    for file, numbers in wanted.items():
        table = owner[file]
        content = lake.raw.read_bytes(file)
        total = totals[table.name].get(file, 0)
        told = {row for of, row, _ in trail.repaired if of == file}
        now = without(content, file, table.source, numbers, values, total, told)
        # Where it cannot be done it is told in the end: the record is still there.
        if now is not None and _could_write(trail, file, now):
            written.append(file)
    names = [name for name, one in lake.suite.tables.items() if isinstance(one, Ingested)]
    return {name: _pinned(trail, name, written) for name in names}


def _could_write(trail: Trail, file: str, content: bytes) -> bool:
    """Write a raw file anew, where Headgate may; many a raw zone is its owner's alone."""
    try:
        trail.lake.raw.write_atomic(file, content)
    except Infrastructure as error:
        log("raw.unwritten", level="warning", file=file, error=error.what)
        return False
    return True


def _totals(trail: Trail, name: str, files: Mapping[str, set[int]]) -> dict[str, int]:
    """How many records some files have, as Spark counts them."""
    table = trail.lake.suite.tables[name]
    assert isinstance(table, Ingested)
    frames = [rows.select("_file", "_row") for rows in trail.in_raw(table)]
    every = reduce(DataFrame.unionByName, frames).where(F.col("_file").isin(list(files)))
    return {r["_file"]: r["rows"] for r in every.groupBy("_file").agg(
        F.max("_row").alias("rows")).collect()}  # fmt: skip


def _pinned(trail: Trail, table: str, files: Sequence[str]) -> set[str]:
    """Note new contents: their rows were first seen when those of the old ones were.

    The windows of these files in the table.
    """
    lake, rows, windows = trail.lake, [], set[str]()
    latest = Book.of(lake.ledger(table)).latest
    for file in files:
        row = latest.get(file)
        if row is None:
            continue
        windows |= set(str(row["window"]).split(","))
        if row["state"] == TAKEN:
            info = _info(trail, file)
            rows.append({
                **row, "size": info.size, "modified": info.modified_ns,
                "content": lake.raw.digest(file), "reason": BECAUSE,
                "seen_at": lake.clock().isoformat(),
            })  # fmt: skip
    lake.pin(table, rows)
    return windows


def _info(trail: Trail, file: str) -> FileInfo:
    folder = str(PurePosixPath(file).parent)
    there = trail.lake.raw.listing("" if folder == "." else folder)
    return next(info for info in there if info.path == file)
