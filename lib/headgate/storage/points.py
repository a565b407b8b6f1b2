"""Named points of the flow: a call that was broken off ends there, a test can kill or hold it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter

POINTS = (
    "corrected",
    "leased",
    "planned",
    "pinned",
    "read",
    "files-written",
    "judged",
    "kept",
    "store-committed",
    "committed",
    "superseded",
    "recorded",
    "told",
    "compacted",
)
STOP = "HEADGATE_STOP_AT"  # name, or name:N for the Nth time: SIGKILL
PAUSE = "HEADGATE_PAUSE_AT"  # name:seconds

_passed: Counter[str] = Counter()
_thread = threading.local()


def ends_with(over: threading.Event) -> None:
    """This thread works for a call, and is to end at its next point once that is over."""
    _thread.over = over


def reached(name: str) -> None:
    """Say that the flow stands at this point."""
    _held(name)
    over = getattr(_thread, "over", None)
    if over is not None and over.is_set():
        raise KeyboardInterrupt


def _held(name: str) -> None:
    """What a test asked for happens here."""
    if STOP not in os.environ and PAUSE not in os.environ:
        return
    if name not in POINTS:
        raise ValueError(f"no point is called {name!r}")
    _passed[name] += 1
    held, _, seconds = os.environ.get(PAUSE, "").partition(":")
    if held == name:
        time.sleep(float(seconds or 1))
    stop, _, count = os.environ.get(STOP, "").partition(":")
    if stop == name and _passed[name] == int(count or 1):
        _die()


def _die() -> None:
    """What a power cut does: no handler runs, and the JVM does not outlive its driver."""
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    gateway = _gateway_pid()
    if gateway is not None:
        os.kill(gateway, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _gateway_pid() -> int | None:
    """The JVM that pyspark started for this process; None under spark-submit, where it is above."""
    pyspark = sys.modules.get("pyspark")
    process = getattr(pyspark.SparkContext._gateway, "proc", None) if pyspark else None
    return process.pid if process is not None else None
