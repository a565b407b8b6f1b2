"""The shop on a real standalone cluster: a master and two workers, each a process of its own.

What comes out is held against a run on this machine alone, also when a worker is killed midway.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import content, without_moment
from commands import headgate
from headgate.storage import jars
from shop.generate import generate

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

CHECKOUT = Path(__file__).resolve().parents[2]
FILES = (
    "suite.yaml", "env/local.yaml", "env/cluster.yaml", "ingested/orders.yaml",
    "ingested/customers.yaml", "clean/orders.yaml", "clean/customers.yaml",
    "marts/sales_by_segment.yaml",
)  # fmt: skip
TABLES = (
    "ingested/orders", "ingested/customers", "clean/orders", "clean/customers",
    "marts/sales_by_segment", "quarantine/clean.orders",
)  # fmt: skip
# What differs between two runs that did the same.
OF_THE_RUN = ("_ingested_at", "_run")
# Small JVMs that start soon, on a machine that has to hold seven of them.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
SETTINGS = (
    f"spark.driver.extraJavaOptions={QUICK}",
    f"spark.executor.extraJavaOptions={QUICK}",
    "spark.databricks.delta.snapshotPartitions=2",
    "spark.sql.shuffle.partitions=2",
    "spark.ui.enabled=false",
)
# A step of the suite's own, from its own lib/, which no machine has installed. On a worker it says
# where it runs, and stays there for a while once.
STEPS = """\
import time
from pathlib import Path

from pyspark.sql import functions as F


def greeting(name):
    here = Path.cwd()
    if PAUSE and here.parent.name.startswith("app-") and not (here / "greeting").exists():
        (here / "greeting").touch()
        time.sleep(PAUSE)
    return None if name is None else f"Dear {name}"


def greeted(customers):
    said = F.udf(greeting, "string", useArrow=False)
    return customers.withColumn("greeting", said("name"))
