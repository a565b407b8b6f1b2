"""A history table is a function of the set of rows in its published windows: in any order and
grouping, with corrections, repetitions and deletions. Held against a model in plain Python."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from builders import Lab, fates, fine
from events import COLUMNS, GOOD, INGESTED, Content, Row, candidates, come_in_any_order, ordered

KEYED = {
    "reads": "ingested.events", "key": ["k", "s"], "quality": [GOOD], "max_rejected": "100%",
    "write": "history",
}  # fmt: skip
TABLES: dict[str, dict[str, Any]] = {
    "ingested.events": INGESTED,
    "clean.versions": {**KEYED, "latest_by": ["at"], "deletes": "op = 'gone'"},
    "clean.loose": {**KEYED, "latest_by": ["at"], "untracked": ["d"]},
    "clean.dumps": {**KEYED, "deletes": "absent"},
    "clean.seen": KEYED,
    "clean.present": {**KEYED, "write": "upsert", "deletes": "absent"},
}
SHOWN = (*COLUMNS, "_window", "_file", "_row", "valid_from", "valid_to", "is_current")
Shown = tuple[Any, ...]
NEVER = ("never",)  # an end that has not come


def rank(row: Row) -> Any:
    """Which of two rows that begin at one instant wins: the greater."""
    rest = [ordered(value) for value in row[:6]]
    return (rest, [-ord(letter) for letter in row[6]], -row[8])


def by_key(rows: list[Row]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault((repr(row[0]), repr(row[1])), []).append(row)
    return found


def merged(events: list[tuple[Any, Row | None]], untracked: tuple[int, ...]) -> Iterator[Shown]:
    """The versions of one key's events, oldest first; None is a deletion."""
    tracked = [at for at in range(6) if at not in untracked]
    runs: list[list[tuple[Any, Row | None]]] = []
    for event in events:
        before = runs[-1][-1][1] if runs else NEVER
        row = event[1]
        same = repr([row[at] for at in tracked]) if row else None
        if runs and same == (repr([before[at] for at in tracked]) if before else None):
            runs[-1].append(event)
        else:
            runs.append([event])
    for place, run in enumerate(runs):
        first, last = run[0][1], run[-1][1]
        if first is None or last is None:
            continue
        shown = tuple(last[at] if at in untracked and at != 2 else first[at] for at in range(9))
        end = runs[place + 1][0][0] if place + 1 < len(runs) else None
        yield (*shown, run[0][0], end, place + 1 == len(runs))


def of_events(content: Content, *, deletes: bool, untracked: tuple[int, ...] = ()) -> list[Shown]:
    found: list[Shown] = []
    for rows in by_key(candidates(content, deletes)).values():
        winners: dict[Any, Row] = {}
        for row in rows:
            at = row[2]
            gone = deletes and row[5] == "gone"
            if at not in winners or (gone, rank(row)) > (
                deletes and winners[at][5] == "gone",
                rank(winners[at]),
            ):
                winners[at] = row
        events = [
            (at, None if deletes and row[5] == "gone" else row)
            for at, row in sorted(winners.items(), key=lambda pair: ordered(pair[0]))
        ]
        found += merged(events, (2, *untracked))
    return found


def of_dumps(content: Content, *, absent: bool) -> list[Shown]:
    rows = candidates(content, False)
    dumps = sorted({row[6] for row in rows})
    after = dict(itertools.pairwise(dumps))
    found: list[Shown] = []
    for mine in by_key(rows).values():
        best: dict[str, Row] = {}
        for row in mine:
            if row[6] not in best or rank(row) > rank(best[row[6]]):
                best[row[6]] = row
        events: list[tuple[Any, Row | None]] = []
        for window in sorted(best):
            events.append((window, best[window]))
            if absent and window in after and after[window] not in best:
                events.append((after[window], None))
        found += merged(events, ())
    return found


def last_dump(content: Content) -> list[Shown]:
    rows = candidates(content, False)
    last = max((row[6] for row in rows), default=None)
    best: dict[Any, Row] = {}
    for key, mine in by_key([row for row in rows if row[6] == last]).items():
        best[key] = max(mine, key=rank)
    return list(best.values())


MODELS: dict[str, Callable[[Content], list[Shown]]] = {
    "clean.versions": lambda content: of_events(content, deletes=True),
    "clean.loose": lambda content: of_events(content, deletes=False, untracked=(3,)),
    "clean.dumps": lambda content: of_dumps(content, absent=True),
    "clean.seen": lambda content: of_dumps(content, absent=False),
    "clean.present": last_dump,
}


def held(lab: Lab, table: str) -> list[str]:
    if not (lab.lake / table.replace(".", "/")).exists():
        return []
    names = SHOWN[:9] if table == "clean.present" else SHOWN
    shown = []
    for row in lab.rows(table, *names):
        ends = [str(value)[:10] if hasattr(value, "year") else value for value in row[9:11]]
        shown.append(repr((*row[:9], *ends, *row[11:])))
    return sorted(shown)


def same_as_model(lab: Lab, content: Content) -> None:
    for table, model in MODELS.items():
        assert held(lab, table) == sorted(repr(row) for row in model(content)), table


