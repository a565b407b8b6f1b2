"""Many small windows pending at once, the same one by one, and a single small window.

Compared with bare Delta writes of the same rows, which only read and write: no contract, no
steps, no rules, no key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from bench.measure import (
    Figure,
    Spent,
    alternating,
    arguments,
    costs,
    ground,
    say,
    seconds,
    show,
    spent,
)
from bench.suites import EVENTS_SCHEMA, app_on, day, events, lay, run_well, session, write_events

TOGETHER_GOAL, ONE_BY_ONE_GOAL, SINGLE_GOAL = 2.0, 0.1, 2.0
LAYERS = ("ingested", "clean")
Pair = tuple[Spent, Spent]  # ingested, clean


@dataclass(frozen=True)
class Case:
    """What is measured, and how often."""

    conf: Path
    folder: Path
    windows: int
    rows: int  # a window
    alone: int  # windows that are run one by one
    repeats: int


def csv_rows(spark: SparkSession, path: str) -> DataFrame:
    """The raw rows, typed by Spark's own reader, with their window."""
    rows = spark.read.schema(EVENTS_SCHEMA).option("header", True).csv(path)
    window = F.regexp_extract(F.col("_metadata.file_path"), r"/([^/]+)/[^/]+$", 1)
    return rows.select("*", window.alias("_window"))


def written(rows: DataFrame, target: Path, window: str | None = None) -> None:
    """A bare Delta write, partitioned by window; of one window, it replaces that one."""
    writer = rows.write.format("delta").partitionBy("_window")
    if window is not None:
        writer = writer.mode("overwrite").option("replaceWhere", f"_window = '{window}'")
    writer.save(str(target))


def together(case: Case, spark: SparkSession) -> tuple[list[Pair], list[Pair]]:
    """All windows at once, on a fresh lake each time."""

    def ours(turn: int) -> Pair:
        app = app_on(case.conf, spark, lake=case.folder / f"lake-{turn}")
        one, two = (spent(spark, partial(run_well, app, f"{layer}.events")) for layer in LAYERS)
        return one, two

    def theirs(turn: int) -> Pair:
        base = case.folder / f"bare-{turn}"
        source, lake = case.folder / "raw" / "events", case.folder / f"lake-{turn}"

        def ingest() -> None:
            written(csv_rows(spark, f"{source}/*/*.csv"), base / "ingested")

        def clean() -> None:
            rows = spark.read.format("delta").load(str(lake / "ingested" / "events"))
            written(rows, base / "clean")

        return spent(spark, ingest), spent(spark, clean)

    samples = alternating([ours, theirs], case.repeats)
    return samples[0], samples[1]


def alone(case: Case, spark: SparkSession, layer: str) -> tuple[list[Spent], list[Spent]]:
    """One new window after the other, in turns with the bare write of the same window."""
    lake, target = case.folder / "lake-alone", case.folder / "bare-alone" / layer
    app = app_on(case.conf, spark, lake=lake)

    def ours(turn: int) -> Spent:
        return spent(spark, partial(run_well, app, f"{layer}.events", window=day(turn)))

    def theirs(turn: int) -> Spent:
        window = day(turn)

        def bare() -> None:
            if layer == "ingested":
                rows = csv_rows(spark, f"{case.folder}/raw/events/{window}/*.csv")
            else:
                rows = spark.read.format("delta").load(str(lake / "ingested" / "events"))
                rows = rows.where(F.col("_window") == window)
            written(rows, target, window)

        return spent(spark, bare)

    samples = alternating([ours, theirs], case.alone, warm=2)
    if layer == "ingested":
        run_well(app, "ingested.events")  # the rest, for the next layer
    return samples[0], samples[1]


def figures(case: Case, spark: SparkSession) -> list[Figure]:
    """All that is told of windows."""
    say(f"{case.windows} windows of {case.rows:,} rows at once")
    ours, theirs = together(case, spark)
    made = []
    for place, layer in enumerate(LAYERS):
        mine, bare = [pair[place] for pair in ours], [pair[place] for pair in theirs]
        all_rows = case.windows * case.rows
        made.append(
            Figure(
                f"windows at once, {layer}", seconds(mine), seconds(bare), "bare", TOGETHER_GOAL,
                note=f"{case.windows} windows  {costs(mine, bare, all_rows)}",
            )
        )  # fmt: skip
    for place, layer in enumerate(LAYERS):
        say(f"{case.alone} windows one by one through {layer}")
        single, bare = alone(case, spark, layer)
        each = sum(seconds(single)) / len(single)
        made.append(
            Figure(
                f"at once/one by one, {layer}", made[place].ours, (each,), "single",
                ONE_BY_ONE_GOAL, scale=case.windows,
                note=f"{case.alone} of {case.windows} were run one by one, and scaled",
            )
        )  # fmt: skip
        made.append(
            Figure(
                f"one window, {layer}", seconds(single), seconds(bare), "bare", SINGLE_GOAL,
                note=f"{case.rows:,} rows, warm session  {costs(single, bare, case.rows)}",
            )
        )  # fmt: skip
    return made


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--windows", type=int, help="300 unless told")
    parser.add_argument("--rows", type=int, help="of each window; 1,000 unless told")
    parser.add_argument("--alone", type=int, help="windows that are run one by one; 20 unless told")
    told = parser.parse_args(given)
    windows, rows, single, repeats = (12, 50, 2, 1) if told.quick else (300, 1000, 20, 3)
    windows, rows = told.windows or windows, told.rows or rows
    single, repeats = min(told.alone or single, windows - 3), told.repeats or repeats
    with ground(told.folder) as folder:
        for place in range(windows):
            write_events(folder / "raw", "events", place, rows)
        conf = lay(folder, events(("events",)), master=told.master, quick=False)
        case = Case(conf, folder, windows, rows, single, repeats)
        with session(conf) as spark:
            for figure in figures(case, spark):
                show(figure, as_json=told.json)


if __name__ == "__main__":
    main()
