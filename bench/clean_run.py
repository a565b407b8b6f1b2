"""One large window through a clean table: 10 steps, 12 rules, a key of two columns.

Against the same work as bare PySpark and Delta do it: steps as select and where, the rules as
one filter, the key by row_number, the window written by replaceWhere; nothing counted, nothing
kept of what is dropped. Both results are compared before a figure is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession, Window
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
from bench.suites import SALES_WINDOW, app_on, lay, run_well, sales, session, write_sales
from headgate.app import App

GOAL = 1.10
SHARES = {"sales": 0, "spoilt": 1}  # table -> rejected rows in a hundred
OWN = ("_window", "_ingested_at", "_file", "_row", "_rescued")
# A null is judged by nothing but not_be_null and SQL conditions, as in great-expectations.
RULES = r"""
    order_id IS NOT NULL AND customer_id IS NOT NULL
    AND coalesce(quantity BETWEEN 1 AND 1000, true)
    AND coalesce(discount BETWEEN 0 AND 1, true)
    AND coalesce(country IN ('DE', 'FR', 'NO', 'GB', 'US'), true)
    AND coalesce(status IN ('open', 'paid', 'shipped', 'cancelled'), true)
    AND coalesce(sku RLIKE '^P[0-9]{5}$', true)
    AND coalesce(length(country) BETWEEN 2 AND 2, true)
    AND coalesce(unit_price > 0, false)
    AND coalesce(ordered_at <= updated_at, false)
"""


def bare(spark: SparkSession, source: str, target: str, own: Sequence[str]) -> None:
    """The window from one Delta table to another, as a good engineer would write it."""
    rows = spark.read.format("delta").load(source).where(F.col("_window") == SALES_WINDOW)
    rows = (
        rows.where("quantity <> 0 AND trim(status) <> 'test'")
        .selectExpr(
            "order_id", "line", "customer_id", "product AS sku", "upper(trim(country)) AS country",
            "CASE WHEN trim(status) IN ('canceled', 'void') THEN 'cancelled'"
            " ELSE trim(status) END AS status",
            "quantity", "unit_price", "discount AS given",
            "try_cast(discount AS decimal(5,4)) AS discount", "ordered_at", "updated_at",
            "quantity * unit_price AS gross", *own,
        )
        .where("discount IS NOT NULL OR given IS NULL")
        .withColumn("net", F.expr("gross * (1 - discount)"))
        .where(RULES)
    )  # fmt: skip
    newest = Window.partitionBy("order_id", "line").orderBy(F.desc("updated_at"))
    rows = rows.withColumn("place", F.row_number().over(newest)).where("place = 1")
    (
        rows.drop("place", "given")
        .write.format("delta")
        .mode("overwrite")
        .option("replaceWhere", f"_window = '{SALES_WINDOW}'")
        .partitionBy("_window")
        .save(target)
    )


def fingerprint(rows: DataFrame) -> tuple[int, str]:
    """What a table holds, whatever the order of its rows and columns."""
    names = sorted(name for name in rows.columns if not name.startswith("_"))
    row = F.xxhash64(F.to_json(F.struct(*names))).cast("decimal(38,0)")
    found = rows.agg(F.count(F.lit(1)), F.sum(row)).collect()[0]
    return int(found[0]), str(found[1])


def measured(
    app: App, folder: Path, name: str, repeats: int, own: Sequence[str]
) -> tuple[list[Spent], list[Spent]]:
    """Samples of both sides, once it is sure that they do the same."""
    spark, target = app.spark, str(folder / "bare" / name)
    source = app.lake.path(f"ingested.{name}")

    def ours(_: int) -> Spent:
        return spent(spark, partial(run_well, app, f"clean.{name}", force=True))

    def theirs(_: int) -> Spent:
        return spent(spark, partial(bare, spark, source, target, own))

    run_well(app, f"clean.{name}")
    samples = alternating([ours, theirs], repeats)
    made = fingerprint(app.table(f"clean.{name}"))
    expected = fingerprint(spark.read.format("delta").load(target))
    if made != expected:
        raise SystemExit(f"{name}: not the same work: {made} is not {expected}")
    return samples[0], samples[1]


def prepared(app: App, folder: Path, name: str, rows: int) -> None:
    """The input: Parquet files, taken in by Headgate. Not timed."""
    say(f"{rows:,} rows, {SHARES[name]} % to be rejected, into ingested.{name}")
    write_sales(app.spark, folder / "raw", name, rows, SHARES[name])
    run_well(app, f"ingested.{name}")


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, help="2,000,000 unless told")
    parser.add_argument(
        "--carry", action="store_true", help="the bare side keeps Headgate's own columns too"
    )
    told = parser.parse_args(given)
    rows, repeats = (40_000, 1) if told.quick else (2_000_000, 3)
    rows, repeats = told.rows or rows, told.repeats or repeats
    own = OWN if told.carry else OWN[:1]
    with ground(told.folder) as folder:
        conf = lay(folder, sales(tuple(SHARES)), master=told.master, quick=False)
        with session(conf) as spark:
            app = app_on(conf, spark)
            for name, share in SHARES.items():
                prepared(app, folder, name, rows)
                ours, theirs = measured(app, folder, name, repeats, own)
                figure = Figure(
                    f"clean_run {share} % rejected", seconds(ours), seconds(theirs), "bare", GOAL,
                    note=f"{rows:,} rows  {costs(ours, theirs, rows)}",
                )  # fmt: skip
                show(figure, as_json=told.json)


if __name__ == "__main__":
    main()
