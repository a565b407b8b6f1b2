"""Which deviations have one cause: within a window of a table, and along what it is made of.

Plain values in and out: a deviation is a metric that its record calls out of line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from headgate.core.results import Metric
from headgate.core.rules import METRICS
from headgate.quality.against_past import outcome_of
from headgate.quality.drift_words import follows, told
from headgate.quality.past import OUT, RULING, Name, group_of

# What the number of rows moves, wherever the rows go: these follow one another between tables.
VOLUME = ("row_count", "bytes", "distinct")


def deviations(metrics: Iterable[Metric]) -> list[Metric]:
    """What was out of line in a run, and nobody has called a false alarm.

    >>> deviations([Metric(None, "row_count", 9.0, {"state": "usual"})])
    []
    """
    return [
        one for one in metrics
        if one.metric != RULING
        and one.detail.get("state") == OUT and not one.detail.get("dismissed")
    ]  # fmt: skip


def name_of(metric: Metric) -> Name:
    """A metric's column (None: of the table) and what it measures."""
    return metric.column, metric.metric


def lines_of(out: Iterable[Metric]) -> list[str]:
    """Deviations in words, from their record: a line for each cause."""
    return told([outcome_of(one) for one in out], tuple(METRICS))


def of_one_cause(
    out: Sequence[Metric], column: str | None = None, metric: str | None = None
) -> list[Metric]:
    """The deviations that a person means, with those that have the same cause.

    All of a column have one: its mean moved because its quantiles did. Fewer rows have fewer
    different values.

    >>> rows, *price = [Metric(None, "row_count", 9.0), Metric("a", "mean", 1.0),
    ...                 Metric("a", "quantiles", 1.0)]
    >>> [one.metric for one in of_one_cause([rows, *price], metric="mean")]
    ['mean', 'quantiles']
    """
    meant = {
        group_of(name_of(one)) for one in out
        if column in (None, one.column) and metric in (None, one.metric)
    }  # fmt: skip
    chosen = [one for one in out if group_of(name_of(one)) in meant]
    counted = [outcome_of(one) for one in chosen]
    return [one for one in out if one in chosen or follows(outcome_of(one), counted)]


def caused(out: Iterable[Metric], upstream: Mapping[str, Sequence[Metric]]) -> Mapping[Name, str]:
    """Which deviations of a window are those of a table that it is made from, and of which one.

    `upstream` holds the deviations of the same window in the tables above, the topmost first.
    """
    found: dict[Name, str] = {}
    for one in out:
        roots = (
            table for table, above in upstream.items() if any(_alike(one, other) for other in above)
        )
        root = next(roots, None)
        if root is not None:
            found[name_of(one)] = root
    return found


def _alike(one: Metric, above: Metric) -> bool:
    """Whether a deviation can be what became of another one: of one kind, in one direction."""
    volume = one.metric in VOLUME and above.metric in VOLUME
    if not (volume or name_of(one) == name_of(above)):
        return False
    return one.metric != "seconds" and (_up(one) is None or _up(one) == _up(above))


def _up(metric: Metric) -> bool | None:
    """Whether it is more than usual; None where it has no direction."""
    low, high = metric.detail.get("low"), metric.detail.get("high")
    if metric.metric in ("categories", "quantiles") or metric.value is None:
        return None
    if high is not None and metric.value > high:
        return True
    return False if low is not None and metric.value < low else None
