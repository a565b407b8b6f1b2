"""Verify: what was built run by run is held against the same made anew, apart from the lake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import Usage
from headgate.core.fingerprint import digest
from headgate.core.labels import known_names
from headgate.core.lives import PRIVATE
from headgate.core.policy import waived_by, waived_in, waivers_in
from headgate.core.private import Private, private_in
from headgate.core.records import KEYS, RunRecord
from headgate.core.spec import Clean, Features, Mart, Table
from headgate.stages.corrections import CORRECTED
from headgate.stages.due import CONFIGURED, rebuilds
from headgate.stages.flow import fated, marked
from headgate.stages.idle import slices
from headgate.stages.judging import Unwritten
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of, under_policy
from headgate.stages.preview import Looking, accepted_rows
from headgate.stages.runner import MOST_APART, MOST_TOGETHER
from headgate.stages.undo import UNDO
from headgate.stages.work import Due, Work
from headgate.storage.faults import classify
from headgate.storage.targets import ByKey
from headgate.transforms.contents import ROWS, SLICE, canonical, contents
from headgate.transforms.hidden import RESCUED, column, user_columns

SHOWN = 5  # differing rows of each side
ORIGIN = ("_file", "_row", "_window")


@dataclass(frozen=True)
class Different:
    """A slice whose rows are not what the inputs make."""

    slice: str
    there: int
    made: int
    columns: tuple[str, ...]  # whose values differ in sum


@dataclass(frozen=True)
class Verified:
    """One table, held against itself made anew."""

    table: str
    slices: int
    rows: int
    different: tuple[Different, ...] = ()
    surplus: tuple[Mapping[str, Any], ...] = ()  # rows of the table that nothing makes
    lacking: tuple[Mapping[str, Any], ...] = ()  # rows that should be there
    skipped: Mapping[str, str] = field(default_factory=dict)  # slices, with why


@dataclass
class Pinned(Looking):
    """A lake as it was seen by a run: inputs at the versions that it read."""

    pins: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def seeing(lake: Lake, pins: Mapping[str, int]) -> Pinned:
        mine = {one.name: getattr(lake, one.name) for one in fields(Lake)}
        return Pinned(**mine, pins=pins)

    def version(self, table: str) -> int | None:
        pinned = self.pins.get(table)
        there = pinned is not None and self.whole(table, pinned)
        # What was erased or tidied away is stood in for by the newest: who differs from it is due.
        return pinned if there else super().version(table)


def verified(
    lake: Lake, table: Table, windows: Sequence[str] | None, share: float | None = None
) -> Verified:
    """Make the published slices of a table anew from the inputs their runs read, and compare."""
    published = dict(lake.history.published(table.name))
    if not published:
        raise Usage(f"{table.name} has never been published", next=f"headgate run +{table.name}")
    wanted = None if windows is None else set(slices(lake, table, windows))
    keyed = isinstance(table, Clean) and table.write != "replace"
    skipped = _skipped(lake, table, published, keyed)
    chosen = sorted(
        one for one in published
        if one not in skipped and (keyed or wanted is None or one in wanted)
        and (keyed or _in_sample(one, share))
    )  # fmt: skip
    if not chosen:
        return Verified(table.name, 0, 0, skipped=skipped)
    try:
        made, target = _made(lake, table, {one: published[one] for one in chosen}, skipped)
        there = lake.delta(table.name).read()
        if isinstance(target, ByKey):
            made = target.whole(made)
            if share is not None:
                made, there = (_sampled(df, target.keyed.key, share) for df in (made, there))
            if wanted is not None:
                made, there = (
                    df.where(F.col("_window").isin(sorted(wanted))) for df in (made, there)
                )
        elif wanted is not None or share is not None or skipped:
            condition = target.of(chosen)
            there = there.where(condition) if condition else there
        return _compared(lake, table, made, there, len(chosen), skipped)
    except Exception as error:
        raise classify(error) from error


def _skipped(
    lake: Lake, table: Table, published: Mapping[str, RunRecord], keyed: bool
) -> dict[str, str]:
    """Published slices that cannot be made anew as they were, and why."""
    found = {}
    due = {one.window: one for one in layer_of(table).due(lake, table, None, False)}
    for window, record in published.items():
        parts = due[window].parts if window in due else record.parts
        made_of = (*CONFIGURED, KEYS, CORRECTED)
        changed = [part for part in made_of if parts.get(part) != record.parts.get(part)]
        if changed:
            waiting = window in due and due[window].waits
            then = rebuilds(table.name) if waiting else f"headgate run {table.name}"
            found[window] = f"its {changed[0]} changed since: {then}"
        elif record.causes == UNDO and not keyed:
            found[window] = "undone: it holds what an earlier run made"
        elif window in due and (gone := _gone(lake, table, record)):
            found[window] = (
                f"{gone} changed since, and what it held is not kept: headgate run {table.name}"
            )
    return found


def _gone(lake: Lake, table: Table, record: RunRecord) -> str:
    """The first input whose version, which a run read, is not there whole; empty where all are."""
    pins = _pins(lake, table, record).items()
    return next((name for name, version in pins if not lake.whole(name, version)), "")


def _in_sample(window: str, share: float | None) -> bool:
    """Whether a slice is among a share of all: the same ones each time."""
    if share is None:
        return True
    return int(digest(window), 16) % 1000 < share * 1000


def _sampled(df: DataFrame, key: Sequence[str], share: float) -> DataFrame:
    place = F.pmod(F.xxhash64(*map(column, key)), F.lit(1000))
    return df.where(place < F.lit(round(share * 1000)))


def _made(
    lake: Lake, table: Table, chosen: Mapping[str, RunRecord], skipped: Mapping[str, str]
) -> tuple[DataFrame, Any]:
    """The accepted rows of slices, made anew; and where they would go."""
    frames: list[DataFrame] = []
    target: Any = None
    for group in _groups(lake, table, chosen):
        for work in _works(lake, table, group):
            target = work.target
            frames.append(_accepted(target, work))
    stored = [one for one in skipped if isinstance(target, ByKey)]
    if stored:
        kept = lake.spark.read.format("delta").load(lake.store(table.name))
        frames.append(kept.where(F.col("_window").isin(stored)))
    both = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames)
    return both, target


def _groups(
    lake: Lake, table: Table, chosen: Mapping[str, RunRecord]
) -> Iterable[dict[str, RunRecord]]:
    """Slices that share a plan: with the same inputs, rules and waivers."""
    found: dict[Any, dict[str, RunRecord]] = {}
    for window, record in chosen.items():
        pins = tuple(sorted(_pins(lake, table, record).items()))
        told = (pins, record.parts.get("rules"), waivers_in(record.causes))
        found.setdefault(told, {})[window] = record
    return found.values()


def _pins(lake: Lake, table: Table, record: RunRecord) -> Mapping[str, int]:
    """The input versions that a slice is to be made from.

    A period that no change touched since was brought up to newer inputs by being left alone.
    """
    through = lake.history.through(table.name)
    if isinstance(table, Mart | Features):
        newer = all(through.get(name, -1) >= version for name, version in record.inputs.items())
        return through if through and newer else record.inputs
    return record.inputs


def _works(lake: Lake, table: Table, group: Mapping[str, RunRecord]) -> Iterable[Work]:
    """The work on slices, as few as may share a plan at a time."""
    names, record = sorted(group), next(iter(group.values()))
    pinned = Pinned.seeing(lake, _pins(lake, table, record))
    now = under_policy(lake, table, names[0])
    waived = waived_in(record.causes, known_names(table)) | waived_by(now)
    while names:
        due = [Due(one, "verify", "") for one in names[:MOST_TOGETHER]]
        work = layer_of(table).work(pinned, now, due)
        if work.broken:
            _, sentence = next(iter(work.broken.values()))
            raise Usage(f"it cannot be made anew: {sentence}", where=table.name)
        if not work.together and len(work.slices) > MOST_APART:
            work = work.only(work.slices.names[:MOST_APART])
        names = [one for one in names if one not in work.slices.names]
        yield Work(**{**vars(work), "waived": waived})


def _accepted(target: Any, work: Work) -> DataFrame:
    """The rows that the flow would hand to the publish."""
    rows = fated(work, marked(work, None)[0], None)
    if not isinstance(target, ByKey):
        return work.guard.protected(accepted_rows(rows))
    return work.guard.protected(Unwritten(rows).read_back())


def _compared(
    lake: Lake, table: Table, made: DataFrame, there: DataFrame, count: int,
    skipped: Mapping[str, str],
) -> Verified:  # fmt: skip
    names = _names(made, there)
    kinds = T.StructType([(there if n in there.columns else made).schema[n] for n in names])
    at = _slice_of(table)
    both = []
    for df in (there, made):
        forms = canonical(df.select("*", at.alias(SLICE)), [*names, SLICE], _with_slice(kinds))
        both.append(forms)
    sums = [{row[SLICE]: row for row in contents(df, F.col(SLICE), names).collect()} for df in both]
    different = []
    for one in sorted({*sums[0], *sums[1]}, key=str):
        old, new = sums[0].get(one), sums[1].get(one)
        if old is not None and new is not None and old[1:] == new[1:]:
            continue
        differ = tuple(
            name for i, name in enumerate(names)
            if (old and old[f"__sum{i}"]) != (new and new[f"__sum{i}"])
        )  # fmt: skip
        different.append(
            Different(str(one), old[ROWS] if old else 0, new[ROWS] if new else 0, differ)
        )
    rows = sum(row[ROWS] for row in sums[0].values())
    surplus, lacking = _rows(both[0], both[1], [one.slice for one in different], names)
    private = private_in(table, lake.suite.tables)
    return Verified(
        table.name, count, rows, tuple(different),
        tuple(_hidden(row, private) for row in surplus),
        tuple(_hidden(row, private) for row in lacking), skipped,
    )  # fmt: skip


def _names(made: DataFrame, there: DataFrame) -> list[str]:
    """The columns to compare: a table's own, and where its rows are from."""
    own = user_columns(there.columns)
    own += [n for n in user_columns(made.columns) if n.lower() not in {o.lower() for o in own}]
    kept = [n for n in (*ORIGIN, RESCUED) if n in there.columns and n in made.columns]
    return own + kept


def _with_slice(kinds: T.StructType) -> T.StructType:
    return T.StructType([*kinds.fields, T.StructField(SLICE, T.StringType())])


def _slice_of(table: Table) -> Column:
    if isinstance(table, Mart):
        return column(table.period_column).cast("string")
    if isinstance(table, Features):
        return column("as_of").cast("string")
    return F.col("_window")


def _rows(
    there: DataFrame, made: DataFrame, different: Sequence[str], names: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows that one side has and the other has not."""
    if not different:
        return [], []
    mine = F.coalesce(F.col(SLICE), F.lit("None")).isin(list(different))
    old, new = there.where(mine).select(*names), made.where(mine).select(*names)
    return (
        [row.asDict() for row in old.exceptAll(new).limit(SHOWN).collect()],
        [row.asDict() for row in new.exceptAll(old).limit(SHOWN).collect()],
    )


def _hidden(row: Mapping[str, Any], private: Private) -> Mapping[str, Any]:
    return {name: PRIVATE if private.hides(name) else value for name, value in row.items()}
