"""The suites that are measured, and the raw files that they read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

from pyspark.sql import SparkSession

from headgate.app import App
from headgate.conf import read_suite
from headgate.storage.session import stop_quietly
from headgate.storage.suite_session import session_for

FIRST_DAY = date(2025, 1, 1)

# --- a wide table of one large window: 12 columns, 10 steps, 12 rules ----------------------------

SALES_WINDOW = "2026-06-01"
SALES_INGESTED = """
source: {files: "NAME/{window}/*.parquet", format: parquet}
columns:
  order_id: bigint
  line: int
  customer_id: bigint
  product: string
  country: string
  status: string
  channel: string
  quantity: int
  unit_price: decimal(10,2)
  discount: double
  ordered_at: timestamp
  updated_at: timestamp
"""
SALES_CLEAN = r"""
reads: ingested.NAME
steps:
  - trim: [country, status]
  - fill: {channel: web}
  - map: {status: {canceled: cancelled, void: cancelled}}
  - derive: {country: upper(country)}
  - where: {keep: "quantity <> 0", because: empty line}
  - where: {keep: "status <> 'test'", because: test order}
  - rename: {product: sku}
  - cast: {discount: "decimal(5,4)"}
  - derive:
      gross: quantity * unit_price
      net: gross * (1 - discount)
  - drop: [channel]
key: [order_id, line]
latest_by: [updated_at]
write: replace
quality:
  - expect_column_values_to_not_be_null: {column: order_id}
  - expect_column_values_to_not_be_null: {column: customer_id}
  - expect_column_values_to_be_between: {column: quantity, min_value: 1, max_value: 1000}
  - expect_column_values_to_be_between: {column: discount, min_value: 0, max_value: 1}
  - expect_column_values_to_be_in_set: {column: country, value_set: [DE, FR, NO, GB, US]}
  - expect_column_values_to_be_in_set: {column: status, value_set: [open, paid, shipped, cancelled]}
  - expect_column_values_to_match_regex: {column: sku, regex: "^P[0-9]{5}$"}
  - expect_column_value_lengths_to_be_between: {column: country, min_value: 2, max_value: 2}
  - row: {price is positive: unit_price > 0}
  - row: {was ordered before it was updated: ordered_at <= updated_at}
  - expect_column_mean_to_be_between: {column: unit_price, min_value: 1, max_value: 100}
  - expect_table_row_count_to_be_between: {min_value: 1}
"""


def sales(names: tuple[str, ...]) -> dict[str, str]:
    """The files of one ingested and one clean table for each name."""
    made = {}
    for name in names:
        made[f"ingested/{name}"] = SALES_INGESTED.replace("NAME", name)
        made[f"clean/{name}"] = SALES_CLEAN.replace("NAME", name)
    return made


def write_sales(spark: SparkSession, raw: Path, name: str, rows: int, bad: int) -> None:
    """Raw rows as Parquet: one in a hundred again and newer, `bad` in a hundred break a rule."""
    n = "(id - if(id % 100 = 99, 1, 0))"  # the last of each hundred repeats the key before it
    spark.range(0, rows, 1, 4).selectExpr(
        f"{n} div 4 AS order_id",
        f"int({n} % 4) AS line",
        "pmod(xxhash64(id, 1), 100000) AS customer_id",
        "concat('P', lpad(string(pmod(xxhash64(id, 2), 5000)), 5, '0')) AS product",
        "concat(' ', element_at(array('de','fr','no','GB','us'),"
        " int(pmod(xxhash64(id, 3), 5)) + 1)) AS country",
        "if(id % 200 = 42, 'test', element_at(array('open','paid ','shipped','canceled','void'),"
        " int(pmod(xxhash64(id, 4), 5)) + 1)) AS status",
        "if(id % 10 = 3, NULL, element_at(array('web','shop','app'),"
        " int(pmod(xxhash64(id, 5), 3)) + 1)) AS channel",
        f"CASE WHEN id % 100 < {bad} THEN -1 WHEN id % 200 = 17 THEN 0"
        " ELSE int(pmod(xxhash64(id, 6), 9)) + 1 END AS quantity",
        "cast(pmod(xxhash64(id, 7), 9900) / 100 + 1 AS decimal(10,2)) AS unit_price",
        "pmod(xxhash64(id, 8), 50) / 100 AS discount",
        f"timestamp_seconds(1780272000 + {n} % 80000) AS ordered_at",
        "timestamp_seconds(1780358400 + id) AS updated_at",
    ).write.parquet(str(raw / name / SALES_WINDOW))


# --- small windows: one CSV file of few rows each ------------------------------------------------

EVENTS_INGESTED = """
source: {files: "NAME/{window}/*.csv", format: csv, options: {header: true}}
columns: {id: bigint, kind: string, amount: double, note: string, at: timestamp}
quality:
  - expect_table_row_count_to_be_between: {min_value: 1}
  - expect_column_values_to_not_be_null: {column: id}
