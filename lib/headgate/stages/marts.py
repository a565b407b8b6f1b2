"""Marts: the periods that a change of the inputs touched are made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import Usage
from headgate.core.fingerprint import digest, whole
from headgate.core.policy import rules_by_window
from headgate.core.records import RunRecord
from headgate.core.spec import Mart, Over
from headgate.core.windows import Grain
from headgate.stages.across import beside
from headgate.stages.counting import Counter
from headgate.stages.due import HELD, reason, waits
from headgate.stages.incomplete import held, held_by, kept_back
from headgate.stages.lake import Lake
from headgate.stages.slices import Slices, first_day, named_period, overlapping
from headgate.stages.work import SMALL, Due, Work
from headgate.storage.changes import changed_slices
from headgate.storage.plans import groups_by
from headgate.storage.records import literal_rows
from headgate.storage.targets import ByPeriod, Target
from headgate.transforms.contract import quoted
from headgate.transforms.hidden import SIZE, column
from headgate.transforms.marts import (
    REACHED,
    around,
    grouped,
    looking_back,
    period_of,
    sized,
    with_period,
)
from headgate.transforms.steps import sql_result


def due(lake: Lake, table: Mart, named: Sequence[str] | None, force: bool) -> list[Due]:
    """The periods whose rows, rules or measures differ from their last try."""
    versions = input_versions(lake, table)
    if versions is None:
        return []
    spec, through = parts(table), lake.history.through(table.name)
    rules, others = rules_by_window(table, grain_of(table)), beside(lake, table)
    own = lake.history.published(table.name)
    touched, why = _touched(lake, table, through, versions)
    waiting = _waiting(lake, table)
    touched |= {one for one in waiting if lake.history.last(table.name, one) is None}
    if named is not None:
        grain = grain_of(table)
        touched &= overlapping(named, lake.suite.window, grain)
    tried = [*own, *lake.history.blocked(table.name)]
    changed = set()
    for one in tried:
        last = lake.history.last(table.name, one)
        now = {**spec, "rules": rules(one), **others(one), **held_by(waiting, one)}
        if last and reason(last, {**_lasting(last), **now}):
            changed.add(one)
    if named is not None:
        changed &= overlapping(named, lake.suite.window, grain)
    failed = {
        w for w in lake.history.windows(table.name)
        if (r := lake.history.last(table.name, w)) and r.status == "failed"
    }  # fmt: skip
    content = digest(versions)
    forced = overlapping(named or (), lake.suite.window, grain_of(table))
    periods = touched | changed | (failed if named is None else failed & forced)
    if force and named is not None:
        periods |= forced & (set(own) | periods)
    elif force:
        periods |= set(own)
    found = []
    for period in sorted(periods):
        last = lake.history.last(table.name, period)
        own_parts = {
            **spec, "rules": rules(period), **others(period), **held_by(waiting, period)
        }  # fmt: skip
        now = {**own_parts, "input": content}
        if last and last.status in ("published", "blocked") and last.parts == now and not force:
            continue
        but_rows = {**(_lasting(last) if last else {}), **own_parts}
        said = waiting.get(period) or why if period in touched else reason(last, but_rows)
        apart = period not in touched and waits(last, but_rows)
        found.append(Due(period, said or "forced", whole(now), now, apart))
    return found


def _waiting(lake: Lake, table: Mart) -> dict[str, str]:
    """The periods that are kept back, each with its cause."""
    causes = held(lake, table, grain_of(table))
    return {one: why for period, why in causes.items() for one in _reached(lake, table, {period})}


def _lasting(last: RunRecord) -> dict[str, str]:
    """What a run was made of, but for what kept it back then."""
    return {name: part for name, part in last.parts.items() if name != HELD}


def grain_of(table: Mart) -> Grain:
    """How long one period of a mart is."""
    return Grain(table.period.grain)


def parts(table: Mart) -> dict[str, str]:
    """What every period is made of besides its rows."""
    shape = [table.reads, table.period, table.group_by, list(table.measures.items()), table.sql]
    shape += [one for one in (table.privacy, table.over) if one]
    return {"steps": digest(shape)}


def input_versions(lake: Lake, table: Mart) -> dict[str, int] | None:
    """The newest versions of all inputs; None while one was never published."""
    versions = {name: lake.version(name) for name in table.sources}
    if any(version is None for version in versions.values()):
        return None
    return {name: version for name, version in versions.items() if version is not None}


def _touched(
    lake: Lake, table: Mart, through: Mapping[str, int], versions: Mapping[str, int]
) -> tuple[set[str], str]:
    """The periods that differ since the versions the whole mart was last brought up to."""
    name = table.reads[table.period_input]
    period = period_of(column(table.period_column), table.period.grain)
    whole_mart = rebuilds(lake, table)
    read = lake.history.read_by(table.name)
    # That another input is read from now on is a changed step: no row of it has changed.
    besides = [n for n in table.sources if n != name and n in read]
    others = [n for n in besides if not lake.same_rows(n, through.get(n), versions[n])]
    if others and through:
        found = changed_slices(lake.delta(name), None, versions[name], period)
        return _names(table, found or ()), f"{others[0]} changed: the whole mart is made again"
    found = changed_slices(lake.delta(name), through.get(name), versions[name], period)
    if read and name not in read:
        return _names(table, found or ()) - set(lake.history.published(table.name)), "new input"
    if found is None or (found and whole_mart):
        everything = changed_slices(lake.delta(name), None, versions[name], period) or frozenset()
        known = set(lake.history.published(table.name))
        why = "its SQL does not group by the period" if found else "the input's changes are unknown"
        return _names(table, everything) | known, f"{why}: the whole mart is made again"
    return _reached(lake, table, _names(table, found)), f"new content of {name}"


def _reached(lake: Lake, table: Mart, changed: set[str]) -> set[str]:
    """The periods that look at changed ones: those that are there, and the changed ones."""
    if table.over is None:
        return changed
    grain, known = grain_of(table), set(lake.history.windows(table.name))
    found = set(changed)
    for one in changed:
        last = max(known, default=one)
        with suppress(OverflowError, ValueError):  # after the last day that there is comes none
            last = min(last, table.over.reaches(one, grain))
        found |= {period for period in known if one <= period <= last}
    return found


def _looked_at(lake: Lake, table: Mart, rows: DataFrame, windows: Sequence[str]) -> DataFrame:
    """Rows of the input once for each of the periods that they count for."""
    assert table.over is not None  # asked only of such marts
    grain = grain_of(table)
    stretches = {one: _stretch(table.over, one, grain) for one in windows}
    wanted = [
        {REACHED: first_day(one, grain), "__from": str(begin), "__until": str(end)}
        for one, (begin, end) in stretches.items()
    ]
    kind = "timestamp" if grain is Grain.hour else "date"
    spans = literal_rows(lake.spark, wanted, f"{REACHED} string, __from string, __until string")
    spans = spans.select(
        column(REACHED).cast(kind).alias(REACHED),
        *[column(name).cast("timestamp").alias(name) for name in ("__from", "__until")],
    )
    name, ends = table.period_column, stretches.values()
    rows = around(rows, name, min(begin for begin, _ in ends), max(end for _, end in ends))
    return looking_back(rows, name, table.period.grain, spans)


def _stretch(over: Over, period: str, grain: Grain) -> tuple[datetime, datetime]:
    """From when to when rows count for a period, as far as the calendar goes."""
    begin = grain.start(period)
    end = begin.max
    with suppress(OverflowError, ValueError):
        begin = grain.start(over.first(period, grain))
    with suppress(OverflowError, ValueError):
        end = grain.end(period)
    return begin, end


def _names(table: Mart, values: frozenset[str] | tuple[str, ...]) -> set[str]:
    """Periods as they are written, from the text of their first day."""
    grain = grain_of(table)
    return {named_period(value, grain) for value in values}


def rebuilds(lake: Lake, table: Mart) -> bool:
    """Whether periods cannot be made apart: SQL that looks across them."""
    if table.sql is None:
        return False
    views = {name: lake.delta(other).nothing() for name, other in table.reads.items()}
    made = _sql(lake, table, views)
    return not groups_by(made, table.period_column, table.period.grain)


def _sql(lake: Lake, table: Mart, views: Mapping[str, DataFrame]) -> DataFrame:
    assert table.sql is not None  # only marts with SQL come here
    made = sql_result(lake.spark, table.sql, views)
    if table.period_column not in made.columns:
        raise Usage(
            f"the SQL gives no column {table.period_column}, which is the mart's period",
            where=table.file or table.name,
            next=f"SELECT {table.period_column}, … GROUP BY {table.period_column}, …",
        )
    return made


def work(lake: Lake, table: Mart, chosen: Sequence[Due]) -> Work:
    """One pass over the due periods."""
    versions = input_versions(lake, table) or {}
    grain = grain_of(table)
    everything = rebuilds(lake, table)
    waiting = _waiting(lake, table)
    broken = {one.window: kept_back(waiting[one.window]) for one in chosen if one.window in waiting}
    names = tuple(one.window for one in chosen if one.window not in broken)
    slices = Slices(names, grain)
    starts = {first_day(one, grain) for one in names}
    period = period_of(column(table.period_column), table.period.grain)

    def read(windows: Sequence[str], *, with_record: bool, counter: Counter | None) -> DataFrame:
        inputs = {n: lake.delta(t).read(versions[t]) for n, t in table.reads.items()}
        main = inputs[table.period_input]
        at = period
        if table.over is not None:
            main = _looked_at(lake, table, main, windows)
            at = period_of(column(REACHED), table.period.grain)
        elif not everything:
            days = [first_day(one, grain) for one in windows]
            with suppress(OverflowError):  # after the last day that there is comes none
                start, end = min(map(grain.start, windows)), max(map(grain.end, windows))
                main = around(main, table.period_column, start, end)
            main = main.where(period.cast("string").isin(days))
        if counter:
            code = slices.code("__period")
            counted = main.select("*", at.cast("string").alias("__period"))
            main = counter.point(counted, "inputs", {"rows": F.expr(code)}).drop("__period")
        inputs[table.period_input] = main
        if table.sql is None:
            small = table.privacy
            made = grouped(
                main, table.period_column, table.period.grain, table.group_by, table.measures,
                sized(small.of) if small else None,
            )  # fmt: skip
            return _large_enough(made, small.min_group, counter) if small else made
        made = with_period(_sql(lake, table, inputs), table.period_column, table.period.grain)
        return made.where(column(table.period_column).cast("string").isin(sorted(starts)))

    def _large_enough(made: DataFrame, least: int, counter: Counter | None) -> DataFrame:
        if counter:
            text = f"cast({quoted(table.period_column)} as string)"
            code = F.when(column(SIZE) < least, F.expr(slices.code(text)))
            made = counter.point(made, SMALL, {"rows": code})
        return made.where(column(SIZE) >= least).drop(SIZE)

    return Work(
        table=table,
        slices=slices,
        due={one.window: one for one in chosen},
        read=read,
        target=target(lake, table),
        regroups=True,
        slice_text=f"cast(`{table.period_column}` as string)",
        inputs=versions,
        through=True,
        broken=broken,
    )


def target(lake: Lake, table: Mart) -> Target:
    """Where the mart's periods go."""
    grain = grain_of(table)
    path = lake.path(table.name)
    return ByPeriod(lake.spark, path, table.period_column, lambda one: first_day(one, grain))
