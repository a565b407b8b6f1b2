"""Repaired rows of one window handed back, against a full re-run of that window.

Each turn hands back other rejected rows, as a file; the rest of them waits for its turn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

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
from bench.suites import app_on, lay, run_well, session
from headgate.storage.repaired import given_at

GOAL = 0.3
WINDOW = "2026-11-01"
INGESTED = """\
source: {files: "sales/{window}/*.csv", options: {header: true}}
columns:
  id: bigint
  customer: bigint
  country: string
  quantity: int
  price: decimal(10,2)
  sold_at: timestamp
max_rejected: 100%
"""
CLEAN = """\
reads: ingested.sales
steps:
  - trim: [country]
  - derive: {revenue: quantity * price}
quality:
  - row: {something was sold: quantity > 0}
  - expect_column_values_to_be_in_set: {column: country, value_set: [DE, FR, NO]}
max_rejected: 100%
"""


def write_sales(spark: SparkSession, raw: Path, rows: int, bad: int) -> None:
    """One window; `bad` rows of it hold a number that is none, as many more sell nothing."""
    spark.range(0, rows, 1, 4).selectExpr(
        "id",
        "pmod(xxhash64(id), 100000) AS customer",
        "element_at(array('DE', ' FR', 'NO'), int(id % 3) + 1) AS country",
        f"CASE WHEN id < {bad} THEN 'many' WHEN id < {2 * bad} THEN '0'"
        " ELSE string(id % 9 + 1) END AS quantity",
        "cast(id % 10000 / 100 AS decimal(10,2)) AS price",
        f"timestamp'{WINDOW}' + make_interval(0, 0, 0, 0, 0, 0, id % 80000) AS sold_at",
    ).write.option("header", True).csv(str(raw / "sales" / WINDOW))


def handed_back(conf: Path, spark: SparkSession, table: str, turns: int, each: int) -> list[Path]:
    """A file for each turn, with rejected rows of its own, all repaired."""
    rows = app_on(conf, spark).quarantine(table).where("_state = 'open'")
    places = rows.select("_file", "_row").orderBy("_file", "_row").limit(turns * each).collect()
    files = []
    for turn in range(turns):
        file = conf.parent / f"{table}-{turn}.jsonl"
        mine = places[turn * each : (turn + 1) * each]
        lines = [json.dumps({"_file": f, "_row": n, "quantity": "7"}) for f, n in mine]
        file.write_text("\n".join(lines))
        files.append(file)
    return files


def measured(
    conf: Path, spark: SparkSession, table: str, each: int, repeats: int
) -> tuple[list[Spent], list[Spent]]:
    """Samples of a replay and of a re-run, in turns."""
    files = handed_back(conf, spark, table, repeats + 1, each)

    def once_more(file: Path) -> None:
        _, done = app_on(conf, spark).replay(table, given_at(spark, str(file)))
        if done.replayed != each:
            raise SystemExit(f"{done.replayed} of {each} rows were replayed")

    def ours(turn: int) -> Spent:
        return spent(spark, partial(once_more, files[turn]))

    def theirs(_: int) -> Spent:
        app = app_on(conf, spark)
        return spent(spark, partial(run_well, app, table, window=WINDOW, force=True))

    samples = alternating([ours, theirs], repeats)
    return samples[0], samples[1]


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, help="of the window; 2,000,000 unless told")
    parser.add_argument("--repaired", type=int, help="rows handed back; 10,000 unless told")
    told = parser.parse_args(given)
    rows, each, repeats = (20_000, 100, 1) if told.quick else (2_000_000, 10_000, 3)
    rows, each = told.rows or rows, told.repaired or each
    repeats = told.repeats or repeats
    with ground(told.folder) as folder:
        files = {"ingested/sales": INGESTED, "clean/sales": CLEAN}
        conf = lay(folder, files, master=told.master, quick=False)
        with session(conf) as spark:
            write_sales(spark, folder / "raw", rows, each * (repeats + 1))
            for table in ("ingested.sales", "clean.sales"):
                say(f"{each:,} of {rows:,} rows of {table} handed back")
                run_well(app_on(conf, spark), table)
                ours, theirs = measured(conf, spark, table, each, repeats)
                figure = Figure(
                    f"replay, {table.partition('.')[0]}", seconds(ours), seconds(theirs),
                    "re-run", GOAL, note=f"{each:,} of {rows:,} rows  {costs(ours, theirs, rows)}",
                )  # fmt: skip
                show(figure, as_json=told.json)


if __name__ == "__main__":
    main()
