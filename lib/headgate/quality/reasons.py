"""Which row rules a row breaks, as bits, and why it is rejected, as a person wrote it.

A bit costs what a comparison costs, and eight bytes for sixty rules cross a shuffle; the texts are
made for rejected rows only.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.core.labels import is_waived
from headgate.core.spec import Rule
from headgate.quality.compile import broken, is_row_rule, row_rules
from headgate.transforms.hidden import BROKEN, REASONS, column
from headgate.transforms.reasons import joined, reasons_of

NONE_WAIVED: frozenset[str] = frozenset()
BITS = 60  # of a bigint


def rejecting(rules: Iterable[Rule], waived: frozenset[str] = NONE_WAIVED) -> tuple[Rule, ...]:
    """The rules whose broken rows leave: critical row rules that are not waived."""
    return tuple(rule for rule in row_rules(rules) if _rejects(rule, waived))


def _rejects(rule: Rule, waived: frozenset[str]) -> bool:
    return rule.severity == "critical" and not is_waived(rule, waived)


@dataclass(frozen=True)
class Mark:
    """One row rule as a bit of a mask."""

    place: int  # in the table's rules
    rule: Rule
    mask: str
    bit: int
    rejects: bool

    @property
    def breaks(self) -> Column:
        """Whether a row that carries the masks breaks the rule."""
        return column(self.mask).bitwiseAND(F.lit(self.bit).cast("long")) != 0


def marks(rules: Sequence[Rule], waived: frozenset[str] = NONE_WAIVED) -> tuple[Mark, ...]:
    """A bit for each row rule."""
    places = [place for place, rule in enumerate(rules) if is_row_rule(rule)]
    return tuple(
        Mark(
            place,
            rules[place],
            f"{BROKEN}{at // BITS}",
            1 << at % BITS,
            _rejects(rules[place], waived),
        )
        for at, place in enumerate(places)
    )


def masks(given: Sequence[Mark]) -> dict[str, Column]:
    """The masks of a row, by the names of their columns; never NULL."""
    bits: dict[str, list[Column]] = {}
    for mark in given:
        zero, bit = F.lit(0).cast("long"), F.lit(mark.bit).cast("long")
        bits.setdefault(mark.mask, []).append(F.when(broken(mark.rule), bit).otherwise(zero))
    return {name: _all_bits(some) for name, some in bits.items()}


def _all_bits(bits: Sequence[Column]) -> Column:
    """All in one, as a balanced tree: a chain of sixty is too deep for some of Spark's passes."""
    if len(bits) == 1:
        return bits[0]
    half = len(bits) // 2
    return _all_bits(bits[:half]).bitwiseOR(_all_bits(bits[half:]))


def rejected(given: Sequence[Mark], columns: Iterable[str]) -> Column:
    """Whether a row that carries the masks leaves, for a rule or for what a step found."""
    wanted: Mapping[str, int] = _rejecting_bits(given)
    tests = [column(REASONS).isNotNull()] if REASONS in columns else []
    tests += [
        column(name).bitwiseAND(F.lit(bits).cast("long")) != 0 for name, bits in wanted.items()
    ]
    return reduce(operator.or_, tests) if tests else F.lit(False)


def _rejecting_bits(given: Sequence[Mark]) -> dict[str, int]:
    found: dict[str, int] = {}
    for mark in given:
        if mark.rejects:
            found[mark.mask] = found.get(mark.mask, 0) | mark.bit
    return found


def reasons(given: Sequence[Mark], columns: Iterable[str]) -> Column:
    """Everything against a row that carries the masks; null where nothing is."""
    now = reasons_of([(mark.breaks, mark.rule.written) for mark in given if mark.rejects])
    return joined(column(REASONS), now) if REASONS in columns else now
