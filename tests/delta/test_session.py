"""A real session: what it is made with, what it says, and what Spark really calls files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.errors import (
    HeadgateError,
    Infrastructure,
    InputMissing,
    StepFailed,
    Unreadable,
    Usage,
)
from headgate.core.spec import SparkSettings
from headgate.storage import session
from headgate.storage.faults import classify
from headgate.storage.files import LocalFiles, files_for
from headgate.storage.hadoop import HadoopFiles
from headgate.storage.lease import acquire

SECRET = "Erika Mustermann"
NAMES = (
    "plain.csv", "a b.csv", "ü.csv", "50%.csv", "a+b.csv", "a#b.csv", "k=v.csv", "q?.csv",
    "a&b;c.csv", "[x].csv", "{y}.csv", "'\"`.csv", "~^|\\.csv", "a%20b.csv", "nb\u00a0sp.csv",
    "line\u2028.csv", "日本.csv", "😀.csv", "a@b$c!*(),.csv", "<>.csv", "tab\t.csv",
    "d=1/in ner.csv", "x.csv/p.csv",
)  # fmt: skip


@pytest.fixture(scope="module")
def spark() -> SparkSession:
    """The session of this test run; it is left for whoever comes next."""
    return session.start(SparkSettings(quick=True), timezone="UTC", app="tests")


@pytest.fixture
def odd(tmp_path: Path) -> LocalFiles:
    """A raw zone with every odd name there is."""
    files = LocalFiles(str(tmp_path / "raw zone%ü"))
    for name in NAMES:
        target = Path(files.root, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("x\n1\n")
    Path(files.root, "_SUCCESS").touch()
    return files


def over_jvm(files: LocalFiles, spark: SparkSession) -> HadoopFiles:
    return HadoopFiles(f"file://{files.root}", spark)


def test_delta_ansi_and_zone(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    spark.range(3).write.format("delta").save(path)
    assert spark.read.format("delta").load(path).count() == 3
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"


def test_running_session_is_taken_in_the_suites_zone(spark: SparkSession) -> None:
    try:
        taken = session.start(SparkSettings(), timezone="Europe/Oslo", app="another")
        assert taken is spark
        assert spark.conf.get("spark.sql.session.timeZone") == "Europe/Oslo"
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")


def test_reading_session_keeps_its_settings_to_itself(spark: SparkSession) -> None:
    beside = session.reading_session(spark)
    assert beside is session.reading_session(spark)
    most = "spark.sql.files.maxPartitionBytes"  # a file is never split, or its records lose count
    assert (
        int(beside.conf.get(most) or 0) == 1 << 40 != int((spark.conf.get(most) or "0").strip("b"))
    )
    assert beside.conf.get("spark.sql.session.timeZone") == "UTC"
    assert SparkSession.getActiveSession() is spark


def test_names_are_as_spark_shows_them(spark: SparkSession, odd: LocalFiles) -> None:
    paths = [odd.for_spark(info.path) for info in odd.listing()]
    rows = spark.read.option("header", True).csv(paths)
    seen = {row[0] for row in rows.select("_metadata.file_path").distinct().collect()}
    assert seen == {odd.uri(name) for name in NAMES}
    assert seen == {over_jvm(odd, spark).uri(name) for name in NAMES}


def test_both_ways_to_files_say_the_same(spark: SparkSession, odd: LocalFiles) -> None:
    jvm = over_jvm(odd, spark)
    listed = {info.path: info for info in jvm.listing()}
    assert set(listed) == set(NAMES)
    for info in odd.listing():
        other = listed[info.path]
        assert other.size == info.size
        assert other.modified_ns // 10**9 == info.modified_ns // 10**9
        assert jvm.digest(info.path) == odd.digest(info.path)
        assert jvm.for_spark(info.path) == odd.for_spark(info.path)
    assert [info.path for info in jvm.listing("d=1/")] == ["d=1/in ner.csv"]
    assert list(jvm.listing("nope")) == []
    for start, length in ((0, None), (2, None), (1, 2), (2, 30), (30, None)):
        assert jvm.read_bytes("ü.csv", start, length) == odd.read_bytes("ü.csv", start, length)


def test_writing_through_the_jvm(spark: SparkSession, tmp_path: Path) -> None:
    files = HadoopFiles(f"file://{tmp_path}", spark)
    assert files.create_exclusive("ops/a", b"1")
    assert not files.create_exclusive("ops/a", b"2")
    assert not files.replace_if("ops/a", b"2", b"3")
    assert files.replace_if("ops/a", b"1", b"\x00\xff")
    assert files.replace_if("ops/b", None, b"4")
    assert files.read_bytes("ops/a") == b"\x00\xff"
    assert sorted(info.path for info in files.listing()) == ["ops/a", "ops/b"]
    files.delete("ops")
    assert not files.exists("ops/a")
    with pytest.raises(FileNotFoundError):
        files.read_bytes("ops/a")
    with acquire(files, "clean.orders", run="a") as lease:
        assert lease.renew()
    assert acquire(files, "clean.orders", run="b").token == 2


def test_unknown_scheme_is_no_traceback(spark: SparkSession) -> None:
    with pytest.raises(Infrastructure, match="nosuch://x/y"):
        files_for("nosuch://x/y", spark)


@dataclass(frozen=True)
class Given:
    spark: SparkSession
    rows: DataFrame  # (a string, n int), read from a file
    folder: Path


Act = Callable[[Given], Any]


def fails(value: str) -> str:
    raise ValueError(f"bad {value}\nmore: {value}")


def damaged(given: Given) -> None:
    path = given.folder / "x.csv.gz"
    path.write_bytes(b"\x1f\x8b\x08x" * 10)
    given.spark.read.csv(str(path)).collect()


CASES: dict[str, tuple[Act, type[HeadgateError], str]] = {
    "cast": (
        lambda given: given.rows.select(F.expr("cast(a as int)")).collect(),
        StepFailed,
        "a value cannot be cast from STRING to INT in 'cast(a as int)'",
    ),
    "cast while writing": (
        lambda given: (
            given.rows.select(F.col("a").cast("int"))
            .write.format("delta")
            .save(f"{given.folder}/t")
        ),
        StepFailed,
        "a value cannot be cast from STRING to INT",
    ),
    "division": (
        lambda given: given.rows.select(F.expr("1 / n")).collect(),
        StepFailed,
        "division by zero in '1 / n'",
    ),
    "overflow": (
        lambda given: given.rows.select(F.expr("(n + 2147483647) + 1")).collect(),
        StepFailed,
        "a number outgrows its type",
    ),
    "udf": (
        lambda given: given.rows.select(F.udf(fails, useArrow=False)("a")).collect(),
        StepFailed,
        "test_session.py",
    ),
    "udf while writing": (
        lambda given: given.rows.select(F.udf(fails, useArrow=False)("a").alias("z")).write.json(
            f"{given.folder}/j"
        ),
        StepFailed,
        "ValueError was raised",
    ),
    "raised": (lambda given: given.rows.select(F.expr("raise_error(a)")).collect(), StepFailed, ""),
    "column": (lambda given: given.rows.select("aa").collect(), Usage, "unknown column 'aa'"),
    "function": (
        lambda given: given.rows.select(F.expr("upperr(a)")).collect(),
        Usage,
        "did you mean 'upper'?",
    ),
    "syntax": (
        lambda given: given.rows.select(F.expr("a bogus bogus")).collect(),
        Usage,
        "cannot read this SQL near 'bogus'",
    ),
    "path": (
        lambda given: given.spark.read.csv(f"{given.folder}/none").collect(),
        InputMissing,
        "none",
    ),
    "damaged": (damaged, Unreadable, "x.csv.gz: the file cannot be read"),
    "unwritable": (
        lambda given: given.rows.write.format("delta").save("/proc/none/t"),
        Infrastructure,
        "the lake cannot be written",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_faults_of_a_real_spark(spark: SparkSession, tmp_path: Path, name: str) -> None:
    act, kind, said = CASES[name]
    spark.createDataFrame([(SECRET, 0)], "a string, n int").write.parquet(str(tmp_path / "in"))
    rows = spark.read.parquet(str(tmp_path / "in"))
    with pytest.raises(Exception) as caught:  # noqa: PT011
        act(Given(spark, rows, tmp_path))
    found = classify(caught.value)
    assert type(found) is kind, found.sentence
    assert said in found.sentence
    assert "Erika" not in found.sentence


def alone(program: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program in a process and a folder of its own."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_quiet_tidy_and_up_again_after_its_jvm_died(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mine.py").write_text("def twice(x):\n    return 2 * x\n")
    (tmp_path / "work").mkdir()
    program = f"""
