"""Ingest: the files of a window become rows of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from pyspark.sql import DataFrame

from headgate.core.errors import HeadgateError, InputMissing, ShapeBroken
from headgate.core.fingerprint import digest
from headgate.core.policy import rules_by_window
from headgate.core.results import JOB_OF
from headgate.core.spec import Ingested
from headgate.stages.across import beside
from headgate.stages.counting import Counter
from headgate.stages.due import due_if_changed
from headgate.stages.lake import Lake
from headgate.stages.ledger import Batch, Known, found_files, pin
from headgate.stages.slices import Slices
from headgate.stages.work import Due, Fails, Work
from headgate.storage.points import reached
from headgate.storage.raw import (
    Shape,
    SourceFile,
    parquet_shapes,
    read_files,
    shape_of,
)
from headgate.storage.session import reading_session
from headgate.storage.targets import ByWindow, Target
from headgate.transforms.contract import to_contract, windowed_by


@dataclass(frozen=True)
class Matched:
    """Files of one shape, and which of their columns are the contract's."""

    files: tuple[SourceFile, ...]
    shape: Shape | None
    sources: Mapping[str, str | None]  # contract column -> raw column
    extras: Mapping[str, str]  # raw column -> name in the file


def due(lake: Lake, table: Ingested, named: Sequence[str] | None, force: bool) -> list[Due]:
    """The windows whose files, contract or rules differ from their last try."""
    batch = batch_of(lake, table, named)
    rules, others = rules_by_window(table, lake.suite.window), beside(lake, table)
    found = []
    for window in sorted(batch.windows):
        if named is not None and window not in named:
            continue
        files = batch.windows[window]
        news = [file.new for file in files if file.new]
        detail = "; ".join(news[:3]) + (f" and {len(news) - 3} more" if len(news) > 3 else "")
        made_of = {**parts(table, batch, window), "rules": rules(window), **others(window)}
        one = due_if_changed(
            lake.history, table.name, window, made_of, detail=detail or None, force=force
        )
        if one:
            found.append(one)
    return found


def batch_of(lake: Lake, table: Ingested, named: Sequence[str] | None) -> Batch:
    """The table's files by window; a column tells the windows where the path does not."""
    if table.window_by is None:
        return found_files(lake, table, named)
    return found_files(lake, table, None, lambda files: _windows_of(lake, table, files))


def _windows_of(lake: Lake, table: Ingested, files: Sequence[Known]) -> dict[str, tuple[str, ...]]:
    """The windows that the rows of new files belong to. A file that cannot be read has its own."""
    if not files:
        return {}
    batch, broken = Batch(), dict[str, Fails]()
    for file in files:
        batch.windows.setdefault(file.path, []).append(replace(file, windows=()))
    groups = _groups(lake, table, batch, list(batch.windows), broken)
    found: dict[str, tuple[str, ...]] = {}
    for group in groups:
        rows = _rows(lake, table, group, list(group.files), with_record=False)
        for row in rows.select("_file", "_window").distinct().sort("_file", "_window").collect():
            found[row["_file"]] = (*found.get(row["_file"], ()), row["_window"])
    return found


def parts(table: Ingested, batch: Batch, window: str) -> dict[str, str]:
    """What the window is made of. A file that went away since does not change that."""
    there = [(file.path, file.content) for file in batch.windows[window]]
    files = sorted([*there, *batch.gone.get(window, [])])
    contract = digest([table.source, list(table.columns.items()), table.on_change, table.window_by])
    return {"files": digest(files), "contract": contract}


def missing(lake: Lake, table: Ingested, window: str) -> InputMissing:
    """The error for a named window that has no files."""
    others = found_files(lake, table, [window]).strangers
    there = f"; {others[0]} is there, which it does not match" if others else ""
    return InputMissing(
        f"no file matches {table.source.files}{there}",
        where=f"{table.name} {window}",
        next=f"put the files below {lake.suite.environment.raw} and run it again",
    )


def work(lake: Lake, table: Ingested, chosen: Sequence[Due]) -> Work:
    """Pin the batch, look at the shape of each file, and hand the readable windows to the flow."""
    windows = [one.window for one in chosen]
    batch = batch_of(lake, table, windows)
    pin(lake, table.name, batch.fresh(windows))
    reached("pinned")
    broken: dict[str, Fails] = {}
    for window in windows:
        gone = batch.gone.get(window)
        if gone:
            broken[window] = _told(
                InputMissing(
                    f"{gone[0][0]} was read before and is not there any more; without it the "
                    f"window would lose its rows",
                    where=f"{table.name} {window}",
                    next="put the file back and run it again",
                )
            )
    groups = _groups(lake, table, batch, windows, broken)
    slices = Slices(tuple(w for w in windows if w not in broken), lake.suite.window)

    def read(windows: Sequence[str], *, with_record: bool, counter: Counter | None) -> DataFrame:
        made = []
        wanted = {file.path for window in windows for file in batch.windows.get(window, ())}
        for group in groups:
            files = [file for file in group.files if file.path in wanted]
            if files:
                made.append(_rows(lake, table, group, files, with_record))
        if not made:  # a changed file left these windows, and there is no other
            return lake.delta(table.name).read().limit(0)
        df = made[0]
        for more in made[1:]:
            df = df.unionByName(more, allowMissingColumns=True)
        return df if table.window_by is None else df.where(df["_window"].isin(list(windows)))

    return Work(
        table=table,
        slices=slices,
        due={one.window: one for one in chosen},
        read=read,
        target=target(lake, table),
        broken=broken,
        records=True,
        may_reject=True,
        keeps_rescued=True,
        through=True,
        ungated=frozenset(window for window in windows if not batch.windows.get(window)),
        sizes={window: sum(file.size for file in files) for window, files in batch.windows.items()},
    )


