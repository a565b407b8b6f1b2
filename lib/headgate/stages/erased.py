"""Who was erased, as ingest sees it: a list of keyed hashes that keeps them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import Usage
from headgate.core.fingerprint import digest
from headgate.core.keys import MAIN, key_id
from headgate.core.records import ERASED
from headgate.core.spec import Ingested
from headgate.core.steps import Where
from headgate.stages.lake import Lake
from headgate.transforms.contract import words_of_unread
from headgate.transforms.hidden import REASONS, RECORD, THEIRS

LISTED, DONE = "listed", "done"  # states of an entry: keeps somebody out; a whole erasure
BECAUSE = "a person who was erased"
LEFT_OUT = Where(keep=f"NOT {THEIRS}", because=BECAUSE)


def listed(lake: Lake, table: Ingested) -> list[Mapping[str, Any]]:
    """The entries that keep people out of a table."""
    return [row for row in lake.erasures() if row["table"] == table.name and row["state"] == LISTED]


def part_of(lake: Lake, table: Ingested) -> Callable[[str], dict[str, str]]:
    """For each window that held people who were erased, a name for who they are."""
    entries = listed(lake, table)

    def part(window: str) -> dict[str, str]:
        mine = [row for row in entries if window in (row["windows"] or "").split(",")]
        who = sorted({f"{row['columns']} {row['person']}" for row in mine})
        return {ERASED: digest(who)} if who else {}

    return part


def with_theirs(lake: Lake, table: Ingested, rows: DataFrame) -> DataFrame:
    """The rows with a mark on those of people who were erased; as they are where nobody was."""
    entries = listed(lake, table)
    if not entries:
        return rows
    from headgate.privacy.people import Mark, marked

    secrets = {key_id(one): one for one in lake.keys([MAIN])[MAIN]}
    people: dict[tuple[tuple[str, ...], str], set[str]] = {}
    for row in entries:
        people.setdefault((tuple(row["columns"].split(",")), row["key"]), set()).add(row["person"])
    if missing := sorted({key for _, key in people if key not in secrets}):
        raise Usage(
            f"the key {missing[0]} is missing, by which the list of erased people was made",
            where=table.name,
            next="put it behind the key 'main' that is in use, with a comma between",
        )
    marks = [Mark(columns, secrets[key], frozenset(who)) for (columns, key), who in people.items()]
    have = set(rows.columns)
    unread = words_of_unread(F.col(RECORD), F.col(REASONS)) if {RECORD, REASONS} <= have else None
    found = marked(rows, marks, THEIRS, unread)
    if REASONS not in have:
        return found
    # A rejected row would stay for its reasons: theirs goes without any.
    return found.withColumn(REASONS, F.when(~F.col(THEIRS), F.col(REASONS)))
