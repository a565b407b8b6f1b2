"""Rules as columns: which rows a rule judges, and which of them break it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.core.spec import Rule
from headgate.quality.conditions import COLUMN_RULES, all_rows
from headgate.quality.existence import EXISTENCE_RULES
from headgate.quality.several import COLUMNS_RULES
from headgate.quality.texts import TEXT_RULES

ROW_RULES = {**COLUMN_RULES, **TEXT_RULES, **COLUMNS_RULES, **EXISTENCE_RULES}


def is_row_rule(rule: Rule) -> bool:
    """Whether a rule judges each row by itself."""
    return rule.expectation == "row" or rule.expectation in ROW_RULES


def row_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Those that judge each row by itself."""
    return tuple(rule for rule in rules if is_row_rule(rule))


def table_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Those that judge the rows as a whole."""
    return tuple(rule for rule in rules if not is_row_rule(rule))


def missing_columns(rule: Rule, columns: Collection[str]) -> tuple[str, ...]:
    """The columns that a rule names and that are not there."""
    return tuple(name for name in rule.columns if name not in columns)


def considered(rule: Rule) -> Column | None:
    """The rows that `row_condition` leaves in, never NULL; None where all are."""
    if rule.row_condition is None:
        return None
    return F.coalesce(F.expr(rule.row_condition), F.lit(False))


def judged(rule: Rule) -> Column:
    """Whether a row counts in the rule's denominator; never NULL."""
    entry = ROW_RULES.get(rule.expectation)
    counted = (entry.counted if entry else all_rows)(rule.arguments)
    asked = considered(rule)
    return counted if asked is None else F.when(asked, counted).otherwise(F.lit(False))


def broken(rule: Rule) -> Column:
    """Whether a row breaks the rule; never NULL.

    NULL passes an expectation, as in great-expectations, and breaks a `row:` condition.
    """
    if rule.expectation == "row":
        breaks = ~F.coalesce(F.expr(rule.arguments["condition"]), F.lit(False))
    else:
        expected = ROW_RULES[rule.expectation].expected(rule.arguments)
        breaks = F.coalesce(~expected, F.lit(False))
    # CASE, not AND: a row that is not judged must not evaluate a condition that may raise on it.
    return F.when(judged(rule), breaks).otherwise(F.lit(False))
