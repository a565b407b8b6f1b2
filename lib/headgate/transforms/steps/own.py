"""Steps of the user's own: SQL over named frames, and Python functions."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from headgate.core import steps as S
from headgate.core.errors import StepFailed, Usage
from headgate.core.sqltext import bound, carrying, parameters
from headgate.transforms.hidden import column, user_columns
from headgate.transforms.steps.around import Around

_VIEWS = threading.Lock()  # temporary views belong to the session, not to a thread


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
    return _promised(step, df, made) if step.leaves else made


def _promised(step: S.Python, before: DataFrame, made: DataFrame) -> DataFrame:
    """The columns that the step says it leaves, and Headgate's own that it kept."""
    missing = [name for name in step.leaves if name not in made.columns]
    if missing:
        raise StepFailed(
            f"step {step.function} promises a column '{missing[0]}', and does not return it",
            where=step.place,
            next=f"it returns {', '.join(user_columns(made.columns)[:20]) or 'none'}",
        )
    own = [name for name in made.columns if name in before.columns and name.startswith("_")]
    return made.select([column(name) for name in dict.fromkeys((*step.leaves, *own))])


def imported(step: S.Python) -> Callable[[DataFrame], Any]:
    """The function that a Python step names."""
    package, _, name = step.function.rpartition(".")
    try:
        found: Callable[[DataFrame], Any] = getattr(importlib.import_module(package), name)
    except (ImportError, AttributeError) as error:
        raise Usage(
            f"step {step.function} cannot be imported: {error}",
            where=step.place,
            next="put the module below lib/ beside conf/",
        ) from None
    return found
