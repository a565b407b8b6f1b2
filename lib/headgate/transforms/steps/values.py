"""What the steps on values do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core import steps as S
from headgate.core.errors import Usage
from headgate.core.units import factors
from headgate.transforms.contract import literal, quoted
from headgate.transforms.hidden import column
from headgate.transforms.reasons import Fault
from headgate.transforms.steps.around import Around, read_apart, replaced


def derive(step: S.Derive, df: DataFrame, _: Around) -> DataFrame:
    """Later expressions see earlier columns, so those that do get a projection of their own."""
    waiting: dict[str, Column] = {}
    for name, text in step.columns.items():
        if any(_mentions(text, earlier) for earlier in waiting):
            df, waiting = replaced(df, waiting), {}
        waiting[name] = F.expr(text)
    return replaced(df, waiting)


def _mentions(text: str, name: str) -> bool:
    return name.lower() in text.lower()


def fill(step: S.Fill, df: DataFrame, _: Around) -> DataFrame:
    made = {}
    for name, value in step.columns.items():
        kind = df.schema[name].dataType
        made[name] = F.coalesce(column(name), F.lit(value).cast(kind))
    return replaced(df, made)


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
    return replaced(df, made)


def nullify(step: S.Nullify, df: DataFrame, _: Around) -> DataFrame:
    made = {}
    for name, values in step.columns.items():
        kind = df.schema[name].dataType
        if isinstance(kind, T.StringType):
            texts = [str(value).strip().lower() for value in values or S.PLACEHOLDERS]
            means_none = F.lower(F.trim(column(name))).isin(texts)
        else:  # what is no value of the column's type is none of its values
            same = [_as(value, kind) for value in values]
            means_none = F.coalesce(column(name).isin(*same), F.lit(False))
        made[name] = F.when(~means_none, column(name))
    return replaced(df, made)


def _as(value: Any, kind: T.DataType) -> Column:
    text = value if isinstance(value, str) else str(value).lower()
    return F.expr(f"try_cast({literal(text)} AS {kind.simpleString()})")


def clip(step: S.Clip, df: DataFrame, _: Around) -> DataFrame:
    made = {}
    for name, bounds in step.columns.items():
        kind, value = df.schema[name].dataType, column(name)
        number = value if not isinstance(kind, T.FractionalType) else F.nanvl(value, value)
        if bounds.min is not None:
            least = _bound(step, name, bounds.min, kind)
            value = F.when(number < least, least).otherwise(value)
        if bounds.max is not None:
            most = _bound(step, name, bounds.max, kind)
            beyond = number > most
            if isinstance(kind, T.FloatType | T.DoubleType):
                beyond = beyond & ~F.isnan(number)  # Spark takes it for the greatest number
            value = F.when(beyond, most).otherwise(value)
        made[name] = value
    return replaced(df, made)


def _bound(step: S.Clip, name: str, bound: float, kind: T.DataType) -> Column:
    """A bound as a value of the column's type: rounded, it would be another bound."""
    exact, whole = Decimal(str(bound)), isinstance(kind, T.IntegralType)
    scale = 0 if whole else kind.scale if isinstance(kind, T.DecimalType) else None
    if scale is not None and exact != round(exact, scale):
        raise Usage(
            f"step '{step.written or step.name}': {bound} is no {kind.simpleString()} as {name} is",
            where=step.place,
            next="give a bound of the column's type",
        )
    return (
        F.lit(str(bound)).cast("double" if scale is None else T.DecimalType(38, scale)).cast(kind)
    )


def round_(step: S.Round, df: DataFrame, _: Around) -> DataFrame:
    """By way of a type with more room: what is rounded up may not fit into its own."""
    tried, made, broken = dict[str, Column](), dict[str, Column](), list[Fault]()
    for place, (name, how) in enumerate(step.columns.items()):
        kind = df.schema[name].dataType
        way = "round" if how.rounding == "half_up" else "bround"
        wide = f"CAST({quoted(name)} AS decimal(20,0))"
        inner = wide if isinstance(kind, T.IntegralType) else quoted(name)
        new = f"__tried{place}"
        tried[new] = F.expr(f"try_cast({way}({inner}, {how.digits}) AS {kind.simpleString()})")
        made[name] = F.col(new)
        reason = f"round {name}: no room in {kind.simpleString()}"
        broken.append((column(name).isNotNull() & F.col(new).isNull(), reason))
    return read_apart(df, tried, made, broken)


def convert(step: S.Convert, df: DataFrame, _: Around) -> DataFrame:
    made = {}
    for name, units in step.columns.items():
        before, factor, after = factors(units.given, units.wanted)
        value = column(name).cast("double")
        value = value + F.lit(before) if before else value
        value = value * F.lit(factor) if factor != 1 else value
        made[name] = value - F.lit(after) if after else value
    return replaced(df, made)
