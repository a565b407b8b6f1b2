"""Whether another table has the keys of a row: one join for all rules that ask for the same.

The keys of the other table are taken once each and without nulls, so a join never adds rows and
a null finds nothing. A key that was found leaves a mark, which the rules read as a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.across import EXISTS_IN
from headgate.core.errors import Usage
from headgate.core.kinds import comparable, unlike
from headgate.core.spec import Rule
from headgate.quality.conditions import Arguments, RowRule, every
from headgate.quality.others import Others
from headgate.transforms.hidden import FOUND, column


def with_found(df: DataFrame, rules: Iterable[Rule], others: Others) -> DataFrame:
    """The rows with a mark for each key that another table has; `without_found` takes them off."""
    asked = {_mark(rule.arguments): rule for rule in rules if rule.expectation == EXISTS_IN}
    for mark, rule in asked.items():
        df = _joined(df, mark, rule, others[rule.other or ""].rows)
    return df


def without_found(df: DataFrame) -> DataFrame:
    """The rows once their rules are judged."""
    return df.select([column(name) for name in df.columns if not name.startswith(FOUND)])


def _joined(df: DataFrame, mark: str, rule: Rule, other: DataFrame) -> DataFrame:
    _refuse_unlike(df, rule, other)
    names = [f"{FOUND}key{place}" for place in range(len(rule.key))]
    keys = [column(there).alias(name) for there, name in zip(rule.key, names, strict=True)]
    # Named alike in every join: what several columns are held against is then read once.
    known = other.select(*keys).where(every(F.col(name).isNotNull() for name in names)).distinct()
    there = known.select("*", F.lit(True).alias(FOUND))
    pairs = zip(rule.columns, names, strict=True)
    same = every(column(here) == F.col(name) for here, name in pairs)
    kept = [column(name) for name in df.columns]
    return df.join(there, same, "left").select(*kept, F.col(FOUND).alias(mark))


def _mark(arguments: Arguments) -> str:
    """The column that tells whether a rule's key was found."""
    rule = Rule(expectation=EXISTS_IN, arguments=arguments)
    return f"{FOUND} {','.join(rule.columns)} {rule.other} {','.join(rule.key)}"


def _found(arguments: Arguments) -> Column:
    return F.coalesce(column(_mark(arguments)), F.lit(False))


def _whole(arguments: Arguments) -> Column:
    """Keys without a null in them: others are not judged."""
    return every(column(name).isNotNull() for name in arguments["column"])


def _refuse_unlike(df: DataFrame, rule: Rule, other: DataFrame) -> None:
    """Types that Spark would cast to each other, some of them in silence, others to an error."""
    for here, there in zip(rule.columns, rule.key, strict=True):
        for rows, name, of in ((df, here, ""), (other, there, f" of {rule.other}")):
            if name not in rows.columns:
                near = get_close_matches(name, rows.columns, 1)
                hint = f" (did you mean '{near[0]}'?)" if near else ""
                raise _refused(rule, f"unknown column '{name}'{of}{hint}")
        one, another = (
            rows.schema[name].dataType.simpleString() for rows, name in ((df, here), (other, there))
        )
        if not comparable(one, another):
            raise _refused(rule, unlike(here, one, f"{rule.other}.{there}", another))


def _refused(rule: Rule, what: str) -> Usage:
    return Usage(what, where=rule.place or rule.written, next="correct the rule, or a step")


EXISTENCE_RULES: Mapping[str, RowRule] = {EXISTS_IN: RowRule(_found, _whole)}
