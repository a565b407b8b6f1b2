"""A few rows followed through one table: each step, each rule, and where they went.

The table's own flow is run over the rows' windows, and only these rows are brought over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.lives import PRIVATE, Broken, Origin, Stop
from headgate.core.steps import Deduplicate, Step
from headgate.quality.reasons import marks, rejected
from headgate.stages.flow import fated, marked
from headgate.stages.origins import CARRIED, among
from headgate.stages.shape import Shaped
from headgate.stages.work import Work
from headgate.transforms.fates import sortable
from headgate.transforms.hidden import (
    ACCEPTED,
    AS_JSON,
    BROKEN,
    DELETED,
    DUPLICATE,
    FATE,
    REASONS,
    column,
    user_columns,
)

Row = Mapping[str, Any]
MOST = 2_000  # rows brought over at once: a step may make many of one


@dataclass(frozen=True)
class Followed:
    """One row as the flow shows it."""

    came: Row
    steps: tuple[Stop, ...]
    breaks: tuple[Broken, ...]
    reasons: tuple[str, ...]
    fates: tuple[int, ...]  # of the rows that it has become; none where a step dropped it
    dropped: Step | None = None  # the step that it did not pass
    deleted: bool = False  # it says that its key is gone
    by: Origin | None = None  # the row that stands in its place
    key: str = ""  # its key as text
    lost: Step | None = None  # the step after which rows say no more where they came from


def followed(work: Work, origins: Sequence[Origin], private: frozenset[str]) -> dict[Any, Followed]:
    """What became of each of these rows, as far as they came into the table."""
    rows, shaped = marked(work, None, with_record=True)
    whole = fated(work, rows, None)
    seen = _seen(work, shaped, origins)
    ends = _ends(work, whole, origins)
    winners = _winners(work, whole, origins) if _any(ends, DUPLICATE) else {}
    found = {}
    for origin in origins:
        place = (origin.file, origin.row)
        frames = seen.get(place, {})
        if not frames:
            continue
        steps, dropped, lost = _steps(work, shaped, frames, place in ends, private)
        by = winners.get(place)
        if isinstance(dropped, Deduplicate):
            by = _equal(work, shaped, origin, dropped)
        found[place] = _of(work, frames, steps, ends.get(place, []), dropped, by, lost, private)
    return found


def _of(
    work: Work,
    frames: Mapping[int, list[Row]],
    steps: tuple[Stop, ...],
    ends: list[Row],
    dropped: Step | None,
    by: Origin | None,
    lost: Step | None,
    private: frozenset[str],
) -> Followed:
    reasons = [text for end in ends for text in end["reasons"] or ()]
    return Followed(
        came=hidden(frames[0][0], private),
        steps=steps,
        breaks=tuple(_breaks(work, ends)),
        reasons=tuple(dict.fromkeys(reasons)),
        fates=tuple(int(end["fate"]) for end in ends),
        dropped=dropped,
        deleted=any(end["deleted"] for end in ends),
        by=by,
        key=(ends[0]["key"] or "") if ends else "",
        lost=lost,
    )


def hidden(row: Row, private: frozenset[str]) -> dict[str, Any]:
    """A row without the values that were declared private.

    >>> hidden({"a": 1, "b": "x"}, frozenset({"b"}))
    {'a': 1, 'b': '(private)'}
    """
    return {
        name: PRIVATE if name in private and value is not None else value
        for name, value in row.items()
    }


def as_json(df: DataFrame) -> Any:
    """A row's own columns as one text."""
    names = [column(name) for name in user_columns(df.columns)]
    return F.to_json(F.struct(*names), AS_JSON)


def known(row: Any) -> tuple[str, int]:
    return row["_file"], int(row["_row"] or 0)


def followable(df: DataFrame) -> bool:
    return set(CARRIED) <= set(df.columns)


def _seen(
    work: Work, shaped: Sequence[Shaped], origins: Sequence[Origin]
) -> dict[tuple[str, int], dict[int, list[Row]]]:
    """The rows before the first step and after each: one query."""
    parts = []
    for one in shaped:
        for place, frame in enumerate(one.frames):
            if not followable(frame):
                break
            mine = frame.where(among(origins))
            parts.append(
                mine.select(
                    F.lit(place).alias("place"), "_file", "_row", as_json(mine).alias("row")
                )
            )
    if not parts:
        return {}
    found: dict[tuple[str, int], dict[int, list[Row]]] = {}
    for row in reduce(DataFrame.unionAll, parts).limit(MOST * len(parts)).collect():
        by_place = found.setdefault(known(row), {})
        values = json.loads(row["row"], parse_float=Decimal)
        by_place.setdefault(row["place"], []).append(values)
    return found


def _steps(
    work: Work,
    shaped: Sequence[Shaped],
    frames: Mapping[int, list[Row]],
    ended: bool,
    private: frozenset[str],
) -> tuple[tuple[Stop, ...], Step | None, Step | None]:
    """What each step did; the one that dropped the row, or after which it cannot be told apart."""
    stops: list[Stop] = []
    for place, step in enumerate(work.steps):
        named = step.written or step.name
        if not followable(shaped[0].frames[place + 1]):
            return tuple(stops), None, step
        before, after = frames[place], frames.get(place + 1, [])
        if not after:
            stops.append(Stop(named, "set aside" if ended else "dropped", rows=0))
            return tuple(stops), None if ended else step, None
        if len(after) != len(before):
            stops.append(Stop(named, "multiplied", rows=len(after)))
        else:
            stops.append(_stop(named, hidden(before[0], private), hidden(after[0], private), after))
    return tuple(stops), None, None


