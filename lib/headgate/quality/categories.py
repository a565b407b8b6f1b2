"""Shares of categories against those of earlier windows. Categories are numbers of buckets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

Counts = Mapping[str, float]
FEW = 50  # categories: a column with more of them is no list of categories
TRAIL = 14  # windows that a window's shares are held against
NEW_SHARE, NEW_ROWS = 0.01, 10  # what a value has to reach to be news
GONE_SHARE, GONE_ROWS = 0.02, 20  # what would be expected of a value that is gone


def shares(counts: Counts) -> dict[str, float]:
    """Counts as shares.

    >>> shares({"3": 1, "9": 3})
    {'3': 0.25, '9': 0.75}
    """
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else {}


def expected(past: Sequence[Counts]) -> dict[str, float]:
    """The shares of a usual window: of each category the median."""
    known = [shares(counts) for counts in past]
    names = {name for one in known for name in one}
    middle = {name: median(one.get(name, 0.0) for one in known) for name in names}
    return shares({name: share for name, share in middle.items() if share})


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The Jensen-Shannon distance of two sets of shares: 0 where they are equal, 1 at most.

    >>> distance({"a": 1.0}, {"a": 1.0}), distance({"a": 1.0}, {"b": 1.0})
    (0.0, 1.0)
    """
    divergence = 0.0
    for name in {*one, *other}:
        p, q = one.get(name, 0.0), other.get(name, 0.0)
        middle = (p + q) / 2
        divergence += sum(x * math.log2(x / middle) for x in (p, q) if x) / 2
    return math.sqrt(max(divergence, 0.0))


def by_chance(categories: int, rows: float) -> float:
    """The distance that shares of so few rows have by chance.

    >>> round(by_chance(5, 1000), 3)
    0.027
    """
    return math.sqrt(max(categories - 1, 0) / (8 * math.log(2) * max(rows, 1.0)))


def new_share(now: Counts, past: Sequence[Counts]) -> float:
    """The share of rows whose category no earlier window had, where it is worth a word.

    >>> new_share({"a": 80, "b": 20}, [{"a": 100}]), new_share({"a": 80, "b": 2}, [{"a": 100}])
    (0.2, 0.0)
    """
    known = {name for counts in past for name, count in counts.items() if count}
    total = sum(now.values())
    rows = sum(
        count for name, count in now.items()
        if name not in known and count >= max(NEW_ROWS, NEW_SHARE * total)
    )  # fmt: skip
    return rows / total if total else 0.0


def gone_share(now: Counts, past: Sequence[Counts]) -> float:
    """The usual share of categories that every late window had and this one has not.

    >>> gone_share({"a": 100}, [{"a": 80, "b": 20}] * 7)
    0.2
    """
    usual, total = expected(past), sum(now.values())
    return sum(
        share for name, share in usual.items()
        if not now.get(name) and share >= GONE_SHARE and share * total >= GONE_ROWS
        and all(counts.get(name) for counts in past)
    )  # fmt: skip
