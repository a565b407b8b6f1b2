"""A lake on a real S3 server keeps what one on a disk keeps: every commit, and one winner."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bench.s3_server import HOW, Server, program, running
from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.sql import SparkSession

from builders import Lab, fine, states
from faulty_proxy import DROP, UNCONDITIONAL, Proxy, proxy_to
from headgate.core.errors import Held, Infrastructure, Refused
from headgate.storage.files import files_for
from headgate.storage.hadoop import HadoopFiles
from headgate.storage.lease import acquire
from headgate.storage.logstore import CLASS
from on_s3 import LabOnS3, client_at, known_to, moto_running, s3_is_here

pytestmark = [
    pytest.mark.skipif(program() is None, reason=f"no S3 server: {HOW}"),
    pytest.mark.skipif(not s3_is_here(), reason="no connector: python -m headgate.storage.s3a"),
]

COLUMNS = ("id", "shop", "amount", "at")
TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}/*.csv", "format": "csv"},
        "columns": {
            "id": "bigint", "shop": "string", "amount": "decimal(10,2)", "at": "timestamp",
        },
    },
    "clean.sales": {
        "reads": "ingested.sales", "key": ["id"], "latest_by": ["at"], "write": "upsert",
        "quality": [{"row": {"paid": "amount > 0"}}], "max_rejected": "100%",
    },
    "marts.shops": {
        "reads": {"sales": "clean.sales"},
        "period": {"column": "at", "grain": "day"},
        "group_by": ["shop"],
        "measures": {"amount": "sum(amount)"},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("s3") / "server") as one:
        yield one


@pytest.fixture
def lab(server: Server, spark: SparkSession, request: pytest.FixtureRequest) -> LabOnS3:
    name = f"b{abs(hash(request.node.name)) % 10**9}"
    known_to(spark, name, server.port)
    return LabOnS3(spark, server.bucket(name), TABLES, bucket=name, client=client_at(server.port))


def two_days(lab: Lab) -> None:
    """Two days, the first sent again with other rows."""
    bad = (3, "b", "-1.00", "2026-11-01 09:00:00")
    days = [
        [(1, "a", "1.00", "2026-11-01 08:00:00"), bad],
        [(2, "b", "5.00", "2026-11-02 08:00:00"), (1, "a", "2.00", "2026-11-02 09:00:00")],
    ]
    for day, rows in enumerate(days, 1):
        lab.file(f"sales/2026-11-{day:02d}/a.csv", COLUMNS, rows)
    fine(lab.run())
    lab.file("sales/2026-11-01/a.csv", COLUMNS, [(1, "a", "1.50", "2026-11-01 08:00:00")])
    fine(lab.run())


def test_a_lake_on_s3(lab: LabOnS3) -> None:
    two_days(lab)
    assert lab.rows("clean.sales", "id", "shop", "amount") == [
        (1, "a", Decimal("2.00")), (2, "b", Decimal("5.00")),
    ]  # fmt: skip
    assert lab.rejected("clean.sales", "_window", "_state") == [("2026-11-01", "superseded")]
    assert lab.rows("marts.shops", "shop", "amount") == [
        ("a", Decimal("2.00")), ("b", Decimal("5.00")),
    ]  # fmt: skip
    assert not lab.run().runs


@pytest.mark.slow
def test_a_lake_on_s3_holds_what_one_on_a_disk_holds(lab: LabOnS3, tmp_path: Path) -> None:
    days = {
        k: v for k, v in TABLES["clean.sales"].items() if k not in ("key", "latest_by", "write")
    }
    lab = replace(lab, tables={**TABLES, "clean.days": days})
    disk = Lab(lab.spark, tmp_path, lab.tables)
    two_days(lab)
    two_days(disk)
    assert lab.contents() == disk.contents()
    assert len(lab.contents()) == len(lab.tables)
    shown = ("_window", "_reasons", "_state")
    assert lab.rejected("clean.sales", *shown) == disk.rejected("clean.sales", *shown) != []
    # What came before is kept: undone, run anew, and then there is nothing left to do.
    fine(lab.app().undo("clean.days", "2026-11-01"))
    result = fine(lab.run("clean.days", window="2026-11-01", force=True))
    assert states(result, "clean.days") == {"2026-11-01": "published"}
    assert lab.contents() == disk.contents()
    assert not lab.run().runs


def log_store(spark: SparkSession) -> Any:
    """The class that Delta would commit by."""
    jvm: Any = spark._jvm
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    kind = loader.loadClass(CLASS)
    assert spark.conf.get("spark.delta.logStore.s3a.impl") == CLASS
    return kind.getConstructors()[0].newInstance(_array(jvm, jvm.java.lang.Object, [conf]))


def _array(jvm: Any, kind: Any, values: list[Any]) -> Any:
    gateway: Any = SparkContext._gateway
    made = gateway.new_array(kind, len(values))
    for at, value in enumerate(values):
        made[at] = value
    return made


def committed(spark: SparkSession, store: Any, path: str, line: str) -> bool:
    """Whether a commit of this line came to be; False where there is another of its name."""
    jvm: Any = spark._jvm
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    lines = jvm.java.util.ArrayList()
    lines.add(line)
    try:
        store.write(jvm.org.apache.hadoop.fs.Path(path), lines.iterator(), False, conf)
    except Py4JJavaError as error:
        if error.java_exception.getClass().getName() != "java.nio.file.FileAlreadyExistsException":
            raise
        return False
    return True


def test_of_two_commits_one_wins(lab: LabOnS3) -> None:
    store = log_store(lab.spark)
    for number in range(10):
        path = f"{lab.lake_at}/t/_delta_log/{number:020}.json"
        with ThreadPoolExecutor(4) as threads:
            tries = [
                threads.submit(committed, lab.spark, store, path, f'{{"by": {who}}}')
                for who in range(4)
            ]
        won = [who for who, one in enumerate(tries) if one.result()]
        assert len(won) == 1
        file = lab.lake / "t" / "_delta_log" / f"{number:020}.json"
        assert file.read_text() == f'{{"by": {won[0]}}}\n'


def through(lab: LabOnS3, proxy: Proxy, name: str) -> str:
    """The lab's server under a name of its own, through a proxy."""
    known_to(lab.spark, name, proxy.port)
    lab.client.create_bucket(Bucket=name)
    return f"s3a://{name}"


