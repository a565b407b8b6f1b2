"""Two personal columns, one tokenised and one encrypted, as a window is taken in.

Against a bare copy from Parquet to Delta, and against Headgate with nothing declared. The tokens go
to the vault in the first turn, which is not counted: later turns find them there, as a table does
whose people come back.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession
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
from bench.suites import app_on, lay, run_well, session
from headgate.app import App

GOAL = 3.0
WINDOW = "2026-11-01"
TABLE = """\
source: {files: "people/{window}/*.parquet", format: parquet}
columns:
  id: bigint
  email: EMAIL
  name: NAME
  country: string
  amount: decimal(10,2)
"""
KINDS = {
    "private": ("{type: string, privacy: tokenise}", "{type: string, privacy: encrypt}"),
    "open": ("string", "string"),
}


def write_people(spark: SparkSession, raw: Path, rows: int) -> None:
    """Raw rows: as many names as rows, and two rows of each e-mail."""
    spark.range(0, rows, 1, 4).selectExpr(
        "id",
        "concat('person', id div 2, '@example.com') AS email",
        "concat('Name of ', xxhash64(id)) AS name",
        "element_at(array('DE', 'FR', 'NO'), int(id % 3) + 1) AS country",
        "cast(id % 10000 / 100 AS decimal(10,2)) AS amount",
    ).write.parquet(str(raw / "people" / WINDOW))


def copied(spark: SparkSession, raw: Path, target: str) -> None:
    """The same rows from Parquet to Delta, and nothing done to them."""
    rows = spark.read.parquet(str(raw / "people" / WINDOW)).withColumn("_window", F.lit(WINDOW))
    writer = rows.write.format("delta").mode("overwrite").partitionBy("_window")
    writer.option("replaceWhere", f"_window = '{WINDOW}'").save(target)


def measured(app: App, folder: Path, repeats: int) -> tuple[list[Spent], ...]:
    """Samples of all sides, in turns."""
    target = str(folder / "bare")
    copied(app.spark, folder / "raw", target)

    def ours(name: str, _: int) -> Spent:
        return spent(app.spark, partial(run_well, app, f"ingested.{name}", force=True))

    def bare(_: int) -> Spent:
        return spent(app.spark, partial(copied, app.spark, folder / "raw", target))

    return tuple(alternating([bare, *(partial(ours, name) for name in KINDS)], repeats))


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, help="2,000,000 unless told")
    told = parser.parse_args(given)
    rows, repeats = (40_000, 1) if told.quick else (2_000_000, 3)
    rows, repeats = told.rows or rows, told.repeats or repeats
    os.environ["HEADGATE_KEY_MAIN"] = secrets.token_hex(32)
    files = {
        f"ingested/{name}": TABLE.replace("EMAIL", email).replace("NAME", called)
        for name, (email, called) in KINDS.items()
    }
    with ground(told.folder) as folder:
        conf = lay(folder, files, master=told.master, quick=False)
        with session(conf) as spark:
            say(f"{rows:,} rows with a token and an encrypted name")
            write_people(spark, folder / "raw", rows)
            bare, private, plain = measured(app_on(conf, spark), folder, repeats)
            against = (("bare copy", bare, GOAL), ("nothing declared", plain, None))
            for other, side, goal in against:
                figure = Figure(
                    "privacy", seconds(private), seconds(side), other, goal,
                    note=f"{rows:,} rows  {costs(private, side, rows)}",
                )  # fmt: skip
                show(figure, as_json=told.json)


if __name__ == "__main__":
    main()
