"""Who a condition means: values in plain of the columns by which tables know people."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import product

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import InputMissing, Usage
from headgate.core.people import People, equalities
from headgate.core.private import private_in
from headgate.core.spec import Table
from headgate.core.traces import Traces, key_of
from headgate.privacy.people import marked
from headgate.stages.finding import Trail
from headgate.stages.lake import Lake
from headgate.stages.revealing import revealed_rows
from headgate.storage.faults import classify
from headgate.transforms.hidden import THEIRS, column

MOST = 1_000  # people of one call


def asked(lake: Lake, table: Table, where: str) -> People:
    """The people for whom a condition is true in a table.

    Its own columns say who they are where some table has them as its key; otherwise the rows that
    it means do, by the key of the table.
    """
    traces, given = Traces.of(lake.suite.tables), equalities(where)
    key = _key(lake, table, traces)
    if given is not None:
        columns = tuple(given)
        _refuse_unknown(lake, table, columns, traces)
        known = all(traces.group((table.name, name)) in traces.keys for name in columns)
        if known or not key:
            _refuse_lost(table, columns, traces)
            return People(table.name, columns, tuple(product(*given.values())))
    if not key:
        raise Usage(
            f"{table.name} has no key by which a person could be followed",
            next=f'headgate erase {table.name} --where "customer_id = 42", or another column',
        )
    _refuse_lost(table, key, traces)
    return _by_rows(lake, table, where, key, traces)


def _key(lake: Lake, table: Table, traces: Traces) -> tuple[str, ...]:
    """The table's key, or that of the first table below it which it has the columns of."""
    for one in lake.suite.tables.values():
        names = key_of(one) if one.name == table.name or table.name in one.inputs else ()
        like = [traces.like((one.name, name), table.name) for name in names]
        if names and all(like):
            return tuple(each[0] for each in like)
    return ()


def _refuse_unknown(lake: Lake, table: Table, columns: Sequence[str], traces: Traces) -> None:
    there = {name for at, name in traces.hows if at == table.name}
    if lake.version(table.name) is not None:
        there |= set(lake.delta(table.name).read().columns)
    for name in columns:
        if name.lower() not in {one.lower() for one in there}:
            close = get_close_matches(name, sorted(there), 1, 0.5)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise Usage(
                f"unknown column '{name}'{hint}", where=table.name,
                next=f"one of {', '.join(sorted(n for n in there if not n.startswith('_'))[:12])}",
            )  # fmt: skip


def _refuse_lost(table: Table, columns: Sequence[str], traces: Traces) -> None:
    for name in columns:
        if how := traces.hidden((table.name, name)):
            raise Usage(
                f"{name} is {how} here, so that nobody can be found by it",
                where=table.name,
                next="name a column that is plain, hashed, a token or encrypted by one key",
            )


def _by_rows(lake: Lake, table: Table, where: str, key: tuple[str, ...], traces: Traces) -> People:
    """The people of the rows that a condition means."""
    if lake.version(table.name) is None:
        raise Usage(f"{table.name} has never been published", next=f"headgate run +{table.name}")
    try:
        rows = _meant(lake, table, where).select(*[column(name).alias(name) for name in key])
        rows = rows.distinct().limit(MOST + 1)
        if any(traces.hows.get((table.name, name)) for name in key):
            rows = revealed_rows(lake, table, rows)
        found = [tuple(row) for row in rows.collect() if None not in tuple(row)]
    except Exception as error:
        raise classify(error) from error
    if len(found) > MOST:
        raise Usage(f"the condition means more than {MOST:,} people", next="a narrower --where")
    if not found:
        raise nobody(table)
    return People(table.name, key, tuple(tuple(map(str, values)) for values in found))


def nobody(table: Table) -> InputMissing:
    """The error for a condition that means nobody."""
    return InputMissing(
        f"nobody in {table.name}, or in what it is made of, is meant by this condition",
        next="look at the condition; nothing was changed",
    )


def _meant(lake: Lake, table: Table, where: str) -> DataFrame:
    """The rows of a table for which a condition is true; on protected columns it is an equality."""
    rows, given = lake.delta(table.name).read(), equalities(where)
    if given is not None:
        trail = Trail(lake, People(table.name, tuple(given), tuple(product(*given.values()))))
        if marks := trail.marks(table.name, rows):
            return marked(rows, marks[:1], THEIRS).where(F.col(THEIRS))
    private = private_in(table, lake.suite.tables)
    words = [name for name in rows.columns if private.hides(name) and private.in_text(where)]
    if words and not private.every:
        raise Usage(
            "a condition on a protected column can only be an equality",
            where=table.name, next="--where \"email = '…'\", with the value in plain",
        )  # fmt: skip
    return rows.where(F.expr(where))
