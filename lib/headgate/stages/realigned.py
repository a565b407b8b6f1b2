"""What people repaired, when records leave raw files: theirs go, all others move along.

A correction belongs to the record of a number in a file. Where records before it are taken out, its
number is a smaller one; what it holds is the same, and tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.spec import Clean, Ingested, Table
from headgate.stages.clean import main_input
from headgate.stages.corrections import OF
from headgate.stages.erased import BECAUSE
from headgate.stages.finding import Trail
from headgate.stages.holding import holding
from headgate.stages.ledger import Book
from headgate.transforms.corrections import PLACE, content_of, record_of
from headgate.transforms.hidden import RECORD, THEIRS, column

NOW = "__now"  # the number that the record has now
AT_FILE, AT_ROW, AT_OF = "__at_file", "__at_row", "__at_of"  # of the records that are left


def realigned(
    trail: Trail, table: Table, records: Mapping[str, Set[int]], run: str, *, break_lease: bool
) -> None:
    """Keep the corrections of everybody else; `records` are those of the people, by file.

    What a broken-off try has moved already stays where it is.
    """
    lake = trail.lake
    told = trail.in_corrections(table)
    if told is None:
        return
    files = shortened(trail)
    mine = F.col(THEIRS)
    for file, rows in records.items():
        if file not in files:
            mine = mine | ((F.col("_file") == file) & F.col("_row").isin(sorted(rows)))
    others = told.where(~mine)
    there = _records(trail, table, files)
    if there is not None:
        known = [column(name) for name in others.columns]
        same = (F.col("_file") == F.col(AT_FILE)) & (F.col(OF) == F.col(AT_OF))
        both = others.join(there, same & (F.col(AT_ROW) <= F.col("_row")), "left")
        moved = both.groupBy(*known).agg(F.max(AT_ROW).alias(NOW))
        # A file that lost records has a place for each that is left, and none for those that went.
        stays = ~F.col("_file").isin(sorted(files))
        others = moved.where(stays | F.col(NOW).isNotNull()).withColumn(
            "_row", F.when(stays, F.col("_row")).otherwise(F.col(NOW))
        )
    with holding(lake, table, run, break_lease=break_lease):
        lake.corrections(table.name).keep_only(others.drop(NOW, OF, THEIRS))
        lake.forget_corrections(table.name)


def shortened(trail: Trail) -> set[str]:
    """The raw files that an erasure has taken records out of."""
    lake = trail.lake
    ingested = [name for name, one in lake.suite.tables.items() if isinstance(one, Ingested)]
    books = (Book.of(lake.ledger(name)).latest.items() for name in ingested)
    return {file for book in books for file, row in book if row["reason"] == BECAUSE}


def _records(trail: Trail, table: Table, files: Iterable[str]) -> DataFrame | None:
    """The records that are left in files: file, row, and a name for what each holds."""
    frames: Iterable[DataFrame] = ()
    if isinstance(table, Ingested):
        frames = trail.in_raw(table, repaired=False)
    elif isinstance(table, Clean):
        rows = trail.lake.delta(main_input(table)).read()
        if set(PLACE) <= set(rows.columns):
            frames = [rows.select(*PLACE, record_of(rows.columns).alias(RECORD))]
    named = [column("_file").alias(AT_FILE), column("_row").alias(AT_ROW)]
    wanted = column("_file").isin(sorted(files))
    found: list[Any] = [
        rows.where(wanted).select(*named, content_of(column(RECORD)).alias(AT_OF))
        for rows in frames
    ]
    return reduce(DataFrame.unionByName, found) if found else None
