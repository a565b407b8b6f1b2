"""Ingest: the files of a window become rows of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame

from headgate.core.errors import HeadgateError, InputMissing, ShapeBroken, Unreadable
from headgate.core.fingerprint import digest, whole
from headgate.core.policy import rules_by_window
from headgate.core.results import JOB_OF
from headgate.core.spec import Ingested
from headgate.core.steps import ChangedKeys, Step, Where
from headgate.stages import corrections
from headgate.stages.across import beside
from headgate.stages.aside import fails, refuse_known, stumbled, warnings_of
from headgate.stages.code import source_of
from headgate.stages.counting import Counter
from headgate.stages.due import due_if_changed
from headgate.stages.erased import LEFT_OUT, listed, part_of, with_theirs
from headgate.stages.lake import Lake
from headgate.stages.ledger import Batch, Known, found_files, pin
from headgate.stages.matching import check_columns, matched
from headgate.stages.reads import known, wanted
from headgate.stages.slices import Slices
from headgate.stages.taking import Outcome, take
from headgate.stages.work import A_READ, Due, Fails, Work
from headgate.storage.faults import classify
from headgate.storage.heads import Shape, SourceFile, codec, shape_of
from headgate.storage.points import reached
from headgate.storage.raw import read_files, typed_shapes
from headgate.storage.session import reading_session
from headgate.storage.targets import ByWindow, Target
from headgate.transforms.change_data import NO_CHANGE, Told, told_by
from headgate.transforms.contract import garbled, to_contract, windowed_by
from headgate.transforms.corrections import of_file, with_corrections
from headgate.transforms.hidden import EVENT, RECORD, column


@dataclass(frozen=True)
class Matched:
    """Files of one shape, and which of their columns are the contract's."""

    files: tuple[SourceFile, ...]
    shape: Shape
    sources: Mapping[str, str | None]  # contract column -> raw column
    extras: Mapping[str, str]  # raw column -> name in the file


def due(lake: Lake, table: Ingested, named: Sequence[str] | None, force: bool) -> list[Due]:
    """The windows whose files, contract or rules differ from their last try."""
    table, fresh = known(lake, table), wanted(lake, table, named, force)
    batch = batch_of(lake, table, named)
    rules, others = rules_by_window(table, lake.suite.window), beside(lake, table)
    keys, erased, found = lake.keys_part(table), part_of(lake, table), []
    for window in sorted({*batch.windows, *([fresh.window] if fresh else [])}):
        if named is not None and window not in named:
            continue
        files = batch.windows.get(window, [])
        news = [file.new for file in files if file.new]
        detail = "; ".join(news[:3]) + (f" and {len(news) - 3} more" if len(news) > 3 else "")
        made_of = {**parts(table, batch, window), **keys, "rules": rules(window), **others(window)}
        made_of |= corrections.part(lake, table, window)
        made_of |= erased(window)
        one: Due | None
        if fresh and window == fresh.window:
            one = Due(window, fresh.why, whole(made_of), {**made_of, A_READ: fresh.folder})
        else:
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
        groups = groups_of(lake, table, batch, list(batch.windows), {}, {})
        found: dict[str, tuple[str, ...]] = {}
        try:
            for group in groups:
                rows = rows_of(lake, table, group, list(group.files), with_record=False)
                told = rows.select("_file", "_window").distinct().sort("_file", "_window")
                for row in told.collect():
                    found[row["_file"]] = (*found.get(row["_file"], ()), row["_window"])
            return found
        except Exception as error:
            if not stumbled(lake, table, files, classify(error)):
                raise


def parts(table: Ingested, batch: Batch, window: str) -> dict[str, str]:
    """What the window is made of. A file that went away since does not change that."""
    there = [(file.path, file.content) for file in batch.windows.get(window, ())]
    there += [(file.path, "skipped") for file in batch.skipped.get(window, ())]
    files = sorted([*there, *batch.gone.get(window, [])])
    columns = [] if table.left_to_database else list(table.columns.items())
    contract = [table.source, columns, table.on_change, table.window_by]
    code = {"code": source_of(table.source.reader)} if table.source.reader else {}
    return {"files": digest(files), "contract": digest(contract), **code}


def missing(lake: Lake, table: Ingested, window: str) -> InputMissing:
    """The error for a named window that has no files."""
    if table.database is not None:
        return InputMissing(
            f"{table.database.shown} was not read in this window, or had no new rows; a database "
            "is read as it is now",
            where=f"{table.name} {window}",
            next=f"headgate run {table.name}",
        )
    others = found_files(lake, table, [window]).strangers
    there = f"; {others[0]} is there, which it does not match" if others else ""
    return InputMissing(
        f"no file matches {table.source.files}{there}",
        where=f"{table.name} {window}",
        next=f"put the files below {lake.suite.environment.raw} and run it again",
    )


