"""Kullback-Leibler divergence of counts from an expected partition, as great-expectations has it.

Plain Python over counts; a divergence that is infinite or no number is told as such.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Weights = Sequence[float]


def entropy(observed: Weights, expected: Weights) -> float:
    """The divergence of two lists of weights, each made to add up to 1.

    >>> entropy([5, 5], [0.5, 0.5]), entropy([1, 0], [0, 1]), entropy([0, 0], [0.5, 0.5])
    (0.0, inf, nan)
    """
    seen, meant = math.fsum(observed), math.fsum(expected)
    if seen <= 0 or meant <= 0:
        return math.nan
    parts = ((p / seen, q / meant) for p, q in zip(observed, expected, strict=True) if p > 0)
    return max(0.0, math.fsum(p * math.log(p / q) if q > 0 else math.inf for p, q in parts))


def of_values(
    arguments: Mapping[str, Any], counts: Weights, total: float, others: int, logs: float
) -> float:
    """The divergence of a column's values.

    `counts` are of the expected values and `total` is of all; `others` is the number of different
    values that were not expected, and `logs` the sum of n * ln(n) over these.

    >>> partition = {"values": ["a", "b"], "weights": [0.5, 0.5]}
    >>> of_values({"partition_object": partition}, [10, 10], 20, 0, 0.0)
    0.0
    """
    holdout = arguments.get("tail_weight_holdout") or 0
    weights = [float(one) for one in arguments["partition_object"]["weights"]]
    if not others or total <= 0:
        return entropy(counts, weights)
    if not holdout:
        return math.inf
    scaled = [weight * (1 - holdout) for weight in weights]
    whole = math.fsum(scaled) + holdout
    other_rows = total - math.fsum(counts)
    if any(count > 0 and weight <= 0 for count, weight in zip(counts, scaled, strict=True)):
        return math.inf
    known = math.fsum(
        count / total * math.log(count / total * whole / weight)
        for count, weight in zip(counts, scaled, strict=True)
        if count > 0
    )
    share = math.log(total * holdout / (others * whole))
    return max(0.0, known + (logs - other_rows * share) / total)


def of_bins(arguments: Mapping[str, Any], counts: Weights, total: float) -> float:
    """The divergence of numbers in bins; `counts` begin below the first and end above the last.

    >>> partition = {"bins": [0, 1, 2], "weights": [0.5, 0.5]}
    >>> of_bins({"partition_object": partition}, [0, 10, 10, 0], 20)
    0.0
    """
    partition = arguments["partition_object"]
    tail = arguments.get("tail_weight_holdout") or 0
    inner = arguments.get("internal_weight_holdout") or 0
    weights = [float(one) * (1 - tail - inner) for one in partition["weights"]]
    empty = weights.count(0.0)
    weights = [inner / empty if weight == 0 and inner else weight for weight in weights]
    below, *within, above = counts if total > 0 else [0.0] * len(counts)
    open_left, open_right = (math.isinf(partition["bins"][at]) for at in (0, -1))
    tails = partition.get("tail_weights")
    if open_left and open_right:
        return entropy(within, weights)
    if open_left:
        return entropy([*within, above], [*weights, tail])
    if open_right:
        return entropy([below, *within], [tail, *weights])
    least, most = tails or (tail / 2, tail / 2)
    return entropy([below, *within, above], [least, *weights, most])
