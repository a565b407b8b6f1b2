"""Examples of table files: what becomes of rows written down, compared with what was expected."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from headgate.core.results import Rows
from headgate.core.spec import Example, Suite, Table
from headgate.stages import judging
from headgate.stages.counting import Counter
from headgate.stages.given import Given, work_on
from headgate.stages.preview import ended, flowed_rows
from headgate.stages.sample import as_text
from headgate.stages.shape import Shaped
from headgate.stages.work import Work
from headgate.transforms.hidden import (
    ACCEPTED,
    DELETED,
    FATE,
    QUARANTINED,
    REASONS,
    RECORD,
    column,
    user_columns,
)

Row = Mapping[str, Any]
_SHOWN = 5  # rows in a message


class Rejected(dict[str, Any]):
    """A rejected row: its columns, and `_reasons` (`reasons` will do). What the steps or the
    contract took from it is there as it came."""

    def __missing__(self, key: str) -> Any:
        if key == "reasons":
            return self["_reasons"]
        raise KeyError(key)


@dataclass(frozen=True)
class Outcome:
    """What became of the given rows."""

    written: list[dict[str, Any]]
    rejected: list[Rejected]
    rows: Rows
    came: tuple[dict[str, Any], ...] = ()  # the rejected rows as they came

    def __repr__(self) -> str:
        return f"Outcome(written={self.written}, rejected={self.rejected})"


def outcome(spark: SparkSession, suite: Suite, table: Table, given: Given) -> Outcome:
    """Run a table's steps and rules on given rows, in memory."""
    alone = table.model_copy(update={"drift": ()})  # rows of an example have no past
    work, count = work_on(spark, suite, alone, given)
    counter = None if work.regroups else Counter(work.slices)
    rows, shaped = ended(work, counter)
    ends = _collected(rows)
    counts = _counts(work, counter, shaped) if counter else Rows(read=count, written=len(ends))
    written = [one for one in ends if one[FATE] == ACCEPTED and not one.get(DELETED)]
    thrown = [one for one in ends if one[FATE] == QUARANTINED]
    came = tuple(_came(one) for one in thrown)
    return Outcome(
        written=[_own(one) for one in written],
        rejected=[_rejected(one, was) for one, was in zip(thrown, came, strict=True)],
        rows=counts,
        came=came,
    )


def _collected(rows: DataFrame) -> list[dict[str, Any]]:
    """Rows as Python values; moments as the suite's clocks show them, wherever this runs."""
    made = []
    for each in rows.schema.fields:
        value = column(each.name)
        if isinstance(each.dataType, T.TimestampType):
            value = value.cast("timestamp_ntz")
        made.append(value.alias(each.name))
    return [row.asDict(recursive=True) for row in rows.select(*made).collect()]


def _own(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in user_columns(list(row))}


