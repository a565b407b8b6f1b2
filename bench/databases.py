"""A table of PostgreSQL to an ingested one, against a plain parted JDBC read and Delta write.

The plain side neither keeps what it read, nor counts it, nor judges it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from bench.database_servers import PASSWORD, WHO, Server, postgresql
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
from headgate.storage.drivers import loaded

GOAL = 1.2
PARTS = 2
INGESTED = """
source: SOURCE
columns:
  id: bigint
  customer_id: int
  country: string
  status: string
  quantity: int
  price: decimal(10,2)
  ordered_at: timestamp
  updated_at: timestamp
quality:
  - row: {price is positive: price > 0}
"""
ROWS = """
CREATE TABLE sales AS SELECT g AS id, (g % 50000)::int AS customer_id,
  (ARRAY['DE', 'FR', 'NO'])[g % 3 + 1]::text AS country, 'paid'::text AS status,
  (g % 7 + 1)::int AS quantity, ((g % 9000) / 100.0 + 1)::numeric(10,2) AS price,
  timestamptz '2026-01-01 00:00+00' + g * interval '1 second' AS ordered_at,
  timestamp '2026-01-02 00:00' + g * interval '1 second' AS updated_at
FROM generate_series(1, {rows}::bigint) AS g
"""


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, help="1,000,000 unless told")
    told = parser.parse_args(given)
    rows = told.rows or (20_000 if told.quick else 1_000_000)
    repeats = told.repeats or (1 if told.quick else 3)
    with ground(told.folder) as folder, postgresql() as server:
        say(f"{rows:,} rows in PostgreSQL")
        server.do(ROWS.format(rows=rows), "ALTER TABLE sales ADD PRIMARY KEY (id)", "ANALYZE")
        source = server.source(partition={"column": "id", "parts": PARTS})
        files = {"ingested/sales": INGESTED.replace("SOURCE", json.dumps(source))}
        conf = lay(folder, files, master=told.master, quick=told.quick)
        with session(conf) as spark:
            ours, theirs = measured(spark, conf, folder, server, rows, repeats)
        note = f"{rows:,} rows, {PARTS} connections; {costs(ours, theirs, rows)}"
        show(
            Figure("database to Delta", seconds(ours), seconds(theirs), "plain", GOAL, note=note),
            as_json=told.json,
        )


def measured(
    spark: SparkSession, conf: Path, folder: Path, server: Server, rows: int, repeats: int
) -> tuple[list[Spent], list[Spent]]:
    """Both sides in turns, each on a table of its own."""
    driver = loaded(spark, "postgresql")

    def ours(turn: int) -> Spent:
        app = app_on(conf, spark, lake=folder / f"lake-{turn}", raw=folder / f"raw-{turn}")
        return spent(spark, partial(run_well, app, "ingested.sales"))

    def theirs(turn: int) -> Spent:
        read = spark.read.jdbc(
            f"jdbc:{server.address}", "sales", column="id", lowerBound=1, upperBound=rows,
            numPartitions=PARTS,
            properties={"user": WHO, "password": PASSWORD, "driver": driver, "fetchsize": "10000"},
        )  # fmt: skip
        target = str(folder / f"plain-{turn}")
        return spent(spark, lambda: read.write.format("delta").save(target))

    first, second = alternating([ours, theirs], repeats)
    return first, second


if __name__ == "__main__":
    main()
