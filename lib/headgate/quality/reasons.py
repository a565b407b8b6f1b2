"""Why a row is rejected: every critical row rule that it breaks, as a person wrote it."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.core.spec import Rule
from headgate.quality.compile import broken, row_rules
from headgate.quality.gate import is_waived

NONE_WAIVED: frozenset[str] = frozenset()
BETWEEN = "\x1f"  # ASCII's unit separator, which nobody writes into a rule


def rejecting(rules: Iterable[Rule], waived: frozenset[str] = NONE_WAIVED) -> tuple[Rule, ...]:
    """The rules whose broken rows leave: critical row rules that are not waived."""
    return tuple(
        rule
        for rule in row_rules(rules)
        if rule.severity == "critical" and not is_waived(rule, waived)
    )


def reason(rule: Rule) -> str:
    """A rule as it stands among the reasons of a row."""
    return rule.written.replace(BETWEEN, " ")


def reasons(rules: Iterable[Rule], waived: frozenset[str] = NONE_WAIVED) -> Column:
    """An array of the rules that the row breaks; empty where it breaks none, never NULL.

    Texts that are joined, and taken apart on rejected rows only: an array of NULLs that is then
    compacted costs five times as much for ten rules, as Spark interprets its lambda functions.
    """
    none = F.array().cast("array<string>")
    broke = [F.when(broken(rule), F.lit(reason(rule))) for rule in rejecting(rules, waived)]
    if not broke:
        return none
    joined = F.concat_ws(BETWEEN, *broke)
    return F.when(joined != "", F.split(joined, BETWEEN)).otherwise(none)
