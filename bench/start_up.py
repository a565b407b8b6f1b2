"""From the command to the end of the first Spark job, each time in a fresh Python process.

Headgate reads a small suite and starts its session (`quick: true`, as for local work); compared
with a plain SparkSession that has the same two jars of Delta, its extension and its catalog.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.measure import Figure, alternating, arguments, ground, say, show
from bench.suites import events, lay
from headgate.storage import archive, jars
from headgate.storage.sparkconf import CATALOG, EXTENSION

GOAL = 0.6
PATIENCE = 30.0  # seconds for a JVM to end after its Python
OURS = """
import sys
from headgate.storage.suite_session import session_for
from headgate.conf import read_suite
spark = session_for(read_suite(sys.argv[1]))
"""
PLAIN = f"""
import sys
from pyspark.sql import SparkSession
builder = SparkSession.builder.master(sys.argv[1]).config("spark.jars", sys.argv[2])
builder = builder.config("spark.sql.extensions", "{EXTENSION}")
spark = builder.config("spark.sql.catalog.spark_catalog", "{CATALOG}").getOrCreate()
"""
FIRST_JOB = """
assert spark.range(1000).count() == 1000
print("ready", spark.sparkContext._gateway.proc.pid, flush=True)
spark.stop()
"""


def started(code: str, given: Sequence[str], settings: Mapping[str, str], _: int) -> float:
    """Seconds until a fresh process has done its first job."""
    command = [sys.executable, "-c", code + FIRST_JOB, *given]
    environment = {**os.environ, "HEADGATE_LOG": "error", **settings}
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # it is a pipe
        words = process.stdout.readline().split()
        took = time.perf_counter() - began
        errors = process.communicate()[1]
    if words[:1] != ["ready"]:
        raise SystemExit(f"a session did not start: {errors[-600:]}")
    await_end(int(words[1]))
    return took


def await_end(pid: int) -> None:
    """Wait until a JVM is gone: while it ends, it would slow the next one down."""
    until = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)


def delta_jars() -> list[Path]:
    """The two jars that Headgate takes."""
    return jars.delta_jars(*jars.installed_pair(), fetch=True)


def ways(make_archive: bool) -> dict[str, dict[str, str]]:
    """With and without the archive of loaded classes, where there is one."""
    if make_archive:
        say("making the archive of loaded classes")
        archive.make()
    plain = {"start_up no class archive": {archive.VARIABLE: "off"}}
    if archive.existing(delta_jars()) is None:
        say("no archive of loaded classes here: --make-archive makes one, and measures both")
        return plain
    return {"start_up class archive": {}, **plain}


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument(
        "--make-archive", action="store_true", help="make Headgate's class archive first"
    )
    told = parser.parse_args(given)
    repeats = told.repeats or (1 if told.quick else 7)
    with ground(told.folder) as folder:
        conf = lay(folder, events(("events",)), master=told.master, quick=True)
        by_hand = [told.master, ",".join(map(str, delta_jars()))]
        for name, settings in ways(told.make_archive).items():
            ours, theirs = alternating(
                [
                    partial(started, OURS, [str(conf)], settings),
                    partial(started, PLAIN, by_hand, settings),
                ],
                repeats,
                warm=0 if told.quick else 1,
            )
            figure = Figure(
                name, tuple(ours), tuple(theirs), "plain", GOAL, note="to the first job"
            )
            show(figure, as_json=told.json)


if __name__ == "__main__":
    main()
