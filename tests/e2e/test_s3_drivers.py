"""Three drivers commit to one table on S3 at once, and every row is there once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.s3_server import HOW, program, running
from pyspark.sql import SparkSession

from on_s3 import known_to, s3_is_here

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(program() is None, reason=f"no S3 server: {HOW}"),
    pytest.mark.skipif(not s3_is_here(), reason="no connector: python -m headgate.storage.s3a"),
]

DRIVERS, COMMITS = 3, 100
DRIVER = """
import json, sys
from headgate.core.spec import SparkSettings
from headgate.storage.session import start

place, who, commits, conf = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
settings = SparkSettings(master="local[1]", quick=True, conf=conf)
spark = start(settings, timezone="UTC", app=f"driver {who}", places=[place])
for number in range(commits):
    rows = spark.createDataFrame([(who, number)], "who int, number int").coalesce(1)
    rows.write.format("delta").mode("append").save(place)
"""


def test_every_commit_of_three_drivers_is_there_once(tmp_path: Path, spark: SparkSession) -> None:
    with running(tmp_path / "server") as server:
        server.bucket("many")
        place = "s3a://many/lake/t"
        known_to(spark, "many", server.port)
        spark.range(0).selectExpr("1 who", "1 number").selectExpr(
            "cast(who as int) who", "cast(number as int) number"
        ).write.format("delta").save(place)
        said = json.dumps(server.settings())
        drivers = [
            subprocess.Popen([sys.executable, "-c", DRIVER, place, str(who), str(COMMITS), said])
            for who in range(DRIVERS)
        ]
        assert [driver.wait(1800) for driver in drivers] == [0] * DRIVERS
        rows = spark.read.format("delta").load(place).groupBy("who", "number").count().collect()
        assert len(rows) == DRIVERS * COMMITS
        assert {row["count"] for row in rows} == {1}
