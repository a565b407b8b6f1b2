"""Erase people: out of files, tables and what was kept, with what was made of them made again.

Each act may be done twice, so an erasure that broke off is begun again and finished: who is meant
is kept, closed, until then. The list that keeps them out is written first.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Literal

from pyspark.sql import DataFrame

from headgate.core.erasure import Erasure
from headgate.core.errors import Held, Infrastructure, InputMissing
from headgate.core.keys import MAIN, OWN, key_id
from headgate.core.people import People
from headgate.core.results import Entry
from headgate.core.selection import descendants
from headgate.core.spec import Clean, Ingested, Table
from headgate.privacy.ciphers import opened_by, sealed
from headgate.privacy.people import marked, person
from headgate.stages.asking import asked, nobody
from headgate.stages.erased import DONE, LISTED
from headgate.stages.finding import Trail, windows_of
from headgate.stages.folders import folders
from headgate.stages.holding import holding
from headgate.stages.lake import Lake
from headgate.stages.leaving_out import left_out
from headgate.stages.proving import proved
from headgate.stages.raw_records import rewritten
from headgate.stages.realigned import realigned
from headgate.stages.runner import Orders, run_table
from headgate.storage.files import files_for
from headgate.storage.keyed import merged_version
from headgate.storage.process import who
from headgate.storage.tables import DeltaTable
from headgate.transforms.hidden import THEIRS, column

FOLDER = "ops/erasing"  # requests that are not finished: who is meant, closed by the main key
Raw = Literal["rewrite", "keep"]


@dataclass(frozen=True)
class Wish:
    """How a person wants an erasure."""

    yes: bool = False  # else it is only planned
    raw: Raw = "rewrite"
    break_lease: bool = False
    say: Callable[..., None] = lambda *_, **__: None


def erased(lake: Lake, table: Table, where: str, wish: Wish) -> Erasure:
    """The plan of an erasure; with `yes` what came of it, and its proof."""
    secret = lake.keys([MAIN])[MAIN][0]
    request = person(secret, (table.name, where))
    pending = _unfinished(lake, request)
    try:
        people = pending or asked(lake, table, where)
    except InputMissing:
        before = [row for row in lake.erasures() if row["person"] == request]
        if not before:
            raise
        return Erasure(request[:12], table.name, (), 0, before=before[-1]["erased_at"])
    trail = Trail(lake, people)
    plan = _plan(trail, request[:12])
    if not plan.spots and not pending and plan.before is None:
        raise nobody(table)
    if not wish.yes:
        return plan
    _begin(lake, request, people)
    _list(trail, plan)
    made = _carried_out(trail, plan, wish)
    proof = proved(trail)
    left = {f: r for one in trail.found(tables=False) for f, r in one.records.items()}
    made = replace(made, proof=proof, left=left, unread=dict(trail.unread))
    if proof.holds:
        _finish(lake, request, made)
    return made


def _plan(trail: Trail, name: str) -> Erasure:
    lake, spots = trail.lake, tuple(trail.found())
    again = [one.name for one in _concerned(trail) if lake.version(one.name) is not None]
    entries = {person for _, _, person in _entries(trail)}
    before = [row for row in lake.erasures() if row["person"] in entries]
    return Erasure(
        name, trail.people.table, trail.people.columns, len(trail.people), spots,
        tuple(again), trail.lost(), dict(trail.unread),
        before[-1]["erased_at"] if before else None,
    )  # fmt: skip


def _entries(trail: Trail) -> list[tuple[str, tuple[str, ...], str]]:
    """Who is to be kept out of which table, by which columns."""
    return [
        (table.name, names, person(trail.secret, trail.written(values, table.name, names)))
        for table in trail.tables() if isinstance(table, Ingested)
        for names in trail.columns(table.name)
        for values in trail.people.values
    ]  # fmt: skip


def _list(trail: Trail, plan: Erasure) -> None:
    """Put them on the list that keeps them out, where they are not on it with these windows."""
    lake, rows = trail.lake, []
    there = {
        (row["table"], row["columns"], row["key"], row["person"]): row["windows"] or ""
        for row in lake.erasures()
    }
    for table, names, who_ in _entries(trail):
        entry = (table, ",".join(names), key_id(trail.secret), who_)
        windows = windows_of(plan.spots, table)
        known = set(there.get(entry, "").split(","))
        if entry not in there or set(windows) - known:
            rows.append(_row(lake, plan, LISTED, entry, ",".join(windows)))
    lake.note_erasures(rows)


def _row(
    lake: Lake, plan: Erasure, state: str, entry: tuple[str, str, str, str], windows: str
) -> Mapping[str, Any]:
    table, columns, key, who_ = entry
    return {
        "erasure": plan.id, "table": table, "columns": columns, "key": key, "person": who_,
        "windows": windows, "state": state, "rows": plan.rows, "who": who(),
        "erased_at": lake.clock().isoformat(),
    }  # fmt: skip


def _carried_out(trail: Trail, plan: Erasure, wish: Wish) -> Erasure:
    lake = trail.lake
    changed = rewritten(trail, plan.spots, all_files=wish.raw == "rewrite")
    again = _concerned(trail)
    records = {file: set(rows) for one in plan.spots for file, rows in one.records.items()}
    runs: list[Entry] = []
    for table in again:
        realigned(trail, table, records, secrets.token_hex(6), break_lease=wish.break_lease)
        runs += _made_again(trail, plan, table, changed, wish)
    for table in again:
        with holding(lake, table, secrets.token_hex(6), break_lease=wish.break_lease):
            _clear(trail, table)
    return replace(plan, runs=tuple(runs))


def _concerned(trail: Trail) -> list[Table]:
    """The tables that know people by this key, and all that is made of them."""
    tables = trail.lake.suite.tables
    names = {table.name for table in trail.tables()}
    names |= descendants(tables, names)
    return [one for name, one in tables.items() if name in names]


def _made_again(
    trail: Trail, plan: Erasure, table: Table, changed: Mapping[str, set[str]], wish: Wish
) -> list[Entry]:
    """Run what is due of a table; what still holds them then is published without them."""
    lake = trail.lake
    if lake.version(table.name) is None:
        return []
    named: tuple[str, ...] | None = None
    if isinstance(table, Ingested):
        windows = {*windows_of(plan.spots, table.name), *changed.get(table.name, ())}
        named = tuple(sorted(windows & set(lake.history.windows(table.name))))
        if not named:
            return []
    orders = Orders(named=named, break_lease=wish.break_lease, say=wish.say)
    entries = run_table(lake, table, orders)
    for entry in entries:
        wish.say("entry", entry=entry)
        if entry.exit_code == Held.exit_code:
            raise Held(str(entry.message), next="the same command again, when that run is done")
    if isinstance(table, Ingested | Clean):
        made = left_out(trail, table, break_lease=wish.break_lease)
        ended = {entry.window for entry in made}  # whatever kept a run from doing it
        entries = [entry for entry in entries if entry.window not in ended] + made
    return entries


def _clear(trail: Trail, table: Table) -> None:
    """Take them out of what was rejected and out of the vault; leave no older version."""
    lake = trail.lake
    rejected = trail.in_quarantine(table)
    if rejected is not None and rejected.where(column(THEIRS)).limit(1).count():
        lake.quarantine(table.name).keep_only(rejected.where(~column(THEIRS)))
    if lake.guard(table).tokens and lake.version(table.name) is not None:
        lake.vault(table.name).keep_only(_kept_in_vault(trail, table))
    for ids, marked_ids in trail.in_ids(table):
        if marked_ids.where(column(THEIRS)).limit(1).count():
            ids.forget(marked_ids)
    for kind, remains in folders(lake, table):
        remains.cut(back_to=_needed(lake, table) if kind == "table" else None)


def _kept_in_vault(trail: Trail, table: Table) -> DataFrame:
    """The tokens that the rows of a table still hold, and the own keys of all other people."""
    lake = trail.lake
    frames = [lake.delta(table.name).read()]
    store = DeltaTable(lake.spark, lake.store(table.name))
    if store.latest() is not None:
        frames.append(store.read())
    told = [n for n, how in table.protection.items() if how.kind == "tokenise"]
    parts = [
        rows.select(column(name).alias("token"))
        for rows in frames for name in told if name in rows.columns
    ]  # fmt: skip
    if (rows := lake.vault(table.name).rows()) is not None:
        own = marked(rows.where(column("token").startswith(OWN)), [trail.own_keys(table)], THEIRS)
        parts.append(own.where(~column(THEIRS)).select("token"))
    return reduce(DataFrame.unionAll, parts)


def _needed(lake: Lake, table: Table) -> int | None:
    """The oldest commit of a table by key that is still asked: it names the store's version."""
    if not isinstance(table, Clean) or table.write == "replace":
        return None
    here, store = lake.delta(table.name), DeltaTable(lake.spark, lake.store(table.name))
    seen = merged_version(here, here.latest())
    if (None if seen is None else store.resting(seen)) != store.latest():
        raise Infrastructure(
            "a run of this table was broken off before its rows were published",
            where=table.name, next=f"headgate run {table.name}, then the same command again",
        )  # fmt: skip
    told = (v for v in reversed(here.versions()) if "store_version" in here.commit(v).metadata)
    return next(told, None)


