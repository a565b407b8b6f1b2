"""How well drift tells healthy windows from faulty ones, on seeded histories; no Spark, no clock.

Goal: under one false alarm a table and 100 runs, and nine faults of ten found, of each kind.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.histories import FAULTS, OTHERS, Day, Kind, history
from headgate.core.rules import METRICS
from headgate.core.spec import Drift
from headgate.core.windows import Grain
from headgate.quality.drift import drifted
from headgate.quality.past import OUT, Past, Profile, profile_of

FALSE_ALARMS_GOAL, RECALL_GOAL = 1.0, 0.9
SIZES = (300, 2_000, 20_000, 200_000)  # rows a day
SMALL = 1_000  # below it chance alone moves counts so far that recall has no goal
DAYS, QUIET = 120, 28  # windows of a table; no fault is planted before the second
SIGNS = {FAULTS[0]: (None, "row_count"), FAULTS[1]: ("discount", "null_share"),
         FAULTS[2]: ("price", "mean"), OTHERS[0]: ("at", "freshness"), OTHERS[1]: (None, "bytes"),
         OTHERS[2]: (None, "seconds"), OTHERS[3]: (None, "schema"), OTHERS[4]: (None, "schema"),
         OTHERS[5]: ("country", "categories"), OTHERS[6]: ("country", "categories")}  # fmt: skip
RULE = Drift(written="drift: {}")
EVERY = Drift(metrics=tuple(METRICS), time="at", written="drift: {metrics: …}")


@dataclass
class Score:
    """What came of some tables."""

    rows: int
    rule: Drift = RULE
    faults: tuple[str, ...] = FAULTS
    tables: int = 0
    healthy: int = 0
    false: int = 0  # healthy windows that were called out of line
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    blamed: Counter[str] = field(default_factory=Counter)  # metrics, of false alarms

    @property
    def alarms(self) -> float:
        """False alarms a table and 100 runs."""
        return 100 * self.false / max(self.healthy, 1)

    @property
    def precision(self) -> float:
        found = sum(self.found.values())
        return found / (found + self.false) if found + self.false else 1.0

    def recall(self, fault: str) -> float:
        return self.found[fault] / self.planted[fault] if self.planted[fault] else 1.0

    @property
    def reached(self) -> bool:
        found = all(self.recall(fault) > RECALL_GOAL for fault in self.faults)
        return self.alarms < FALSE_ALARMS_GOAL and (found or self.rows < SMALL)

    def line(self) -> str:
        name = f"{self.rows:,} rows a day{', all metrics' if self.rule is EVERY else ''}"
        recalls = "   ".join(f"{fault} {self.recall(fault):.2f}" for fault in self.faults)
        return (
            f"{name:<16} precision {self.precision:.2f}   recall: {recalls}   "
            f"false alarms {self.alarms:.2f} in 100 runs ({self.tables} tables)"
        )


def planted(seed: int, days: int, faults: Sequence[str] = FAULTS) -> dict[int, str]:
    """Each fault twice, some weeks apart; the later ones have the earlier in their past."""
    twice = 2 * len(faults)
    places = [QUIET + 1 + (at * (days - QUIET - 2)) // twice for at in range(twice)]
    return {day + seed % 5: faults[(at + seed) % len(faults)] for at, day in enumerate(places)}


def judged(days: Sequence[Day], score: Score) -> None:
    """Judge one table's windows in their order, all of them published."""
    score.tables += 1
    profiles: dict[str, Profile] = {}
    for day in days:
        window = Grain.day.shift("1970-01-01", day.number)
        said = drifted([score.rule], day.metrics, window, Grain.day, Past(profiles))
        out = [(m.column, m.metric) for m in said.metrics if m.detail.get("state") == OUT]
        names = [name for name in out if name != (None, "drift")]
        if day.fault is None:
            score.healthy += 1
            score.false += bool(names)
            score.blamed.update(f"{column} {metric}" for column, metric in names)
        else:
            score.planted[day.fault] += 1
            score.found[day.fault] += SIGNS[day.fault] in names
        profiles[window] = profile_of(day.metrics)


def scored(rows: int, seeds: Sequence[int], days: int = DAYS, *, every: bool = False) -> Score:
    """Tables of one size; a rule that watches every metric is tried with a fault for each."""
    score = Score(rows, EVERY, FAULTS + OTHERS) if every else Score(rows)
    for seed in seeds:
        judged(history(Kind(rows), seed, days, planted(seed, days, score.faults)), score)
    return score


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few tables")
    parser.add_argument("--json", action="store_true", help="one JSON object a size")
    parser.add_argument("--repeats", type=int, help="tables of each size; 60 unless told")
    told = parser.parse_args(given)
    tables = told.repeats or (3 if told.quick else 60)
    for rows, every in ((rows, every) for every in (False, True) for rows in SIZES):
        score = scored(rows, range(tables), days=2 * DAYS if every else DAYS, every=every)
        if told.json:
            plain = {
                "name": f"drift, {rows} rows a day", "metrics": "all" if every else "usual",
                "tables": tables, "alarms": score.alarms,
                "precision": score.precision, "recall": {f: score.recall(f) for f in score.faults},
                "reached": score.reached,
            }  # fmt: skip
            print(json.dumps(plain), flush=True)
        else:
            print(score.line(), "goal reached" if score.reached else "goal MISSED", flush=True)
            if score.blamed:
                print("  false alarms by", dict(score.blamed.most_common(5)), flush=True)


if __name__ == "__main__":
    main()
