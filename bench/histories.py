"""Seeded histories of tables: season, trend and noise, with faults planted on some days.

Only the metrics of each day are made up, as a run would measure them; nothing here needs Spark.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headgate.core.results import Metric

FAULTS = ("30 % fewer rows", "nulls three times as many", "prices ten times as high")
# What the other metrics are for; found by a rule that watches every metric.
OTHERS = ("rows a day late", "raw files half as large", "a run ten times as long",
          "a column that is empty", "a column that is new", "a value that is new",
          "a value that is gone")  # fmt: skip
COUNTRIES = (0.4, 0.2, 0.15, 0.1, 0.08, 0.05, 0.02)


@dataclass(frozen=True)
class Kind:
    """One sort of table."""

    rows: int  # of a usual weekday
    weekend: float = 0.5  # of a weekday's rows
    growth: float = 0.002  # a day
    noise: float = 0.05  # of the number of rows, beside chance
    nulls: float = 0.04
    price: float = 4.2
    spread: float = 0.7  # of prices, as a share of their mean


@dataclass(frozen=True)
class Day:
    """One window: what was measured, and what is wrong with it."""

    number: int
    metrics: tuple[Metric, ...]
    fault: str | None = None


def history(
    kind: Kind, seed: int, days: int, planted: Mapping[int, str] | None = None
) -> list[Day]:
    """The days of one table; day 0 is a Thursday, as the first day of 1970 was."""
    chance = random.Random(f"{seed}-{kind.rows}")
    planted = planted or {}
    price = kind.price * math.exp(chance.gauss(0, 0.5))
    made = []
    for number in range(days):
        fault = planted.get(number)
        made.append(Day(number, _metrics(kind, number, price, fault, chance), fault))
    return made


def _metrics(
    kind: Kind, number: int, price: float, fault: str | None, chance: random.Random
) -> tuple[Metric, ...]:
    weekday = (number + 3) % 7  # 0: Monday
    level = kind.rows * math.exp(kind.growth * number + chance.gauss(0, kind.noise))
    level *= kind.weekend if weekday >= 5 else 1.0
    rows = max(round(chance.gauss(level, math.sqrt(level))), 1)
    if fault == FAULTS[0]:
        rows = max(round(0.7 * rows), 1)
    nulls = kind.nulls * math.exp(chance.gauss(0, 0.1)) * (3 if fault == FAULTS[1] else 1)
    times = 10 if fault == FAULTS[2] else 1
    mean = price * times * math.exp(chance.gauss(0, 0.01) + 0.0005 * number)
    sd = kind.spread * mean
    quantity = chance.gauss(3, 1.5 / math.sqrt(rows))
    names = [str(100 + at) for at in range(len(COUNTRIES))]
    weights = [share * math.exp(chance.gauss(0, 0.05)) for share in COUNTRIES]
    if fault == "a value that is gone":
        weights[1] = 0.0
    counts = _several(rows, weights, chance)
    if fault == "a value that is new":
        names, counts = [*names, "900"], [*counts, max(rows // 20, 1)]
    listed = {n: c for n, c in zip(names, counts, strict=True) if c}
    return (
        Metric(None, "row_count", float(rows)),
        Metric("price", "null_share", 0.0),
        Metric("country", "null_share", _drawn(rows, 0.01, chance) / rows),
        Metric("discount", "null_share", _drawn(rows, nulls, chance) / rows),
        Metric("price", "mean", chance.gauss(mean, sd / math.sqrt(rows)), {"rows": rows, "sd": sd}),
        Metric("quantity", "mean", quantity, {"rows": rows, "sd": 1.5}),
        Metric("country", "categories", float(len(listed)), {"counts": listed}),
        *_besides(rows, fault, chance),
    )


def _besides(rows: int, fault: str | None, chance: random.Random) -> tuple[Metric, ...]:
    """How fresh the rows are, how large the files, how long the run, which columns have values."""
    age = 2 * chance.random() + (24 if fault == "rows a day late" else 0)
    size = rows * chance.gauss(60, 12 / math.sqrt(rows)) * math.exp(chance.gauss(0, 0.01))
    size *= 0.5 if fault == "raw files half as large" else 1
    busy = 2.5 if chance.random() < 0.05 else 1.0  # another job beside it, now and then
    took = (4 + rows / 50_000) * math.exp(chance.gauss(0, 0.2)) * busy
    took *= 10 if fault == "a run ten times as long" else 1
    filled = {"price": rows, "country": rows, "discount": _drawn(rows, 0.96, chance),
              "seldom": _drawn(rows, 1 / max(rows, 1), chance), "later": 0}  # fmt: skip
    if fault == "a column that is empty":
        filled["discount"] = 0
    if fault == "a column that is new":
        filled["later"] = rows // 10
    schema = {"filled": filled, "types": dict.fromkeys(filled, "string"), "rows": rows}
    return (
        Metric("at", "freshness", age),
        Metric(None, "bytes", float(round(size))),
        Metric(None, "seconds", took),
        Metric(None, "schema", float(sum(map(bool, filled.values()))), schema),
    )


def _drawn(rows: int, share: float, chance: random.Random) -> int:
    """How many of the rows have something that each has with this chance."""
    if rows * share > 50:
        drawn = chance.gauss(rows * share, math.sqrt(rows * share * (1 - share)))
        return min(max(round(drawn), 0), rows)
    found, at = 0, 0
    while share > 0:  # from one to the next, as most rows have it not
        at += 1 + int(math.log(1 - chance.random()) / math.log(1 - min(share, 0.999999)))
        if at > rows:
            break
        found += 1
    return found


def _several(rows: int, weights: Sequence[float], chance: random.Random) -> list[int]:
    left, weight, counts = rows, sum(weights), []
    for one in weights:
        drawn = _drawn(left, min(one / weight, 1.0), chance) if left else 0
        counts.append(drawn)
        left, weight = left - drawn, max(weight - one, 1e-12)
    return counts
