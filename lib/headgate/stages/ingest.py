"""Ingest: the files of a window become rows of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from pyspark.sql import DataFrame

from headgate.core.errors import HeadgateError, InputMissing, ShapeBroken, Unreadable
from headgate.core.fingerprint import digest
from headgate.core.policy import rules_by_window
from headgate.core.results import JOB_OF
from headgate.core.spec import Ingested
from headgate.core.steps import Split, Step, Where
from headgate.stages.across import beside
from headgate.stages.aside import fails, refuse_known, stumbled, warnings_of
from headgate.stages.code import source_of
from headgate.stages.counting import Counter
from headgate.stages.due import due_if_changed
from headgate.stages.lake import Lake
from headgate.stages.ledger import Batch, Known, found_files, pin
from headgate.stages.slices import Slices
from headgate.stages.work import Due, Fails, Work
from headgate.storage.faults import classify
from headgate.storage.heads import OPERATION, Shape, SourceFile, codec, shape_of
from headgate.storage.points import reached
from headgate.storage.raw import read_files, typed_shapes
from headgate.storage.session import reading_session
from headgate.storage.targets import ByWindow, Target
from headgate.transforms.change_data import NO_CHANGE, Told, told_by
from headgate.transforms.contract import garbled, to_contract, windowed_by
from headgate.transforms.hidden import EVENT


@dataclass(frozen=True)
class Matched:
    """Files of one shape, and which of their columns are the contract's."""

    files: tuple[SourceFile, ...]
    shape: Shape
    sources: Mapping[str, str | None]  # contract column -> raw column
    extras: Mapping[str, str]  # raw column -> name in the file


def due(lake: Lake, table: Ingested, named: Sequence[str] | None, force: bool) -> list[Due]:
    """The windows whose files, contract or rules differ from their last try."""
    batch = batch_of(lake, table, named)
    rules, others = rules_by_window(table, lake.suite.window), beside(lake, table)
    keys, found = lake.keys_part(table), []
    for window in sorted(batch.windows):
        if named is not None and window not in named:
            continue
        files = batch.windows[window]
        news = [file.new for file in files if file.new]
        detail = "; ".join(news[:3]) + (f" and {len(news) - 3} more" if len(news) > 3 else "")
        made_of = {**parts(table, batch, window), **keys, "rules": rules(window), **others(window)}
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
    batch = Batch()
    for file in files:
        batch.windows.setdefault(file.path, []).append(replace(file, windows=()))
    while True:
        groups = _groups(lake, table, batch, list(batch.windows), {}, {})
        found: dict[str, tuple[str, ...]] = {}
        try:
            for group in groups:
                rows = _rows(lake, table, group, list(group.files), with_record=False)
                told = rows.select("_file", "_window").distinct().sort("_file", "_window")
                for row in told.collect():
                    found[row["_file"]] = (*found.get(row["_file"], ()), row["_window"])
            return found
        except Exception as error:
            if not stumbled(lake, table, files, classify(error)):
                raise


def parts(table: Ingested, batch: Batch, window: str) -> dict[str, str]:
    """What the window is made of. A file that went away since does not change that."""
    there = [(file.path, file.content) for file in batch.windows[window]]
    there += [(file.path, "skipped") for file in batch.skipped.get(window, ())]
    files = sorted([*there, *batch.gone.get(window, [])])
    contract = [table.source, list(table.columns.items()), table.on_change, table.window_by]
    code = {"code": source_of(table.source.reader)} if table.source.reader else {}
    return {"files": digest(files), "contract": digest(contract), **code}


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
    """Look at the shape of each file, pin the batch, and hand the readable windows to the flow."""
    windows = [one.window for one in chosen]
    batch = batch_of(lake, table, windows)
    broken = _gone(table, batch, windows)
    aside: dict[str, Unreadable] = {}
    groups = _groups(lake, table, batch, windows, broken, aside)
    pin(lake, table.name, batch, windows, {path: error.what for path, error in aside.items()})
    reached("pinned")
    warnings = warnings_of(lake, table, batch, windows, aside, broken)
    slices = Slices(tuple(w for w in windows if w not in broken), lake.suite.window)

    def read(windows: Sequence[str], *, with_record: bool, counter: Counter | None) -> DataFrame:
        made = []
        wanted = {file.path for file in batch.files(windows)}
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
        steps=steps_of(table),
        broken=broken,
        warnings=warnings,
        sets_aside=lambda error: stumbled(lake, table, batch.files(windows), error),
        records=True,
        guard=lake.guard(table),
        may_reject=True,
        keeps_rescued=True,
        through=True,
        ungated=frozenset(window for window in windows if not batch.windows.get(window)),
        sizes={window: sum(file.size for file in files) for window, files in batch.windows.items()},
    )


def steps_of(table: Ingested) -> tuple[Step, ...]:
    """What is done to the records of a change log, on the record."""
    if table.source.format != "debezium":
        return ()
    split = (Split(key=table.source.key),) if table.source.key else ()
    return (Where(keep=f"{EVENT} IS NULL", because=NO_CHANGE), *split)


def _gone(table: Ingested, batch: Batch, windows: Sequence[str]) -> dict[str, Fails]:
    """The windows that lack files which were read before."""
    return {
        window: fails(
            InputMissing(
                f"{batch.gone[window][0][0]} was read before and is not there any more; without it "
                "the window would lose its rows",
                where=f"{table.name} {window}",
                next="put the file back and run it again",
            )
        )
        for window in windows
        if batch.gone.get(window)
    }


