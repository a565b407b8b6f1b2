"""What a person sees while runs are made: what runs, how far it is, how each slice ended."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headgate.core.lines import told
from headgate.core.results import Entry, Result
from headgate.doors.living import Living

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Pace:
    """How far a table is whose slices run in several passes."""

    began: float
    done: int
    left: int

    def told(self, now: float) -> str:
        """How many are done, and for how long it will go on at this pace.

        >>> Pace(began=0, done=40, left=120).told(60), Pace(began=0, done=0, left=3).told(9)
        (' (40 of 160 windows, about 3 min left)', '')
        """
        if not self.done:
            return ""
        seconds = (now - self.began) / self.done * self.left
        about = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
        return f" ({self.done:,} of {self.done + self.left:,} windows, about {about} left)"


class Progress(Living):
    """Says what runs, how far it is, and how each slice ended."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self._spark: SparkSession | None = None
        self._doing = "starting Spark"  # where no table runs
        self._running: dict[str, str] = {}  # by table: the slices of its pass
        self._since = time.monotonic()
        self._rows = 0
        self._said: set[str] = set()
        self._paces: dict[str, Pace] = {}  # by table

    def watch(self, spark: SparkSession) -> None:
        """Show the tasks of this session."""
        self._spark = spark
        self._doing = "looking for what is due"

    def say(self, event: str, **facts: Any) -> None:
        """Take in an event of the flow."""
        if event == "pass":
            windows = facts["windows"]
            span = windows[0] if len(windows) == 1 else f"{windows[0]} to {windows[-1]}"
            self._running[facts["table"]], self._since = span, time.monotonic()
        elif event == "queue":
            self._queued(**facts)
        elif event == "left":
            many = f"{facts['count']:,} window{'s' if facts['count'] > 1 else ''}"
            self.line(f"{facts['table']}: {many} left for the next run (--max-windows)")
        elif event == "entry":
            entry: Entry = facts["entry"]
            self._ended(entry)
            self.line(told(entry))
        elif event == "waits" and facts["said"] not in self._said:
            # A process that stays up would say it each round.
            self._said.add(facts["said"])
            self.line(facts["said"])
        elif event == "again":
            self.line(f"{facts['table']}: {facts['why']}; once more")
        elif event == "untold":
            count = facts["count"]
            said = f"{count} alert{'s' if count > 1 else ''} not delivered"
            then = "the next run tries again" if facts["again"] else "given up"
            self.line(f"{said} ({'; '.join(facts['routes'])}); {then}")

    def _queued(self, table: str, done: int, left: int) -> None:
        """Take in how many slices of a table are done, and how many are left."""
        began = self._paces[table].began if done and table in self._paces else time.monotonic()
        self._paces[table] = Pace(began, done, left)

    def _ended(self, entry: Entry) -> None:
        self._rows += entry.rows.read
        self._running.pop(entry.table, None)

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

    def text(self) -> str:
        seconds = int(time.monotonic() - self._since)
        now = [f"{table} {span}{self._pace(table)}" for table, span in list(self._running.items())]
        doing = ", ".join(now) or self._doing
        return f"{doing}  {self._tasks()}{self._rows:,} rows so far  {seconds}s"

    def _pace(self, table: str) -> str:
        pace = self._paces.get(table)
        return pace.told(time.monotonic()) if pace else ""

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
