"""Why a row is rejected: every critical row rule that it breaks, as a person wrote it."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.core.spec import Rule
from headgate.quality.compile import broken, row_rules
from headgate.quality.gate import is_waived

NONE_WAIVED: frozenset[str] = frozenset()


def rejecting(rules: Iterable[Rule], waived: frozenset[str] = NONE_WAIVED) -> tuple[Rule, ...]:
    """The rules whose broken rows leave: critical row rules that are not waived."""
    return tuple(
        rule
        for rule in row_rules(rules)
        if rule.severity == "critical" and not is_waived(rule, waived)
    )


def reasons(rules: Iterable[Rule], waived: frozenset[str] = NONE_WAIVED) -> Column:
    """An array of the rules that the row breaks; empty where it breaks none, never NULL.

    `array_compact` is a higher-order function, which Spark interprets: a hundred rules make no
    generated method that the JVM refuses to compile.
    """
    broke = [F.when(broken(rule), F.lit(rule.written)) for rule in rejecting(rules, waived)]
    if not broke:
        return F.array().cast("array<string>")
    return F.array_compact(F.array(*broke))