"""
EVENTS_CLEAN = """
reads: ingested.NAME
steps:
  - trim: [kind, note]
  - derive: {taxed: "round(amount * 1.19, 2)"}
  - where: {keep: amount > 0.5, because: a trifle}
key: [id]
latest_by: [at]
quality:
  - expect_column_values_to_be_between: {column: amount, min_value: 0, max_value: 1000}
  - expect_column_values_to_be_in_set: {column: kind, value_set: [a, b, c, d, e, f, g]}
  - expect_column_mean_to_be_between: {column: amount, min_value: 1, max_value: 900}
"""
EVENTS_MART = """
reads: clean.NAME
period: {column: at, grain: day}
group_by: [kind]
measures: {amount: sum(amount), events: count(*)}
"""
EVENTS_SCHEMA = "id bigint, kind string, amount double, note string, at timestamp"


def events(names: tuple[str, ...], marts: tuple[str, ...] = ()) -> dict[str, str]:
    """The files of an ingested and a clean table for each name, and marts on some of them."""
    made = {}
    for name in names:
        made[f"ingested/{name}"] = EVENTS_INGESTED.replace("NAME", name)
        made[f"clean/{name}"] = EVENTS_CLEAN.replace("NAME", name)
    made |= {f"marts/{name}": EVENTS_MART.replace("NAME", name) for name in marts}
    return made


def day(place: int) -> str:
    """The window with this number.

    >>> day(0), day(31)
    ('2025-01-01', '2025-02-01')
    """
    return (FIRST_DAY + timedelta(days=place)).isoformat()


def write_events(raw: Path, name: str, place: int, rows: int) -> None:
    """One window's file; some rows are trifles, some keys are there twice."""
    window = day(place)
    folder = raw / name / window
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["id,kind,amount,note,at"]
    for n in range(rows):
        number = place * rows + n - (1 if n % 50 == 49 else 0)
        amount = (number * 37 % 10000) / 100
        at = f"{window} {n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}"
        lines.append(f"{number},{'abcdefg'[number % 7]},{amount},note {number % 11} ,{at}")
    (folder / "events.csv").write_text("\n".join(lines) + "\n")


# --- a suite on disk -----------------------------------------------------------------------------


def lay(
    folder: Path,
    files: Mapping[str, str],
    *,
    master: str,
    quick: bool,
    conf: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Write a conf folder; returns it. Raw files and lake are beside it."""
    spark = {"master": master, "quick": quick, "conf": dict(conf)}
    local = f"raw: raw\nlake: lake\nspark: {json.dumps(spark)}\n"
    for name, text in {"suite": "name: bench\n", "env/local": local, **files}.items():
        path = folder / "conf" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    return folder / "conf"


def app_on(conf: Path, spark: SparkSession, **places: Path) -> App:
    """The suite on a running session; `lake=` and `raw=` may be elsewhere."""
    overrides = {name: str(path) for name, path in places.items()}
    return App(read_suite(conf, overrides=overrides), spark)


@contextmanager
def session(conf: Path) -> Iterator[SparkSession]:
    """The session that both sides use, as Headgate starts it."""
    os.environ.setdefault("HEADGATE_LOG", "error")
    spark = session_for(read_suite(conf))
    try:
        yield spark
    finally:
        stop_quietly(spark)


def run_well(app: App, *what: str, window: str | None = None, force: bool = False) -> int:
    """Run, and make sure that something was published; returns how many windows."""
    result = app.run(list(what), window=window, force=force)
    bad = [f"{e.table} {e.window}: {e.message}" for e in result.runs if e.status != "published"]
    if bad or result.errors or not result.runs:
        raise SystemExit(f"the run to be measured did not publish: {[*bad[:3], *result.errors]}")
    return len(result.runs)
