"""`headgate watch`: stays up and runs what becomes due as files land."""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING

from headgate.core.errors import HeadgateError, Interrupted, Usage
from headgate.core.results import Result
from headgate.core.selection import selected
from headgate.doors.opening import refuse_without_keys, understood
from headgate.doors.progress import Progress
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from headgate.core.spec import Suite
    from headgate.stages.watching import Zone

SLOWEST = 60.0  # seconds between two tries where something is wrong for longer


def watch(arguments: argparse.Namespace) -> Answer:
    """Round after round until a signal; the table at hand is finished first."""
    _positive(arguments)
    suite = understood(arguments, arguments.what)
    refuse_without_keys(suite, selected(suite.tables, arguments.what))
    with Stop() as stop, Watching(quiet=arguments.json) as progress:
        from headgate.storage.suite_session import session_for

        spark = session_for(suite)
        progress.watch(spark)
        rounds = _Rounds(suite, spark, arguments, progress, stop)
        rounds.play()
    return rounds.shown(), 0 if stop.by == signal.SIGTERM else Interrupted.exit_code


def _positive(arguments: argparse.Namespace) -> None:
    for name, example in (("every", "10"), ("settle", "5")):
        if not 0 < getattr(arguments, name) < 1e6:
            raise Usage(f"--{name} takes seconds above 0", next=f"--{name} {example}")


class Watching(Progress):
    """The line of a process that mostly waits."""

    def wait(self) -> None:
        self._doing, self._since = "watching", time.monotonic()


class Stop:
    """A signal asks for a stop; the second of them breaks off what is being done."""

    def __init__(self) -> None:
        self.by: int | None = None
        self._asked = threading.Event()
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stop:
        for one in (signal.SIGTERM, signal.SIGINT):
            self._before[one] = signal.signal(one, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)  # type: ignore[arg-type]  # as signal gave it

    def _ask(self, number: int, _: FrameType | None) -> None:
        if self.by is not None:
            raise KeyboardInterrupt
        self.by = number
        self._asked.set()

    def asked(self) -> bool:
        return self._asked.is_set()

    def wait(self, seconds: float) -> None:
        self._asked.wait(seconds)


class _Rounds:
    """One look at the raw zone after the other, and a run wherever there is news."""

    def __init__(
        self, suite: Suite, spark: SparkSession, arguments: argparse.Namespace,
        progress: Watching, stop: Stop,
    ) -> None:  # fmt: skip
        self._suite, self._spark, self._progress, self._stop = suite, spark, progress, stop
        self._what, self._every, self._json = arguments.what, arguments.every, arguments.json
        self._settle: float = arguments.settle
        self._counts: dict[str, int] = {}
        self._trouble = ""

    def play(self) -> None:
        from headgate.stages.watching import Zone
        from headgate.storage.files import files_for

        zone = Zone(self._suite, files_for(self._suite.environment.raw, self._spark), self._settle)
        self._progress.line(f"watching {zone.files.root}; Ctrl-C ends it")
        pause = self._every
        while not self._stop.asked():
            self._progress.wait()
            try:
                fine = self._round(zone)
            except HeadgateError as error:
                fine = False
                if error.sentence != self._trouble:
                    self._progress.trouble(f"{error.sentence}; until then it is tried again")
                self._trouble = error.sentence
            pause = self._every if fine else min(pause * 2, max(SLOWEST, self._every))
            self._stop.wait(max(pause, 4 * zone.took))

    def _round(self, zone: Zone) -> bool:
        """Whether all is well so far."""
        from headgate.app import App

        zone.look()
        window = self._suite.window.of(self._suite.now())
        if not zone.news(window):
            return True
        app = App(self._suite, self._spark)  # the records as they are now, and nothing kept
        app.lake.moving = zone.moving
        waiting = zone.rewritten(app.taken()) if zone.moving else []
        names = [name for name in app.selected(self._what) if name not in waiting]
        if not names:
            return True  # to run nothing by name would be to run all
        result = app.run(names, say=self._progress.say, until=self._stop.asked)
        self._told(result)
        whole = not waiting and not self._stop.asked()
        fine = not result.errors and not any(one.exit_code in (20, 21) for one in result.runs)
        if whole and fine:
            zone.done(window)
        self._trouble = self._trouble if result.errors else ""
        return fine

    def _told(self, result: Result) -> None:
        for entry in result.runs:
            self._counts[entry.status] = self._counts.get(entry.status, 0) + 1
        if self._json and (result.runs or result.errors):
            print(json.dumps(result.shown(), default=str), flush=True)
        for error in result.errors:
            if error != self._trouble:
                self._progress.trouble(error)
            self._trouble = error

    def shown(self) -> dict[str, object]:
        """What came of all rounds, in short: each round's own result was a line of its own."""
        worst = [one for one in ("failed", "blocked") if self._counts.get(one)]
        return {
            "suite": self._suite.name, "status": worst[0] if worst else "published",
            "exit_code": 0, "errors": [], "runs": [], "counts": self._counts,
        }  # fmt: skip
