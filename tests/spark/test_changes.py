"""Rows of two sides are matched one to one, whatever they are known by."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.transforms.changes import compared, differences

ROWS = st.lists(
    st.tuples(st.sampled_from([None, "a", "b"]), st.sampled_from([None, 1, 2])), max_size=6
)


def found(before: DataFrame, after: DataFrame, *by: str) -> dict[str, int]:
    rows = differences(before, after, by).groupBy("what").count().collect()
    return {row["what"]: row["count"] for row in rows}


@settings(max_examples=10)
@given(ROWS, ROWS)
def test_without_a_key_rows_are_a_multiset(
    spark: SparkSession, old: list[tuple[Any, ...]], new: list[tuple[Any, ...]]
) -> None:
    before, after = (spark.createDataFrame(rows, "k string, v int") for rows in (old, new))
    gone, more = Counter(old) - Counter(new), Counter(new) - Counter(old)
    expected = {"gone": gone.total(), "new": more.total()}
    assert found(before, after) == {name: count for name, count in expected.items() if count}


def test_rows_of_one_key_are_compared_by_column_and_null_is_a_value(spark: SparkSession) -> None:
    before = spark.sql(
        "SELECT * FROM VALUES (1, 'x', 1.50, map('a', 1)), (2, null, 2, null), (3, 'z', 3, null),"
        " (null, 'n', 4, null) AS t(id, text, price, more)"
    )
    after = spark.sql(
        "SELECT * FROM VALUES (null, 'n', 4.0, null, 0), (1L, 'x', 1.5, map('a', 2), 0),"
        " (2, 'y', 2.0, null, 0), (4, 'w', 3, null, 0) AS t(id, text, price, more, added)"
    )
    assert found(before, after, "id") == {"changed": 2, "gone": 1, "new": 1}
    names = compared(before, after)
    assert names == ["id", "text", "price", "more"]
    flags = [F.count_if(f"differs{place}").alias(name) for place, name in enumerate(names)]
    assert differences(before, after, ["id"]).agg(*flags).collect()[0].asDict() == {
        "id": 0, "text": 1, "price": 0, "more": 1,
    }  # fmt: skip


def test_a_column_of_another_type_is_held_against_as_text(spark: SparkSession) -> None:
    before = spark.sql("SELECT * FROM VALUES (1, '7'), (2, 'eight') AS t(id, amount)")
    after = spark.sql("SELECT * FROM VALUES (1, 7), (2, 8) AS t(id, amount)")
    assert found(before, after, "id") == {"changed": 1}
    assert found(before.drop("id"), after.select("id")) == {"gone": 2, "new": 2}
