"""What the steps on the shape of rows do."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core import steps as S
from headgate.core.errors import Usage
from headgate.transforms.hidden import REASONS, column
from headgate.transforms.reasons import joined, reasons_of
from headgate.transforms.steps.around import Around, good, replaced, unfit


def rename(step: S.Rename, df: DataFrame, _: Around) -> DataFrame:
    return df.select([column(n).alias(step.columns.get(n, n)) for n in df.columns])


def select(step: S.Select, df: DataFrame, _: Around) -> DataFrame:
    own = [name for name in df.columns if name.startswith("_") and name not in step.columns]
    return df.select([column(name) for name in (*step.columns, *own)])


def drop(step: S.Drop, df: DataFrame, _: Around) -> DataFrame:
    return df.drop(*step.columns)


def flatten(step: S.Flatten, df: DataFrame, _: Around) -> DataFrame:
    made: dict[str, Column] = {}
    for name, wanted in step.columns.items():
        kind = df.schema[name].dataType
        assert isinstance(kind, T.StructType)
        for field in wanted or kind.fieldNames():
            if field not in kind.fieldNames():
                raise Usage(
                    f"step '{step.written or step.name}': {name} has no field '{field}'",
                    where=step.place,
                    next=f"its fields: {', '.join(kind.fieldNames()[:20])}",
                )
            new = f"{name}_{field}"
            if new in made or (new in df.columns and new not in step.columns):
                raise Usage(
                    f"step '{step.written or step.name}': there is a column '{new}' already",
                    where=step.place,
                    next="rename it before",
                )
            made[new] = column(name).getField(field)
    return replaced(df, made).drop(*[name for name in step.columns if name not in made])


def explode(step: S.Explode, df: DataFrame, _: Around) -> DataFrame:
    """With the rows that have no items: a row is dropped by who says so. A rejected one is one."""
    kind = df.schema[step.column].dataType
    wanted = 2 if isinstance(kind, T.MapType) else 1
    if len(step.into) != wanted:
        pair = "a map, into [key, value]" if len(step.into) == 2 else "an array, into one column"
        raise unfit(step, step.column, kind, pair)
    items = [f"__into{at}" for at in range(wanted)]
    filled = F.when(good(df), column(step.column))
    made = df.select("*", F.posexplode_outer(filled).alias("__at", *items))
    values = {name: F.col(item) for name, item in zip(step.into, items, strict=True)}
    if step.position:
        values[step.position] = F.col("__at") + 1
    gone = [] if step.column in values else [step.column]
    return replaced(made, values).drop("__at", *items, *gone)


def unpivot(step: S.Unpivot, df: DataFrame, _: Around) -> DataFrame:
    kinds = {name: df.schema[name].dataType for name in step.columns}
    first = next(iter(kinds.values()))
    for name, kind in kinds.items():
        alike = isinstance(kind, T.NumericType) and isinstance(first, T.NumericType)
        if kind != first and not alike:
            raise unfit(step, name, kind, f"columns of one type ({first.simpleString()})")
    pairs = [F.struct(F.lit(n).alias("n"), column(n).alias("v")) for n in step.columns]
    first_only = F.slice(F.array(*pairs), 1, 1)  # of a rejected row, which stays one
    every = F.when(good(df), F.array(*pairs)).otherwise(first_only)
    made = df.select("*", F.explode(every).alias("__pair"))
    values = {step.into_name: F.col("__pair")["n"], step.into_value: F.col("__pair")["v"]}
    gone = [name for name in step.columns if name not in values]
    return replaced(made, values).drop("__pair", *gone)


def listed_only(step: S.Pivot, df: DataFrame) -> DataFrame:
    """The rows before a pivot; those that have no place in it are rejected."""
    known = F.coalesce(_text(step.column).isin(*step.values), F.lit(False))
    now = reasons_of([(~known, f"pivot: {step.column} is none of {', '.join(step.values)}")])
    made = joined(column(REASONS), now) if REASONS in df.columns else now
    return replaced(df, {REASONS: made})


def pivot(step: S.Pivot, df: DataFrame, _: Around) -> DataFrame:
    """One row for each window and key: groups do not reach across windows of a pass."""
    own = [F.max("_ingested_at").alias("_ingested_at")] if "_ingested_at" in df.columns else []
    groups = df.groupBy(*[column(name) for name in step.by], column("_window"))
    measures = [
        _measure(step.measure, F.when(_text(step.column) == text, column(step.value))).alias(text)
        for text in step.values
    ]
    made = groups.agg(*measures, *own)
    names = (*step.by, *step.values, *(n for n in ("_window", "_ingested_at") if n in made.columns))
    return made.select([column(name) for name in names])


def _text(name: str) -> Column:
    return column(name).cast("string")


def _measure(name: str, value: Column) -> Column:
    return {"sum": F.sum, "min": F.min, "max": F.max, "mean": F.avg, "count": F.count}[name](value)
