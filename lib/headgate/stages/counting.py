"""Rows counted while they flow, for each slice, in the pass that writes them.

`observe` has no GROUP BY, and a metric for each slice and number grows out of hand. But
`histogram_numeric` with a bin for every possible value is an exact grouped count in one metric.
What is observed before a shuffle is doubled when a stage is run again, so after such a pass
the counts are taken anew, by queries.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from headgate.stages.slices import Slices

PATIENCE = 30.0  # seconds until a metric that was never delivered is counted by a query instead


@dataclass
class Point:
    """A place in the flow where rows are counted."""

    name: str
    metrics: Mapping[str, Column]  # what to count: codes of rows, null where a row does not count
    rows: DataFrame
    observation: Observation
    width: int  # how many codes there can be
    plain: Mapping[str, Column] = field(default_factory=dict)  # aggregates taken as they are


class Counter:
    """All counts of one pass."""

    def __init__(self, slices: Slices) -> None:
        self.slices = slices
        self.points: list[Point] = []

    def point(
        self,
        df: DataFrame,
        name: str,
        metrics: Mapping[str, Column] | None = None,
        *,
        kinds: int = 1,
        plain: Mapping[str, Column] | None = None,
    ) -> DataFrame:
        """The same rows, counted as they pass. Without metrics every row counts for its slice."""
        metrics = metrics if metrics is not None else {"rows": F.expr(self.slices.code())}
        width = self.slices.span * kinds
        observation = Observation()
        point = Point(name, metrics, df, observation, width, plain or {})
        self.points.append(point)
        return df.observe(observation, *_aggregates(point))

    def counted(self, *, trusted: bool) -> dict[str, dict[str, Any]]:
        """For each point and metric, how often each code was seen."""
        found: dict[str, dict[str, Any]] = {}
        for point in self.points:
            values = _delivered(point.observation) if trusted else None
            if values is None:
                row = point.rows.agg(*_aggregates(point)).collect()[0]
                values = row.asDict()
            into = found.setdefault(point.name, {})
            for metric in point.metrics:
                _merge(into.setdefault(metric, {}), _bins(values[metric]))
            into.update({name: values[name] for name in point.plain})
        return found


def _aggregates(point: Point) -> list[Column]:
    made = []
    for name, code in point.metrics.items():
        if point.width == 1:
            made.append(F.count(code).alias(name))
        else:
            # As doubles: merging two bins of one value can leave it a hair below itself, which a
            # whole number would lose.
            bins = F.histogram_numeric(code.cast("double"), F.lit(max(point.width, 2)))
            # As text: Spark 3.5 hands over an observed array as an object of its JVM.
            made.append(F.to_json(bins).alias(name))
    return made + [value.alias(name) for name, value in point.plain.items()]


def _bins(value: Any) -> dict[int, int]:
    if value is None:
        return {}
    if isinstance(value, int):
        return {0: value} if value else {}
    bins: dict[int, int] = {}
    for one in json.loads(value):
        code = round(one["x"])
        bins[code] = bins.get(code, 0) + round(one["y"])
    return bins


def _merge(into: dict[int, int], more: dict[int, int]) -> None:
    for code, count in more.items():
        into[code] = into.get(code, 0) + count


def _delivered(observation: Observation) -> dict[str, Any] | None:
    """The metrics, or None where Spark never delivered them."""
    box: list[dict[str, Any]] = []

    def wait() -> None:
        try:
            box.append(observation.get)
        except Exception:  # an empty side of a join was optimised away with its metrics
            return

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return box[0] if box else None