import json, os, sys
sys.path.insert(0, {str(tmp_path / "lib")!r})
from pyspark import SparkContext
from pyspark.sql import functions as F
from headgate.core.spec import SparkSettings
from headgate.storage import session
from headgate.storage.faults import classify
import mine
told = {{}}
def start(partitions):
    conf = {{"spark.sql.shuffle.partitions": partitions}}
    settings = SparkSettings(master="local[1]", quick=True, conf=conf)
    return session.start(settings, timezone="UTC", app="alone")
spark = start("3")
told["partitions"] = spark.conf.get("spark.sql.shuffle.partitions")
told["twice"] = spark.range(3).select(F.udf(mine.twice, "long")("id")).collect()[2][0]
rows = spark.createDataFrame([({SECRET!r},)], "a string")
try:
    rows.repartition(2).select(F.col("a").cast("int")).collect()
except Exception as error:
    told["failed"] = classify(error).exit_code
SparkContext._gateway.proc.kill()
try:
    spark.range(3).count()
except Exception as error:
    told["died"] = classify(error).sentence
session.stop_quietly(spark)
spark = start("5")
told["again"] = [spark.range(3).count(), spark.conf.get("spark.sql.shuffle.partitions")]
session.stop_quietly(spark)
spark = start("7")
told["third"] = [spark.range(3).count(), spark.conf.get("spark.sql.shuffle.partitions")]
session.stop_quietly(spark)
print(json.dumps(told))
"""
    done = alone(program, tmp_path / "work")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["died"].startswith("Spark's JVM is gone")
    del told["died"]
    assert told == {
        "partitions": "3",
        "twice": 4,
        "failed": 30,
        "again": [3, "5"],
        "third": [3, "7"],
    }
    assert list((tmp_path / "work").iterdir()) == []


def test_session_without_delta_is_told_what_it_lacks(tmp_path: Path) -> None:
    program = """
