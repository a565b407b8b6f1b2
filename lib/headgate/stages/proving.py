"""The proof of an erasure: everything that lies on disk is read again, and nobody is in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.erasure import Proof
from headgate.core.spec import Table
from headgate.privacy.people import Mark, marked, person
from headgate.stages.finding import Trail
from headgate.storage.records import SCHEMAS
from headgate.storage.remains import Remains, states
from headgate.transforms.hidden import THEIRS

TELLING = 6  # signs of a text that no other is likely to hold by chance


def proved(trail: Trail) -> Proof:
    """Read every data file of every table on disk, those of no version included, and every log."""
    lake, frames, files = trail.lake, list[DataFrame](), 0
    found, logs = list[str](), 0
    telling = _telling(trail)
    for table in lake.suite.tables.values():
        values = _values(trail, table)
        for kind, remains in places(trail, table):
            files += len(remains.data())
            rows = _marked(trail, table, kind, remains)
            if rows is not None:
                place = f"data files of {remains.path}"
                frames.append(rows.where(F.col(THEIRS)).select(F.lit(place).alias("place")))
            seen = set()
            for name, line in remains.told():
                seen.add(name)
                if states(line, values) or any(text in line for text in telling):
                    found.append(f"{remains.path}/{name}")
            logs += len(seen)
    if frames:
        rows = reduce(DataFrame.unionByName, frames).distinct()
        found += [row["place"] for row in rows.collect()]
    found += _in_records(trail, telling) if telling else []
    return Proof(files, logs, tuple(dict.fromkeys(found)))


def places(trail: Trail, table: Table) -> Iterator[tuple[str, Remains]]:
    """The folders in which rows of a table are kept, as far as they are there."""
    lake = trail.lake
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


def _marked(trail: Trail, table: Table, kind: str, remains: Remains) -> DataFrame | None:
    rows = remains.rows()
    if rows is None:
        return None
    if kind == "quarantine":
        return trail.in_quarantine(table, rows)
    if kind == "corrections":
        return trail.in_corrections(table, rows)
    if kind == "vault":
        return marked(rows, [_tokens(trail), trail.own_keys(table)], THEIRS)
    return trail.in_table(table.name, rows)


def _tokens(trail: Trail) -> Mark:
    """Every form of their key, as a token may be one."""
    texts = {one for texts in _every(trail) for one in texts}
    return Mark(("token",), trail.secret, frozenset(person(trail.secret, (t,)) for t in texts))


def _every(trail: Trail) -> Iterator[tuple[str, ...]]:
    for table in trail.tables():
        for names in trail.columns(table.name):
            yield from trail.texts(table.name, names, {})


def _telling(trail: Trail) -> frozenset[str]:
    """Forms of their key that are looked for as texts; a number may stand anywhere."""
    texts = {one for texts in _every(trail) for one in texts}
    return frozenset(
        one for one in texts if len(one) >= TELLING and not one.replace(".", "").isdigit()
    )


def _values(trail: Trail, table: Table) -> dict[str, frozenset[str]]:
    """What a log must not call the least or greatest of a column: of keys of one column."""
    found = {}
    for names in trail.columns(table.name):
        if len(names) == 1:
            texts = trail.texts(table.name, names, {})
            found[names[0].lower()] = frozenset(one for (one,) in texts)
    return found


def _in_records(trail: Trail, telling: frozenset[str]) -> list[str]:
    """The tables of records that tell of somebody."""
    lake, found = trail.lake, []
    for name in SCHEMAS:
        remains = Remains(lake.spark, lake.records.path(name))
        if not remains.exists:
            continue
        rows = remains.rows()
        lines = [line for _, line in remains.told()]
        shown = rows.toJSON().toLocalIterator() if rows is not None else iter(())
        if any(text in line for line in (*lines, *shown) for text in telling):
            found.append(remains.path)
    return found
