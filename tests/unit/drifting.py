"""A table's past in plain numbers, for the tests of drift."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from headgate.core.results import Metric
from headgate.core.rules import METRICS
from headgate.core.spec import Drift
from headgate.core.windows import Grain
from headgate.quality.drift import Drifted, drifted
from headgate.quality.past import Past, profile_of

RULE = Drift(metrics=tuple(METRICS), time="at", written="drift: {}")
CRITICAL = RULE.model_copy(
    update={"severity": "critical", "written": "drift: {severity: critical}"}
)


def window(number: int, grain: Grain = Grain.day) -> str:
    return grain.shift(
        grain.of(grain.start({"day": "2026-06-01"}.get(grain.value, "2026-06"))), number
    )


def rows(count: float) -> tuple[Metric, ...]:
    return (Metric(None, "row_count", float(count)),)


def mean(value: float, count: int = 1000, column: str = "price", sd: float = 2.0) -> Metric:
    return Metric(column, "mean", value, {"rows": count, "sd": sd})


def nulls(share: float, column: str = "note") -> Metric:
    return Metric(column, "null_share", share)


def noisy(level: float, days: int, noise: float = 0.03, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [level * math.exp(chance.gauss(0, noise)) for _ in range(days)]


def judged(
    days: Sequence[tuple[Metric, ...]],
    last: tuple[Metric, ...],
    *rules: Drift,
    waived: frozenset[str] = frozenset(),
    past: Past | None = None,
    grain: Grain = Grain.day,
) -> Drifted:
    known = past or Past({window(at, grain): profile_of(one) for at, one in enumerate(days)})
    return drifted(rules or (RULE,), last, window(len(days), grain), grain, known, waived)


def lines(said: Drifted) -> list[str]:
    return [part for line in said.warnings for part in line.split("; ")]