"""


@dataclass
class Cluster:
    """A master and its workers."""

    folder: Path
    port: int
    web: int
    master: subprocess.Popen[bytes] | None = None
    workers: dict[Path, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.master = self._spawn(
            "master.Master", "--host", "127.0.0.1", "--port", str(self.port),
            "--webui-port", str(self.web),
        )  # fmt: skip

    def with_workers(self, count: int) -> None:
        """As many workers as asked for are alive and known to the master."""
        while sum(worker.poll() is None for worker in self.workers.values()) < count:
            folder = self.folder / f"worker{len(self.workers)}"
            self.workers[folder] = self._spawn(
                "worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "--cores", "1",
                "--memory", "1g", "--work-dir", str(folder), self.url,
            )  # fmt: skip
        alive = [worker for worker in self.workers.values() if worker.poll() is None]
        wait_for(lambda: self._known() >= len(alive), "the workers to register")

    def busy(self) -> Path | None:
        """A worker that runs the suite's own step."""
        found = (
            folder for folder, worker in self.workers.items()
            if worker.poll() is None and list(folder.glob("app-*/*/greeting"))
        )  # fmt: skip
        return next(found, None)

    def kill(self, folder: Path) -> None:
        """Worker, executor and all: they share a process group."""
        os.killpg(self.workers[folder].pid, signal.SIGKILL)
        self.workers[folder].wait(30)

    def stop(self) -> None:
        for process in [*self.workers.values(), self.master]:
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)

    def _known(self) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/json/", timeout=5) as page:
                return int(json.load(page)["aliveworkers"])
        except (OSError, ValueError):
            return 0

    def _spawn(self, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        home = jars.spark_home()
        assert home is not None
        name = f"{kind}{len(self.workers)}"
        (self.folder / "scratch").mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(self.folder / "scratch"),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": QUICK,
        }
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [home / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", *arguments],
                env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip


@dataclass
class Shop:
    """The cut-down suite, and one lake for each way to run it."""

    folder: Path
    runs: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(
        self, env: str, lake: str, *, pause: int = 0, door: Path = CHECKOUT, **environ: str
    ) -> None:
        """Let a run begin, by the door that a scheduler uses: of a checkout, or of a bundle."""
        (self.folder / "lib" / "greetings.py").write_text(f"PAUSE = {pause}\n{STEPS}")
        sets = [*(f"spark.conf.{one}" for one in SETTINGS), f"lake={self.folder / lake}"]
        sets.append(f"raw={self.folder / 'data' / 'raw'}")
        command = [str(door / "spark-submit.sh"), "run", "--env", env]
        command += [part for one in sets for part in ("--set", one)]
        with (self.folder / f"{lake}.log").open("w") as log:
            run = subprocess.Popen(
                command,
                env={**os.environ, "HEADGATE_LOG": "warning", **environ},
                cwd=self.folder if door == CHECKOUT else door,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.runs.append(run)

    def ended(self, lake: str) -> dict[str, Any]:
        """The result object of the run that was started last."""
        out, _ = self.runs[-1].communicate(timeout=400)
        told = (self.folder / f"{lake}.log").read_text()[-3000:]
        assert self.runs[-1].returncode == 0, f"{out[-2000:]}\n{told}"
        found: dict[str, Any] = json.loads(out.splitlines()[-1])
        return found

    def stop(self) -> None:
        for run in self.runs:
            if run.poll() is None:
                run.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    run.wait(40)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)


def wait_for(happened: Callable[[], object], what: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as open_ones:
        sockets = [open_ones.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def counts(result: dict[str, Any]) -> Counter[str]:
    """How each slice ended, with its counts."""
    return Counter(
        json.dumps([run["table"], run["window"], run["status"], run["rows"]], sort_keys=True)
        for run in result["runs"]
    )


def contents(spark: SparkSession, lake: Path) -> dict[str, Counter[str]]:
    found = {}
    for name in TABLES:
        rows = spark.read.format("delta").load(str(lake / name))
        if "_record" in rows.columns:  # the moment stands in it too
            rows = without_moment(rows)
        found[name] = content(rows, without=OF_THE_RUN)
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    port, web = free_ports(2)
    made = Cluster(tmp_path_factory.mktemp("cluster"), port, web)
    try:
        made.start()
        made.with_workers(2)
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    for name in FILES:
        (folder / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / "conf" / name, folder / "conf" / name)
    customers = folder / "conf" / "clean" / "customers.yaml"
    text = customers.read_text().partition("examples:")[0]
    customers.write_text(text.replace("key:", "  - step: greetings.greeted\nkey:", 1))
    (folder / "lib").mkdir()
    generate(folder / "data" / "raw", rows=600, days=3, seed=7)
    made = Shop(folder)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def alone(shop: Shop) -> Counter[str]:
    """What a run on this machine alone came to; its lake is called `alone`."""
    shop.start("local", "alone")
    return counts(shop.ended("alone"))


def test_a_cluster_makes_the_same_tables(
    spark: SparkSession, cluster: Cluster, shop: Shop, alone: Counter[str]
) -> None:
    cluster.with_workers(2)
    shop.start("cluster", "together", HEADGATE_MASTER=cluster.url)
    assert counts(shop.ended("together")) == alone
    assert contents(spark, shop.folder / "together") == contents(spark, shop.folder / "alone")
    greeted = spark.read.format("delta").load(str(shop.folder / "together/clean/customers"))
    assert greeted.where("greeting = concat('Dear ', name)").count() == greeted.count() > 0


def test_a_bundle_makes_the_same_tables_where_there_is_nothing_else(
    spark: SparkSession, cluster: Cluster, shop: Shop, alone: Counter[str], tmp_path: Path
) -> None:
    cluster.with_workers(2)
    made = headgate("bundle", "--to", tmp_path / "shop.zip", "--env", "cluster", cwd=shop.folder,
                    HEADGATE_MASTER=cluster.url)  # fmt: skip
    assert made.code == 0, made.err
    subprocess.run(["unzip", "-q", tmp_path / "shop.zip", "-d", tmp_path / "there"], check=True)
    shop.start("cluster", "bundled", door=tmp_path / "there", HEADGATE_MASTER=cluster.url,
               PYSPARK_PYTHON=sys.executable)  # fmt: skip
    assert counts(shop.ended("bundled")) == alone
    assert contents(spark, shop.folder / "bundled") == contents(spark, shop.folder / "alone")
    shop.start("local", "bundled")  # the same code: nothing is due
    assert shop.ended("bundled")["runs"] == []


def test_a_killed_worker_changes_nothing(
    spark: SparkSession, cluster: Cluster, shop: Shop, alone: Counter[str]
) -> None:
    cluster.with_workers(2)
    for old in cluster.folder.glob("worker*/app-*"):
        shutil.rmtree(old)
    shop.start("cluster", "bereft", pause=5, HEADGATE_MASTER=cluster.url)
    wait_for(lambda: cluster.busy() or shop.runs[-1].poll() is not None, "a running task")
    victim = cluster.busy()
    assert victim is not None, (shop.folder / "bereft.log").read_text()[-3000:]
    cluster.kill(victim)
    result = shop.ended("bereft")
    assert cluster.workers[victim].poll() is not None
    assert counts(result) == alone
    assert contents(spark, shop.folder / "bereft") == contents(spark, shop.folder / "alone")
