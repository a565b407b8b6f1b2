"""Rows that a person repaired become corrections: of a record that is rejected, and of its content.

Nothing is published here. A correction makes its window due, and the one flow reads it in the place
of what came: now, at every later run of the window, and when it is verified.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from difflib import get_close_matches

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.window import Window

from headgate.core import contract
from headgate.core.errors import InputMissing, Usage
from headgate.core.private import private_in
from headgate.core.spec import Clean, Ingested, Table
from headgate.stages.corrections import CHANGED, OF, in_force
from headgate.stages.holding import holding
from headgate.stages.lake import Lake
from headgate.stages.rejected import typed
from headgate.stages.settling import rejected_for
from headgate.storage.points import reached
from headgate.storage.process import who
from headgate.storage.quarantine import COLUMNS
from headgate.storage.repaired import Given
from headgate.transforms.contract import as_text
from headgate.transforms.corrections import (
    CELLS,
    ORIGINAL,
    PLACE,
    a_column,
    content_of,
    typed_cell,
)
from headgate.transforms.hidden import column

AT, KEY, HELD, STATE, FIX, MISFITS = "__at", "__key", "__held", "__state", "__fix", "__misfits"
OPEN, TWINS = "__open", "__twins"
UNKNOWN, CLOSED, MISFIT, SAME, GOOD = "unknown", "settled", "misfit", "unchanged", "corrected"
NOWHERE = "nowhere"


@dataclass(frozen=True)
class Replay:
    """What became of the rows that a person handed back."""

    id: str
    windows: tuple[str, ...] = ()  # of the rows that are corrected
    rows: dict[str, int] = field(default_factory=dict)  # by what became of them
    misfits: dict[str, int] = field(default_factory=dict)  # rows by the column that does not fit

    @property
    def given(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True)
class Chosen:
    """The windows that a replay runs."""

    windows: tuple[str, ...]
    taken: Replay | None  # what was handed back; None: the rows go through as they are
    replayed_before: int


@dataclass(frozen=True)
class Replayed:
    """What came of rejected rows that went through once more."""

    table: str
    taken: Replay | None
    replayed: int  # rows that are published now
    open: int  # rows of these windows that wait still


def chosen_for(
    lake: Lake, table: Table, given: Given | None, windows: Sequence[str] | None, reason: str | None
) -> Chosen:
    """Which windows run: those of the rows handed back, or those with open rows."""
    if not isinstance(table, Ingested | Clean):
        raise Usage(
            f"rows of {table.name} are made from others: those are replayed where they came in",
            next=f"headgate run +{table.name}",
        )
    taken = None if given is None else taken_back(lake, table, given)
    named = _waiting(lake, table, windows, reason) if taken is None else taken.windows
    return Chosen(named, taken, _by_state(lake, table, named).get("replayed", 0))


def ended(lake: Lake, table: Table, chosen: Chosen) -> Replayed:
    """What came of it."""
    states = _by_state(lake, table, chosen.windows)
    replayed = states.get("replayed", 0) - chosen.replayed_before
    return Replayed(table.name, chosen.taken, replayed, states.get("open", 0))


def taken_back(lake: Lake, table: Table, given: Given) -> Replay:
    """Write down what was repaired, under the table's lease; once, however often it is given."""
    replay = secrets.token_hex(6)
    with holding(lake, table, replay):
        kinds = _columns(lake, table, given.names)
        found = _judged(lake, table, given, kinds).persist()
        try:
            told = _told(found, replay)
            _refuse(lake, table, found, told)
            made = _made(lake, table, found, replay) if told.windows else None
            if made is not None and not made.isEmpty():  # else they were handed back before
                lake.corrections(table.name).keep(lake.guard(table).protected(made), replay)
                lake.forget_corrections(table.name)
        finally:
            found.unpersist()
        reached("corrected")
    return told


