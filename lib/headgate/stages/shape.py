"""A table's steps applied to the rows of a pass, each change of the number of rows on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import HeadgateError, StepFailed
from headgate.core.results import Rows
from headgate.core.steps import Deduplicate, Derive, Python, Sql, Step, Where
from headgate.stages.counting import Counter
from headgate.stages.twice import the_same_twice
from headgate.storage.faults import classify
from headgate.storage.plans import works_by_row
from headgate.transforms.hidden import REASONS, RECORD
from headgate.transforms.steps import Around, applied, readied


@dataclass(frozen=True)
class Change:
    """A step that may change the number of rows, and the points before and after it."""

    step: Step
    before: str
    after: str
    aside: tuple[str, ...] = ()  # the points at which rows were set aside up to here


@dataclass
class Shaped:
    """The rows after all steps."""

    df: DataFrame
    changes: list[Change] = field(default_factory=list)
    aside: list[DataFrame] = field(default_factory=list)  # rejected rows that a step would lose
    aside_points: list[str] = field(default_factory=list)
    frames: list[DataFrame] = field(default_factory=list)  # before the first step, after each


def shape(
    rows: DataFrame,
    steps: Sequence[Step],
    around: Around,
    counter: Counter | None,
    only_window: str | None,
) -> Shaped:
    """Apply the steps. With `only_window`, a step that loses `_window` gets it back."""
    at = "read"
    # Without a step in between, what is read is what ends: one count is enough.
    shaped = Shaped(counter.point(rows, at) if counter and steps else rows)
    shaped.frames.append(shaped.df)
    for place, step in enumerate(steps):
        before = readied(step, shaped.df)
        if counter and isinstance(step, Python) and step.twice:
            # Of rows that nobody counts: what a sample is taken from is not counted to its end.
            bare = shape(rows, steps[:place], around, None, only_window).df
            _guarded(step, bare, around, the_same_twice)
        after = _guarded(step, before, around)
        if REASONS in before.columns and REASONS not in after.columns:
            rejected = before.where(F.col(REASONS).isNotNull())
            before = before.where(F.col(REASONS).isNull())
            if counter:
                rejected = counter.point(rejected, f"aside {place}")
                before = counter.point(before, at := f"good {place}")
                shaped.aside_points.append(f"aside {place}")
            shaped.aside.append(rejected)
            after = _guarded(step, before, around)
        after = _restored(before, after, only_window)
        if counter and step.changes_rows:
            name = f"step {place}"
            after = counter.point(after, name)
            shaped.changes.append(Change(step, at, name, tuple(shaped.aside_points)))
            at = name
        shaped.df = after
        shaped.frames.append(after)
    for rejected in shaped.aside:
        carried = [name for name in (REASONS, RECORD) if name in rejected.columns]
        shaped.df = shaped.df.unionByName(rejected, allowMissingColumns=True).select(
            *[F.col(f"`{name}`") for name in dict.fromkeys((*shaped.df.columns, *carried))]
        )
    return shaped


Done = Callable[[Any, DataFrame, Around], DataFrame]


def _guarded(step: Step, df: DataFrame, around: Around, do: Done = applied) -> DataFrame:
    try:
        return do(step, df, around)
    except HeadgateError:
        raise
    except Exception as error:
        found = classify(error)
        raise type(found)(
            f"step '{step.written or step.name}' fails: {found.what}",
            where=step.place,
            next=found.next,
        ) from None


def _restored(before: DataFrame, after: DataFrame, only_window: str | None) -> DataFrame:
    """Put back what every row of a table has to carry."""
    lost = [
        n for n in before.columns if n in ("_window", "_ingested_at") and n not in after.columns
    ]
    if "_window" in lost:
        assert only_window is not None  # such a step was given one window at a time
        after = after.withColumn("_window", F.lit(only_window))
    if "_ingested_at" in lost:
        newest = before.agg(F.max("_ingested_at").alias("_ingested_at"))
        after = after.crossJoin(F.broadcast(newest))
    return after


def together(steps: Sequence[Step], sample: DataFrame, around: Around) -> bool:
    """Whether every step gives the same rows when windows share a pass.

    `sample` is an empty frame with the input's columns: only the analysed plans are looked at.
    """
    df = sample
    for step in steps:
        if isinstance(step, Sql) and ":window_" in step.text:
            return False
        after = _guarded(step, readied(step, df), around)
        if "_window" not in after.columns:
            return False
        judged = step.opaque or isinstance(step, Derive | Where)
        if judged and not works_by_row(df, after):
            return False
        df = df.sparkSession.createDataFrame([], after.schema)
    return True


def fates(
    shaped: Shaped,
    counts: Mapping[str, Mapping[str, Any]],
    code: int,
    ended: int,
    table: str,
    window: str,
) -> tuple[Rows, tuple[tuple[str, int], ...]]:
    """What the steps did to the rows of one slice; `ended` rows came out of the last one."""
    read = counts["read"]["rows"].get(code, 0) if "read" in counts else ended
    rows, reasons, last = Rows(read=read), [], read
    for change in shaped.changes:
        before = counts[change.before]["rows"].get(code, 0)
        after = counts[change.after]["rows"].get(code, 0)
        last = after
        step = change.step
        if step.regroups:
            # Rows that were rejected before keep their place in the count that begins here.
            aside = sum(counts[name]["rows"].get(code, 0) for name in change.aside)
            reasons.append((f"regrouped from {before:,} rows", after))
            rows = Rows(read=after + aside)
            continue
        if after < before and step.drops is not None:
            gone = before - after
            kind = "deduplicated" if isinstance(step, Deduplicate) else "filtered"
            rows = replace(rows, **{kind: getattr(rows, kind) + gone})
            reasons.append((step.drops, gone))
        elif after > before and step.adds is not None:
            rows = replace(rows, added=rows.added + after - before)
            reasons.append((step.adds, after - before))
        elif after != before:
            raise _changed(step, before, after, table, window)
    aside = sum(counts[name]["rows"].get(code, 0) for name in shaped.aside_points)
    if last + aside != ended:
        raise StepFailed(
            f"{last + aside:,} rows left the steps and {ended:,} reached the gate",
            where=f"{table} {window}",
            next="report this: Headgate lost count of its own rows",
        )
    return rows, tuple(reasons)


def _changed(step: Step, before: int, after: int, table: str, window: str) -> StepFailed:
    word, key = ("dropped", "drops") if after < before else ("added", "adds")
    named = step.function if isinstance(step, Python) else step.written or step.name
    return StepFailed(
        f"step '{named}' {word} rows without saying so: {before:,} rows in, {after:,} out; "
        "nothing was published",
        where=f"{table} {window}" + (f" ({step.place})" if step.place else ""),
        next=f"write `{key}: <why>` beside the step if that is meant",
    )


def by_record(steps: Sequence[Step]) -> bool:
    """Whether a row can carry what it came as through all steps, at next to no cost."""
    return all(step.by_row for step in steps)


def rejects(steps: Sequence[Step]) -> bool:
    """Whether steps themselves may reject rows."""
    return any(step.rejects for step in steps)


Reader = Callable[[Sequence[str]], DataFrame]
Bounds = Callable[[str], tuple[datetime, datetime]]
