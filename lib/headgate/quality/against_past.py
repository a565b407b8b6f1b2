"""One metric of one window against its own past: out of line, usual, or too little to tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from headgate.core.results import Metric
from headgate.core.windows import Grain
from headgate.quality import categories, scales
from headgate.quality.categories import GONE_ROWS, NEW_ROWS
from headgate.quality.history_stats import DECIDED
from headgate.quality.past import LEARNING, OUT, SEASONS, USUAL, Name, Profile
from headgate.quality.scales import (
    BYTES,
    COUNT,
    DISTANCE,
    HOURS,
    SECONDS,
    SHARE,
    Noise,
    Range,
    Scale,
    Seen,
)

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CATEGORY_MEMORY = 35  # windows
SAID = 20  # changes of a schema that the record names


@dataclass(frozen=True)
class Watch:
    """How one rule looks at each of its metrics."""

    grain: Grain
    at: int  # the number of the window
    odds: float  # that a healthy value is called out of line

    @property
    def learning(self) -> int:
        return SEASONS[self.grain].learning


@dataclass(frozen=True)
class Outcome:
    """What became of one metric."""

    column: str | None
    metric: str
    state: str
    windows: int  # of its past
    value: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    chance: float = 1.0
    part: str = ""  # which part of the metric: a quantile; values that are new, or gone

    @property
    def name(self) -> Name:
        return self.column, self.metric

    @property
    def young(self) -> bool:
        """Whether the past is still short."""
        return self.windows < 14

    def detail(self) -> dict[str, Any]:
        """What the record keeps of it."""
        kept: dict[str, Any] = {"state": self.state, "windows": self.windows}
        for bound in ("low", "high"):
            if math.isfinite(getattr(self, bound)):
                kept[bound] = rounded(getattr(self, bound))
        if self.state == OUT:
            kept["sure"] = math.floor(1e4 * (1 - min(self.chance, 1.0))) / 1e4
            kept |= {"part": self.part} if self.part else {}
        return kept


def outcome_of(metric: Metric) -> Outcome:
    """What became of a metric, from the record of it."""
    told = metric.detail
    return Outcome(
        metric.column, metric.metric, str(told.get("state", "")), int(told.get("windows", 0)),
        metric.value or 0.0, told.get("low", -math.inf), told.get("high", math.inf),
        1 - told.get("sure", 0.0), str(told.get("part", "")),
    )  # fmt: skip


def rounded(value: float) -> float:
    """A number with six digits.

    >>> rounded(1234.56789), rounded(0.000123456789)
    (1234.57, 0.000123457)
    """
    return float(f"{value:.6g}")


def outcome(
    name: Name, now: Profile, before: Sequence[tuple[int, Profile]], watch: Watch
) -> Outcome | None:
    """One metric judged; None where this window has no such number, or it cannot be judged."""
    current = now[name]
    if current.value is None:
        return None
    past = [(at, one) for at, one in before if name in one and one[name].value is not None]
    if len(past) < watch.learning:
        return Outcome(*name, LEARNING, len(past), current.value)
    if current.metric == "schema":
        return _schema(current, [one[name] for _, one in past])
    if current.metric == "categories":
        return _categories(current, past, watch)
    if current.metric == "quantiles":
        return _quantiles(current, past, watch)
    seen = [_seen(one[name], one, watch.grain, at) for at, one in past]
    latest = _seen(current, now, watch.grain, watch.at)
    if current.metric == "mean":
        return _judged(name, latest, _number_range(seen, latest, watch))
    scale, noise = _scale(current)
    return _judged(name, latest, _ranged(seen, latest, scale, noise, watch))


def _rows(profile: Profile) -> float:
    found = profile.get((None, "row_count"))
    return float(found.value or 0) if found else 0.0


def _seen(metric: Metric, profile: Profile, grain: Grain, at: int) -> Seen:
    return Seen(
        value=float(metric.value or 0.0),
        rows=float(metric.detail.get("rows", _rows(profile))),
        season=SEASONS[grain].of(at),
        spread=metric.detail.get("sd"),
        confirmed=bool(metric.detail.get("confirmed")),
        dismissed=bool(metric.detail.get("dismissed")),
    )


def _scale(metric: Metric) -> tuple[Scale, Noise]:
    if metric.metric == "null_share":
        return SHARE, scales.share_noise
    if metric.metric == "freshness":
        return HOURS, scales.no_noise
    if metric.metric == "seconds":
        return SECONDS, scales.no_noise
    if metric.metric == "bytes":
        return BYTES, scales.share_noise
    return COUNT, scales.count_noise


def _number_range(past: Sequence[Seen], now: Seen, watch: Watch) -> Range:
    """The range of a mean or a quantile; where it runs on (a sequence), of its next step."""
    if scales.runs_on(past):
        steps, step, scale = scales.stepped(past, now)
        found = _ranged(steps, step, scale, scales.no_noise, watch)
        last = past[-1].value
        return replace(found, low=last + found.low, high=last + found.high)
    return _ranged(past, now, scales.numbers(past, now.value), scales.mean_noise, watch)


def _ranged(past: Sequence[Seen], now: Seen, scale: Scale, noise: Noise, watch: Watch) -> Range:
    period = SEASONS[watch.grain].period
    return scales.ranged(past, now, scale, noise, period=period, odds=watch.odds)


def _judged(name: Name, now: Seen, found: Range, part: str = "") -> Outcome:
    state = USUAL if found.holds(now.value) else OUT
    return Outcome(
        *name, state, found.windows, now.value, found.low, found.high, found.chance, part
    )


def _quantiles(
    current: Metric, past: Sequence[tuple[int, Profile]], watch: Watch
) -> Outcome | None:
    """The quantile that is furthest out stands for the column."""
    name = (current.column, current.metric)
    made = []
    watch = replace(watch, odds=watch.odds / len(QUANTILES))
    for place, share in enumerate(QUANTILES):
        old = [(at, _quantile(one[name], place), one) for at, one in past]
        seen = [_seen(one, profile, watch.grain, at) for at, one, profile in old if one]
        now = _quantile(current, place)
        if now is None or len(seen) < watch.learning:
            continue
        latest = _seen(now, {}, watch.grain, watch.at)
        found = _number_range(seen, latest, watch)
        made.append(_judged(name, latest, found, f"{100 * share:g}%"))
    return min(made, key=lambda one: (one.state != OUT, one.chance), default=None)


def _quantile(metric: Metric, place: int) -> Metric | None:
    listed = metric.detail.get("quantiles", ())
    if len(listed) != len(QUANTILES):
        return None
    return replace(metric, value=listed[place])


def _categories(
    current: Metric, past: Sequence[tuple[int, Profile]], watch: Watch
) -> Outcome | None:
    """Values that are new, values that are gone, then shares that differ as a whole."""
    name = (current.column, current.metric)
    past = past[-CATEGORY_MEMORY:]
    if median(float(one[name].value or 0) for _, one in past) > categories.FEW:
        return None
    every = [one[name].detail.get("counts", {}) for _, one in past]
    trail = every[-categories.TRAIL :]
    now = current.detail.get("counts", {})
    new = categories.new_share(now, every)
    gone = categories.gone_share(now, trail)
    if new or gone:
        part, value = ("new", new) if new >= gone else ("gone", gone)
        return Outcome(*name, OUT, len(past), value, chance=0.0, high=0.0, part=part)
    seen = []
    for place, (at, _) in enumerate(past):
        if place >= DECIDED:
            moved = _distance(every[place], past[:place], name)
            seen.append(_shift(every[place], moved, SEASONS[watch.grain].of(at)))
    latest = _shift(now, _distance(now, past, name), SEASONS[watch.grain].of(watch.at))
    if len(seen) < 3:
        return Outcome(*name, LEARNING, len(past), latest.value)
    found = _ranged(seen, latest, DISTANCE, lambda _, one: (one.spread or 0.0) / 2, watch)
    return _judged(name, latest, found)


def _schema(current: Metric, past: Sequence[Metric]) -> Outcome:
    """Columns that never had a value and have, that always had and have not, of another type."""
    name, told = (current.column, current.metric), current.detail
    filled, types = told.get("filled", {}), told.get("types", {})
    rows, before = told.get("rows", 0), [one.detail.get("filled", {}) for one in past]
    # That a person dismissed it, or that it was published at all, makes it part of the past.
    known = {column for one in before for column, count in one.items() if count}
    new = [n for n, count in filled.items() if n not in known and count >= min(NEW_ROWS, rows)]
    late = past[-categories.TRAIL :]
    gone = [
        n for n in late[-1].detail.get("filled", {})
        if not filled.get(n) and all(one.detail.get("filled", {}).get(n) for one in late)
        and rows * median(_part(one, n) for one in late) >= GONE_ROWS
    ]  # fmt: skip
    were = past[-1].detail.get("types", {})
    turned = [n for n, kind in types.items() if were.get(n, kind) != kind]
    said = [f"{n} is new" for n in new] + [f"{n} has no values" for n in gone]
    said += [f"{n} is {types[n]}, was {were[n]}" for n in turned]
    state, chance = (OUT, 0.0) if said else (USUAL, 1.0)
    return Outcome(*name, state, len(past), float(len(said)), high=0.0, chance=chance,
                   part=", ".join(said[:SAID]))  # fmt: skip


def _part(one: Metric, column: str) -> float:
    """The share of a window's rows that had a value in a column."""
    return float(one.detail.get("filled", {}).get(column, 0) / max(one.detail.get("rows", 0), 1))


def _shift(counts: Mapping[str, float], distance: float, season: int) -> Seen:
    rows = sum(counts.values())
    return Seen(distance, rows, season, categories.by_chance(len(counts), rows))


def _distance(
    counts: Mapping[str, float], past: Sequence[tuple[int, Profile]], name: Name
) -> float:
    """How far shares are from those before, or from shares that a person called no fault.

    Right after a confirmed change they are held against either side of it.
    """
    trail = [one[name] for _, one in past[-categories.TRAIL :]]
    first = max((at for at, one in enumerate(trail) if one.detail.get("confirmed")), default=0)
    sides = [trail[first:]] if len(trail) - first >= DECIDED else [trail[first:], trail[:first]]
    sides += [[one[name]] for _, one in past if one[name].detail.get("dismissed")]
    known = [[one.detail.get("counts", {}) for one in side] for side in sides if side]
    shares = categories.shares(counts)
    return min(categories.distance(shares, categories.expected(side)) for side in known)