def _waiting(
    lake: Lake, table: Table, windows: Sequence[str] | None, reason: str | None
) -> tuple[str, ...]:
    """The windows with open rows, or with such as were rejected for a reason."""
    rows = lake.quarantine(table.name).rows()
    if rows is None:
        return ()
    mine = rows.where((F.col("_state") == "open") & rejected_for(reason))
    found = sorted(row[0] for row in mine.select("_window").distinct().collect())
    return tuple(one for one in found if windows is None or one in windows)


def _by_state(lake: Lake, table: Table, windows: Sequence[str]) -> dict[str, int]:
    """The rejected rows of windows, counted by their state."""
    rows = lake.quarantine(table.name).rows()
    if rows is None:
        return {}
    mine = rows.where(F.col("_window").isin(list(windows)))
    return {row["_state"]: row["count"] for row in mine.groupBy("_state").count().collect()}


def _columns(lake: Lake, table: Table, names: Sequence[str]) -> dict[str, contract.Column]:
    """The columns that a person may repair, and how their cells are written."""
    if lake.quarantine(table.name).rows() is None:
        raise InputMissing("no row was ever rejected", where=table.name)
    rows = typed(lake, table)
    own = [name for name in rows.columns if not name.startswith("_")]
    unknown = [name for name in names if name not in {*own, *COLUMNS}]
    if unknown:
        close = get_close_matches(unknown[0], own, 1)
        # Without a header a row of data is taken for the names: a name is told if it is nearly one.
        said = f"'{unknown[0]}' (did you mean '{close[0]}'?)" if close else "of another name"
        raise Usage(
            f"rejected rows have no column {said}",
            where=table.name,
            next=f"headgate quarantine export {table.name} --to rejected.csv",
        )
    contracts = table.columns if isinstance(table, Ingested) else {}
    plain = {name: a_column(rows.schema[name].dataType.simpleString()) for name in own}
    kinds = {name: contracts.get(name, plain[name]) for name in own if name in names}
    if not kinds:
        raise Usage("the repaired rows have none of the table's columns", where=table.name)
    return kinds


def _judged(
    lake: Lake, table: Table, given: Given, kinds: Mapping[str, contract.Column]
) -> DataFrame:
    """Each row with the rejected one that it repairs, the cells that were changed, and STATE."""
    rows = given.rows.withColumn(AT, F.monotonically_increasing_id())
    number = F.expr(f"try_cast(`{CELLS}`['_row'] AS decimal(20,0))").cast("string")
    rows = rows.withColumn(KEY, _key(_cell("_file"), number, _cell("_record")))
    both = rows.join(_rejected(lake, table, kinds), KEY, "left")
    said = [F.coalesce(_cell(n) == column(n), _cell(n).isNull()) for n in ("_window", "_run")]
    meant = said[0] & said[1] & (~F.col(TWINS) | (content_of(_cell("_record")) == F.col(HELD)))
    fits = F.coalesce(meant, F.lit(False))
    mine = Window.partitionBy(AT)
    best = F.row_number().over(mine.orderBy(fits.desc(), F.col(OPEN).desc_nulls_last(), HELD))
    several = F.size(F.collect_set(F.when(fits & F.col(OPEN), F.col(HELD))).over(mine)) > 1
    found = both.select("*", fits.alias("__fits"), several.alias("__several"), best.alias("__best"))
    return _with_state(lake, table, found.where("__best = 1"), given, kinds)


