"""A contract held against what its source is now: the live database, or the newest file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.contract import Database
from headgate.core.errors import HeadgateError, InputMissing, Unreadable
from headgate.core.spec import Ingested
from headgate.stages.ingest import groups_of, rows_of
from headgate.stages.lake import Lake
from headgate.stages.ledger import Batch, found_files
from headgate.stages.matching import check_columns, matched
from headgate.stages.reads import unseen
from headgate.stages.work import Fails
from headgate.storage.databases import connected
from headgate.storage.dialects import Coming
from headgate.storage.faults import classify
from headgate.storage.heads import Shape
from headgate.storage.reaching import address_of
from headgate.transforms.hidden import REASONS


@dataclass(frozen=True)
class Seen:
    """What a source holds, against the contract of its table."""

    table: str
    source: str  # a file, or a table of a database
    said: tuple[str, ...] = ()  # what differs, and blocks nothing
    fault: str = ""  # what would block or fail a run
    code: int = 0


def seen(lake: Lake, table: Ingested) -> Seen:
    """One table's source, looked at; nothing is taken in."""
    what = table.database.shown if table.database else table.source.files
    try:
        if table.database is not None:
            return _of_database(lake, table, table.database)
        return _of_newest(lake, table)
    except HeadgateError as error:
        return Seen(table.name, what, fault=error.sentence, code=error.exit_code)
    except Exception as error:
        told = classify(error)
        return Seen(table.name, what, fault=told.sentence, code=told.exit_code)


def _of_database(lake: Lake, table: Ingested, database: Database) -> Seen:
    with connected(lake.spark, database, table.name) as there:
        columns, increment = there.columns, database.increment
        for name in (
            *([increment.by] if increment else []),
            *([database.partition.column] if database.partition else []),
            *database.key,
        ):
            there.native(name)
        check_columns(table, list(columns))
        unread = unseen(database, there.nulls(increment.by)) if increment else None
    said = [] if table.left_to_database else _differing(table, columns)
    said += [unread] if unread else []
    return Seen(table.name, there.shown, tuple(said))


def _differing(table: Ingested, columns: Mapping[str, Coming]) -> list[str]:
    """Columns that the contract does not know, and types that are others there."""
    sources, extras = matched(table, Shape.of(list(columns)), table.name)
    names = dict(Shape.of(list(columns)).columns)
    said = _strangers(table, list(extras.values()))
    for name, raw in sources.items():
        if raw is None:
            said.append(f"{name}: not there, so it will be null")
            continue
        theirs, ours = columns[names[raw]].type, table.columns[name].type
        if theirs.replace(" ", "") != ours.replace(" ", ""):
            said.append(f"{name}: {ours} in the contract, {theirs} there")
    return said


def _strangers(table: Ingested, extras: Sequence[str]) -> list[str]:
    fate = {"rescue": "kept in _rescued", "add": "added", "drop": "left out"}
    then = fate.get(table.on_change.new_column, "")
    return [f"{name}: not in the contract, {then}" for name in extras]


def _of_newest(lake: Lake, table: Ingested) -> Seen:
    """The file that changed last, read as a run would read it."""
    windows = found_files(lake, table).windows
    files = [file for some in windows.values() for file in some]
    if not files:
        raise InputMissing(
            f"no file matches {table.source.files}",
            where=table.name,
            next=f"put one below {lake.suite.environment.raw}",
        )
    newest = max(files, key=lambda one: (one.modified, one.path))
    batch, broken = Batch({newest.window: [newest]}), dict[str, Fails]()
    aside: dict[str, Unreadable] = {}
    groups = groups_of(lake, table, batch, [newest.window], broken, aside)
    for code, sentence in broken.values():
        return Seen(table.name, newest.path, fault=sentence, code=code)
    for error in aside.values():
        return Seen(table.name, newest.path, fault=error.sentence, code=error.exit_code)
    said: list[str] = []
    for group in groups:
        said += _strangers(table, list(group.extras.values()))
        lacking = [name for name, raw in group.sources.items() if raw is None]
        said += [f"{name}: not there, so it will be null" for name in lacking]
        said += _refused(rows_of(lake, table, group, list(group.files), with_record=False))
    return Seen(table.name, newest.path, tuple(said))


def _refused(rows: DataFrame) -> list[str]:
    """Why records would be rejected, and how many: the reasons name columns, no values."""
    reason = F.explode(REASONS).alias("reason")
    found = rows.select(reason).groupBy("reason").count().orderBy("reason").collect()
    return [f"{row['reason']}: {row['count']:,} records" for row in found]


def tables_of(
    spark: SparkSession, database: Database, name: str, ledger: Mapping[str, Sequence[Any]]
) -> list[str]:
    """All tables of a database; where it does not answer, those that were read from it before.

    Each of them then says itself that the database does not answer.
    """
    try:
        with connected(spark, database, f"ingested.{name}") as there:
            return there.names()
    except HeadgateError:
        place = f" in {address_of(database, name).shown}"
        before = [
            table.partition(".")[2]
            for table, rows in ledger.items()
            if any(row["reason"].endswith(place) for row in rows)
        ]
        if not before:
            raise
        return before
