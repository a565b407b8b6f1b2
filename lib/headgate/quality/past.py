"""What earlier windows of a table looked like, as far as they were published and measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from headgate.core.results import Metric
from headgate.core.windows import Grain

Name = tuple[str | None, str]  # column (None: the table) and metric
Profile = Mapping[Name, Metric]
RULING = "drift"  # the metric that holds what a rule decided
OUT, USUAL, LEARNING = "out of line", "usual", "learning"


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


@dataclass(frozen=True)
class Past:
    """The profiles of published windows, and what was decided before on the same content."""

    profiles: Mapping[str, Profile] = field(default_factory=dict)
    rulings: Mapping[tuple[str, str], Ruling] = field(default_factory=dict)  # window, rule

    def before(self, window: str, grain: Grain) -> list[tuple[int, Profile]]:
        """The windows before this one that count, oldest first, each with its number."""
        now = grain.index(window)
        found = [(index_of(name, grain), one) for name, one in self.profiles.items()]
        earlier = [(at, one) for at, one in found if at is not None and at < now]
        return sorted(earlier, key=lambda pair: pair[0])[-SEASONS[grain].memory :]

    def plus(self, window: str, metrics: Iterable[Metric]) -> Past:
        """With one more published window, in the place of what it held before."""
        profile = profile_of(metrics)
        return replace(self, profiles={**self.profiles, window: profile}) if profile else self


NO_PAST = Past()


@lru_cache(maxsize=8192)
def index_of(window: str, grain: Grain) -> int | None:
    """A window's number; None where the suite's windows were others when it was published."""
    try:
        return grain.index(window)
    except ValueError:
        return None


def profile_of(metrics: Iterable[Metric]) -> Profile:
    """Metrics by name. A deviation that a person let pass is marked as confirmed."""
    metrics = tuple(metrics)
    passed = any(one.metric == RULING and one.detail.get("waived") for one in metrics)
    return {
        (one.column, one.metric): (
            replace(one, detail={**one.detail, "confirmed": True})
            if passed and one.detail.get("state") == OUT else one
        )
        for one in metrics if one.metric != RULING
    }  # fmt: skip


def rulings_of(window: str, metrics: Iterable[Metric]) -> dict[tuple[str, str], Ruling]:
    """What rules decided on one run, as its metrics tell it."""
    return {
        (window, str(one.detail.get("rule"))): Ruling(
            state=str(one.detail.get("state")),
            out=int(one.value or 0),
            lines=tuple(one.detail.get("lines", ())),
            waived=bool(one.detail.get("waived")),
        )
        for one in metrics if one.metric == RULING
    }  # fmt: skip
