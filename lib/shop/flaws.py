"""How often something is wrong, and with which records. None has two flaws: all can be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

ENOUGH = 20  # of fewer records a day none is rejected, or one flaw alone would close a gate
PLENTY = 100  # one in a hundred is what the rarer rejections come to


def share(total: int, rate: float, *, at_least: int = 0, of: int = ENOUGH) -> int:
    """How many of a day's records: a rate, and at least so many where there are enough.

    >>> share(1000, 0.01), share(150, 0.002, at_least=1), share(15, 0.5)
    (10, 1, 0)
    """
    return max(at_least, round(total * rate)) if total >= of else 0


def deal(random: Random, among: Sequence[int], wanted: Mapping[str, int]) -> dict[int, str]:
    """Give each flaw to as many of the numbers as are wanted; none gets two."""
    left = random.sample(among, len(among))
    dealt: dict[int, str] = {}
    for flaw, number in wanted.items():
        for _ in range(min(number, len(left))):
            dealt[left.pop()] = flaw
    return dealt