def _rejected(lake: Lake, table: Table, kinds: Mapping[str, contract.Column]) -> DataFrame:
    """The rejected rows: KEY and HELD, whether one of this content is OPEN, what they came as."""
    rows = typed(lake, table)
    place: dict[str, Column] = {name: column(name) for name in PLACE}
    if isinstance(table, Clean):  # its steps may have dropped them
        told = {name: F.get_json_object("_record", f"$.{name}") for name in PLACE}
        place = {name: F.coalesce(column(name), text) for name, text in told.items()}
    keyed = rows.select(
        *[column(name).alias(f"__was{at}") for at, name in enumerate(kinds)],
        "_window", "_run", "_record", "_state",
        place["_file"].alias("_file"), place["_row"].cast("bigint").alias("_row"),
        _key(F.col("_file"), F.col("_row").cast("string"), F.col("_record")).alias(KEY),
        content_of(F.col("_record")).alias(HELD),
        F.get_json_object("_record", f"$.{ORIGINAL}").alias(OF),
    )  # fmt: skip
    alike, of_run = Window.partitionBy("_window", KEY, HELD), Window.partitionBy("_run", KEY)
    return keyed.select(
        *[name for name in keyed.columns if name not in ("_record", "_state", OF)],
        F.coalesce(OF, HELD).alias(OF),
        F.max(F.col("_state") == "open").over(alike).alias(OPEN),
        # One record may have become two rows: then what it held tells them apart.
        (F.size(F.collect_set(HELD).over(of_run)) > 1).alias(TWINS),
    )


def _cell(name: str) -> Column:
    """A cell by its name; an empty text is nothing."""
    text = F.col(CELLS)[name]
    return F.when(text != "", text)


def _key(file: Column, row: Column, record: Column) -> Column:
    """Where a record stands, or else what it held."""
    return F.coalesce(F.concat(file, F.lit("\0"), row), record)


def _with_state(
    lake: Lake, table: Table, rows: DataFrame, given: Given, kinds: Mapping[str, contract.Column]
) -> DataFrame:
    """What was changed of each row, whether it fits, and what therefore becomes of it."""
    places = list(enumerate(kinds.items()))
    rows = rows.select("*", *[F.col(CELLS)[name].alias(f"__text{at}") for at, (name, _) in places])
    typed_cells = [typed_cell(f"__text{at}", one) for at, (_, one) in places]
    rows = rows.select(
        "*",
        *[value.alias(f"__cell{at}") for at, (value, _) in enumerate(typed_cells)],
        *[bad.alias(f"__bad{at}") for at, (_, bad) in enumerate(typed_cells)],
    )
    private = private_in(table, lake.suite.tables)
    no_key = "_record" not in given.names  # then an export leaves them empty
    changed, misfits = [], []
    for at, (name, _) in places:
        kind, there = rows.schema[f"__cell{at}"].dataType, F.map_contains_key(CELLS, name)
        new, old = (_comparable(F.col(f"__{of}{at}"), kind, given.blank) for of in ("cell", "was"))
        differs = there & ~new.eqNullSafe(old)
        if no_key and private.hides(name):
            differs = differs & F.col(f"__text{at}").isNotNull()
        cell = F.struct(
            F.lit(name).alias("key"), as_text(F.col(f"__cell{at}"), kind).alias("value")
        )
        changed.append(F.when(differs, cell))
        misfits.append(F.when(there & F.col(f"__bad{at}"), F.lit(name)))
    told = rows.select(
        "*",
        F.map_from_entries(F.array_compact(F.array(*changed))).alias(FIX),
        F.array_compact(F.array(*misfits)).alias(MISFITS),
    )
    state = (
        F.when(~F.col("__fits") | F.col("__several"), UNKNOWN)
        .when(~F.col(OPEN), CLOSED)
        .when(F.size(MISFITS) > 0, MISFIT)
        .when(F.size(FIX) == 0, SAME)
        .when(F.col("_file").isNull() | F.col("_row").isNull(), NOWHERE)
        .otherwise(GOOD)
    )
    return told.select("_window", *PLACE, OF, FIX, MISFITS, state.alias(STATE))


def _comparable(value: Column, kind: T.DataType, blank: bool) -> Column:
    """A value in a form that two of a kind can be held against each other in."""
    if isinstance(kind, T.StringType):
        text = F.regexp_replace(value, "\r\n?", "\n")
        return F.when(text != "", text) if blank else text
    return as_text(value, kind) if isinstance(kind, T.MapType | T.StructType) else value


