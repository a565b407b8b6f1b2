"""Clean: the published windows of an input become the truth, by window or by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import InputMissing, StepFailed
from headgate.core.fingerprint import digest
from headgate.core.policy import rules_by_window
from headgate.core.spec import Clean
from headgate.core.steps import Lookup
from headgate.stages import corrections
from headgate.stages.across import beside as across_tables
from headgate.stages.code import code_of
from headgate.stages.counting import Counter
from headgate.stages.due import due_if_changed
from headgate.stages.lake import Lake
from headgate.stages.shape import by_record, rejects, together
from headgate.stages.slices import Slices
from headgate.stages.work import Due, Work
from headgate.storage import upsert, versions
from headgate.storage.changes import changed_slices
from headgate.storage.keyed import Keyed
from headgate.storage.targets import ByKey, ByWindow, Target
from headgate.transforms.corrections import PLACE, cell_kinds, of_table
from headgate.transforms.hidden import RECORD
from headgate.transforms.steps import Around


def main_input(table: Clean) -> str:
    """The input whose windows the table has."""
    return next(iter(table.reads.values()))


def due(lake: Lake, table: Clean, named: Sequence[str] | None, force: bool) -> list[Due]:
    """The windows whose input, steps, rules or lookups differ from their last try."""
    there = input_windows(lake, table)
    own = lake.history.published(table.name)
    own_parts = beside(lake, table)
    rules, across = rules_by_window(table, lake.suite.window), across_tables(lake, table)
    if named is not None:
        wanted = [window for window in named if window in there or window in own]
    else:
        wanted = sorted({*there, *own})
    found = []
    for window in wanted:
        parts = {"input": there.get(window, ""), "rules": rules(window), **own_parts}
        parts |= {**across(window), **corrections.part(lake, table, window)}
        last = lake.history.last(table.name, window)
        if window not in there and (last is None or last.parts.get("input") == ""):
            continue
        detail = "new input" if last is None else f"new content of {main_input(table)}"
        detail = detail if window in there else f"{main_input(table)} has no such window any more"
        one = due_if_changed(lake.history, table.name, window, parts, detail=detail, force=force)
        if one:
            found.append(one)
    return found


def input_windows(lake: Lake, table: Clean) -> Mapping[str, str]:
    """The published windows of the main input, with a name for what each holds."""
    name = main_input(table)
    if lake.by_window(name):
        return {w: record.fingerprint for w, record in lake.history.published(name).items()}
    version = lake.version(name)
    if version is None:
        return {}
    # Laid out by key: a later window may take a row over, so windows are told by their rows.
    before = lake.history.through(table.name).get(name)
    own = lake.history.published(table.name)
    touched = changed_slices(lake.delta(name), before, version, F.col("_window"))
    if touched is None:
        rows = lake.delta(name).read(version).select("_window").distinct().collect()
        touched = frozenset(row[0] for row in rows)
    kept = {window: record.parts.get("input", "") for window, record in own.items()}
    return {**kept, **dict.fromkeys(touched, f"{name}@{version}")}


def beside(lake: Lake, table: Clean) -> dict[str, str]:
    """What every window is made of besides its own rows."""
    shape: list[Any] = [
        table.reads,
        table.steps,
        table.key,
        table.latest_by,
        table.write,
        table.deletes,
    ]
    shape += [part for part in (table.untracked, table.privacy) if part]
    parts = {"steps": digest(shape), "code": code_of(table.steps), **lake.keys_part(table)}
    for name, columns in others(table).items():
        version = lake.version(name)
        if version is None:
            raise InputMissing(
                f"{name} has never been published, and {table.name} takes columns from it",
                where=table.file or table.name,
                next=f"headgate run +{name}",
            )
        runs = lake.history.published(table.name).values()
        last = max(runs, key=lambda record: record.sequence, default=None)
        same = last is not None and lake.same_rows(name, last.inputs.get(name), version)
        same = same and last is not None and name in last.parts
        parts[name] = last.parts[name] if same and last else lake.content(name, version, columns)
    return parts


def others(table: Clean) -> dict[str, tuple[str, ...]]:
    """Inputs beside the main one, with the columns used of each (none named: all)."""
    found: dict[str, tuple[str, ...]] = {}
    for step in table.steps:
        if isinstance(step, Lookup):
            names = {*found.get(step.table, ()), *step.on.values(), *step.take}
            found[step.table] = tuple(sorted(names))
    for name in list(table.reads.values())[1:]:
        found[name] = ()
    return found


def work(lake: Lake, table: Clean, chosen: Sequence[Due]) -> Work:
    """One pass over the due windows."""
    name = main_input(table)
    version = lake.version(name)
    inputs = {name: version} if version is not None else {}
    tables: dict[str, DataFrame] = {}
    for other in others(table):
        at = lake.version(other)
        tables[other] = lake.delta(other).read(at)
        if at is not None:
            inputs[other] = at
    tables |= {key: tables[value] for key, value in list(table.reads.items())[1:]}
    histories = frozenset(name for name in tables if lake.versioned(name))
    _unique_lookups(table, tables, histories)
    windows = tuple(one.window for one in chosen)
    there = input_windows(lake, table) if version is not None else {}

    def read(windows: Sequence[str], *, with_record: bool, counter: Counter | None) -> DataFrame:
        rows = lake.delta(name).read(version, windows)
        repairs = corrections.repairs_for(lake, table, windows)
        if repairs is not None and set(PLACE) <= set(rows.columns):
            rows = of_table(rows, repairs, cell_kinds(rows.schema))
            rows = corrections.counted(rows, counter)
            return rows if with_record else rows.drop(RECORD)
        if with_record:
            rows = rows.select("*", F.struct("*").alias(RECORD))
        return rows

    def around(window: str | None) -> Around:
        return Around(tables, lake.bounds(window) if window else None, histories)

    shared = len(windows) == 1 or together(
        table.steps,
        lake.spark.createDataFrame([], lake.delta(name).schema(version)),
        around(None),
    )
    return Work(
        table=table,
        slices=Slices(windows, lake.suite.window),
        due={one.window: one for one in chosen},
        read=read,
        target=target(lake, table),
        steps=table.steps,
        around=around,
        together=shared,
        key=table.one_each,
        latest_by=table.latest_by,
        deletes=table.deletion,
        inputs=inputs,
        records=by_record(table.steps),
        guard=lake.guard(table),
        may_reject=rejects(table.steps),
        through=True,
        ungated=frozenset(w for w in windows if w not in there),
        corrections=corrections.repaired(lake, table),
    )


def target(lake: Lake, table: Clean) -> Target:
    """Where the table's accepted rows go."""
    path = lake.path(table.name)
    if table.write == "replace":
        return ByWindow(lake.spark, path)
    keyed = Keyed(
        lake.store(table.name),
        table.key,
        table.latest_by,
        start=lambda window: lake.bounds(window)[0],
        deletes=table.deletion is not None,
        absent=table.by_absence,
        untracked=table.untracked,
    )
    published = frozenset(lake.history.published(table.name))
    way = versions if table.write == "history" else upsert
    return ByKey(lake.spark, path, keyed, way, published)


def _unique_lookups(table: Clean, tables: Mapping[str, DataFrame], histories: Set[str]) -> None:
    """A lookup that matches twice would add rows: its key has to be unique over there."""
    for step in table.steps:
        if not isinstance(step, Lookup):
            continue
        if step.table in histories:
            continue  # by its key, as `check` sees to, one version of it holds at a time
        keys = [F.col(f"`{name}`") for name in step.on.values()]
        groups = tables[step.table].where(_all_there(keys)).groupBy(*keys).count()
        twice = groups.where("count > 1").count()
        if twice:
            raise StepFailed(
                f"lookup in {step.table} by {', '.join(step.on.values())} matches more than once: "
                f"{twice:,} keys are there twice or more",
                where=f"{table.name} ({step.place})" if step.place else table.name,
                next=f"give {step.table} that key (`key:`), or look up by more columns",
            )


def _all_there(keys: Sequence[Column]) -> Column:
    condition = F.lit(True)
    for key in keys:
        condition = condition & key.isNotNull()
    return condition
