"""What steps share: what they see besides their input, and how rows are made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import Usage
from headgate.core.kinds import WANTED
from headgate.core.steps import Step
from headgate.transforms.hidden import REASONS, column
from headgate.transforms.reasons import Fault, joined, reasons_of

_KINDS: Mapping[str, tuple[type[T.DataType], ...]] = {
    "text": (T.StringType,),
    "number": (T.NumericType,),
    "time": (T.TimestampType, T.TimestampNTZType, T.DateType),
    "struct": (T.StructType,),
    "array or map": (T.ArrayType, T.MapType),
}


@dataclass(frozen=True)
class Around:
    """What a step may see besides its input."""

    tables: Mapping[str, DataFrame]  # other inputs, by the names SQL uses; lookups by table name
    window: tuple[datetime, datetime] | None = None  # where one window is alone in the pass
    histories: frozenset[str] = frozenset()  # those of the tables that hold versions


def fitting(step: Step, df: DataFrame) -> None:
    """Refuse columns that hold something else than the step takes."""
    for name, kind in step.needed_as().items():
        if name in df.columns and not isinstance(df.schema[name].dataType, _KINDS[kind]):
            raise unfit(step, name, df.schema[name].dataType, WANTED[kind])


def unfit(step: Step, name: str, kind: T.DataType, wanted: str) -> Usage:
    """The error for a column of another type than the step can take."""
    what = f"step '{step.written or step.name}' takes {wanted}, and {name} is "
    return Usage(what + kind.simpleString()[:80], where=step.place, next="cast it before")


def replaced(df: DataFrame, made: Mapping[str, Column]) -> DataFrame:
    """The rows with columns replaced or added at the end, in one projection."""
    kept = [made.get(name, column(name)).alias(name) for name in df.columns]
    new = [value.alias(name) for name, value in made.items() if name not in df.columns]
    return df.select(*kept, *new)


def read_apart(
    df: DataFrame, tried: Mapping[str, Column], made: Mapping[str, Column], broken: Sequence[Fault]
) -> DataFrame:
    """The rows with columns made of what was tried; what could not be read rejects its row.

    In two projections: what stands in two expressions of one would be done twice a row.
    """
    found = dict(made)
    if broken:
        now = reasons_of(broken)
        found[REASONS] = joined(column(REASONS), now) if REASONS in df.columns else now
    apart = df.select("*", *[value.alias(name) for name, value in tried.items()])
    kept = [found.get(name, column(name)).alias(name) for name in df.columns]
    new = [value.alias(name) for name, value in found.items() if name not in df.columns]
    return apart.select(*kept, *new)


def good(df: DataFrame) -> Column:
    """Whether nothing was found against a row yet."""
    return column(REASONS).isNull() if REASONS in df.columns else F.lit(True)
