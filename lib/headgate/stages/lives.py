"""The life of rows: from the files they came in, through each table, to where they are now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pyspark.sql import functions as F

from headgate.core.errors import HeadgateError
from headgate.core.lives import Broken, End, Life, Lives, Origin, Passage
from headgate.core.spec import Clean, Ingested, Table
from headgate.core.steps import Deduplicate
from headgate.quality.existence import with_found
from headgate.quality.others import Other
from headgate.quality.portrait import private_of
from headgate.quality.reasons import marks, masks
from headgate.stages import clean
from headgate.stages.following import (
    Followed,
    as_json,
    followable,
    followed,
    hidden,
    known,
    shown_now,
)
from headgate.stages.lake import Lake
from headgate.stages.origins import among, chain, search, work_on
from headgate.stages.rejected import unsealed
from headgate.storage.faults import classify
from headgate.transforms.hidden import ACCEPTED, DUPLICATE, QUARANTINED

MOST = 20  # lives that are told
Place = tuple[str, int]  # a file, and the number of a record


def lives_of(lake: Lake, table: Table, where: str, windows: Sequence[str] | None) -> Lives:
    """The lives of the rows for which a SQL condition is true in a table or in what it reads."""
    try:
        way = chain(lake.suite, table)
        looked = search(lake, way, where, windows)
        origins, total = looked.found(MOST)
        told: dict[Origin, list[Passage]] = {origin: [] for origin in origins}
        for one in way if origins else ():
            private = _private(way)
            through = _ingested if isinstance(one, Ingested) else _cleaned
            for origin, passage in through(lake, one, origins, private):
                told[origin].append(passage)
    except HeadgateError:
        raise
    except Exception as error:
        raise classify(error) from error
    found = tuple(Life(origin, tuple(passages)) for origin, passages in told.items())
    return Lives(table.name, where, found, total, tuple(looked.looked))


def _private(way: Sequence[Table]) -> frozenset[str]:
    """The columns that hold personal data, by their names in the tables and in the file."""
    names = private_of(way)
    columns = way[0].columns if isinstance(way[0], Ingested) else {}
    in_file = {one.from_ for name, one in columns.items() if name in names and one.from_}
    return names | in_file


def _ingested(
    lake: Lake, table: Table, origins: Sequence[Origin], private: frozenset[str]
) -> list[tuple[Origin, Passage]]:
    """What ingest made of records: from the table and its quarantine, without the files."""
    held, thrown = _held(lake, table, origins), _rejected(lake, table, origins)
    made = []
    for origin in origins:
        place = (origin.file, origin.row)
        if place in held:
            row, breaks = held[place]
            came = hidden(row, private)
            passage = _written(lake, table.name, origin.window, came=came, breaks=breaks)
        elif place in thrown:
            one = thrown[place]
            came = hidden(_record(one["_record"]), private)
            passage = Passage(
                table.name, one["_window"], "rejected", "; ".join(one["_reasons"]), came=came,
                run=one["_run"], state=one["_state"],
            )  # fmt: skip
        else:
            passage = _not_there(lake, table.name, origin.window)
        made.append((origin, passage))
    return made


def _held(
    lake: Lake, table: Table, origins: Sequence[Origin]
) -> dict[Place, tuple[dict[str, Any], tuple[Broken, ...]]]:
    """The rows that the table holds of these records, and the rules that they break."""
    if lake.version(table.name) is None:
        return {}
    rows = lake.delta(table.name).read().where(among(origins))
    now = {name: Other(lake.delta(name).read()) for name in table.others}
    rows, bits = with_found(rows, table.quality, now), marks(table.quality)
    named = [mask.alias(name) for name, mask in masks(bits).items()]
    found = {}
    for row in rows.select("_file", "_row", as_json(rows).alias("row"), *named).collect():
        broken = [mark.rule for mark in bits if row[mark.mask] & mark.bit]
        breaks = tuple(Broken(rule.written, rule.severity) for rule in broken)
        found[known(row)] = (json.loads(row["row"], parse_float=Decimal), breaks)
    return found


def _rejected(lake: Lake, table: Table, origins: Sequence[Origin]) -> dict[Place, dict[str, Any]]:
    """What quarantine says of these records; what has gone through since does not count."""
    rows = lake.quarantine(table.name).rows()
    if rows is None:
        return {}
    mine = rows.where(among(origins) & ~F.col("_state").isin("superseded", "replayed"))
    mine = unsealed(lake, table.name, mine)
    runs = {one.run for one in lake.history.records}
    return {known(row): row.asDict() for row in mine.collect() if row["_run"] in runs}


def _record(text: str | None) -> dict[str, Any]:
    """A record as columns; one that could not be read, or not be opened, has none."""
    try:
        found = json.loads(text or "", parse_float=Decimal)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _written(lake: Lake, name: str, window: str, **more: Any) -> Passage:
    """A row that the table shows now."""
    last, good = lake.history.last(name, window), lake.history.published(name).get(window)
    since = f"a later run was {last.status}: {last.message}" if last and last is not good else ""
    return Passage(
        name, window, "written", since,
        run=good.run if good else None, version=good.version if good else None, **more,
    )  # fmt: skip


def _not_there(lake: Lake, name: str, window: str, **more: Any) -> Passage:
    """A row that no rule keeps out, and that the table does not show."""
    last = lake.history.last(name, window)
    if last is None:
        return Passage(name, window, "waits", "its window has not run yet", **more)
    end: End = "withheld" if last.status == "blocked" else "waits"
    why = last.message or "its window has changed since it ran"
    return Passage(name, window, end, why, run=last.run, **more)


def _cleaned(
    lake: Lake, table: Table, origins: Sequence[Origin], private: frozenset[str]
) -> list[tuple[Origin, Passage]]:
    """What a clean table made of rows: its flow over their windows, and its records."""
    assert isinstance(table, Clean)
    if lake.version(clean.main_input(table)) is None:
        return []
    windows = sorted({one.window for one in origins} & set(clean.input_windows(lake, table)))
    if not windows:
        return []
    work = work_on(lake, table, windows)
    if work is None:
        return []
    try:
        found = followed(work, origins, private)
    except Exception as error:
        why = f"the steps fail: {classify(error).what}"
        return [(one, Passage(table.name, one.window, "waits", why)) for one in origins]
    now, shown = dict[str, Origin](), frozenset[Place]()
    if lake.version(table.name) is not None:
        rows = lake.delta(table.name).read()
        if followable(rows):
            mine = rows.where(among(origins)).select("_file", "_row").collect()
            shown = frozenset(known(row) for row in mine)
        if table.write != "replace":
            now = shown_now(work, rows, found)
    thrown = _rejected(lake, table, origins)
    return [
        (one, _passage(lake, table, one, found[place], place in shown, thrown.get(place), now))
        for one in origins
        if (place := (one.file, one.row)) in found
    ]


def _passage(
    lake: Lake,
    table: Clean,
    origin: Origin,
    row: Followed,
    shown: bool,
    thrown: Mapping[str, Any] | None,
    now: Mapping[str, Origin],
) -> Passage:
    """Where one row ended."""
    name, window = table.name, origin.window
    more: dict[str, Any] = {"came": row.came, "steps": row.steps, "breaks": row.breaks}
    if row.lost is not None:
        why = (
            f"after step '{row.lost.written or row.lost.name}' rows say no more where they are from"
        )
        return Passage(name, window, "lost sight of", why, **more)
    if row.dropped is not None:
        same = isinstance(row.dropped, Deduplicate)
        why = row.dropped.drops or ""
        return Passage(name, window, "duplicate" if same else "filtered", why, by=row.by, **more)
    if ACCEPTED in row.fates:
        return _accepted(lake, table, origin, row, shown, now, more)
    if DUPLICATE in row.fates:
        why = f"a newer row of its key ({', '.join(table.key)})"
        return Passage(name, window, "duplicate", why, by=row.by, **more)
    if QUARANTINED in row.fates:
        why = "; ".join(row.reasons)
        if thrown is None:
            last = lake.history.last(name, window)
            why += "; on no record yet: its window " + ("changed since" if last else "never ran")
            return Passage(name, window, "rejected", why, **more)
        return Passage(
            name, window, "rejected", why, run=thrown["_run"], state=thrown["_state"], **more
        )
    return Passage(name, window, "lost sight of", "it did not come out of the steps", **more)


def _accepted(
    lake: Lake,
    table: Clean,
    origin: Origin,
    row: Followed,
    shown: bool,
    now: Mapping[str, Origin],
    more: Mapping[str, Any],
) -> Passage:
    """A row that nothing is said against: shown, replaced by another, held back, or still due."""
    name, window = table.name, origin.window
    if shown:
        return _written(lake, name, window, **more)
    good, last = lake.history.published(name).get(window), lake.history.last(name, window)
    if table.write == "replace" or good is None or last is not good:
        return _not_there(lake, name, window, **more)
    facts = {**more, "run": good.run, "version": good.version}
    if row.deleted:
        return Passage(name, window, "deleted", "it says that its key is gone", **facts)
    if row.key in now:
        why = f"a newer row of its key ({', '.join(table.key)})"
        return Passage(name, window, "replaced", why, by=now[row.key], **facts)
    return Passage(name, window, "deleted", "a newer row says that its key is gone", **facts)
