"""`run` with nothing to do on a suite of ten tables, after the session is up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from bench.measure import Figure, alternating, arguments, ground, say, seconds, show, spent
from bench.suites import app_on, events, lay, run_well, session, write_events

GOAL = 2.0  # seconds
NAMES = ("one", "two", "three", "four")
MARTS = ("one", "two")  # four ingested, four clean, two marts: ten tables
CHILD = """
import sys, time
from headgate.app import App
from headgate.storage.suite_session import session_for
from headgate.conf import read_suite
spark = session_for(read_suite(sys.argv[1]))
began = time.perf_counter()
done = App(read_suite(sys.argv[1]), spark).run()
print(time.perf_counter() - began, len(done.runs), done.exit_code, flush=True)
"""


def nothing(conf: Path, spark: SparkSession) -> None:
    """What the command does once it has a session."""
    done = app_on(conf, spark).run()
    if done.runs or done.exit_code:
        raise SystemExit(f"there was something to do: {done.runs[:2]}")


def fresh(conf: Path) -> float:
    """Seconds of the first such run in a new process, its session not counted."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(conf)],
        env={**os.environ, "HEADGATE_LOG": "error"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    words = done.stdout.split()
    if words[1:] != ["0", "0"]:
        raise SystemExit(f"there was something to do: {done.stdout} {done.stderr[-600:]}")
    return float(words[0])


def main(given: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--windows", type=int, help="of each table; 30 unless told")
    told = parser.parse_args(given)
    windows, repeats = (3, 1) if told.quick else (30, 5)
    windows, repeats = told.windows or windows, told.repeats or repeats
    with ground(told.folder) as folder:
        for name in NAMES:
            for place in range(windows):
                write_events(folder / "raw", name, place, 20)
        conf = lay(folder, events(NAMES, MARTS), master=told.master, quick=True)
        note = f"10 tables, {windows} windows"
        with session(conf) as spark:
            say(f"a lake of {note}")
            run_well(app_on(conf, spark))
            warm = alternating([lambda _: spent(spark, lambda: nothing(conf, spark))], repeats)[0]
        jobs = f"{note}, {warm[0].jobs} jobs"
        first = tuple(fresh(conf) for _ in range(repeats))
        show(Figure("nothing to do, fresh", first, goal=GOAL, note=note), as_json=told.json)
        show(Figure("nothing to do, warm", seconds(warm), goal=GOAL, note=jobs), as_json=told.json)


if __name__ == "__main__":
    main()
