"""What is usual for a number, told from its own past: level, season, trend, and how far it strays.

The middle of values all the way, so that a wild window neither moves the level nor hides the next
one. When the level changes for good, a few windows that agree make the new level the usual one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

WEEK = 7
LEVEL = 14  # windows that tell the level, at least
SETTLED = 3  # windows of one season that tell its effect; below that, both ways are usual
DECIDED = 4  # windows that agree settle on which level the table is
APART = 3.0  # spreads between two levels that are not the same
PRIOR_WEIGHT = 6.0  # how many windows the first guess of the spread is worth, at the start
EFFICIENCY = 0.8  # of the biweight scale: how many windows' worth each window tells
SEASONAL = 0.85  # a season is one where it leaves less than this share of the deviations
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Point:
    """One earlier window, on the scale in which values are compared."""

    value: float
    season: int = 0  # weekday, hour …
    noise: float = 0.0  # the deviation that its number of rows alone explains
    confirmed: bool = False  # a person said that this value is right: a new level may begin here
    dismissed: bool = False  # a person said that this value is no fault: others like it are none


@dataclass(frozen=True)
class Habit:
    """How the values are compared."""

    period: int = WEEK  # windows after which a season comes again; 1: there is none
    floor: float = 0.0  # the spread is never taken for less
    prior: float = 0.0  # the first guess of the spread, while there are few windows


@dataclass(frozen=True)
class Usual:
    """What a window should look like, from those before it."""

    centres: tuple[float, ...]  # one, or the levels of which either is usual
    spread: float
    freedom: float  # degrees of freedom of the spread
    windows: int

    def reach(self, odds: float) -> float:
        """How far from its centre a usual window may lie; beyond lies one in 1 / `odds`."""
        return self.spread * quantile(odds, self.freedom)

    def bounds(self, odds: float) -> tuple[float, float]:
        """The usual range."""
        reach = self.reach(odds)
        return min(self.centres) - reach, max(self.centres) + reach

    def chance(self, value: float) -> float:
        """How likely a usual window lies as far out as this value does."""
        low, high = min(self.centres), max(self.centres)
        away = max(low - value, value - high, 0.0)
        return tail(away / self.spread, self.freedom) if self.spread else float(away == 0)


def quantile(odds: float, freedom: float) -> float:
    """Student's t that is exceeded, on either side, with these odds (Wallace's approximation).

    >>> round(quantile(0.05, 1000), 2), round(quantile(0.001, 10), 1)
    (1.96, 4.6)
    """
    z = _NORMAL.inv_cdf(1 - odds / 2) * (8 * freedom + 3) / (8 * freedom + 1)
    return math.sqrt(freedom * math.expm1(min(z * z / freedom, 50.0)))


def tail(t: float, freedom: float) -> float:
    """The odds of a Student's t as great as this, on either side.

    >>> round(tail(quantile(0.01, 12), 12), 4)
    0.01
    """
    z = math.sqrt(freedom * math.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return math.erfc(z / math.sqrt(2))


def middle(values: Sequence[float]) -> float:
    """The mean of the middle half: as hard to move as a median, and half as noisy.

    >>> middle([1, 2, 3, 4, 5, 6, 7, 8000]), middle([1, 2, 90])
    (4.5, 2)
    """
    if len(values) < WEEK:
        return median(values)
    cut = -(-len(values) // 4)
    kept = sorted(values)[cut:-cut]
    return sum(kept) / len(kept)


def biweight(values: Sequence[float]) -> float:
    """A standard deviation to which values far out do not count.

    >>> round(biweight([9, 10, 11, 10, 9, 11, 10, 500]), 2)
    0.82
    """
    centre = median(values)
    away = median(abs(value - centre) for value in values)
    if not away:
        return 0.0
    near = [(v - centre, ((v - centre) / (9 * away)) ** 2) for v in values]
    near = [(d, u) for d, u in near if u < 1]
    above = sum(d * d * (1 - u) ** 4 for d, u in near)
    below = abs(sum((1 - u) * (1 - 5 * u) for d, u in near))
    return math.sqrt(len(values) * above) / below if below else 1.4826 * away


def usual(past: Sequence[Point], season: int, noise: float, habit: Habit) -> Usual:
    """What the next window, of this season and noise, should look like; `past` is oldest first."""
    parts = _parts(past)
    around = _around(past, parts, habit.period)
    effects, own = _effects(past, around, habit.period)
    seasonal = _is_seasonal(past, around, own)
    flat = [p.value - (effects[p.season] if seasonal else 0.0) for p in past]
    strays = _strays(past, parts, flat, own if seasonal else None, habit.period)
    spread, freedom = _spread(strays, habit)
    # A trend leaves the level behind; too little past would take its weekends for one.
    ahead = middle(strays) if len(strays) >= LEVEL else 0.0
    if abs(ahead) < 2 * spread / math.sqrt(max(len(strays), 1)):
        ahead = 0.0
    levels = [level + ahead for level in _levels(parts, flat, habit, spread)]
    effect = effects.get(season, 0.0)
    known = sum(p.season == season for p in past)
    if known < SETTLED:
        levels = [*levels, *(level + effect for level in levels)]
    elif seasonal:
        levels = [level + effect for level in levels]
    levels = [*levels, *(point.value for point in past if point.dismissed)]
    typical = median(p.noise for p in past)
    spread = math.hypot(spread, math.sqrt(max(noise**2 - typical**2, 0.0)))
    return Usual(tuple(levels), max(spread, habit.floor, noise), freedom, len(past))


def _parts(past: Sequence[Point]) -> list[int]:
    """For each window, how many confirmed changes came before it or with it."""
    parts, part = [], 0
    for point in past:
        part += point.confirmed
        parts.append(part)
    return parts


def _around(past: Sequence[Point], parts: Sequence[int], period: int) -> list[float]:
    """The level around each window: the median of one period, all of the same part."""
    span, found = max(period, WEEK), []
    for place, part in enumerate(parts):
        first = max(min(place - span // 2, len(past) - span), 0)
        near = range(first, min(first + span, len(past)))
        found.append(median(past[at].value for at in near if parts[at] == part))
    return found


def _effects(
    past: Sequence[Point], around: Sequence[float], period: int
) -> tuple[Mapping[int, float], list[float | None]]:
    """What each season adds to the level, and for each window what the *others* of its season say.

    A window that had a say in its own effect would look calmer than the next one will be.
    """
    if period == 1:
        return {p.season: 0.0 for p in past}, [None] * len(past)
    by: dict[int, list[int]] = {}
    for place, point in enumerate(past):
        by.setdefault(point.season, []).append(place)
    off = [point.value - level for point, level in zip(past, around, strict=True)]
    effects = {season: middle([off[at] for at in places]) for season, places in by.items()}
    own: list[float | None] = []
    for place, point in enumerate(past):
        others = [off[at] for at in by[point.season] if at != place]
        own.append(middle(others) if len(others) + 1 >= SETTLED else None)
    return effects, own


def _is_seasonal(
    past: Sequence[Point], around: Sequence[float], own: Sequence[float | None]
) -> bool:
    """Whether windows lie nearer to what their season says than to the level alone."""
    pairs = [
        (abs(point.value - level), abs(point.value - level - effect))
        for point, level, effect in zip(past, around, own, strict=True)
        if effect is not None
    ]
    plain, told = sum(one for one, _ in pairs), sum(two for _, two in pairs)
    return told < SEASONAL * plain


def _strays(
    past: Sequence[Point],
    parts: Sequence[int],
    flat: Sequence[float],
    own: Sequence[float | None] | None,
    period: int,
) -> list[float]:
    """How far each window lay from the level of those before it, as the next one will."""
    span, found = max(period, LEVEL), []
    for place, point in enumerate(past):
        before = [
            flat[at] for at in range(max(place - span, 0), place) if parts[at] == parts[place]
        ]
        effect = own[place] if own is not None else 0.0
        if len(before) >= DECIDED and effect is not None:
            found.append(point.value - effect - middle(before))
    return found


def _spread(strays: Sequence[float], habit: Habit) -> tuple[float, float]:
    """The spread and its degrees of freedom, leaning on the first guess while there is little."""
    told = max(EFFICIENCY * (len(strays) - 1), 0.0)
    seen = biweight(strays) if len(strays) > 2 else habit.prior
    guess = max(PRIOR_WEIGHT - told / 4, 1.0)
    spread = math.sqrt((guess * habit.prior**2 + told * seen**2) / (guess + told))
    return spread, guess + told


def _levels(
    parts: Sequence[int], flat: Sequence[float], habit: Habit, spread: float
) -> list[float]:
    """The level now; right after a confirmed change the one before it is usual still."""
    span, last = max(habit.period, LEVEL), parts[-1]
    since = [value for value, part in zip(flat, parts, strict=True) if part == last][-span:]
    level = middle(since)
    latest = since[-DECIDED:]
    if len(since) > DECIDED and _moved(latest, level, max(spread, habit.floor)):
        level = median(latest)
    before = [value for value, part in zip(flat, parts, strict=True) if part < last]
    return [level, middle(before[-span:])] if before and len(since) < DECIDED else [level]


def _moved(latest: Sequence[float], level: float, spread: float) -> bool:
    """Whether the last windows all lie on one side of the level, far out, and near each other."""
    away = [value - level for value in latest]
    far = min(map(abs, away)) > APART * spread and (max(away) < 0 or min(away) > 0)
    return far and max(away) - min(away) < 2 * APART * spread
