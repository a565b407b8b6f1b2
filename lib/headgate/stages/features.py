"""Features: one row for each entity and `as_of`, from what had happened by then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.fingerprint import digest, whole
from headgate.core.policy import rules_by_window
from headgate.core.spec import Feature, Features
from headgate.core.windows import Grain
from headgate.stages.across import beside
from headgate.stages.counting import Counter
from headgate.stages.due import reason, waits
from headgate.stages.formats import Names, shaped
from headgate.stages.lake import Lake
from headgate.stages.slices import Slices, overlapping
from headgate.stages.work import Due, Work
from headgate.storage.changes import changed_slices
from headgate.storage.records import literal_rows
from headgate.storage.targets import ByPeriod, Target
from headgate.transforms.features import completed, empty_values, measured, reach
from headgate.transforms.hidden import column
from headgate.transforms.marts import around

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as windows are, in the suite's zone


def due(lake: Lake, table: Features, named: Sequence[str] | None, force: bool) -> list[Due]:
    """The windows whose `as_of` rows a change of the inputs, rules or features touches."""
    versions = {name: lake.version(name) for name in table.sources}
    if any(version is None for version in versions.values()):
        return []
    known = {name: version for name, version in versions.items() if version is not None}
    domain = windows_of(lake, table)
    touched, why = _touched(lake, table, known, domain)
    spec = parts(lake, table, known)
    content = digest(known)
    rules, others = rules_by_window(table, lake.grain(table)), beside(lake, table)
    wanted = set(domain)
    if named is not None:
        wanted &= overlapping(named, lake.suite.window, lake.grain(table))
    found = []
    for window in sorted(wanted):
        last = lake.history.last(table.name, window)
        own_parts = {**spec, "rules": rules(window), **others(window)}
        now = {**own_parts, "input": content}
        if last and last.status != "failed" and last.parts == now and not force:
            continue
        said = f"new content of {why.get(window, 'its inputs')}" if window in touched else None
        but_rows = {**(last.parts if last else {}), **own_parts}
        apart = said is None and waits(last, but_rows)
        said = said or reason(last, but_rows)
        if said or force:
            found.append(Due(window, said or "forced", whole(now), now, apart, force))
    return found


def windows_of(lake: Lake, table: Features) -> list[str]:
    """The windows that have an `as_of`: those that the inputs have published."""
    grain, found = lake.grain(table), set()
    for name in table.reads.values():
        for window in lake.history.published(name):
            found.add(grain.of(lake.suite.window.start(window)))
    return sorted(found)


def parts(lake: Lake, table: Features, versions: Mapping[str, int]) -> dict[str, str]:
    """What every window is made of besides events."""
    shape = [
        table.entity, table.every, table.reads, table.time,
        list(table.features.items()), list(table.label.items()), table.format,
        *([table.known_at] if table.known_at else []),
    ]  # fmt: skip
    made = {"steps": digest(shape)}
    entity = table.entity.from_
    if entity:
        made[entity] = lake.content(entity, versions[entity], table.entity.key)
    return made


def _touched(
    lake: Lake, table: Features, versions: Mapping[str, int], domain: Sequence[str]
) -> tuple[set[str], dict[str, str]]:
    through, read = lake.history.through(table.name), lake.history.read_by(table.name)
    grain = lake.grain(table)
    touched: set[str] = set()
    why: dict[str, str] = {}
    for name, source in table.reads.items():
        if read and source not in read:
            continue  # read from now on: a changed step, no changed rows
        # As a number: there are events in years that Python has no dates of.
        day = F.unix_date(F.to_date(column(table.time_of(name))))
        days = changed_slices(lake.delta(source), through.get(source), versions[source], day)
        using = [f for f in (*table.features.values(), *table.label.values()) if f.of == name]
        for window in domain:
            as_of = (grain.end(window) - _EPOCH) / timedelta(days=1)
            if days is None or any(_sees(f, int(d), as_of) for f in using for d in days):
                touched.add(window)
                why.setdefault(window, source)
    return touched, why


def _sees(feature: Feature, day: int, as_of: float) -> bool:
    """Whether a feature as of a moment looks at a part of a day; both in days since 1970.

    >>> week = Feature(of="a", measure="count(*)", last=7)
    >>> [_sees(week, day, 10.0) for day in (2, 3, 9, 10)], _sees(week, 10, 10.25)
    ([False, True, True, False], True)
    """
    if feature.next is not None:
        return as_of < day + 1 and day < as_of + feature.next
    return day < as_of and (feature.last is None or day + 1 > as_of - feature.last)


def work(lake: Lake, table: Features, chosen: Sequence[Due]) -> Work:
    """One pass over the due windows."""
    versions = {name: lake.version(name) or 0 for name in table.sources}
    grain = lake.grain(table)
    slices = Slices(tuple(one.window for one in chosen), grain)
    length = 7 if grain is Grain.month else 10
    names = Names(lake, table, _others(lake, table, versions, chosen))
    text = "cast(as_of - INTERVAL 1 SECOND as string)"
    slice_text = text if grain is Grain.hour else f"substr({text}, 1, {length})"

    def read(windows: Sequence[str], *, with_record: bool, counter: Counter | None) -> DataFrame:
        def rows(counter: Counter | None, only: Collection[str] | None = None) -> DataFrame:
            return feature_rows(lake, table, windows, versions, counter, slices, only)

        return shaped(rows(counter), table, names, lambda only: rows(None, only))

    return Work(
        table=table,
        slices=slices,
        due={one.window: one for one in chosen},
        read=read,
        target=target(lake, table),
        regroups=True,
        slice_text=slice_text,
        inputs=versions,
        through=True,
        keeps=names.keep,
    )


def _others(
    lake: Lake, table: Features, versions: Mapping[str, int], chosen: Sequence[Due]
) -> list[str]:
    """The published windows that keep what was given to them, such as ids, when others run."""
    if not table.format.listed:
        return []
    anew = {one.window for one in chosen if one.forced}
    steps = parts(lake, table, versions)["steps"]
    published = lake.history.published(table.name).items()
    return [w for w, run in published if w not in anew and run.parts.get("steps") == steps]


def target(lake: Lake, table: Features) -> Target:
    """Where the rows of each `as_of` go."""
    grain = lake.grain(table)
    return ByPeriod(lake.spark, lake.path(table.name), "as_of", lambda w: str(grain.end(w)))


def feature_rows(
    lake: Lake,
    table: Features,
    windows: Sequence[str],
    versions: Mapping[str, int],
    counter: Counter | None,
    slices: Slices,
    only: Collection[str] | None = None,
) -> DataFrame:
    """All entities as of the end of each window, with all features and labels or some."""
    grain, keys = lake.grain(table), table.entity.key
    ends = [{"as_of": str(grain.end(window))} for window in windows]
    moments = literal_rows(lake.spark, ends, "as_of string").select(
        F.col("as_of").cast("timestamp").alias("as_of")
    )
    everything = {n: lake.delta(t).read(versions[t]) for n, t in table.reads.items()}
    rows = _entities(lake, table, everything, versions, moments)
    events = {n: _in_reach(table, n, df, grain, windows) for n, df in everything.items()}
    if counter:
        events = {n: _counted(table, n, df, counter, slices) for n, df in events.items()}
    for every in (table.features, table.label):
        features = {n: f for n, f in every.items() if only is None or n in only}
        for (name, _), group in _groups(features).items():
            time = table.time_of(name)
            made = measured(events[name], time, keys, moments, group, table.known_at)
            empty = empty_values(events[name], time, moments, group)
            rows = completed(rows, made, empty, keys, group)
    return _known_labels(lake, table, rows)


def _in_reach(
    table: Features, name: str, rows: DataFrame, grain: Grain, windows: Sequence[str]
) -> DataFrame:
    """The events that any feature may see, and those of the windows themselves, which are counted.

    Only where all features look back a number of days is there a range by which files are left out.
    """
    if not windows or not isinstance(rows.schema[table.time_of(name)].dataType, T.DatetimeType):
        return rows
    using = [f for f in (*table.features.values(), *table.label.values()) if f.of == name]
    ends = [grain.end(window) for window in windows]
    seen = reach(using, min(ends), max(ends)) if using else None
    if seen is None:
        return rows
    start = min(seen[0], *(grain.start(window) for window in windows))
    return around(rows, table.time_of(name), start, seen[1])


def _groups(features: Mapping[str, Feature]) -> dict[tuple[str, str], dict[str, Feature]]:
    """Features by input and by how far they look."""
    groups: dict[tuple[str, str], dict[str, Feature]] = {}
    for name, feature in features.items():
        groups.setdefault((feature.of, f"{feature.last}/{feature.next}"), {})[name] = feature
    return groups


def _counted(
    table: Features, name: str, df: DataFrame, counter: Counter, slices: Slices
) -> DataFrame:
    """Events counted for the window they happened in: what a window read that others did not."""
    time = column(table.time_of(name))
    ends = [
        str(end) for one in slices.names for end in (slices.grain.start(one), slices.grain.end(one))
    ]
    # What is far off may be in a year that no window has, and that SQL does not read back.
    near = (time >= F.lit(min(ends)).cast("timestamp")) & (
        time < F.lit(max(ends)).cast("timestamp")
    )
    day = F.when(near, F.date_format(time, "yyyy-MM-dd HH:mm:ss"))
    marked = df.select("*", day.alias("__day"))
    code = F.expr(slices.code("__day"))
    inside = F.when((code >= 0) & (code < slices.span), code)
    return counter.point(marked, "inputs", {"rows": inside}).drop("__day")


def _entities(
    lake: Lake,
    table: Features,
    events: Mapping[str, DataFrame],
    versions: Mapping[str, int],
    moments: DataFrame,
) -> DataFrame:
    keys = [column(key) for key in table.entity.key]
    known = F.lit(True)
    for key in keys:
        known = known & key.isNotNull()
    if table.entity.from_:
        source = lake.delta(table.entity.from_).read(versions[table.entity.from_])
        entities = source.where(known).select(*keys).distinct()
        return entities.crossJoin(F.broadcast(moments))
    found: DataFrame | None = None
    for name, df in events.items():
        at = column(table.time_of(name)).cast("timestamp")
        if table.known_at:
            at = F.when(at.isNotNull(), F.greatest(at, column(table.known_at)))
        firsts = df.where(known).groupBy(*keys).agg(F.min(at).alias("__t"))
        found = firsts if found is None else found.unionByName(firsts)
    assert found is not None  # a feature table reads something
    first = found.groupBy(*keys).agg(F.min("__t").alias("__t"))
    met = first.join(F.broadcast(moments), F.col("__t") < F.col("as_of"), "inner")
    return met.drop("__t")


def _known_labels(lake: Lake, table: Features, rows: DataFrame) -> DataFrame:
    """A label is null until the days it looks at are over in the data."""
    made = []
    for name in rows.columns:
        feature = table.label.get(name)
        if feature is None or feature.next is None:
            made.append(column(name))
            continue
        newest = max(lake.history.published(table.reads[feature.of]), default=None)
        end = lake.suite.window.end(newest) if newest else None
        until = F.expr(f"as_of + INTERVAL {feature.next} DAYS")
        known = until <= F.lit(str(end)).cast("timestamp") if end else F.lit(False)
        made.append(F.when(known, column(name)).alias(name))
    return rows.select(*made)
