"""The driver's memory at its peak during a clean run, for few rows and for ten times as many.

Counted is what is needed, not what has piled up: the JVM's heap just after a forced collection,
looked at again and again during the run, and the most that Python ever held. The executor is a
process of its own (`local-cluster`), so that its sort buffers are not taken for the driver's.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from bench.measure import Figure, arguments, ground, say, show
from bench.suites import app_on, lay, run_well, sales, session, write_sales
from headgate.storage import jars

GOAL = 1.1
MASTER = "local-cluster[1,2,2048]"
BETWEEN = 1.0  # seconds between two looks
NAME = "sales"
MIB = 1 << 20


class Watch(threading.Thread):
    """Looks at the JVM's live heap until it is told to stop."""

    def __init__(self, spark: SparkSession) -> None:
        super().__init__(name="heap-watch", daemon=True)
        self._jvm: Any = spark._jvm
        self._over = threading.Event()
        self.peak, self.looks = 0, 0

    def look(self) -> None:
        """One forced collection, and what it left."""
        self._jvm.System.gc()
        runtime = self._jvm.Runtime.getRuntime()
        self.peak = max(self.peak, int(runtime.totalMemory()) - int(runtime.freeMemory()))
        self.looks += 1

    def run(self) -> None:
        while not self._over.wait(BETWEEN):
            self.look()

    def stop(self) -> None:
        """No look after this."""
        self._over.set()
        self.join()


def peak_of(conf: Path, folder: Path, rows: int) -> dict[str, float]:
    """MiB held by the driver during one clean run."""
    with session(conf) as spark:
        app = app_on(conf, spark)
        write_sales(spark, folder / "raw", NAME, rows, bad=1)
        run_well(app, f"ingested.{NAME}")
        watch = Watch(spark)
        watch.look()
        watch.start()
        began = time.perf_counter()
        run_well(app, f"clean.{NAME}")
        seconds = time.perf_counter() - began
        watch.stop()
        watch.look()
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    python = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB
    heap = watch.peak / MIB
    return {"heap": heap, "python": python, "looks": watch.looks, "seconds": seconds}


def child(rows: int, master: str, folder: Path | None) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "bench.memory", "--one", str(rows), "--master", master]
    if folder is not None:
        command += ["--folder", str(folder)]
    spark = jars.spark_home()
    # The executor's process is started from there.
    environment = {**os.environ, "SPARK_HOME": str(spark)} if spark else {**os.environ}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    for line in reversed(done.stdout.splitlines()):
        with suppress(ValueError):
            found: dict[str, float] = json.loads(line)
            return found
    raise SystemExit(f"the run to be measured failed: {done.stderr[-800:]}")


def one(rows: int, master: str, folder: Path | None) -> None:
    """Measure here; the result is one JSON object."""
    delta = os.pathsep.join(map(str, jars.delta_jars(*jars.installed_pair(), fetch=True)))
    settings = {
        "spark.driver.memory": "1g",
        "spark.executor.memory": "2g",
        "spark.executor.extraClassPath": delta,
    }
    with ground(folder) as made:
        conf = lay(made, sales((NAME,)), master=master, quick=False, conf=settings)
        print(json.dumps(peak_of(conf, made, rows)))


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.set_defaults(master=MASTER)
    parser.add_argument("--rows", type=int, help="1,000,000 unless told; and ten times as many")
    parser.add_argument("--one", type=int, help="only measure this many rows, in this process")
    told = parser.parse_args(given)
    if told.one:
        one(told.one, told.master, told.folder)
        return
    few = told.rows or (200_000 if told.quick else 1_000_000)
    found: dict[int, list[dict[str, float]]] = {few: [], few * 10: []}
    for _ in range(told.repeats or 1):
        for rows, samples in found.items():
            say(f"a clean run of {rows:,} rows")
            samples.append(child(rows, told.master, told.folder))
    least, most = (tuple(s["heap"] + s["python"] for s in found[n]) for n in (few, few * 10))
    last = found[few * 10][-1]
    figure = Figure(
        "memory of the driver", most, least, f"{few:,} rows", GOAL, "MiB",
        note=f"{few * 10:,} rows: heap {last['heap']:.0f}, Python {last['python']:.0f} MiB",
    )  # fmt: skip
    show(figure, as_json=told.json)


if __name__ == "__main__":
    main()