def target(lake: Lake, table: Ingested) -> Target:
    """Where the table's accepted rows go."""
    return ByWindow(lake.spark, lake.path(table.name))


def _groups(
    lake: Lake,
    table: Ingested,
    batch: Batch,
    windows: Sequence[str],
    broken: dict[str, Fails],
    aside: dict[str, Unreadable],
) -> list[Matched]:
    """The files that can be read, by shape; windows that cannot be, and files, are noted."""
    names = [column.from_ or name for name, column in table.columns.items()]
    shapes: dict[Shape, list[SourceFile]] = {}
    taken: set[str] = set()
    for window in windows:
        for file in sorted(batch.windows.get(window, []), key=lambda f: f.path):
            if window in broken:
                break
            if file.path in taken or file.path in aside:
                continue
            try:
                refuse_known(lake, table, file)
                shape = shape_of(lake.raw, file.source(), table.source, names)
                if shape.columns:
                    matched(table, shape, file.path)
            except Unreadable as error:
                aside[file.path] = error
                continue
            except HeadgateError as error:
                broken[window] = fails(error)
                break
            taken.add(file.path)
            shapes.setdefault(shape, []).append(file.source())
    made = []
    for shape, files in shapes.items():
        readable = tuple(file for file in files if file.window not in broken)
        if not readable:
            continue
        if shape.way == "typed":
            made += _typed_groups(lake, table, readable, broken, aside)
        elif shape.columns:
            sources, extras = matched(table, shape, readable[0].path)
            made.append(Matched(readable, shape, sources, extras))
        else:
            by_name = {name: f"c{place}" for place, name in enumerate(table.columns)}
            made.append(Matched(readable, Shape.of(names, shape.way), by_name, {}))
    return made


def _typed_groups(
    lake: Lake,
    table: Ingested,
    files: tuple[SourceFile, ...],
    broken: dict[str, Fails],
    aside: dict[str, Unreadable],
) -> list[Matched]:
    made = []
    spark = reading_session(lake.spark)
    groups, damaged = typed_shapes(spark, lake.raw, files, table.source)
    aside.update({file.path: error for file, error in damaged.items()})
    for columns, group in groups.values():
        shape = Shape.of(columns, "typed")
        try:
            sources, extras = matched(table, shape, group[0].path)
        except Unreadable as error:
            aside.update({file.path: error for file in group})
            continue
        except ShapeBroken as error:
            broken.update({file.window: fails(error) for file in group})
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
    sources = {
        name: _source(table, column.from_ or name, shape, path)
        for name, column in table.columns.items()
    }
    used = {raw for raw in sources.values() if raw}
    if not used:
        raise Unreadable(
            "it has none of the contract's columns: no header, or another table's file",
            where=path,
            next=f"put it elsewhere, or correct {table.file or table.name}",
        )
    extras = {raw: name for raw, name in shape.columns if raw not in used and is_extra(table, name)}
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
    if extras and table.on_change.new_column == "add" and table.private:
        raise ShapeBroken(
            f"column '{next(iter(extras.values()))}' is new, and this table holds personal data",
            where=f"{table.name} {path}",
            next=f"declare it in {table.file or table.name}, with `privacy` where it is personal",
        )
    return sources, extras


def is_extra(table: Ingested, name: str) -> bool:
    """Whether a column that the contract does not know is more than what DMS adds to each row."""
    own = (OPERATION, (table.source.stamp or "").lower())
    return table.source.format != "dms" or name.strip().lower() not in own


def _source(table: Ingested, wanted: str, shape: Shape, path: str) -> str | None:
    """The raw column of a name, whatever its case where that leaves no doubt."""
    folded = wanted.strip().lower()
    alike = {name: raw for raw, name in shape.columns if name.strip().lower() == folded}
    unclear = wanted not in alike or table.on_change.new_column == "add"
    if len(alike) > 1 and unclear:  # a table cannot hold both
        one, other = list(alike)[:2]
        raise Unreadable(
            f"its columns '{one}' and '{other}' differ only in case",
            where=path,
            next=f"say which is meant in {table.file or table.name} (from: …), or rename one",
        )
    return alike.get(wanted) or next(iter(alike.values()), None)


def _renamed(name: str, extras: list[str]) -> str:
    close = get_close_matches(name.lower(), [e.lower() for e in extras], 1, 0.5)
    if not close and len(extras) != 1:
        return ""
    guess = next((e for e in extras if close and e.lower() == close[0]), extras[0])
    return f" and '{guess}' is new: was it renamed?"


def _rows(
    lake: Lake, table: Ingested, group: Matched, files: list[SourceFile], with_record: bool
) -> DataFrame:
    names = [name for _, name in group.shape.columns]
    spark = reading_session(lake.spark)
    raw, shape = read_files(spark, lake.raw, files, table.source, group.shape, names)
    sources, extras, typed = group.sources, group.extras, shape.way == "typed"
    if typed:
        sources, extras = matched(table, shape, files[0].path)
    told = Told(raw, (), ())
    if table.source.changes:
        told = told_by(raw, table.columns, table.source.key)
    faults = list(told.faults)
    if not (typed or table.source.reader):
        faults += garbled(table.columns, sources, codec(table.source).upper())
    rows = to_contract(
        told.rows, table.columns, sources, extras, table.on_change,
        with_record=with_record, more=told.columns, faults=faults,
    )  # fmt: skip
    if table.window_by is None:
        return rows
    return windowed_by(rows, table.window_by, lake.suite.window.value)


JOB = JOB_OF["ingested"]
