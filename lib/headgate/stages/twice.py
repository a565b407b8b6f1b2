"""A Python step run a second time on the same rows, to see whether it gives the same."""

from __future__ import annotations

from collections import Counter

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import StepFailed
from headgate.core.steps import Python
from headgate.transforms.hidden import AS_JSON, column
from headgate.transforms.steps import Around, applied

SAMPLE = 200  # rows


def the_same_twice(step: Python, df: DataFrame, around: Around) -> DataFrame:
    """Stop a step that makes others of the same rows, when they come again in another order.

    The sample is brought over: Spark would read it anew for each run, and might take other rows.
    """
    rows = df.limit(SAMPLE).collect()
    session = df.sparkSession
    once = applied(step, session.createDataFrame(rows, df.schema), around)
    again = applied(step, session.createDataFrame(rows[::-1], df.schema).repartition(2), around)
    one, other = _content(once), _content(again)
    differ = max((one - other).total(), (other - one).total())
    if differ:
        raise StepFailed(
            f"step {step.function} is not deterministic: run twice on the same {len(rows):,} rows, "
            f"{differ:,} of {max(one.total(), other.total()):,} came out otherwise",
            where=step.place,
            next="make its result depend on the rows alone: no rand, no clock, no LIMIT, and an "
            "order that decides between any two rows",
        )
    return df


def _content(df: DataFrame) -> Counter[str]:
    whole = F.to_json(F.struct(*[column(name) for name in df.columns]), AS_JSON)
    return Counter(row[0] for row in df.select(whole).collect())
