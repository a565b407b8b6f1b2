"""Rejected rows handed out: to whoever repairs them, or as a letter to whoever sent them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.lives import PRIVATE
from headgate.core.private import Private, private_in
from headgate.core.spec import Ingested, Table
from headgate.quality.plainly import plainly
from headgate.stages.lake import Lake
from headgate.stages.rejected import typed, unsealed
from headgate.storage.exports import handed_out
from headgate.transforms.corrections import ORIGINAL
from headgate.transforms.hidden import column


@dataclass(frozen=True)
class Record:
    """One record that a supplier sent and that was rejected."""

    file: str
    number: int
    came: Mapping[str, Any] | str  # by the file's own names; its text where it could not be read
    reasons: tuple[str, ...]  # in plain words


def rows_of(lake: Lake, table: Table, windows: Sequence[str] | None, state: str) -> DataFrame:
    """A table's rejected rows with their own types, in the order of their files.

    What may be personal is left empty, and the record as text left out with it, unless the key that
    closes the table's records is at hand.
    """
    rows = typed(lake, table).where(_meant(windows, state))
    private = Private() if lake.opens(table) else private_in(table, lake.suite.tables)
    hidden = [name for name in rows.columns if not name.startswith("_") and private.hides(name)]
    kept = [
        F.lit(None).cast(rows.schema[name].dataType).alias(name) if name in hidden else column(name)
        for name in rows.columns
        if not (name == "_record" and (private.names or private.every))
    ]
    return rows.orderBy("_window", "_file", "_row").select(*kept)


def _meant(windows: Sequence[str] | None, state: str) -> Column:
    """Rejected rows of a state, in some windows or in all."""
    mine = F.col("_state") == state
    return mine if windows is None else mine & F.col("_window").isin(list(windows))


def exported(
    lake: Lake, table: Table, windows: Sequence[str] | None, state: str, place: str
) -> int:
    """Write them to a CSV file or a new Delta table; how many they are."""
    return handed_out(rows_of(lake, table, windows, state), place)


def records_of(
    lake: Lake, table: Ingested, windows: Sequence[str] | None, state: str
) -> Iterator[Record]:
    """The records of a supplier's files that were rejected, file by file, one after the other."""
    rows = lake.quarantine(table.name).rows()
    if rows is None:
        return
    rows = unsealed(lake, table.name, rows.where(_meant(windows, state)))
    names = {name: one.from_ or name for name, one in table.columns.items()}
    shown = rows.select("_file", "_row", "_record", "_reasons").orderBy("_file", "_row")
    for row in shown.toLocalIterator():
        reasons = tuple(plainly(one, table.quality, names) for one in row["_reasons"])
        came = _came(row["_record"], names, table.private)
        yield Record(row["_file"], int(row["_row"] or 0), came, reasons)


def _came(
    record: str | None, names: Mapping[str, str], private: frozenset[str]
) -> Mapping[str, Any] | str:
    """The record under the names of its file."""
    try:
        values = json.loads(record or "")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return PRIVATE if private or record is None else record
    return {
        names.get(name, name): PRIVATE if name in private and one is not None else one
        for name, one in values.items()
        if name != ORIGINAL
    }