def work(lake: Lake, table: Ingested, chosen: Sequence[Due]) -> Work:
    """Look at the shape of each file, pin the batch, and hand the readable windows to the flow."""
    chosen, read_now = with_reads(lake, table, chosen)
    table, windows = known(lake, table), [one.window for one in chosen]
    batch = batch_of(lake, table, windows)
    broken = _gone(table, batch, windows) | {w: fails(e) for w, e in read_now.broken.items()}
    aside: dict[str, Unreadable] = {}
    groups = groups_of(lake, table, batch, windows, broken, aside)
    pin(lake, table.name, batch, windows, {path: error.what for path, error in aside.items()})
    reached("pinned")
    warnings = warnings_of(lake, table, batch, windows, aside, broken)
    warnings = {w: (*said, *read_now.warnings.get(w, ())) for w, said in warnings.items()}
    slices = Slices(tuple(w for w in windows if w not in broken), lake.suite.window)

    def read(windows: Sequence[str], *, with_record: bool, counter: Counter | None) -> DataFrame:
        made = []
        wanted = {file.path for file in batch.files(windows)}
        repairs = corrections.repairs_for(lake, table, windows)
        for group in groups:
            files = [file for file in group.files if file.path in wanted]
            if files:
                made.append(rows_of(lake, table, group, files, with_record, repairs))
        if not made:  # a changed file left these windows, and there is no other
            return with_theirs(lake, table, lake.delta(table.name).nothing())
        df = made[0]
        for more in made[1:]:
            df = df.unionByName(more, allowMissingColumns=True)
        df = with_theirs(lake, table, df)
        if table.window_by is not None:
            df = df.where(df["_window"].isin(list(windows)))
        return corrections.counted(df, counter)

    return Work(
        table=table,
        slices=slices,
        due={one.window: one for one in chosen},
        read=read,
        target=target(lake, table),
        steps=((LEFT_OUT,) if listed(lake, table) else ()) + steps_of(table),
        broken=broken,
        warnings=warnings,
        sets_aside=lambda error: stumbled(lake, table, batch.files(windows), error),
        records=True,
        guard=lake.guard(table),
        may_reject=True,
        keeps_rescued=True,
        through=True,
        ungated=frozenset(window for window in windows if not batch.windows.get(window)),
        corrections=corrections.repaired(lake, table),
        sizes={window: sum(file.size for file in files) for window, files in batch.windows.items()},
    )


def with_reads(lake: Lake, table: Ingested, chosen: Sequence[Due]) -> tuple[list[Due], Outcome]:
    """What is due once the database was read; a read without news leaves its window as it is."""
    begun = {one.window: one.parts[A_READ] for one in chosen if A_READ in one.parts}
    if not begun or lake.only_looks:
        return list(chosen), Outcome()

    done = take(lake, table, begun, lambda names: check_columns(table, names))
    rules, others = rules_by_window(table, lake.suite.window), beside(lake, table)
    table, left = known(lake, table), []
    batch = batch_of(lake, table, list(begun))
    for one in chosen:
        if one.window not in begun or one.window in done.broken:
            left.append(one)
        elif one.window in batch.windows:
            window = one.window
            made_of = {**parts(table, batch, window), "rules": rules(window), **others(window)}
            made_of |= corrections.part(lake, table, window)
            made_of |= part_of(lake, table)(window)
            again = due_if_changed(lake.history, table.name, window, made_of, detail=one.why)
            left += [replace(again, why=one.why)] if again else []
    return left, done


def steps_of(table: Ingested) -> tuple[Step, ...]:
    """What is done to the records of a change log, on the record."""
    if table.source.format != "debezium":
        return ()
    split = (ChangedKeys(key=table.source.key),) if table.source.key else ()
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


def groups_of(
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
            made += _typedgroups_of(lake, table, readable, broken, aside)
        elif shape.columns:
            sources, extras = matched(table, shape, readable[0].path)
            made.append(Matched(readable, shape, sources, extras))
        else:
            by_name = {name: f"c{place}" for place, name in enumerate(table.columns)}
            made.append(Matched(readable, Shape.of(names, shape.way), by_name, {}))
    return made


def _typedgroups_of(
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


def rows_of(
    lake: Lake,
    table: Ingested,
    group: Matched,
    files: list[SourceFile],
    with_record: bool,
    repairs: DataFrame | None = None,
) -> DataFrame:
    """The records of files as rows of the contract, with what people repaired in place."""
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
        with_record=with_record or repairs is not None, more=told.columns, faults=faults,
    )  # fmt: skip
    if repairs is not None:
        kinds = {name: one.type for name, one in table.columns.items()}
        rows = of_file(with_corrections(rows, repairs, kinds, column(RECORD)))
        rows = rows if with_record else rows.drop(RECORD)
    if table.window_by is None:
        return rows
    return windowed_by(rows, table.window_by, lake.suite.window.value)


JOB = JOB_OF["ingested"]
