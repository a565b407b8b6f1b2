"""Tables in the order of dependencies, some of them side by side.

A small table leaves most of a machine idle while Spark plans and Delta commits: what does not read
one another may as well run at the same time.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

from pyspark.sql import SparkSession

from headgate.storage.threads import Beside

T = TypeVar("T")
Ended = tuple[str, "T | None", "BaseException | None"]


def abreast(
    names: Sequence[str],
    after: Callable[[str], Collection[str]],
    may: Callable[[str], bool],
    work: Callable[[str], T],
    at_once: int,
    spark: SparkSession,
) -> Iterator[tuple[str, T]]:
    """The outcome of each name as it ends; one starts when all that it comes after has ended.

    `may` is asked right before a name starts, when the outcomes of all before it are known.
    """
    if at_once == 1:
        for name in names:
            if may(name):
                yield name, work(name)
        return
    waiting, running, beside = list(names), dict[str, threading.Thread](), Beside(spark)
    ended: queue.Queue[Ended[T]] = queue.Queue()
    try:
        while waiting or running:
            held = {*waiting, *running}
            for name in [one for one in waiting if not held.intersection(after(one))]:
                if len(running) == at_once:
                    break
                waiting.remove(name)
                if may(name):
                    running[name] = beside.begin(_telling(name, work, ended))
            if not running:
                continue  # nothing may start: what comes after that is asked next
            name, outcome, error = ended.get()
            running.pop(name).join()
            if error is not None:
                raise error
            assert outcome is not None
            yield name, outcome
    finally:
        if running:
            beside.break_off(running.values())


def _telling(
    name: str, work: Callable[[str], T], ended: queue.Queue[Ended[T]]
) -> Callable[[], None]:
    """Work that puts its outcome, or whatever it raised, into the queue."""

    def run() -> None:
        try:
            ended.put((name, work(name), None))
        except BaseException as error:
            ended.put((name, None, error))

    return run
