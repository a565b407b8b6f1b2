"""The daily run (one new window through ingest, clean and mart) on an old lake and a young one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from bench.measure import (
    Figure,
    Spent,
    alternating,
    arguments,
    ground,
    median_of,
    say,
    seconds,
    show,
    spent,
)
from bench.suites import app_on, events, lay, run_well, session, write_events

GOAL = 1.2
# Building the old lake takes thousands of stages; Spark forgets the oldest and the skipped ones.
KEPT = {"spark.ui.retainedStages": "50000", "spark.ui.retainedJobs": "50000"}


@dataclass
class Grown:
    """A lake that has taken in some windows."""

    conf: Path
    spark: SparkSession
    folder: Path
    rows: int
    windows: int = 0

    def grow(self, by: int) -> None:
        """Take in more windows in one pass."""
        for place in range(self.windows, self.windows + by):
            write_events(self.folder / "raw", "events", place, self.rows)
        self.windows += by
        self.run()

    def run(self) -> None:
        """The command on this lake, once its session is up: opened anew, then whatever is due."""
        run_well(app_on(self.conf, self.spark, raw=self.folder / "raw", lake=self.folder / "lake"))

    def next_day(self, _: int) -> Spent:
        """One new window; its file is there before the clock starts."""
        write_events(self.folder / "raw", "events", self.windows, self.rows)
        self.windows += 1
        return spent(self.spark, self.run)


def grown(start: Grown, windows: int, at_once: int) -> Grown:
    """Build a lake in passes of a few windows, as a lake grows."""
    while start.windows < windows:
        start.grow(min(at_once, windows - start.windows))
    return start


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--old", type=int, help="windows of the old lake; 400 unless told")
    parser.add_argument("--young", type=int, help="windows of the young lake; 10 unless told")
    parser.add_argument("--rows", type=int, help="of each window; 1,000 unless told")
    parser.add_argument(
        "--at-once", type=int, default=10, help="windows in a pass while the old lake is built"
    )
    told = parser.parse_args(given)
    old, young, rows, repeats = (20, 3, 50, 1) if told.quick else (400, 10, 1000, 5)
    old, young, rows = told.old or old, told.young or young, told.rows or rows
    repeats, at_once = told.repeats or repeats, told.at_once
    with ground(told.folder) as folder:
        conf = lay(
            folder, events(("events",), ("events",)), master=told.master, quick=True, conf=KEPT
        )
        with session(conf) as spark:
            lake = partial(Grown, conf, spark)
            say(f"a lake of {young} windows and one of {old}, made {at_once} at a time")
            small = grown(lake(folder / "young", rows), young, at_once)
            big = grown(lake(folder / "old", rows), old, at_once)
            ours, theirs = alternating([big.next_day, small.next_day], repeats)
            jobs = f"jobs {median_of(ours, 'jobs'):.0f}/{median_of(theirs, 'jobs'):.0f}"
            figure = Figure(
                f"daily run, {old} windows", seconds(ours), seconds(theirs), f"{young} windows",
                GOAL, note=f"one new window of {rows:,} rows through three tables  {jobs}",
            )  # fmt: skip
            show(figure, as_json=told.json)


if __name__ == "__main__":
    main()
