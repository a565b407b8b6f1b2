"""One writer a table: a lease with a token that only grows.

A lease keeps honest writers apart. What keeps a late one from doing harm is the token, which the
table's own commits check: a driver that slept through its lease finds a higher one there.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from types import TracebackType

from headgate.core.errors import HeadgateError, Held, Infrastructure
from headgate.storage import process
from headgate.storage.files import Files
from headgate.storage.logs import log

FOLDER = "ops/leases"
TTL = 60.0  # seconds
TRIES = 50


@dataclass(frozen=True)
class Holding:
    """What the file of a lease says."""

    table: str
    token: int
    run: str
    host: str
    home: str  # whose process ids these are
    pid: int
    started: str
    since: float  # seconds since 1970
    until: float
    held: bool = True
    clean: bool = False  # whether its holder let go of it by itself

    @property
    def gone(self) -> bool:
        """Whether the holder is known to be dead."""
        return self.home == process.home() and not process.lives(self.pid, self.started)

    def bars(self, now: float) -> bool:
        """Whether others have to keep off."""
        return self.held and now < self.until and not self.gone

    def content(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()


class Lease:
    """A table that this process may write. Renewed in the background until it is released."""

    def __init__(self, files: Files, holding: Holding, *, ttl: float, crashed_before: bool) -> None:
        self.table = holding.table
        self.token = holding.token
        self.crashed_before = crashed_before  # the holder before left without a word
        self._files = files
        self._holding = holding
        self._ttl = ttl
        self._taken = False
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._heart = threading.Thread(target=self._beat, name=f"lease {self.table}", daemon=True)
        self._heart.start()

    @property
    def lost(self) -> bool:
        """Whether another may hold the table by now."""
        return self._taken or (not self._over.is_set() and time.time() >= self._holding.until)

    def renew(self) -> bool:
        """Make it last longer; False when another has taken it."""
        with self._lock:
            if self._taken or self._over.is_set():
                return False
            longer = replace(self._holding, until=time.time() + self._ttl)
            self._taken = not self._write(longer)
        return not self._taken

    def release(self, *, clean: bool = True) -> None:
        """Let others in. The token stays in the file, so that it never goes back."""
        with self._lock:
            if self._over.is_set():
                return
            self._over.set()
            if not self._taken:
                with contextlib.suppress(HeadgateError):  # then it expires
                    self._write(replace(self._holding, held=False, clean=clean))

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release(clean=error is None)

    def _write(self, holding: Holding) -> bool:
        path = _path(self.table)
        done = self._files.replace_if(path, self._holding.content(), holding.content())
        if done:
            self._holding = holding
        return done

    def _beat(self) -> None:
        while not self._over.wait(self._ttl / 3):
            try:
                if not self.renew():
                    break
            except Exception as error:  # the storage may come back before the lease runs out
                log("lease.renewal.failed", level="warning", table=self.table,
                    error=type(error).__name__)  # fmt: skip
        if self._taken:
            log("lease.lost", level="warning", table=self.table, token=self.token)


def acquire(
    files: Files,
    table: str,
    *,
    run: str,
    ttl: float = TTL,
    break_it: bool = False,
    above: Callable[[], int] = lambda: 0,
) -> Lease:
    """The lease of a table, or `Held`. Its token is above every earlier one.

    Where the file of the lease is gone or damaged, `above` tells the token that the table knows.

    A dead holder's lease is taken at once where death can be seen (same machine), else when it
    has run out, or with `break_it`.
    """
    files.vouch()
    for _ in range(TRIES):
        content, before = _read(files, table, break_it)
        if before is not None and not break_it and before.bars(time.time()):
            raise _held(before)
        now = time.time()
        token = (before.token if before else above()) + 1
        mine = Holding(
            table, token, run, socket.gethostname(), process.home(), os.getpid(),
            process.started(os.getpid()) or "", since=now, until=now + ttl,
        )  # fmt: skip
        if files.replace_if(_path(table), content, mine.content()):
            crashed = content is not None and (before is None or not before.clean)
            return Lease(files, mine, ttl=ttl, crashed_before=crashed)
    raise Held(f"other runs keep taking the lease of {table}", next="run again")


def holder(files: Files, table: str) -> Holding | None:
    """Who holds a table now."""
    _, holding = _read(files, table, break_it=True)
    return holding if holding is not None and holding.bars(time.time()) else None


def _path(table: str) -> str:
    return f"{FOLDER}/{table}.json"


def _read(files: Files, table: str, break_it: bool) -> tuple[bytes | None, Holding | None]:
    try:
        content = files.read_bytes(_path(table))
    except FileNotFoundError:
        return None, None
    try:
        return content, Holding(**json.loads(content))
    except (ValueError, TypeError):
        if break_it:
            return content, None
        raise Infrastructure(
            "the file of the lease is damaged",
            where=f"{files.root}/{_path(table)}",
            next="--break-lease, when no other run writes this table",
        ) from None


def _held(by: Holding) -> Held:
    since, until = (
        datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
        for moment in (by.since, by.until)
    )
    return Held(
        f"run {by.run} holds the table (host {by.host}, process {by.pid}, since {since},"
        f" for sure until {until})",
        where=by.table,
        next="run again when it is done; if it is dead, run with --break-lease",
    )
