"""Several threads at one list of work, which a person can break off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from queue import SimpleQueue
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 3.0  # seconds that threads get to lay down what they have in hand


def side_by_side(
    work: Callable[[T], R],
    items: Iterable[T],
    threads: int,
    break_off: Callable[[], None] = lambda: None,
) -> Iterator[R]:
    """What becomes of each item, as it comes. The first error ends it, and breaks off the others.

    The threads die with the process: a server that never answers holds up nobody who wants to go.

    >>> sorted(side_by_side(abs, [1, -2, 3, -4], threads=2))
    [1, 2, 3, 4]
    """
    left, lock, ended = iter(items), threading.Lock(), threading.Event()
    done: SimpleQueue[tuple[R | None, BaseException | None] | None] = SimpleQueue()

    def take() -> None:
        while not ended.is_set():
            with lock:
                some = list(islice(left, 1))
            if not some:
                break
            try:
                done.put((work(some[0]), None))
            except BaseException as error:
                done.put((None, error))
        done.put(None)

    at_work = [threading.Thread(target=take, daemon=True) for _ in range(threads)]
    for thread in at_work:
        thread.start()
    try:
        running = len(at_work)
        while running:
            got = done.get()
            if got is None:
                running -= 1
                continue
            result, error = got
            if error is not None:
                raise error
            yield result  # type: ignore[misc]  # without an error there is one
    except BaseException:
        break_off()
        raise
    finally:
        ended.set()
        until = monotonic() + PATIENCE
        for thread in at_work:
            thread.join(max(0.0, until - monotonic()))
