"""What a change of configuration does to the rows of a window: both sides worked out, compared.

Nothing is written. What is found is plain: numbers, and a few rows without private values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import HeadgateError
from headgate.core.lives import PRIVATE
from headgate.core.private import Private, private_in
from headgate.core.results import Rows
from headgate.core.spec import Clean, Features, Mart, Table
from headgate.stages.earlier import Earlier
from headgate.stages.lake import Lake
from headgate.stages.preview import Foreseen, Preview, previewed
from headgate.storage.faults import classify
from headgate.storage.jobs import tracked
from headgate.transforms.changes import (
    AFTER,
    BEFORE,
    CHANGED,
    GONE,
    NEW,
    WHAT,
    compared,
    differences,
)
from headgate.transforms.hidden import AS_JSON

EXAMPLES = 3  # of each kind
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """What one configuration makes of the windows."""

    slices: tuple[Foreseen, ...] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)  # rows by rule; one may break several
    columns: Mapping[str, str] = field(default_factory=dict)  # the table's own, with their types
    error: str | None = None  # why there are no rows

    @property
    def rows(self) -> Rows:
        """The fate of every row of all windows."""
        return Rows.together(one.rows for one in self.slices)

    @property
    def accepted(self) -> int:
        """The rows that the table would hold if its gate let them."""
        return self.rows.written + self.rows.withheld

    @property
    def changes(self) -> dict[str, int]:
        """Why steps dropped or added rows."""
        found: dict[str, int] = {}
        for one in self.slices:
            for why, count in one.reasons:
                found[why] = found.get(why, 0) + count
        return found


@dataclass(frozen=True)
class Example:
    """One row that differs. Private values are not in it."""

    what: str
    row: Row  # by what it is known; a row that is new or gone is here whole
    values: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)  # before and after


@dataclass(frozen=True)
class Changes:
    """How the accepted rows differ."""

    by: tuple[str, ...] = ()  # what rows are matched by; none: by all that both sides have
    new: int = 0
    gone: int = 0
    changed: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)  # rows of which a column differs
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Difference:
    """Both sides, and what lies between them."""

    table: str
    windows: tuple[str, ...]
    revision: str
    commit: str
    before: Side | None  # None: there was no such table
    after: Side
    rows: Changes

    @property
    def nothing(self) -> bool:
        """Whether the change does nothing to these windows."""
        rows = self.rows
        return self.before == self.after and not (rows.new or rows.gone or rows.changed)


def difference(lake: Lake, table: Table, then: Earlier, windows: Sequence[str]) -> Difference:
    """Work out both sides, on the inputs as they are published now."""
    was = then.table(table.name)
    before: Preview | HeadgateError | None = None
    after = _seen(lake, table, windows)
    if was is not None and then.suite is not None:
        with then.code(lake.spark, was):
            before = _seen(replace(lake, suite=then.suite), was, windows)
    if isinstance(after, HeadgateError) and not isinstance(before, Preview):
        raise after
    try:
        with tracked(lake.spark, f"{table.name} diff"):
            old, new = _side(before) if before else None, _side(after)
            if old is not None and old.error:
                old = replace(old, error=then.told(old.error))
            if was and then.suite and isinstance(before, Preview) and isinstance(after, Preview):
                hidden = private_in(table, lake.suite.tables)
                hidden = hidden.with_all_of(private_in(was, then.suite.tables))
                rows = _changes(before.accepted, after.accepted, (was, table), hidden)
            else:
                rows = Changes(new=new.accepted, gone=old.accepted if old else 0)
    except HeadgateError:
        raise
    except Exception as error:
        raise classify(error) from error
    named = tuple(dict.fromkeys(one.window for side in (old, new) if side for one in side.slices))
    return Difference(table.name, named, then.named, then.commit, old, new, rows)


def _seen(lake: Lake, table: Table, windows: Sequence[str]) -> Preview | HeadgateError:
    """One side; what a run would fail with is a finding."""
    try:
        return previewed(lake, table, windows)
    except HeadgateError as error:
        return error


def _side(seen: Preview | HeadgateError) -> Side:
    """What is told of one side."""
    if isinstance(seen, HeadgateError):
        return Side(error=seen.sentence)
    fields = [one for one in seen.accepted.schema.fields if not one.name.startswith("_")]
    return Side(
        seen.slices,
        _by_rule(seen.rejected) if seen.rows.quarantined else {},
        {one.name: one.dataType.simpleString() for one in fields},
    )


def _by_rule(rejected: DataFrame) -> dict[str, int]:
    """Rejected rows by rule, as it is written."""
    each = rejected.select(F.explode("_reasons").alias("rule"))
    found = each.groupBy("rule").count().orderBy("rule").collect()
    return {row["rule"]: row["count"] for row in found}


def identity(tables: Sequence[Table], both: Sequence[str]) -> tuple[str, ...]:
    """What a row is known by on both sides: its key, else the record that it came from."""
    keys = {_key(table) for table in tables}
    known_by = [*(keys if len(keys) == 1 else ()), ("_file", "_row")]
    return next((names for names in known_by if names and set(names) <= set(both)), ())


def _key(table: Table) -> tuple[str, ...]:
    if isinstance(table, Clean):
        return table.key
    if isinstance(table, Features):
        return (*table.entity.key, "as_of")
    if isinstance(table, Mart) and table.sql is None:
        return (table.period_column, *table.group_by)
    return ()


def _changes(
    before: DataFrame, after: DataFrame, tables: tuple[Table, Table], hidden: Private
) -> Changes:
    """How the accepted rows differ: both flows once more, the rows that differ are kept meanwhile.

    A key is unique within its window.
    """
    both = [name for name in after.columns if name in before.columns]
    by, names = identity(tables, both), compared(before, after)
    within = ["_window"] if by and "_window" in both else []
    found = differences(before, after, [*within, *by]).persist()
    try:
        flags = [F.count_if(f"differs{at}").alias(f"c{at}") for at in range(len(names))]
        kinds = [F.count_if(F.col(WHAT) == kind).alias(kind) for kind in (NEW, GONE, CHANGED)]
        counts = found.agg(*kinds, *flags).collect()[0]
        examples = [
            one
            for kind, side in ((CHANGED, AFTER), (NEW, AFTER), (GONE, BEFORE)) if counts[kind]
            for one in _examples(found, kind, side, (*within, *by), names, hidden)
        ]  # fmt: skip
    finally:
        found.unpersist()
    columns = {name: counts[f"c{at}"] for at, name in enumerate(names) if counts[f"c{at}"]}
    return Changes(by, counts[NEW], counts[GONE], counts[CHANGED], columns, tuple(examples))


def _examples(
    found: DataFrame,
    kind: str,
    side: str,
    by: Sequence[str],
    names: Sequence[str],
    hidden: Private,
) -> list[Example]:
    """A few rows of a kind, in the order of what they are known by."""
    own = [one for one in found.select(f"{side}.*").columns if not one.startswith("_")]
    row = list(by) if kind == CHANGED else list(dict.fromkeys((*by, *own)))
    order = [F.col(side)[name] for name in by or own if _sorts(found, side, name)]
    few = found.where(F.col(WHAT) == kind).orderBy(*order).limit(EXAMPLES)
    shown = few.select(
        _told(found, side, row, hidden).alias("row"),
        _told(found, BEFORE, names, hidden).alias(BEFORE),
        _told(found, AFTER, names, hidden).alias(AFTER),
        *[f"differs{at}" for at in range(len(names))],
    )
    made = []
    for one in shown.collect():
        values = _read(one["row"])
        old, new = _read(one[BEFORE]), _read(one[AFTER])
        differ = [name for at, name in enumerate(names) if one[f"differs{at}"]]
        made.append(Example(kind, values, {name: (old[name], new[name]) for name in differ}))
    return made


def _sorts(found: DataFrame, side: str, name: str) -> bool:
    kind = found.select(F.col(side)[name].alias("it")).schema["it"].dataType.simpleString()
    return "map<" not in kind and "variant" not in kind and kind != "vector"


def _told(found: DataFrame, side: str, names: Sequence[str], hidden: Private) -> Column:
    """Some columns of a side as one text. What is private does not leave Spark."""
    there = set(found.select(f"{side}.*").columns)
    values = []
    for name in names:
        if name not in there:
            continue
        value = F.col(side)[name]
        if hidden.hides(name):
            value = F.when(value.isNotNull(), F.lit(PRIVATE))
        values.append(value.alias(name))
    return F.to_json(F.struct(*values), AS_JSON)


def _read(text: str | None) -> dict[str, Any]:
    return json.loads(text, parse_float=Decimal) if text else {}
