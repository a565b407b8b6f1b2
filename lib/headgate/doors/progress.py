"""What a person sees while long work runs: on a terminal one living line, elsewhere plain lines."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from headgate.core.lines import told
from headgate.core.results import Entry, Result

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Progress:
    """Says what runs, how far it is, and how each slice ended."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._living = sys.stderr.isatty() and not quiet
        self._spark: SparkSession | None = None
        self._doing = "starting Spark"
        self._since = time.monotonic()
        self._rows = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if self._living:
            self._thread = threading.Thread(target=self._live, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(2)
            self._clear()

    def watch(self, spark: SparkSession) -> None:
        """Show the tasks of this session."""
        self._spark = spark
        self._doing = "looking for what is due"

    def say(self, event: str, **facts: Any) -> None:
        """Take in an event of the flow."""
        if event == "pass":
            windows = facts["windows"]
            span = windows[0] if len(windows) == 1 else f"{windows[0]} to {windows[-1]}"
            self._doing, self._since = f"{facts['table']} {span}", time.monotonic()
        elif event == "entry":
            entry: Entry = facts["entry"]
            self._rows += entry.rows.read
            self.line(told(entry))
        elif event == "again":
            self.line(f"{facts['table']}: {facts['why']}; once more")
        elif event == "untold":
            count = facts["count"]
            said = f"{count} alert{'s' if count > 1 else ''} not delivered"
            then = "the next run tries again" if facts["again"] else "given up"
            self.line(f"{said} ({'; '.join(facts['routes'])}); {then}")

    def line(self, text: str) -> None:
        """One plain line."""
        if self._quiet:
            return
        self._clear()
        print(text, file=sys.stderr, flush=True)

    def summary(self, result: Result) -> None:
        """The last word of a call."""
        for error in result.errors:
            print(error, file=sys.stderr)
        if self._quiet:
            return
        if not result.runs and not result.errors:
            print("nothing is due", file=sys.stderr)
            return
        counts: dict[str, int] = {}
        for entry in result.runs:
            counts[entry.status] = counts.get(entry.status, 0) + 1
        said = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        print(f"{result.suite}: {said or result.status}", file=sys.stderr)

    def _live(self) -> None:
        while not self._stop.wait(0.25):
            seconds = int(time.monotonic() - self._since)
            text = f"{self._doing}  {self._tasks()}{self._rows:,} rows so far  {seconds}s"
            print(f"\r\x1b[K{text[:110]}", end="", file=sys.stderr, flush=True)

    def _tasks(self) -> str:
        if self._spark is None:
            return ""
        try:
            tracker = self._spark.sparkContext.statusTracker()
            infos = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            done = sum(info.numCompletedTasks for info in infos if info)
            tasks = sum(info.numTasks for info in infos if info)
        except Exception:  # the session is going away
            return ""
        return f"{done}/{tasks} tasks  " if tasks else ""

    def _clear(self) -> None:
        if self._living:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