def _came(row: Row) -> dict[str, Any]:
    """The row as it entered the table, as far as it could be read."""
    try:
        found = json.loads(row.get(RECORD) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _rejected(row: Row, came: Row) -> Rejected:
    own = _own(row)
    lost = {n: v for n, v in came.items() if own.get(n) is None and not n.startswith("_")}
    return Rejected({**own, **lost, "_reasons": list(row[REASONS])})


def _counts(work: Work, counter: Counter, shaped: Sequence[Shaped]) -> Rows:
    """The fate of every row; a step that changed their number without saying so is an error."""
    counts = counter.counted(trusted=True)
    every = []
    for place, name in enumerate(work.slices.names):
        code = work.slices.grain.index(name) - work.slices.base
        tally = judging.tallies(counts["ends"], code)
        flowed, _ = flowed_rows(work, shaped[0 if work.together else place], counts, name)
        every.append(judging.settled(flowed, tally, blocked=False))
    return Rows(**{n: sum(getattr(rows, n) for rows in every) for n in vars(Rows())})


def differences(example: Example, found: Outcome) -> list[str]:
    """What is otherwise than the example says; nothing where all is as it says."""
    told = []
    if example.written is not None:
        told += _unlike("written", example.written, found.written, _same_row)
    if example.rejected is not None:
        pairs = list(zip(found.rejected, found.came, strict=True))
        shown = [one for one, _ in pairs]
        told += _unlike("rejected", example.rejected, shown, _same_rejected(pairs))
    return told


def _unlike(
    what: str, expected: Sequence[Row], actual: Sequence[Row], same: Callable[[Row, Row], bool]
) -> list[str]:
    told = []
    if len(expected) != len(actual):
        told.append(f"{what}: {len(expected)} expected, but there are {len(actual)}")
    for place in _unmatched(expected, actual, same):
        told.append(f"{what}: no row is like {text_of(expected[place])}")
    if told:
        keys = {name for row in expected for name in row}
        told += [f"{what} is {text_of(row, keys)}" for row in actual[:_SHOWN]]
        if len(actual) > _SHOWN:
            told.append(f"… and {len(actual) - _SHOWN} more")
    return told


def _unmatched(
    expected: Sequence[Row], actual: Sequence[Row], same: Callable[[Row, Row], bool]
) -> list[int]:
    """The expected rows that find no actual row of their own, however they are paired."""
    fits = [[at for at, row in enumerate(actual) if same(one, row)] for one in expected]
    taken: dict[int, int] = {}

    def placed(place: int, tried: set[int]) -> bool:
        for at in fits[place]:
            if at not in tried:
                tried.add(at)
                if at not in taken or placed(taken[at], tried):
                    taken[at] = place
                    return True
        return False

    return [place for place in range(len(expected)) if not placed(place, set())]


def _same_row(expected: Row, actual: Row) -> bool:
    return all(
        name in actual and same_value(value, actual[name]) for name, value in expected.items()
    )


def _same_rejected(pairs: Sequence[tuple[Rejected, Row]]) -> Callable[[Row, Row], bool]:
    """A rejected row may be told by what it was when it came or by what the steps made of it."""
    came = {id(row): was for row, was in pairs}

    def same(expected: Row, actual: Row) -> bool:
        for name, value in expected.items():
            if name in ("reasons", "_reasons"):
                wanted = [value] if isinstance(value, str) else value
                if not all(any(str(w) in why for why in actual["_reasons"]) for w in wanted):
                    return False
                continue
            held = [row[name] for row in (actual, came[id(actual)]) if name in row]
            if not any(same_value(value, one) for one in held):
                return False
        return True

    return same


def same_value(expected: Any, actual: Any) -> bool:
    """Whether a value is what somebody wrote down, by value and not by type.

    >>> same_value("2.00", Decimal(2)), same_value("2026-11-01", date(2026, 11, 1))
    (True, True)
    >>> same_value(None, 0), same_value(True, 1), same_value(1, "1")
    (False, False, True)
    """
    if expected is None or actual is None:
        return expected is actual
    if isinstance(actual, bool) or isinstance(expected, bool):
        return as_text(expected) == as_text(actual)
    if isinstance(actual, int | float | Decimal):
        return _same_number(expected, actual)
    if isinstance(actual, date):
        return _same_time(expected, actual)
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        return _same_row(expected, actual)
    if isinstance(actual, list | tuple) and isinstance(expected, list | tuple):
        pairs = zip(expected, actual, strict=False)
        return len(expected) == len(actual) and all(same_value(e, a) for e, a in pairs)
    if isinstance(actual, bytes | bytearray):
        actual = bytes(actual)
    return as_text(expected) == as_text(actual)


def _same_number(expected: Any, actual: int | float | Decimal) -> bool:
    try:
        wanted = Decimal(str(expected))
    except InvalidOperation:
        return False
    if isinstance(actual, float):
        near = math.isclose(float(wanted), actual, rel_tol=1e-9, abs_tol=1e-12)
        return near or (math.isnan(actual) and wanted.is_nan())
    return wanted == actual


def _same_time(expected: Any, actual: date) -> bool:
    text = str(expected).strip().replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return False
    if isinstance(actual, datetime):
        return moment == actual.replace(tzinfo=None)
    return moment == datetime(actual.year, actual.month, actual.day)  # noqa: DTZ001 - a day


def text_of(row: Row, keys: set[str] | None = None) -> str:
    """A row as a person would write it into an example."""
    kept = {n: v for n, v in row.items() if keys is None or n in keys or n in ("_reasons",)}
    return "{" + ", ".join(f"{name}: {_written(value)}" for name, value in kept.items()) + "}"


def _written(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    text = as_text(value)
    return "null" if text is None else text
