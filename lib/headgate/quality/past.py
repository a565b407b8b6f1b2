"""What earlier windows of a table looked like, as far as they were published and measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from headgate.core.fingerprint import digest
from headgate.core.results import Metric
from headgate.core.windows import Grain

Name = tuple[str | None, str]  # column (None: the table) and metric
Profile = Mapping[Name, Metric]
Dismissed = Mapping[Name, frozenset[str]]  # which contents of a window's metrics are no faults
RULING = "drift"  # the metric that holds what a rule decided
OUT, USUAL, LEARNING = "out of line", "usual", "learning"
DISMISSED = "dismissed"  # of a ruling: all that was out of line was a false alarm, a person said


NOTHING: Dismissed = {}


@dataclass(frozen=True)
class Season:
    """How much past a grain needs, and when its seasons come again."""

    period: int  # windows
    learning: int  # windows before anything is said
    memory: int  # windows that count

    def of(self, index: int) -> int:
        return index % self.period


SEASONS: Mapping[Grain, Season] = {
    Grain.hour: Season(period=24, learning=24, memory=504),
    Grain.day: Season(period=7, learning=7, memory=63),
    Grain.week: Season(period=1, learning=5, memory=26),
    Grain.month: Season(period=1, learning=5, memory=24),
    Grain.year: Season(period=1, learning=3, memory=10),
}


@dataclass(frozen=True)
class Ruling:
    """What one rule decided on one window."""

    state: str
    out: int = 0  # metrics that were out of line
    lines: tuple[str, ...] = ()
    waived: bool = False  # a person let it pass: what was out of line is right
    names: tuple[Name, ...] = ()  # what was out of line

    def without(self, dismissed: frozenset[Name]) -> Ruling:
        """What is left of it; a ruling of which anything is left stays as it was recorded."""
        if self.state == OUT and self.names and dismissed.issuperset(self.names):
            return Ruling(DISMISSED, names=self.names)
        return self


@dataclass(frozen=True)
class Past:
    """The profiles of published windows, and what was decided before on the same content."""

    profiles: Mapping[str, Profile] = field(default_factory=dict)
    rulings: Mapping[tuple[str, str], Ruling] = field(default_factory=dict)  # window, rule
    dismissed: Mapping[str, Dismissed] = field(default_factory=dict)  # by window

    def before(self, window: str, grain: Grain) -> list[tuple[int, Profile]]:
        """The windows before this one that count, oldest first, each with its number."""
        now = grain.index(window)
        found = [(index_of(name, grain), one) for name, one in self.profiles.items()]
        earlier = [(at, one) for at, one in found if at is not None and at < now]
        return sorted(earlier, key=lambda pair: pair[0])[-SEASONS[grain].memory :]

    def plus(self, window: str, metrics: Iterable[Metric]) -> Past:
        """With one more published window, in the place of what it held before."""
        profile = profile_of(metrics, self.dismissed.get(window, {}))
        return replace(self, profiles={**self.profiles, window: profile}) if profile else self


NO_PAST = Past()


def group_of(name: Name) -> tuple[str | None, str]:
    """What has one cause within a window: all of a column; of the table, what counts its rows.

    >>> group_of(("price", "mean")) == group_of(("price", "quantiles"))
    True
    >>> group_of((None, "row_count")) == group_of((None, "schema"))
    False
    """
    column, metric = name
    return column, metric if metric in ("schema", "seconds") else ""


@lru_cache(maxsize=8192)
def index_of(window: str, grain: Grain) -> int | None:
    """A window's number; None where the suite's windows were others when it was published."""
    try:
        return grain.index(window)
    except ValueError:
        return None


def profile_of(metrics: Iterable[Metric], dismissed: Dismissed = NOTHING) -> Profile:
    """Metrics by name, with what a person said of them: right from now on, or no fault at all."""
    metrics = tuple(metrics)
    passed = any(one.metric == RULING and one.detail.get("waived") for one in metrics)
    found = {}
    for one in metrics:
        if one.metric == RULING:
            continue
        said: dict[str, Any] = {}
        if is_dismissed(one, dismissed):
            said = {"dismissed": True}
        elif passed and one.detail.get("state") == OUT:
            said = {"confirmed": True}
        found[one.column, one.metric] = replace(one, detail={**one.detail, **said}) if said else one
    return found


def content_of(metric: Metric) -> str:
    """A name for what was measured: the same numbers, whenever they are measured, have the same.

    >>> content_of(Metric("a", "mean", 0.1 + 0.2)) == content_of(Metric("a", "mean", 0.3))
    True
    """
    told = metric.detail
    listed = [_short(one) for one in told.get("quantiles", ())]
    filled = sorted(name for name, count in told.get("filled", {}).items() if count)
    return digest(
        [_short(metric.value), listed, told.get("counts", {}), filled, told.get("types", {})]
    )


def _short(value: float | None) -> str | None:
    """Sums of doubles differ in the last digits with every order of the rows."""
    return None if value is None else f"{value:.6g}"


def is_dismissed(metric: Metric, dismissed: Dismissed) -> bool:
    """Whether a person called this very number of a window a false alarm."""
    known = dismissed.get((metric.column, metric.metric))
    return known is not None and content_of(metric) in known


def rulings_of(window: str, metrics: Iterable[Metric]) -> dict[tuple[str, str], Ruling]:
    """What rules decided on one run, as its metrics tell it."""
    return {
        (window, str(one.detail.get("rule"))): Ruling(
            state=str(one.detail.get("state")),
            out=int(one.value or 0),
            lines=tuple(one.detail.get("lines", ())),
            waived=bool(one.detail.get("waived")),
            names=tuple((column, metric) for column, metric in one.detail.get("names", ())),
        )
        for one in metrics if one.metric == RULING
    }  # fmt: skip
