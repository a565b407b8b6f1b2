"""Records of several threads: all are there, also where all of them make the table."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pyspark.sql import SparkSession

from headgate.storage.records import Records


def test_all_that_make_a_table_at_once_are_in_it(spark: SparkSession, tmp_path: Path) -> None:
    lake, many = f"{tmp_path}/lake", 6
    ready = threading.Barrier(many)

    def add(number: int) -> None:
        records = Records(spark, lake)
        ready.wait()
        records.add(
            "decisions",
            [{"table": "clean.t", "window": f"w{number}", "state": "dismissed", "rows": 1,
              "reason": None, "because": "why", "decided_at": "2026-11-01T00:00:00+00:00"}],
        )  # fmt: skip

    with ThreadPoolExecutor(many) as pool:
        list(pool.map(add, range(many)))

    rows = spark.read.format("delta").load(f"{lake}/ops/decisions").collect()
    assert sorted(row["window"] for row in rows) == [f"w{number}" for number in range(many)]
