"""What rules find in other tables: their totals for each slice, and how old they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import Column

from headgate.core.across import TOTALS
from headgate.core.spec import Rule
from headgate.quality.measures import measures
from headgate.quality.others import Others

_ROWS = Rule(expectation="expect_table_row_count_to_equal")
_SUM = "expect_column_sum_to_be_between"


def found_elsewhere(
    rules: Sequence[Rule], others: Others, slices: Sequence[str]
) -> Iterator[tuple[str, int, Any]]:
    """For each slice, by its text, and each rule on totals, what the other table has.

    One query for all rules that name one table. A slice without rows there is left out.
    """
    asked: dict[str, list[int]] = {}
    for place, rule in enumerate(rules):
        if rule.expectation in TOTALS:
            asked.setdefault(rule.other or "", []).append(place)
    for name, places in asked.items():
        other = others[name]
        assert other.slice_of is not None  # the reader of conf/ has refused others
        totals = [_total(rules[place]).alias(f"total{place}") for place in places]
        groups = other.rows.where(other.slice_of.isin(list(slices)))
        for row in groups.groupBy(other.slice_of.alias("slice")).agg(*totals).collect():
            yield from ((row["slice"], place, row[f"total{place}"]) for place in places)


def _total(rule: Rule) -> Column:
    """A sum where the rule names a column there, else the number of rows."""
    if not rule.key:
        return measures(_ROWS)["observed"].cast("double")
    return measures(Rule(expectation=_SUM, arguments={"column": rule.key[0]}))["observed"]


def age(rule: Rule, others: Others, end: datetime) -> float | None:
    """How many hours before a slice's end the other table's last one ended; None: it has none."""
    until = others[rule.other or ""].until
    return None if until is None else max((end - until).total_seconds() / 3600, 0.0)