def target(lake: Lake, table: Ingested) -> Target:
    """Where the table's accepted rows go."""
    return ByWindow(lake.spark, lake.path(table.name))


def _groups(
    lake: Lake, table: Ingested, batch: Batch, windows: Sequence[str], broken: dict[str, Fails]
) -> list[Matched]:
    shapes: dict[Shape | None, list[SourceFile]] = {}
    taken: set[str] = set()
    for window in windows:
        for file in sorted(batch.windows.get(window, []), key=lambda f: f.path):
            if window in broken:
                break
            if file.path in taken:
                continue
            try:
                shape = shape_of(lake.raw, file.path, table.source)
                if shape is not None:
                    matched(table, shape, file.path)
            except HeadgateError as error:
                broken[window] = _told(error)
                break
            taken.add(file.path)
            shapes.setdefault(shape, []).append(file.source())
    made = []
    for shape, files in shapes.items():
        readable = tuple(file for file in files if file.window not in broken)
        if not readable:
            continue
        if shape is not None:
            sources, extras = matched(table, shape, readable[0].path)
            made.append(Matched(readable, shape, sources, extras))
        elif table.source.format == "parquet":
            made += _parquet_groups(lake, table, readable, broken)
        else:
            names = [column.from_ or name for name, column in table.columns.items()]
            sources = {name: f"c{place}" for place, name in enumerate(table.columns)}
            shape = Shape(tuple((f"c{place}", name) for place, name in enumerate(names)))
            made.append(Matched(readable, shape, sources, {}))
    return made


def _parquet_groups(
    lake: Lake, table: Ingested, files: tuple[SourceFile, ...], broken: dict[str, Fails]
) -> list[Matched]:
    made = []
    groups, damaged = parquet_shapes(reading_session(lake.spark), lake.raw, files)
    broken.update({file.window: _told(error) for file, error in damaged.items()})
    for group in groups.values():
        names = lake.spark.read.parquet(lake.raw.for_spark(group[0].path)).columns
        shape = Shape(tuple((f"c{place}", name) for place, name in enumerate(names)))
        try:
            sources, extras = matched(table, shape, group[0].path)
        except ShapeBroken as error:
            broken.update({file.window: _told(error) for file in group})
            continue
        made.append(Matched(tuple(group), shape, sources, extras))
    return [
        Matched(tuple(f for f in one.files if f.window not in broken), one.shape, one.sources,
                one.extras)
        for one in made
    ]  # fmt: skip


def matched(
    table: Ingested, shape: Shape, path: str
) -> tuple[dict[str, str | None], dict[str, str]]:
    """Contract columns and what they are called in a file. Raises `ShapeBroken`, with a guess."""
    by_name = {name: raw for raw, name in shape.columns}
    folded = {name.strip().lower(): raw for raw, name in shape.columns}
    sources: dict[str, str | None] = {}
    for name, column in table.columns.items():
        wanted = column.from_ or name
        sources[name] = by_name.get(wanted) or folded.get(wanted.strip().lower())
    used = {raw for raw in sources.values() if raw}
    extras = {raw: name for raw, name in shape.columns if raw not in used}
    lacking = [table.columns[name].from_ or name for name, raw in sources.items() if raw is None]
    if lacking and table.on_change.missing_column == "block":
        raise ShapeBroken(
            f"column '{lacking[0]}' is missing{_renamed(lacking[0], list(extras.values()))}",
            where=f"{table.name} {path}",
            next=f"correct the file, or the contract in {table.file}",
        )
    if extras and table.on_change.new_column == "block":
        raise ShapeBroken(
            f"column '{next(iter(extras.values()))}' is not in the contract",
            where=f"{table.name} {path}",
            next=f"add it to {table.file}, or set on_change: {{new_column: rescue}}",
        )
    return sources, extras


def _renamed(name: str, extras: list[str]) -> str:
    close = get_close_matches(name.lower(), [e.lower() for e in extras], 1, 0.5)
    if not close and len(extras) != 1:
        return ""
    guess = next((e for e in extras if close and e.lower() == close[0]), extras[0])
    return f" and '{guess}' is new: was it renamed?"


def _rows(
    lake: Lake, table: Ingested, group: Matched, files: list[SourceFile], with_record: bool
) -> DataFrame:
    names = [name for _, name in group.shape.columns] if group.shape else []
    spark = reading_session(lake.spark)
    raw, shape = read_files(spark, lake.raw, files, table.source, group.shape, names)
    sources, extras = group.sources, group.extras
    if table.source.format == "parquet":
        sources, extras = matched(table, shape, files[0].path)
    rows = to_contract(
        raw, table.columns, sources, extras, table.on_change, with_record=with_record
    )
    if table.window_by is None:
        return rows
    return windowed_by(rows, table.window_by, lake.suite.window.value)


def _told(error: HeadgateError) -> Fails:
    return error.exit_code, error.sentence


JOB = JOB_OF["ingested"]