def _told(found: DataFrame, replay: str) -> Replay:
    """What became of the rows, counted."""
    states = found.groupBy(STATE, "_window").count().collect()
    rows: dict[str, int] = {}
    for row in states:
        rows[row[STATE]] = rows.get(row[STATE], 0) + row["count"]
    windows = {row["_window"] for row in states if row[STATE] == GOOD}
    wrong = found.where(F.col(STATE) == MISFIT).select(F.explode(MISFITS).alias("name"))
    misfits = wrong.groupBy("name").count().orderBy("name").collect() if MISFIT in rows else []
    return Replay(
        replay, tuple(sorted(windows)), rows, {row["name"]: row["count"] for row in misfits}
    )


def _refuse(lake: Lake, table: Table, found: DataFrame, told: Replay) -> None:
    """Corrections that cannot be kept: nothing is written then."""
    if count := told.rows.get(NOWHERE):
        raise Usage(
            f"{count:,} of the rows do not say which record of a file they are",
            where=table.name,
            next=f"repair them in {next(iter(table.inputs), 'what it reads')}",
        )
    good = found.where(F.col(STATE) == GOOD)
    texts = F.to_json(F.array_sort(F.map_entries(FIX)))
    twice = good.groupBy("_window", *PLACE, OF).agg(F.count_distinct(texts).alias("n"))
    if count := twice.where("n > 1").count():
        raise Usage(f"{count:,} records are repaired twice, each time otherwise", where=table.name)
    if isinstance(table, Ingested):
        _refuse_moved(table, good)
        return
    assert isinstance(table, Clean)  # no other table has rows that came from elsewhere
    source = next(iter(table.reads.values()))
    private = private_in(lake.suite.tables[source], lake.suite.tables)
    names = good.select(F.explode(F.map_keys(FIX))).distinct().collect()
    closed = sorted(row[0] for row in names if private.hides(row[0]))
    if closed:
        raise Usage(
            f"{closed[0]} may hold what is protected above this table; nothing was taken",
            where=table.name,
            next=f"repair it where it is declared, above {source}",
        )


def _refuse_moved(table: Ingested, good: DataFrame) -> None:
    """Another window would not know the file that the record is in."""
    if table.window_by is None:
        return
    if count := good.where(F.map_contains_key(FIX, table.window_by)).count():
        raise Usage(
            f"{count:,} of the rows have another {table.window_by}, which tells their window; "
            "nothing was taken",
            where=table.name,
            next=f"send them in a file of their own, and headgate quarantine dismiss {table.name}",
        )


def _made(lake: Lake, table: Table, found: DataFrame, replay: str) -> DataFrame:
    """The corrections as they are kept: each with what an earlier one of its record changed."""
    good = found.where(F.col(STATE) == GOOD).dropDuplicates(["_window", *PLACE, OF])
    before = in_force(lake, table)
    if before is None:
        whole = good.withColumn(CELLS, F.col(FIX))
    else:
        joined = good.join(before, [*PLACE, OF], "left")
        others = F.map_filter(CELLS, lambda name, _: ~F.map_contains_key(FIX, name))
        both = F.coalesce(F.map_concat(others, FIX), F.col(FIX))
        same = _sorted(both).eqNullSafe(_sorted(F.col(CELLS)))
        whole = joined.where(~same).withColumn(CELLS, both)
    record = F.struct(F.col(OF), F.col(CELLS).alias(CHANGED))
    return whole.select(
        F.to_json(record).alias("_record"), "_window", *PLACE, F.lit(replay).alias("_replay"),
        F.lit(who()).alias("_by"), F.lit(datetime.now(timezone.utc)).alias("_at"),
    )  # fmt: skip


def _sorted(cells: Column) -> Column:
    return F.to_json(F.array_sort(F.map_entries(cells)))