def test_a_commit_whose_reply_is_lost_is_there_once(lab: LabOnS3, server: Server) -> None:
    store = log_store(lab.spark)
    with proxy_to(server.port) as proxy:
        place = through(lab, proxy, f"{lab.bucket}-lost")
        proxy.first(1, "PUT", DROP)
        path = f"{place}/t/_delta_log/{0:020}.json"
        assert committed(lab.spark, store, path, '{"by": "us"}')
        assert sum("PUT" in one for one in proxy.seen) == 2, "it was not tried again"
        assert not committed(lab.spark, store, path, '{"by": "another"}')
        files = files_for(place, lab.spark)
        proxy.first(1, "PUT", DROP)
        assert files.create_exclusive("ops/a", b"1")
        proxy.first(1, "PUT", DROP)
        assert files.replace_if("ops/a", b"1", b"2")
        assert not files.replace_if("ops/a", b"1", b"3")
        assert files.read_bytes("ops/a") == b"2"


def test_a_table_is_held_by_one(lab: LabOnS3) -> None:
    files = HadoopFiles(lab.lake_at, lab.spark)

    def taken(who: int) -> int | None:
        try:
            return acquire(files, "clean.sales", run=str(who), ttl=60).token
        except Held:
            return None

    with ThreadPoolExecutor(4) as threads:
        tokens = [token for token in threads.map(taken, range(4)) if token is not None]
    assert tokens == [1]


def test_a_store_that_forgets_conditions_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    with moto_running() as port, proxy_to(port) as proxy:
        known_to(spark, "forgetful", proxy.port)
        client = client_at(port)
        client.create_bucket(Bucket="forgetful")
        proxy.fate = lambda _: UNCONDITIONAL
        lab = LabOnS3(spark, tmp_path, TABLES, bucket="forgetful", client=client)
        lab.file("sales/2026-11-01/a.csv", COLUMNS, [(1, "a", "1.00", "2026-11-01 08:00:00")])
        result = lab.run("ingested.sales")
        assert result.exit_code == Refused.exit_code
        assert "takes no conditional put" in result.errors[0]
        there = [one["Key"] for one in client.list_objects(Bucket="forgetful")["Contents"]]
        assert not [key for key in there if "_delta_log" in key or "leases" in key]
        proxy.fate = lambda _: "pass"
        fine(lab.run("ingested.sales"))
        seen = len([one for one in proxy.seen if "storage.json" in one or ".tried" in one])
        fine(lab.run("ingested.sales", force=True))
        again = [one for one in proxy.seen if "storage.json" in one or ".tried" in one][seen:]
        assert all(one.startswith("HEAD") for one in again), "asked once for a lake"


def test_a_server_that_is_busy_for_a_while_loses_nothing(lab: LabOnS3, server: Server) -> None:
    with proxy_to(server.port) as proxy:
        name = f"{lab.bucket}-busy"
        through(lab, proxy, name)
        busy = replace(lab, folder=server.folder / name, bucket=name, scheme="s3")
        busy.file("sales/2026-11-01/a.csv", COLUMNS, [(1, "a", "1.00", "2026-11-01 08:00:00")])
        proxy.first(12, "PUT", 503)
        fine(busy.run("ingested.sales"))
        assert busy.rows("ingested.sales", "id") == [(1,)]
        assert proxy.count("PUT") > 12


@pytest.mark.parametrize(
    ("more", "bucket", "said"),
    [
        ({"secret.key": "another"}, "", "S3 does not accept these credentials"),
        ({}, "not-there", "there is no such bucket"),
        ({"endpoint": "http://127.0.0.1:9"}, "", "the network or the storage did not answer"),
    ],
)
def test_what_is_wrong_with_s3_is_said(
    lab: LabOnS3, server: Server, more: dict[str, str], bucket: str, said: str
) -> None:
    name = bucket or f"{lab.bucket}-{len(said)}"
    if not bucket:
        lab.client.create_bucket(Bucket=name)
    known_to(lab.spark, name, server.port, **more)
    with pytest.raises(Infrastructure, match=said) as caught:
        replace(lab, bucket=name).run("ingested.sales")
    assert f"s3a://{name}/" in caught.value.where
    assert caught.value.next
