"""What table rules find on rows that lie still: as few passes over them as there are kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyspark.sql import DataFrame

from headgate.core.spec import Rule
from headgate.quality.distribution import STATISTICS, outside, statistics
from headgate.quality.order import ORDERED, in_order
from headgate.quality.schemas import SCHEMA_RULES, schema_found
from headgate.quality.uniqueness import needs_grouping, uniqueness

Found = dict[int, dict[str, Any]]


def needs_passes(rule: Rule) -> bool:
    """Whether a rule is judged by `found_by_passes`."""
    return needs_grouping(rule) or rule.expectation in (*STATISTICS, *ORDERED)


def on_schema(rule: Rule) -> bool:
    """Whether a rule is judged by `found_in_schema`."""
    return rule.expectation in SCHEMA_RULES


def found_in_schema(df: DataFrame, rules: Sequence[Rule]) -> Found:
    """What rules on the schema find; nothing is run."""
    found = {place: dict(schema_found(rule, df.schema)) for place, rule in enumerate(rules)}
    return {place: one for place, one in found.items() if one}


def found_by_passes(df: DataFrame, rules: Sequence[Rule], by: str) -> dict[str, Found]:
    """For each value of `by`, what the other rules find, by their place in `rules`.

    A value of `by` without rows is left out: read it as zeros.
    """
    found: dict[str, Found] = {}
    grouped = uniqueness(df, rules, by)
    for row in grouped.collect() if grouped is not None else ():
        found.setdefault(row[by], {})[row["rule"]] = row.asDict()
    _add(found, statistics(df, rules, by), by)
    _add(found, outside(df, rules, by, found), by)
    _add(found, in_order(df, rules, by), by)
    return found


def _add(found: dict[str, Found], df: DataFrame | None, by: str) -> None:
    for name, place, values in _structs(df, by):
        found.setdefault(name, {}).setdefault(place, {}).update(values)


def _structs(df: DataFrame | None, by: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for row in df.collect() if df is not None else ():
        for place in (name for name in df.columns if name.isdecimal()) if df is not None else ():
            yield row[by], int(place), row[place].asDict()
