"""Training sets: labels with the features of their time, from many feature tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.conf.forms import stretch as parsed
from headgate.core.errors import Usage
from headgate.core.known import untold
from headgate.core.spec import KNOWN_AT, Features, Table
from headgate.core.windows import stretch
from headgate.stages.features import feature_rows
from headgate.stages.lake import Lake
from headgate.stages.slices import Slices
from headgate.transforms.contents import canonical
from headgate.transforms.contract import quoted
from headgate.transforms.hidden import column
from headgate.transforms.training import Side, with_features


@dataclass(frozen=True)
class Source:
    """One feature table of a training set, and the times that it has features of."""

    table: Features
    names: Mapping[str, str]  # its features, and what they are called
    as_of: str
    within: timedelta | None
    first: datetime
    last: datetime
    ended: datetime  # labels from here on are after its data


@dataclass(frozen=True)
class Met:
    """How many labels found features in one table."""

    table: str
    found: int
    before: int  # labels from before its first features
    after: int  # from after its data
    none: int  # nothing is known of their entity, or nothing new enough
    lacking: int  # without an entity or a time


@dataclass(frozen=True)
class Leak:
    """A feature that would have had another value, had only what was known by then counted."""

    table: str
    feature: str
    labels: int  # whose value differs
    of: int


@dataclass(frozen=True)
class TrainingSet:
    """Labels with the features of their time. The frame is read again whenever it is used."""

    lake: Lake = field(repr=False)
    rows: DataFrame
    time: str
    sources: tuple[Source, ...] = field(repr=False)

    @cached_property
    def _counts(self) -> Mapping[str, int]:
        at, made = column(self.time).cast("timestamp"), {"labels": F.lit(True)}
        for place, one in enumerate(self.sources):
            empty = [column(name).isNull() for name in (self.time, *one.table.entity.key)]
            lacks, found = reduce(lambda a, b: a | b, empty), column(one.as_of).isNotNull()
            after = ~lacks & (at >= _moment(one.ended))
            made[f"found{place}"], made[f"lacking{place}"] = found, lacks
            made[f"before{place}"] = ~found & ~lacks & (at < _moment(one.first))
            made[f"after{place}"], made[f"late{place}"] = after, found & after
        counts = [F.count_if(value).alias(name) for name, value in made.items()]
        return self.rows.agg(*counts).collect()[0].asDict()

    @property
    def labels(self) -> int:
        """All labels."""
        return self._counts["labels"]

    @property
    def met(self) -> list[Met]:
        """How many labels found features, by table."""
        told = []
        for place, one in enumerate(self.sources):
            found, before, after, late, lacking = (
                self._counts[f"{name}{place}"]
                for name in ("found", "before", "after", "late", "lacking")
            )
            none = self.labels - lacking - found - before - (after - late)
            told.append(Met(one.table.name, found, before, after, none, lacking))
        return told

    @cached_property
    def untold(self) -> Mapping[str, str]:
        """Tables of which nobody can say what was known when, and why."""
        tables, found = self.lake.suite.tables, {}
        for one in self.sources:
            whys = [untold(source, tables) for source in one.table.reads.values()]
            why = next(filter(None, whys), None)
            if why:
                found[one.table.name] = why
        return found

    def leaks(self) -> list[Leak]:
        """The features whose value would have differed with what was known at the time."""
        return [
            leak for one in self.sources
            if not (one.table.known_at or one.table.name in self.untold)
            for leak in self._leaks_of(one)
        ]  # fmt: skip

    def _leaks_of(self, one: Source) -> list[Leak]:
        """Both values of each feature are made anew, as the labels met them, and compared."""
        lake, table, keys = self.lake, one.table, one.table.entity.key
        at = [*keys, "as_of"]
        met = self.rows.where(column(one.as_of).isNotNull())
        met = met.select(*map(column, keys), column(one.as_of).alias("as_of"))
        used = canonical(met, at, met.schema)
        ends = {str(row["as_of"]) for row in met.select("as_of").distinct().collect()}
        grain = lake.grain(table)
        windows = [
            w for w in sorted(lake.history.published(table.name)) if str(grain.end(w)) in ends
        ]
        if not windows:
            return []
        names = list(table.features)
        seen = _made(lake, table, windows)
        then = _made(lake, table.model_copy(update={"known_at": KNOWN_AT}), windows)
        then = then.select(*at, *[column(n).alias(f"__then_{n}") for n in names])
        both = used.join(seen, at, "left").join(then, at, "left")
        counts = both.agg(
            F.count(F.lit(1)).alias("of"),
            *[F.count_if(~column(n).eqNullSafe(column(f"__then_{n}"))).alias(n) for n in names],
        ).collect()[0]
        return [Leak(table.name, n, counts[n], counts["of"]) for n in names if counts[n]]


def _made(lake: Lake, table: Features, windows: Sequence[str]) -> DataFrame:
    """The features of some windows from the inputs as they are, in forms that can be compared."""
    versions = {name: lake.version(name) or 0 for name in table.sources}
    slices = Slices(tuple(windows), lake.grain(table))
    rows = feature_rows(lake, table, windows, versions, None, slices, [*table.features])
    return canonical(rows, [*table.entity.key, "as_of", *table.features], rows.schema)


def _moment(at: datetime) -> Column:
    return F.lit(str(at)).cast("timestamp")


def training_set(
    lake: Lake,
    labels: DataFrame,
    tables: Sequence[Table],
    time: str,
    within: Mapping[str, timedelta],
) -> TrainingSet:
    """Labels with the newest features as of their time; `within` says how old these may be."""
    if time not in labels.columns:
        raise Usage(f"the labels have no column '{time}'", next=f"--time {labels.columns[-1]}")
    sources: list[Source] = []
    taken = set(labels.columns)
    for table in tables:
        one = _source(lake, table, labels, within.get(table.name), taken)
        taken |= {one.as_of, *one.names.values()}
        sources.append(one)
    rows = labels
    for keys in dict.fromkeys(one.table.entity.key for one in sources):
        mine = [one for one in sources if one.table.entity.key == keys]
        kinds = lake.delta(mine[0].table.name).schema()
        fitting = _typed(rows, keys, kinds)
        sides = [_side(lake, one, kinds) for one in mine]
        rows = with_features(fitting, keys, time, sides)
    return TrainingSet(lake, rows, time, tuple(sources))


def limits(tables: Sequence[str], texts: Sequence[str]) -> dict[str, timedelta]:
    """How old the features of each table may be, from `7 days` and `features.a=2 days`.

    >>> limits(["features.a", "features.b"], ["7 days", "features.a=2 days"])["features.a"].days
    2
    """
    found: dict[str, timedelta] = {}
    for text in texts:
        name, equals, said = text.rpartition("=")
        if equals and name not in tables:
            what = f"--within {text[:80]}: {name[:60]} is not among the tables"
            raise Usage(what, next=f"--within '{tables[0]}=7 days'")
        try:
            told = stretch(parsed(said.strip()))
        except ValueError as error:
            raise Usage(f"--within {error}", next="--within '7 days'") from None
        for one in [name] if equals else [each for each in tables if each not in found]:
            found[one] = told
    return found


def _source(
    lake: Lake, table: Table, labels: DataFrame, within: timedelta | None, taken: set[str]
) -> Source:
    if not isinstance(table, Features):
        raise Usage(f"{table.name} is no feature table", next="headgate status features")
    lacking = [key for key in table.entity.key if key not in labels.columns]
    if lacking:
        raise Usage(
            f"the labels have no column '{lacking[0]}', by which {table.name} knows its entities",
            next=f"call it so in the labels; they have {', '.join(labels.columns[:12])}",
        )
    windows = sorted(lake.history.published(table.name))
    if not windows:
        raise Usage(f"{table.name} has never been published", next=f"headgate run +{table.name}")
    grain = lake.grain(table)
    names = _OF_KIND.get(table.format.kind) or tuple(table.features)
    called = {}
    for name in names:
        called[name] = name if name not in taken else f"{table.short}_{name}"
    as_of = f"{table.short}_as_of"
    both = [name for name in (as_of, *called.values()) if name in taken]
    if both:
        raise Usage(f"there are two columns '{both[0]}'", next="call one of them otherwise")
    last = grain.end(windows[-1])
    return Source(
        table, called, as_of, within, grain.end(windows[0]), last, grain.end(grain.of(last))
    )


# What a label takes of each format; a table's own labels tell what was to come.
_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "vector": ("features",),
    "labelled": ("features",),
    "ratings": ("rating",),
    "graph": ("weight",),
    "baskets": ("items",),
}


def _typed(rows: DataFrame, keys: Sequence[str], kinds: T.StructType) -> DataFrame:
    """The labels with their entities as the features have them; what does not fit is nobody."""
    made = []
    for name in rows.columns:
        value = column(name)
        if name in keys and rows.schema[name].dataType != kinds[name].dataType:
            kind = kinds[name].dataType.simpleString()
            value = F.expr(f"try_cast({quoted(name)} AS {kind})").alias(name)
        made.append(value)
    return rows.select(*made)


def _side(lake: Lake, one: Source, kinds: T.StructType) -> Side:
    rows = lake.delta(one.table.name).read()
    rows = _typed(
        rows.select(*one.table.entity.key, "as_of", *one.names), one.table.entity.key, kinds
    )
    seconds = None if one.within is None else int(one.within.total_seconds())
    return Side(rows, one.as_of, one.names, seconds)
