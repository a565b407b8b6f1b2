"""Python threads that use Spark side by side, and end where the call that began them is over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from pyspark import InheritableThread
from pyspark.sql import SparkSession

from headgate.storage.points import ends_with


class Beside:
    """Threads of one call, for which its session is the active one."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark, self._over = spark, threading.Event()

    def begin(self, work: Callable[[], None]) -> threading.Thread:
        """Start work in a thread, which gives its connection to the JVM back when it ends."""

        def run() -> None:
            ends_with(self._over)
            jvm: Any = self._spark.sparkContext._jvm
            jvm.SparkSession.setActiveSession(self._spark._jsparkSession)
            work()

        thread = InheritableThread(target=run, daemon=True)
        thread.start()
        return thread

    def break_off(self, threads: Iterable[threading.Thread]) -> None:
        """End what still runs: its jobs are cancelled, and its next step finds that it is over.

        Cancelled once only: what a thread tidies up on its way out may be a job, too.
        """
        self._over.set()
        with suppress(Exception):
            self._spark.sparkContext.cancelAllJobs()
        for thread in threads:
            thread.join()
