"""The built-in steps: each a small pure function from a DataFrame to a DataFrame."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core import steps as S
from headgate.core.errors import StepFailed, Usage
from headgate.core.sqltext import bound, carrying, parameters
from headgate.transforms.change_data import old_rows_apart
from headgate.transforms.contract import cast_text, quoted
from headgate.transforms.fates import exact_duplicates
from headgate.transforms.hidden import REASONS, column, is_hidden, user_columns
from headgate.transforms.reasons import Fault, joined, reasons_of
from headgate.transforms.versions import IS_CURRENT, VALID_FROM, VALID_TO

_VIEWS = threading.Lock()  # temporary views belong to the session, not to a thread


@dataclass(frozen=True)
class Around:
    """What a step may see besides its input."""

    tables: Mapping[str, DataFrame]  # other inputs, by the names SQL uses; lookups by table name
    window: tuple[datetime, datetime] | None = None  # where one window is alone in the pass
    histories: frozenset[str] = frozenset()  # those of the tables that hold versions


def applied(step: S.Step, df: DataFrame, around: Around) -> DataFrame:
    """The rows after a step."""
    return _STEPS[type(step)](step, df, around)


def _replaced(df: DataFrame, made: Mapping[str, Column]) -> DataFrame:
    """The rows with columns replaced or added at the end, in one projection."""
    kept = [made.get(name, column(name)).alias(name) for name in df.columns]
    new = [value.alias(name) for name, value in made.items() if name not in df.columns]
    return df.select(*kept, *new)


def trim(step: S.Trim, df: DataFrame, _: Around) -> DataFrame:
    return _replaced(df, {name: F.trim(column(name)) for name in step.columns})


def rename(step: S.Rename, df: DataFrame, _: Around) -> DataFrame:
    return df.select([column(n).alias(step.columns.get(n, n)) for n in df.columns])


def cast(step: S.Cast, df: DataFrame, _: Around) -> DataFrame:
    """Values that do not fit reject their row.

    In two projections: a cast that stands in two expressions of one would be done twice a row.
    """
    made, tried, broken = dict[str, Column](), list[Column](), list[Fault]()
    for place, (name, kind) in enumerate(step.columns.items()):
        wanted, new = T._parse_datatype_string(kind), f"__cast{place}"
        text = cast_text(quoted(name), df.schema[name].dataType, wanted, None)
        tried.append(F.expr(text).alias(new))
        made[name] = F.col(new)
        broken.append((column(name).isNotNull() & F.col(new).isNull(), f"cast: {{{name}: {kind}}}"))
    now = reasons_of(broken)
    made[REASONS] = joined(column(REASONS), now) if REASONS in df.columns else now
    names = [*df.columns, *([] if REASONS in df.columns else [REASONS])]
    return df.select("*", *tried).select(
        [made.get(name, column(name)).alias(name) for name in names]
    )


def derive(step: S.Derive, df: DataFrame, _: Around) -> DataFrame:
    """Later expressions see earlier columns, so those that do get a projection of their own."""
    waiting: dict[str, Column] = {}
    for name, text in step.columns.items():
        if any(_mentions(text, earlier) for earlier in waiting):
            df, waiting = _replaced(df, waiting), {}
        waiting[name] = F.expr(text)
    return _replaced(df, waiting)


def _mentions(text: str, name: str) -> bool:
    return name.lower() in text.lower()


def where(step: S.Where, df: DataFrame, _: Around) -> DataFrame:
    return df.where(F.expr(step.keep))


def select(step: S.Select, df: DataFrame, _: Around) -> DataFrame:
    own = [name for name in df.columns if name.startswith("_") and name not in step.columns]
    return df.select([column(name) for name in (*step.columns, *own)])


def drop(step: S.Drop, df: DataFrame, _: Around) -> DataFrame:
    return df.drop(*step.columns)


def fill(step: S.Fill, df: DataFrame, _: Around) -> DataFrame:
    made = {}
    for name, value in step.columns.items():
        kind = df.schema[name].dataType
        made[name] = F.coalesce(column(name), F.lit(value).cast(kind))
    return _replaced(df, made)


def map_values(step: S.Map, df: DataFrame, _: Around) -> DataFrame:
    made = {}
    for name, pairs in step.columns.items():
        kind = df.schema[name].dataType
        value: Column | None = None
        for old, new in pairs.items():
            same = column(name) == F.lit(old).cast(kind)
            then = F.lit(new).cast(kind)
            value = F.when(same, then) if value is None else value.when(same, then)
        if value is not None:
            made[name] = value.otherwise(column(name))
    return _replaced(df, made)


def deduplicate(_: S.Deduplicate, df: DataFrame, __: Around) -> DataFrame:
    flagged = df.select("*", exact_duplicates(df).alias("__again"))
    return flagged.where(~F.col("__again")).drop("__again")


def lookup(step: S.Lookup, df: DataFrame, around: Around) -> DataFrame:
    other = around.tables[step.table]
    versioned = step.table in around.histories
    if versioned and step.as_of is None:
        other = other.where(F.coalesce(column(IS_CURRENT), F.lit(True)))
    held = [column(n).alias(f"__{n}") for n in (VALID_FROM, VALID_TO) if step.as_of]
    right = other.select(
        *[column(there).alias(f"__key{n}") for n, there in enumerate(step.on.values())],
        *[column(name).alias(f"__take{n}") for n, name in enumerate(step.take)],
        *held,
    )
    same = [column(here) == F.col(f"__key{n}") for n, here in enumerate(step.on)]
    condition = same[0]
    for more in same[1:]:
        condition = condition & more
    if step.as_of is not None:
        condition = condition & _held_at(column(step.as_of))
    taken = {name: F.col(f"__take{n}") for n, name in enumerate(step.take)}
    joined = df.join(right, condition, "left")
    kept = [taken.get(name, column(name)).alias(name) for name in df.columns]
    new = [value.alias(name) for name, value in taken.items() if name not in df.columns]
    return joined.select(*kept, *new)


def _held_at(moment: Column) -> Column:
    """Whether a version held then. No start: since ever."""
    begin, end = F.col(f"__{VALID_FROM}"), F.col(f"__{VALID_TO}")
    return (begin.isNull() | (begin <= moment)) & (end.isNull() | (moment < end))


def sql(step: S.Sql, df: DataFrame, around: Around) -> DataFrame:
    """A SELECT from `input`. A list that leaves Headgate's columns out gets them added."""
    written = _with_bounds(step, around)
    views = {**around.tables, "input": df}
    own = [name for name in df.columns if name.startswith("_")]
    made = sql_result(df.sparkSession, written, views)
    lost = [name for name in own if name not in made.columns]
    if not lost or step.rows == "regrouped":
        return made
    text = carrying(written, lost)
    if text is None:
        return made
    try:
        return sql_result(df.sparkSession, text, views)
    except Exception:  # an aggregate without GROUP BY, say: the text as written has analysed
        return made


