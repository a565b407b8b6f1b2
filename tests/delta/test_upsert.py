"""A table written by key is a function of the set of rows in its published windows: in no order,
in any number of steps, with corrections and repetitions. Held against a model in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from builders import Lab
from events import COLUMNS, GOOD, INGESTED, Content, Row, candidates, come_in_any_order, ordered

pytestmark = pytest.mark.slow

SHOWN = (*COLUMNS, "_window", "_file", "_row")
KEYED = {
    "reads": "ingested.events", "key": ["k", "s"], "quality": [GOOD], "max_rejected": "100%",
}  # fmt: skip
TABLES: dict[str, dict[str, Any]] = {
    "ingested.events": INGESTED,
    "clean.latest": {**KEYED, "latest_by": ["at"], "write": "upsert"},
    "clean.alive": {**KEYED, "latest_by": ["at"], "write": "upsert", "deletes": "op = 'gone'"},
    "clean.untimed": {**KEYED, "write": "upsert", "deletes": "op = 'gone'"},
    "clean.days": {**KEYED, "latest_by": ["at"], "write": "replace"},
}


def winners(content: Content, *, latest: bool, deletes: bool, apart: bool = False) -> list[Row]:
    """What the table should hold."""
    best: dict[Any, tuple[Any, Row]] = {}
    for row in candidates(content, deletes):
        key = (row[0], row[1], row[6] if apart else None)
        gone = deletes and row[5] == "gone"
        rest = [value for name, value in zip(COLUMNS, row, strict=False) if name != "at"]
        if not latest:
            rest = list(row[:6])
        rank = (
            ordered(row[2]) if latest else (),
            gone,
            [ordered(value) for value in rest],
            [-ord(letter) for letter in row[6]],
            -row[8],
        )
        if key not in best or rank > best[key][0]:
            best[key] = (rank, row)
    return [row for _, row in best.values() if not (deletes and row[5] == "gone")]


MODELS: dict[str, Callable[[Content], list[Row]]] = {
    "clean.latest": lambda content: winners(content, latest=True, deletes=False),
    "clean.alive": lambda content: winners(content, latest=True, deletes=True),
    "clean.untimed": lambda content: winners(content, latest=False, deletes=True),
    "clean.days": lambda content: winners(content, latest=True, deletes=False, apart=True),
}


def held(lab: Lab, table: str) -> list[str]:
    if not (lab.lake / table.replace(".", "/")).exists():
        return []
    return sorted(repr(row) for row in lab.rows(table, *SHOWN))


def same_as_model(lab: Lab, content: Content) -> None:
    for table, model in MODELS.items():
        assert held(lab, table) == sorted(repr(row) for row in model(content)), table


@settings(max_examples=2, phases=[Phase.explicit, Phase.generate], derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(seed=st.integers(min_value=0, max_value=2**32), keys=st.sampled_from([3, 9]))
def test_any_order_grouping_and_repetition_of_windows_gives_the_same_tables(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int, keys: int
) -> None:
    lab = Lab(spark, tmp_path_factory.mktemp("upsert"), TABLES)
    come_in_any_order(lab, random.Random(seed), keys, same_as_model)
