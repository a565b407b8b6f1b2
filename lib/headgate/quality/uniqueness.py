"""Rules on repeated and distinct values: one grouped pass for all rules over one set of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.spec import Rule
from headgate.quality.compile import considered
from headgate.quality.conditions import every, member, same, some
from headgate.quality.several import list_counted
from headgate.transforms.hidden import column

UNIQUE = "expect_column_values_to_be_unique"
COMPOUND = "expect_compound_columns_to_be_unique"
DISTINCT = "expect_column_unique_value_count_to_be_between"
PROPORTION = "expect_column_proportion_of_unique_values_to_be_between"
IN_SET = "expect_column_distinct_values_to_be_in_set"
CONTAIN_SET = "expect_column_distinct_values_to_contain_set"
EQUAL_SET = "expect_column_distinct_values_to_equal_set"
MOST_COMMON = "expect_column_most_common_value_to_be_in_set"
DIVERGENCE = "expect_column_kl_divergence_to_be_less_than"
SETS = (IN_SET, CONTAIN_SET, EQUAL_SET, MOST_COMMON)
GROUPED = (UNIQUE, COMPOUND, DISTINCT, PROPORTION, *SETS, DIVERGENCE)
COLUMNS = ("rule", "unexpected", "total", "distinct", "found", "counts")
Key = tuple[tuple[str, ...], str | None]


def needs_grouping(rule: Rule) -> bool:
    """Whether a rule is judged by `uniqueness`."""
    if rule.expectation == DIVERGENCE:
        return "values" in rule.arguments.get("partition_object", {"values": ()})
    return rule.expectation in GROUPED


def uniqueness(df: DataFrame, rules: Sequence[Rule], by: str = "_window") -> DataFrame | None:
    """One row for each value of `by` and grouped rule, which is named by its place in `rules`.

    `total` counts the rows judged (not null), `distinct` their different values (or those that are
    most common). `unexpected` counts the rows of groups of two and more, or the values that a set
    does not have; `found` those that it has. `counts`: rows of each expected value, as JSON, with
    the sum of n * ln(n) over all other values at its end. A value of `by` without rows gives no
    row: read it as zeros. None where no rule needs it. Nothing is run.
    """
    keyed: dict[Key, list[int]] = {}
    for place, rule in enumerate(rules):
        if needs_grouping(rule):
            keyed.setdefault(_key(rule), []).append(place)
    passes = [_one_pass(df, rules, places, keys, by) for (keys, _), places in _shared(keyed)]
    return reduce(DataFrame.unionByName, passes) if passes else None


def _key(rule: Rule) -> Key:
    # Order does not matter to equality: (a, b) and (b, a) share their pass.
    keys = tuple(sorted(set(rule.columns)))
    # How often the most common value comes depends on the rows asked about.
    return keys, rule.row_condition or "" if rule.expectation == MOST_COMMON else None


def _shared(keyed: Mapping[Key, list[int]]) -> Iterator[tuple[Key, list[int]]]:
    """The passes: rules without a condition of their own join one over the same columns."""
    plain = {keys: places for (keys, own), places in keyed.items() if own is None}
    for key, places in keyed.items():
        if key[1] is not None:
            yield key, sorted([*plain.pop(key[0], []), *places])
    yield from (((keys, None), places) for keys, places in plain.items())


def _counted(rule: Rule) -> Column:
    if rule.expectation == COMPOUND:
        there = list_counted(rule.arguments)
    else:
        there = column(rule.arguments["column"]).isNotNull()
    asked = considered(rule)
    return there if asked is None else every((asked, there))


def _one_pass(
    df: DataFrame, rules: Sequence[Rule], places: list[int], keys: tuple[str, ...], by: str
) -> DataFrame:
    counts = [
        F.count(F.when(_counted(rules[place]), F.lit(1))).alias(f"n{place}") for place in places
    ]
    # groupBy holds null equal to null, NaN to NaN and -0.0 to 0.0, as a window's partition does.
    # The keys get names of their own: one of them may be `by` itself, or be called like a count.
    named = [column(key).alias(f"key{at}") for at, key in enumerate(keys)]
    groups = df.groupBy(column(by).alias("by"), *named).agg(*counts)
    common = [place for place in places if rules[place].expectation == MOST_COMMON]
    # Values that come equally often are added up first: then the highest number tells all.
    often = [F.col(f"n{common[0]}").alias("often")] if common else []
    sums = {place: _sums(rules[place], place) for place in places}
    tallied = groups.groupBy("by", *often).agg(
        *(value.alias(f"{name}{place}") for place in places for name, value in sums[place].items())
    )
    if common:
        tallied = tallied.groupBy("by").agg(
            *(
                (F.max_by(one, "often") if place in common else F.sum(one)).alias(one)
                for place in places
                for one in (f"{name}{place}" for name in sums[place])
            )
        )
    totals = F.explode(F.array(*(_struct(place, sums[place]) for place in places)))
    row = tallied.select(F.col("by").alias(by), totals.alias("one"))
    return row.select(column(by), *(F.col(f"one.{name}") for name in COLUMNS))


def _sums(rule: Rule, place: int) -> dict[str, Column]:
    """What is added up over the groups for one rule."""
    count = F.col(f"n{place}")
    there = count > 0
    made = {"total": F.sum(count), "distinct": F.count_if(there)}
    if rule.expectation in SETS:
        listed = member("key0", list(rule.arguments["value_set"] or ()))
        return {
            **made,
            "unexpected": F.count_if(there & ~listed),
            "found": F.count_if(there & listed),
        }
    if rule.expectation == DIVERGENCE:
        expected = rule.arguments["partition_object"]["values"]
        other = there & ~some(same("key0", value) for value in expected)
        logs = F.sum(F.when(other, count * F.ln(F.greatest(count, F.lit(1)))).otherwise(0.0))
        named = {
            f"count{at}_": F.sum(F.when(same("key0", value), count).otherwise(0))
            for at, value in enumerate(expected)
        }
        return {**made, "unexpected": F.count_if(other), **named, "logs": logs}
    return {**made, "unexpected": F.sum(F.when(count > 1, count).otherwise(0))}


def _struct(place: int, sums: Mapping[str, Column]) -> Column:
    def long(name: str) -> Column:
        value = F.col(f"{name}{place}") if name in sums else F.lit(None)
        return value.cast("bigint").alias(name)

    counts = [F.col(f"{name}{place}").cast("double") for name in sums if name.startswith("count")]
    if counts:
        counts.append(F.col(f"logs{place}"))
    text = F.to_json(F.array(*counts)) if counts else F.lit(None).cast("string")
    plain = [long(name) for name in COLUMNS[1:-1]]
    return F.struct(F.lit(place).alias("rule"), *plain, text.alias("counts"))
