"""What the steps do that keep rows, take columns from other tables, and make keys."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core import steps as S
from headgate.transforms.hidden import REASONS, column
from headgate.transforms.reasons import joined, reasons_of
from headgate.transforms.steps.around import Around, good, replaced
from headgate.transforms.versions import IS_CURRENT, VALID_FROM, VALID_TO

_MATCHED = "__matched"


def where(step: S.Where, df: DataFrame, _: Around) -> DataFrame:
    # Whether a row is rejected already is not asked here: pushed down through the steps before,
    # that question grows twofold with each of them.
    return df.where(F.expr(step.keep))


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
        F.lit(True).alias(_MATCHED),
    )
    same = [column(here) == F.col(f"__key{n}") for n, here in enumerate(step.on)]
    condition = same[0]
    for more in same[1:]:
        condition = condition & more
    if step.as_of is not None:
        condition = condition & _held_at(column(step.as_of))
    return _taken(step, df, df.join(right, condition, "left"))


def _taken(step: S.Lookup, df: DataFrame, met: DataFrame) -> DataFrame:
    """The rows with the columns that they take, and what becomes of those that met none."""
    alone = F.col(_MATCHED).isNull()
    made: dict[str, Column] = {}
    for n, name in enumerate(step.take):
        value = F.col(f"__take{n}")
        if name in step.instead:
            kind = met.schema[f"__take{n}"].dataType
            value = F.when(alone, F.lit(step.instead[name]).cast(kind)).otherwise(value)
        made[name] = value
    if step.otherwise == "drop":
        met = met.where(~(alone & good(df)))
    if step.otherwise == "reject":
        now = reasons_of([(alone, f"lookup: {step.unmatched}")])
        made[REASONS] = joined(column(REASONS), now) if REASONS in df.columns else now
    kept = [made.get(name, column(name)).alias(name) for name in df.columns]
    new = [value.alias(name) for name, value in made.items() if name not in df.columns]
    return met.select(*kept, *new)


def _held_at(moment: Column) -> Column:
    """Whether a version held then. No start: since ever."""
    begin, end = F.col(f"__{VALID_FROM}"), F.col(f"__{VALID_TO}")
    return (begin.isNull() | (begin <= moment)) & (end.isNull() | (moment < end))


def surrogate(step: S.Surrogate, df: DataFrame, _: Around) -> DataFrame:
    """Each value says first whether it is there, and how long it is: no two rows are one text."""
    parts = []
    for name in step.of:
        text = _as_text(column(name), df.schema[name].dataType)
        parts += [F.coalesce(F.concat(F.length(text).cast("string"), F.lit(":"), text), F.lit("-"))]
    whole = F.concat(*parts)
    key = F.xxhash64(whole) if step.type == "bigint" else F.sha2(whole, 256)
    return replaced(df, {step.into: key})


def _as_text(value: Column, kind: T.DataType) -> Column:
    """A value as text; a moment by its number, which no time zone changes."""
    if isinstance(kind, T.TimestampType):
        return F.unix_micros(value).cast("string")
    if isinstance(kind, T.BinaryType):
        return F.hex(value)
    if isinstance(kind, T.ArrayType | T.MapType | T.StructType):
        return F.to_json(value)
    return value.cast("string")