def _stop(step: str, before: Row, after: Row, rows: Sequence[Row]) -> Stop:
    """A step that a row came through: which of its columns are others now."""
    both = [name for name in before if name in after]
    changed = {n: (before[n], after[n]) for n in both if before[n] != after[n]}
    added = {name: value for name, value in after.items() if name not in before}
    gone = tuple(name for name in before if name not in after)
    if not (changed or added or gone):
        return Stop(step, "kept", rows=len(rows))
    return Stop(step, "changed", changed, added, gone, len(rows))


def _ends(
    work: Work, whole: DataFrame, origins: Sequence[Origin]
) -> dict[tuple[str, int], list[Row]]:
    """The rows at the end of the flow: their fates, the rules that they break, their reasons."""
    if not followable(whole):
        return {}
    masks = [name for name in whole.columns if name.startswith(BROKEN)]
    deleted = column(DELETED) if DELETED in whole.columns else F.lit(False)
    shown = whole.where(among(origins)).select(
        "_file",
        "_row",
        column(FATE).alias("fate"),
        column(REASONS).alias("reasons"),
        deleted.alias("deleted"),
        _key(work).alias("key"),
        *[column(name) for name in masks],
    )
    found: dict[tuple[str, int], list[Row]] = {}
    for row in shown.limit(MOST).collect():
        found.setdefault(known(row), []).append(row.asDict())
    return found


def _key(work: Work) -> Any:
    texts = [F.coalesce(column(name).cast("string"), F.lit("null")) for name in work.key]
    return F.to_json(F.array(*texts)) if texts else F.lit(None).cast("string")


def _any(ends: Mapping[Any, Iterable[Row]], fate: int) -> bool:
    return any(end["fate"] == fate for some in ends.values() for end in some)


def _breaks(work: Work, ends: Sequence[Row]) -> Iterable[Broken]:
    told = set()
    for mark in marks(work.table.quality, work.waived):
        if any(end[mark.mask] & mark.bit for end in ends) and mark.rule.written not in told:
            told.add(mark.rule.written)
            yield Broken(mark.rule.written, mark.rule.severity)


def _winners(
    work: Work, whole: DataFrame, origins: Sequence[Origin]
) -> dict[tuple[str, int], Origin]:
    """For rows that are older than another of their key, that other one."""
    keys = [column(name).alias(f"__key{at}") for at, name in enumerate(work.key)]
    old = whole.where(among(origins) & (column(FATE) == DUPLICATE))
    bits = marks(work.table.quality, work.waived)
    fine = whole.where((column(FATE) == ACCEPTED) & ~rejected(bits, whole.columns))
    return _joined(old.select(*CARRIED, *keys), fine.select(*CARRIED, *keys), len(keys))


def _equal(
    work: Work, shaped: Sequence[Shaped], origin: Origin, step: Deduplicate
) -> Origin | None:
    """The row that stayed where a step drops all but one of equal rows; near ones are unlike."""
    if step.near:
        return None
    at = list(work.steps).index(step)
    for one in shaped:
        before, after = one.frames[at], one.frames[at + 1]
        names = list(step.by) or user_columns(before.columns)
        keys = [sortable(before, name).alias(f"__key{n}") for n, name in enumerate(names)]
        gone = before.where(among([origin])).select(*CARRIED, *keys)
        stayed = after.where(column("_window") == F.lit(origin.window)).select(*CARRIED, *keys)
        found = _joined(gone, stayed, len(keys))
        if found:
            return next(iter(found.values()))
    return None


def _joined(gone: DataFrame, stayed: DataFrame, keys: int) -> dict[tuple[str, int], Origin]:
    """For each row that is gone, the one of its window and keys that stayed."""
    same = F.col("g._window") == F.col("s._window")
    for at in range(keys):
        same = same & F.col(f"g.__key{at}").eqNullSafe(F.col(f"s.__key{at}"))
    pairs = gone.alias("g").join(stayed.alias("s"), same).select(
        F.col("g._file").alias("_file"),
        F.col("g._row").alias("_row"),
        F.col("s._window").alias("window"),
        F.col("s._file").alias("file"),
        F.col("s._row").alias("row"),
    )  # fmt: skip
    return {
        known(row): Origin(row["window"], row["file"], int(row["row"] or 0))
        for row in pairs.limit(MOST).collect()
    }


def shown_now(work: Work, table: DataFrame, found: Mapping[Any, Followed]) -> dict[str, Origin]:
    """For keys of these rows, the row that an upsert table shows now."""
    keys = sorted({one.key for one in found.values() if one.key})
    if not keys or not work.key or not followable(table):
        return {}
    rows = table.where(_key(work).isin(keys))
    return {
        row["key"]: Origin(row["_window"], row["_file"], int(row["_row"] or 0))
        for row in rows.select(*CARRIED, _key(work).alias("key")).limit(MOST).collect()
    }
