"""Drift in words: one cause told once, numbers of the metrics only, never a value of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from headgate.core.labels import cut
from headgate.quality.against_past import Outcome
from headgate.quality.past import group_of
from headgate.quality.wording import CAUSES_SHOWN

TOGETHER = 3  # columns with one kind of deviation that are told as one


def told(out: Sequence[Outcome], order: Sequence[str]) -> list[str]:
    """A line for each cause, the surest first; `order` says which metric speaks for a column."""
    leads = [_lead(list(group), order) for group in _by_cause(out)]
    leads = [one for one in leads if not follows(one, out)]
    leads.sort(key=lambda one: (one.column is not None, one.chance, one.column or ""))
    lines = _grouped(leads)
    more = len(lines) - CAUSES_SHOWN
    return [*lines[:CAUSES_SHOWN], f"and {more} more"] if more > 0 else lines


def _by_cause(out: Sequence[Outcome]) -> list[list[Outcome]]:
    ranked = sorted(out, key=lambda one: (one.column or "", group_of(one.name)[1]))
    return [list(group) for _, group in groupby(ranked, key=lambda one: group_of(one.name))]


def _lead(group: Sequence[Outcome], order: Sequence[str]) -> Outcome:
    """What speaks for a column: its mean moved because its quantiles did, and so on."""
    return min(group, key=lambda one: order.index(one.metric))


def follows(one: Outcome, out: Sequence[Outcome]) -> bool:
    """Whether another deviation tells it already.

    Fewer rows have fewer different values and fewer bytes, more rows take longer; a column
    without values is all nulls.
    """
    if one.metric == "null_share":
        return any(
            f"{one.column} has no values" in other.part.split(", ")
            for other in out if other.metric == "schema"
        )  # fmt: skip
    counts = [other for other in out if other.metric == "row_count"]
    return one.metric in ("distinct", "bytes", "seconds") and any(
        (one.value < one.low) == (count.value < count.low) for count in counts
    )


def _grouped(leads: Sequence[Outcome]) -> list[str]:
    lines, done = [], set()
    for one in leads:
        alike = [other for other in leads if other.metric == one.metric]
        if len(alike) < TOGETHER:
            lines.append(line(one))
        elif one.metric not in done:
            lines.append(f"{_plain(one.metric)} of {len(alike)} columns, most of all {line(one)}")
            done.add(one.metric)
    return lines


def _plain(metric: str) -> str:
    return {"categories": "values", "quantiles": "quantiles"}.get(metric, metric)


def line(one: Outcome) -> str:
    """One deviation: what it is now, and what was usual.

    >>> line(Outcome("unit_price", "mean", "out of line", 28, 41.2, 3.9, 4.6))
    'unit_price mean 41.2, usual 3.9 to 4.6'
    >>> line(Outcome(None, "row_count", "out of line", 9, 12.0, 1890.4, 2210.0))
    'row_count 12, usual 1,890 to 2,210 (from only 9 windows)'
    >>> line(Outcome("country", "categories", "out of line", 30, 0.12, high=0.0, part="new"))
    'country has new values in 12% of rows'
    """
    young = f" (from only {one.windows} windows)" if one.young else ""
    return _said(one) + young


def _said(one: Outcome) -> str:
    if one.metric == "categories":
        return _categories(one)
    if one.metric == "schema":
        return f"schema: {cut(one.part)}"
    name = f"{one.column} {one.metric}" if one.column else one.metric
    if one.metric == "quantiles":
        name = f"{one.column} {one.part} quantile"
    show = {"null_share": percent, "freshness": hours, "seconds": seconds}.get(one.metric, short)
    if not math.isfinite(one.low):
        return f"{name} {show(one.value)}, usual up to {show(one.high)}"
    return f"{name} {show(one.value)}, usual {show(one.low)} to {show(one.high)}"


def _categories(one: Outcome) -> str:
    if one.part == "new":
        return f"{one.column} has new values in {percent(one.value)} of rows"
    if one.part == "gone":
        return f"{one.column} lacks values that usually are in {percent(one.value)} of rows"
    return (
        f"{one.column} values are spread otherwise: distance {short(one.value)}, "
        f"usual up to {short(one.high)}"
    )


def short(value: float) -> str:
    """A number with three digits, or all before its point.

    >>> short(41.2345), short(3.9), short(0.01234), short(1234567.8), short(1000)
    ('41.2', '3.9', '0.0123', '1,234,568', '1,000')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(value: float) -> str:
    """A share in percent.

    >>> percent(0.1234), percent(0.0), percent(1.0)
    ('12.3%', '0%', '100%')
    """
    return f"{100 * value:.3g}%"


def hours(value: float) -> str:
    """A stretch of time.

    >>> hours(0.5), hours(30.0), hours(96.0)
    ('0.5 hours', '30 hours', '4 days')
    """
    return f"{value / 24:.3g} days" if value >= 72 else f"{value:.3g} hours"


def seconds(value: float) -> str:
    """A run time.

    >>> seconds(4.25), seconds(640.0)
    ('4.25 s', '10.7 min')
    """
    return f"{value / 60:.3g} min" if value >= 120 else f"{value:.3g} s"
