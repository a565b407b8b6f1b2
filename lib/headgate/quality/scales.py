"""How each metric is compared with its past: on which scale, with how much noise, how finely."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from headgate.quality.history_stats import Habit, Point, usual

Turn = Callable[[float], float]


@dataclass(frozen=True)
class Scale:
    """One way to compare numbers; deviations below `least` never count."""

    to: Turn
    back: Turn
    habit: Habit
    least: float = 0.0  # in the metric's own unit: an absolute floor, for small tables
    least_rows: float = 0.0  # the same of a share, as a number of rows
    upwards: bool = False  # only more than usual is out of line
    counts: bool = False  # the number of rows itself: it does not excuse itself


@dataclass(frozen=True)
class Seen:
    """A metric of one earlier window."""

    value: float
    rows: float
    season: int = 0
    spread: float | None = None  # the standard deviation of the rows' own values
    confirmed: bool = False
    dismissed: bool = False


@dataclass(frozen=True)
class Range:
    """The usual range of a metric, and how likely a usual window lies as far out as this one."""

    low: float
    high: float
    chance: float
    windows: int

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def _share_back(y: float) -> float:
    return math.sin(min(max(y, 0.0), math.pi / 2)) ** 2


def _unlog(y: float) -> float:
    return math.expm1(min(max(y, 0.0), 700.0))


COUNT = Scale(math.log1p, _unlog, Habit(floor=0.025, prior=0.1), least=10, counts=True)
SHARE = Scale(
    lambda p: math.asin(math.sqrt(min(max(p, 0.0), 1.0))), _share_back,
    Habit(floor=0.005, prior=0.02), least=0.005, least_rows=5,
)  # fmt: skip
HOURS = Scale(lambda v: v, lambda y: y, Habit(floor=0.1, prior=0.5), least=1, upwards=True)
BYTES = Scale(math.log1p, _unlog, Habit(floor=0.05, prior=0.1), least=1000)
# A busy machine doubles a run now and then; what counts is a run that is several times as long.
SECONDS = Scale(math.log1p, _unlog, Habit(floor=0.25, prior=0.4), least=20, upwards=True)
DISTANCE = Scale(
    lambda v: v, lambda y: y, Habit(floor=0.015, prior=0.03), least=0.05, upwards=True
)  # fmt: skip


def numbers(past: Sequence[Seen], value: float) -> Scale:
    """The scale of a mean or a quantile: of ratios where all of its past lies above 0."""
    values = [one.value for one in past]
    if min(values) > 0 and value > 0 and max(values) < 1e6 * min(values):
        return Scale(
            math.log, lambda y: math.exp(min(y, 700.0)), Habit(floor=0.01, prior=0.1)
        )  # fmt: skip
    spreads = [one.spread for one in past if one.spread]
    unit = median(spreads) if spreads else median(abs(v) for v in values)
    unit = unit or max(map(abs, values)) or 1.0
    floor = 0.02 if spreads else 0.05
    return Scale(lambda v: v / unit, lambda y: y * unit, Habit(floor=floor, prior=0.1))


def runs_on(past: Sequence[Seen]) -> bool:
    """Whether values rise, or fall, from nearly every window to the next: numbers in a sequence.

    >>> runs_on([Seen(v, 10) for v in (1, 2, 3, 5, 6, 7, 8)]), runs_on([Seen(1, 10)] * 9)
    (True, False)
    """
    rises = sum(b.value > a.value for a, b in pairwise(past))
    falls = sum(b.value < a.value for a, b in pairwise(past))
    return max(rises, falls) >= 0.9 * (len(past) - 1) > 0


def stepped(past: Sequence[Seen], now: Seen) -> tuple[list[Seen], Seen, Scale]:
    """The same as steps from window to window, with a scale for them."""
    steps = [replace(b, value=b.value - a.value, spread=None) for a, b in pairwise(past)]
    unit = median(abs(one.value) for one in steps) or 1.0
    scale = Scale(lambda v: v / unit, lambda y: y * unit, Habit(floor=0.2, prior=0.3))
    return steps, replace(now, value=now.value - past[-1].value, spread=None), scale


def count_noise(_: Scale, one: Seen) -> float:
    """Half of what mere chance would make: counts of a day's rows are steadier than that."""
    return 0.5 / math.sqrt(max(one.value, 1.0))


def share_noise(_: Scale, one: Seen) -> float:
    return 0.5 / math.sqrt(max(one.rows, 1.0))


def mean_noise(scale: Scale, one: Seen) -> float:
    """The standard error of the mean, on its scale."""
    if not one.spread:
        return 0.0
    error = one.spread / math.sqrt(max(one.rows, 1.0))
    if scale.to is math.log:
        return error / one.value
    return abs(scale.to(error))


def no_noise(_: Scale, __: Seen) -> float:
    return 0.0


Noise = Callable[[Scale, Seen], float]


def ranged(
    past: Sequence[Seen], now: Seen, scale: Scale, noise: Noise, *, period: int, odds: float
) -> Range:
    """The usual range of the next window, from those before it."""
    points = [
        Point(scale.to(p.value), p.season, noise(scale, p), p.confirmed, p.dismissed) for p in past
    ]
    typical = median(point.noise for point in points)
    expected = typical if scale.counts else _now_noise(past, points, now)
    habit = replace(scale.habit, period=period)
    told = usual(points, now.season, expected, habit)
    low, high = told.bounds(odds)
    near = [scale.back(centre) for centre in told.centres]
    least = max(scale.least, scale.least_rows / max(now.rows, 1.0))
    low = min(scale.back(low), min(near) - least)
    high = max(scale.back(high), max(near) + least)
    low = -math.inf if scale.upwards else low
    return Range(low, high, told.chance(scale.to(now.value)), told.windows)


def _now_noise(past: Sequence[Seen], points: Sequence[Point], now: Seen) -> float:
    """The noise of this window's size: its own values may be what is wrong with it."""
    steady = median(
        p.noise * math.sqrt(max(s.rows, 1.0)) for p, s in zip(points, past, strict=True)
    )
    return steady / math.sqrt(max(now.rows, 1.0))