def _begin(lake: Lake, request: str, people: People) -> None:
    """Keep who is meant, closed, until they are erased."""
    told = json.dumps([people.table, people.columns, people.values])
    closed = sealed(lake.keys([MAIN])[MAIN][0])(told)
    _files(lake).write_atomic(f"{FOLDER}/{request}.json", json.dumps(closed).encode())


def _unfinished(lake: Lake, request: str) -> People | None:
    """Who is meant by a request that broke off."""
    try:
        closed = json.loads(_files(lake).read_bytes(f"{FOLDER}/{request}.json"))
    except FileNotFoundError:
        return None
    told = opened_by(lake.keys([MAIN])[MAIN])(closed)
    if told is None:
        return None
    table, columns, values = json.loads(told)
    return People(table, tuple(columns), tuple(map(tuple, values)))


def _finish(lake: Lake, request: str, made: Erasure) -> None:
    """Put it on record, and forget who it was."""
    entry = (made.table, ",".join(made.columns), key_id(lake.keys([MAIN])[MAIN][0]), request)
    lake.note_erasures([_row(lake, made, DONE, entry, "")])
    _files(lake).delete(f"{FOLDER}/{request}.json")


def _files(lake: Lake) -> Any:
    return files_for(lake.suite.environment.lake, lake.spark)
