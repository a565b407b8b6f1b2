"""Foreign keys on rows of any kind: judged as a few lines of Python judge them, and one join."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.across import EXISTS_IN
from headgate.core.spec import Rule
from headgate.quality.compile import broken, judged
from headgate.quality.existence import with_found, without_found
from headgate.quality.others import Other
from headgate.storage.records import literal_rows

FEW = st.one_of(st.none(), st.integers(1, 4))
ROWS = st.lists(st.tuples(FEW, st.one_of(st.none(), st.sampled_from("AB")), FEW), max_size=12)
KEYS = st.lists(st.tuples(FEW, st.one_of(st.none(), st.sampled_from("AB"))), max_size=8)


def rule(column: tuple[str, ...], key: tuple[str, ...] = (), **more: Any) -> Rule:
    arguments = {"column": column, "table": "clean.b", **({"key": key} if key else {})}
    return Rule(expectation=EXISTS_IN, arguments=arguments, **more)


RULES = (
    rule(("a",)),
    rule(("a",), row_condition="c > 1"),
    rule(("c",), key=("a",)),
    rule(("a", "b")),
    rule(("b", "c"), key=("b", "a")),
)


def frames(spark: SparkSession, rows: Any, keys: Any) -> tuple[DataFrame, dict[str, Other]]:
    left = [{"id": n, "a": a, "b": b, "c": c} for n, (a, b, c) in enumerate(rows)]
    right = [{"a": a, "b": b, "more": n} for n, (a, b) in enumerate(keys)]
    other = literal_rows(spark, right, "a int, b string, more int")
    return literal_rows(spark, left, "id int, a bigint, b string, c bigint"), {
        "clean.b": Other(other)
    }


def by_hand(rows: Any, keys: Any, one: Rule) -> list[tuple[bool, bool]]:
    """Whether each row is judged, and whether it breaks the rule."""
    places = {"a": 0, "b": 1, "c": 2}
    there = {tuple(key[places[name]] for name in one.key) for key in keys}
    told = []
    for row in rows:
        mine = tuple(row[places[name]] for name in one.columns)
        asked = one.row_condition is None or (row[2] is not None and row[2] > 1)
        counts = asked and None not in mine
        told.append((counts, counts and mine not in there))
    return told


@given(rows=ROWS, keys=KEYS)
@settings(max_examples=12)
def test_keys_are_found_as_by_hand(spark: SparkSession, rows: Any, keys: Any) -> None:
    left, others = frames(spark, rows, keys)
    found = with_found(left, RULES, others)
    told = [F.array(judged(one), broken(one)).alias(f"r{n}") for n, one in enumerate(RULES)]
    seen = without_found(found.select("*", *told)).orderBy("id").collect()
    assert [row["id"] for row in seen] == list(range(len(rows)))  # each row once
    for n, one in enumerate(RULES):
        assert [tuple(row[f"r{n}"]) for row in seen] == by_hand(rows, keys, one)


def test_rules_that_ask_for_the_same_share_a_join(spark: SparkSession) -> None:
    left, others = frames(spark, [(1, "A", 2)], [(1, "A")])
    joined = with_found(left, (RULES[0], RULES[1], rule(("a",), severity="info")), others)
    plan = joined._jdf.queryExecution().optimizedPlan().toString()
    assert plan.count("Join LeftOuter") == 1
    # Several columns held against one key: the other table is read once.
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    try:
        twice = with_found(left, (RULES[0], RULES[2]), others)
        plan = twice._jdf.queryExecution().executedPlan().toString()
    finally:
        spark.conf.unset("spark.sql.adaptive.enabled")
    assert "ReusedExchange" in plan