@pytest.mark.slow
@settings(max_examples=2, phases=[Phase.explicit, Phase.generate], derandomize=True,
          deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(seed=st.integers(min_value=0, max_value=2**32), keys=st.sampled_from([3, 9]))
def test_any_order_grouping_and_repetition_of_windows_gives_the_same_versions(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int, keys: int
) -> None:
    lab = Lab(spark, tmp_path_factory.mktemp("history"), TABLES)
    come_in_any_order(lab, random.Random(seed), keys, same_as_model)


CUSTOMERS = ("id", "town", "at")
TOWNS: dict[str, dict[str, Any]] = {
    "ingested.customers": {
        "source": {"files": "customers/{window}/*.csv"},
        "columns": {"id": "int", "town": "string", "at": "timestamp"},
    },
    "clean.customers": {
        "reads": "ingested.customers", "key": ["id"], "latest_by": ["at"], "write": "history",
    },
}  # fmt: skip


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    """Customers' towns as events."""
    return Lab(spark, tmp_path, TOWNS)


def come(lab: Lab, day: int, *rows: tuple[int, str, int]) -> Any:
    """A file of a day: the id, the town, and the day in January on which it was so."""
    told = [(number, town, f"2026-01-{at:02d} 00:00:00") for number, town, at in rows]
    lab.file(f"customers/2026-01-{day:02d}/a.csv", CUSTOMERS, told)
    return fine(lab.run())


def towns(lab: Lab) -> list[tuple[str, int, int | None]]:
    rows = lab.rows("clean.customers", "town", "valid_from", "valid_to", "is_current")
    assert all(current == (end is None) for _, _, end, current in rows)
    return sorted(
        ((town, begin.day, end.day if end else None) for town, begin, end, _ in rows),
        key=lambda row: row[1],
    )


def test_a_late_event_parts_what_looked_like_one_version(lab: Lab) -> None:
    come(lab, 1, (1, "Oslo", 1))
    come(lab, 3, (1, "Oslo", 3))
    assert towns(lab) == [("Oslo", 1, None)]
    come(lab, 4, (1, "Bergen", 2))
    assert towns(lab) == [("Oslo", 1, 2), ("Bergen", 2, 3), ("Oslo", 3, None)]
    for day, town in ((1, "Oslo"), (2, "Bergen"), (3, "Oslo"), (9, "Oslo")):
        held = lab.app().table("clean.customers", as_of=f"2026-01-{day:02d}")
        assert [row["town"] for row in held.collect()] == [town]


def test_events_of_one_key_in_one_window_are_all_kept(lab: Lab) -> None:
    result = come(lab, 5, (1, "Oslo", 1), (1, "Bergen", 2), (1, "Hamar", 2))
    assert towns(lab) == [("Oslo", 1, 2), ("Hamar", 2, None)]
    # read, added, written, quarantined, deduplicated, filtered, withheld
    assert fates(result, "clean.customers") == {"2026-01-05": (3, 0, 2, 0, 1, 0, 0)}


def test_an_undone_window_takes_its_versions_along(lab: Lab) -> None:
    come(lab, 1, (1, "Oslo", 1))
    come(lab, 2, (1, "Bergen", 2))
    lab.app().undo("clean.customers", "2026-01-02")
    assert towns(lab) == [("Oslo", 1, None)]


def test_a_column_with_the_name_of_its_own_is_refused(lab: Lab) -> None:
    tables = dict(lab.tables)
    tables["ingested.customers"] = {
        **tables["ingested.customers"],
        "on_change": {"new_column": "add"},
    }
    lab.file(
        "customers/2026-01-01/a.csv",
        (*CUSTOMERS, "Is_Current"),
        [(1, "Oslo", "2026-01-01 00:00:00", "yes")],
    )
    result = lab.having(tables).run()
    assert result.exit_code == 2
    assert "column 'is_current', which a history table makes itself" in str(result.runs)


def test_a_lookup_takes_what_held_then_and_else_what_holds_now(
    spark: SparkSession, tmp_path: Path
) -> None:
    here = {"table": "clean.customers", "on": "id", "take": ["town"]}
    orders = {"reads": "ingested.orders", "steps": [{"lookup": {**here, "as_of": "day"}}]}
    lab = Lab(
        spark,
        tmp_path,
        {
            **TOWNS,
            "ingested.orders": {
                "source": {"files": "orders/{window}/*.csv"},
                "columns": {"n": "int", "id": "int", "day": "date"},
            },
            "clean.orders": orders,
            "clean.now": {**orders, "steps": [{"lookup": here}]},
        },
    )  # fmt: skip
    when = [(n, 1, f"2026-01-{n:02d}") for n in (1, 2, 3, 4, 5)] + [
        (6, 2, "2026-01-09"),
        (7, 1, ""),
    ]
    lab.file("orders/2026-01-01/a.csv", ("n", "id", "day"), when)
    come(lab, 1, (1, "Oslo", 2), (1, "Bergen", 4))
    then = dict(lab.rows("clean.orders", "n", "town"))
    assert then == {1: None, 2: "Oslo", 3: "Oslo", 4: "Bergen", 5: "Bergen", 6: None, 7: None}
    now = dict(lab.rows("clean.now", "n", "town"))
    assert now == dict.fromkeys((1, 2, 3, 4, 5, 7), "Bergen") | {6: None}