from pyspark.sql import SparkSession
from headgate.core.errors import Usage
from headgate.core.spec import SparkSettings
from headgate.storage import session
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
spark = builder.getOrCreate()
for _ in range(2):
    try:
        session.start(SparkSettings(), timezone="UTC", app="x")
    except Usage as error:
        print(error.sentence)
    spark.stop()
"""
    done = alone(program, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    running, stopped = done.stdout.splitlines()
    assert "io.delta.sql.DeltaSparkSessionExtension" in running
    assert "org.apache.spark.sql.delta.catalog.DeltaCatalog" in running
    assert "started without Delta's jars" in stopped
    assert "fresh Python process" in stopped


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"conf": {"spark.driver.memory": "900000g"}}, Infrastructure, "spark.driver.memory"),
        ({"master": "lokal[2]"}, Usage, "is not a Spark master"),
    ],
    ids=["memory", "master"],
)
def test_what_cannot_start_says_why(
    tmp_path: Path, settings: dict[str, Any], kind: type[HeadgateError], said: str
) -> None:
    program = f"""
import sys
from headgate.core.errors import HeadgateError
from headgate.core.spec import SparkSettings
from headgate.storage import session
try:
    session.start(SparkSettings(**{settings!r}), timezone="UTC", app="x")
except HeadgateError as error:
    print(error.sentence)
    sys.exit(error.exit_code)
"""
    done = alone(program, tmp_path)
    assert done.returncode == kind.exit_code, done.stderr[-2000:]
    assert said in done.stdout
    assert "Traceback" not in done.stderr


def test_command_line_of_spark_submit_wins(tmp_path: Path) -> None:
    from headgate.storage import jars

    script = tmp_path / "job.py"
    script.write_text(
        """
import json
from headgate.core.spec import SparkSettings
from headgate.storage import session
conf = {"spark.sql.shuffle.partitions": "3", "spark.sql.autoBroadcastJoinThreshold": "77"}
settings = SparkSettings(master="local[3]", conf=conf)
spark = session.start(settings, timezone="Europe/Oslo", app="ours")
spark.range(1).write.format("delta").save("t")
keys = ["spark.master", "spark.sql.shuffle.partitions", "spark.sql.autoBroadcastJoinThreshold",
        "spark.sql.session.timeZone", "spark.sql.extensions"]
print(json.dumps([spark.conf.get(key) for key in keys]))
"""
    )
    spark, delta = jars.installed_pair()
    found = ",".join(str(jar) for jar in jars.delta_jars(spark, delta, fetch=False))
    home = jars.spark_home()
    assert home is not None
    command = [
        str(home / "bin" / "spark-submit"), "--master", "local[1]", "--jars", found,
        "--conf", "spark.sql.shuffle.partitions=9", "--conf", "spark.sql.extensions=",
        "--conf", "spark.ui.enabled=false", str(script),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [
        "local[1]",
        "9",
        "77",
        "Europe/Oslo",
        "io.delta.sql.DeltaSparkSessionExtension",
    ]