def _with_bounds(step: S.Sql, around: Around) -> str:
    """The SQL with the window's bounds in it.

    As literals: Delta's parser hands no arguments of `spark.sql` on to that of Spark 4.1.
    """
    used = parameters(step.text)
    unknown = used - {"window_start", "window_end"}
    if unknown:
        raise Usage(
            f"unknown parameter :{sorted(unknown)[0]} in the SQL of step '{step.written}'",
            where=step.place,
            next=":window_start and :window_end are there",
        )
    if not used:
        return step.text
    if around.window is None:
        raise StepFailed("a window's bounds need one window at a time", where=step.place)
    start, end = (f"TIMESTAMP'{moment.isoformat(sep=' ')}'" for moment in around.window)
    return bound(step.text, {"window_start": start, "window_end": end})


def sql_result(spark: SparkSession, text: str, views: Mapping[str, DataFrame]) -> DataFrame:
    """A query over named frames. The names are views only while the text is analysed."""
    named = {name: rows for name, rows in views.items() if "." not in name}
    with _VIEWS:
        try:
            for name, rows in named.items():
                rows.createOrReplaceTempView(name)
            return spark.sql(text)
        finally:
            for name in named:
                spark.catalog.dropTempView(name)


def python(step: S.Python, df: DataFrame, _: Around) -> DataFrame:
    function = imported(step)
    made = function(df)
    if not isinstance(made, DataFrame):
        raise StepFailed(
            f"step {step.function} returned a {type(made).__name__}, not a DataFrame",
            where=step.place,
            next="return the DataFrame it made",
        )
    return made


def imported(step: S.Python) -> Callable[[DataFrame], Any]:
    """The function that a Python step names."""
    package, _, name = step.function.rpartition(".")
    try:
        found = getattr(importlib.import_module(package), name)
    except (ImportError, AttributeError) as error:
        raise Usage(
            f"step {step.function} cannot be imported: {error}",
            where=step.place,
            next="put the module below lib/ beside conf/",
        ) from None
    return found  # type: ignore[no-any-return]


def lost_columns(before: DataFrame, after: DataFrame) -> list[str]:
    """Headgate's own columns that a step did not keep."""
    return [n for n in before.columns if n.startswith("_") and n not in after.columns]


def lost_reasons(before: DataFrame, after: DataFrame) -> bool:
    """Whether rows that were already rejected would be taken for good ones."""
    return REASONS in before.columns and REASONS not in after.columns


def output_columns(df: DataFrame) -> list[str]:
    """What a table keeps of the rows: the user's columns, then Headgate's."""
    own = [n for n in df.columns if n.startswith("_") and not is_hidden(n)]
    return [*user_columns(df.columns), *own]


_STEPS: dict[type[S.Step], Callable[[Any, DataFrame, Around], DataFrame]] = {
    S.Trim: trim,
    S.Rename: rename,
    S.Cast: cast,
    S.Derive: derive,
    S.Where: where,
    S.Select: select,
    S.Drop: drop,
    S.Fill: fill,
    S.Map: map_values,
    S.Deduplicate: deduplicate,
    S.Lookup: lookup,
    S.Sql: sql,
    S.Python: python,
    S.Split: lambda step, df, _: old_rows_apart(df, step.key),
}
