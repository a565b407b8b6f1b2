"""What the steps do that look at other rows: never beyond their window, nor at rejected rows."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from headgate.core import steps as S
from headgate.core.windows import stretch
from headgate.transforms.fates import exact_duplicates, newest_first, sortable
from headgate.transforms.hidden import column, user_columns
from headgate.transforms.steps.around import Around, good, replaced

_AGAIN, _TEXT = "__again", "__text_near"


def _in_order(df: DataFrame, by: Sequence[str], order: Sequence[str]) -> WindowSpec:
    """Rows of a window that agree, in an order that is wholly told by the rows themselves."""
    rest = [name for name in user_columns(df.columns) if name not in {*order, *by}]
    origin = [name for name in ("_file", "_row") if name in df.columns]
    sorted_by = [sortable(df, name).asc_nulls_first() for name in (*order, *rest)]
    sorted_by += [column(name).asc_nulls_last() for name in origin]
    alike = [sortable(df, name) for name in by]
    return Window.partitionBy(column("_window"), good(df), *alike).orderBy(*sorted_by)


def previous(step: S.Previous, df: DataFrame, _: Around) -> DataFrame:
    spec = _in_order(df, step.by, step.order)
    made = {
        new: F.when(good(df), F.lag(column(old), step.back).over(spec))
        for new, old in step.columns.items()
    }
    return replaced(df, made)


def running(step: S.Running, df: DataFrame, _: Around) -> DataFrame:
    up_to = _in_order(df, step.by, step.order).rowsBetween(
        Window.unboundedPreceding, Window.currentRow
    )
    made = {new: F.when(good(df), F.expr(text).over(up_to)) for new, text in step.columns.items()}
    return replaced(df, made)


def sessionize(step: S.Sessionize, df: DataFrame, _: Around) -> DataFrame:
    """Rows without a time come first in the order, and begin no session."""
    spec = _in_order(df, step.by, [step.time])
    now = _micros(step.time)
    gap = int(stretch(step.gap).total_seconds()) * 1_000_000
    begins = F.coalesce(now - F.lag(now).over(spec) > gap, now.isNotNull())
    flagged = df.select("*", F.when(good(df) & begins, 1).otherwise(0).alias("__begins"))
    up_to = _in_order(df, step.by, [step.time]).rowsBetween(
        Window.unboundedPreceding, Window.currentRow
    )
    number = F.when(good(df) & column(step.time).isNotNull(), F.sum("__begins").over(up_to))
    return replaced(flagged, {step.into: number}).drop("__begins")


def _micros(name: str) -> Column:
    return F.unix_micros(column(name).cast("timestamp"))


def deduplicate(step: S.Deduplicate, df: DataFrame, _: Around) -> DataFrame:
    if step.near:
        return _without_near(step, df)
    again = (
        _after_a_newer(df, step.by, step.latest_by) if step.by else exact_duplicates(df, good(df))
    )
    flagged = df.select("*", (again & good(df)).alias(_AGAIN))
    return flagged.where(~F.col(_AGAIN)).drop(_AGAIN)


def _after_a_newer(df: DataFrame, by: Sequence[str], latest_by: Sequence[str]) -> Column:
    alike = [sortable(df, name) for name in by]
    spec = Window.partitionBy(column("_window"), good(df), *alike)
    return F.row_number().over(spec.orderBy(*newest_first(df, latest_by, alike=by))) > 1


def _without_near(step: S.Deduplicate, df: DataFrame) -> DataFrame:
    """A row goes where an earlier one, in the order of what stays, is near to it.

    Equal texts are found first, so that those which are held against each other are few.
    """
    made = df.select("*", _letters(step.near).alias(_TEXT))
    text, told = F.col(_TEXT), F.col(_TEXT).isNotNull()
    for name in step.within:
        told = told & column(name).isNotNull()
    order = newest_first(df, step.latest_by, alike=step.within)
    same = Window.partitionBy(column("_window"), good(df), *map(column, step.within), text)
    equal = F.row_number().over(same.orderBy(*order)) > 1
    made = made.select("*", (good(df) & told & equal).alias(_AGAIN))
    if step.distance:
        # Each distinct text once: the others of its kind are gone already.
        held = F.when(~F.col(_AGAIN) & good(df) & told, text)
        block = Window.partitionBy(column("_window"), *map(column, step.within)).orderBy(*order)
        earlier = F.collect_list(held).over(block.rowsBetween(Window.unboundedPreceding, -1))
        near = F.exists(earlier, lambda one: F.levenshtein(one, text, step.distance) >= F.lit(0))
        made = made.select("*", near.alias("__near"))
        made = replaced(made, {_AGAIN: F.col(_AGAIN) | (good(df) & told & F.col("__near"))}).drop(
            "__near"
        )
    return made.where(~F.col(_AGAIN)).drop(_AGAIN, _TEXT)


def _letters(names: Sequence[str]) -> Column:
    """The letters and digits of some texts; null where there are none."""
    bare = [
        F.lower(F.regexp_replace(F.coalesce(column(n), F.lit("")), r"[^\p{L}\p{M}\p{N}]+", ""))
        for n in names
    ]
    return F.when(F.concat(*bare) != "", F.concat_ws(" ", *bare))
