"""Where files land: the port to a raw zone that is written, and its twin for disks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import IO, Protocol

from headgate.core.errors import Held, Infrastructure, Interrupted, Usage
from headgate.core.landing import AGAIN, Encryption, Occupied, Unlandable
from headgate.core.spec import Environment
from headgate.storage.files import CHUNK, settle, told

BUCKETS = ("s3", "s3a", "s3n")
NO_FILE = -1  # the size of a folder that has the place of a file
OTHER = "other content is there"
A_FOLDER = "a folder of this name is there"


class Meter:
    """How far a landing is; and the way to break it off."""

    def __init__(self) -> None:
        self.total = self.moved = 0
        self.since = monotonic()
        self._lock, self._ended = threading.Lock(), threading.Event()

    def expect(self, count: int) -> None:
        """So many bytes more have to move; fewer, where some are there already."""
        with self._lock:
            if self.moved >= self.total:  # all that was expected before is done
                self.total, self.moved, self.since = 0, 0, monotonic()
            self.total += count

    def add(self, count: int) -> None:
        """So many bytes have moved."""
        with self._lock:
            self.moved += count
        self.go_on()

    def go_on(self) -> None:
        """Raise where the landing is to end."""
        if self._ended.is_set():
            raise Interrupted("interrupted")

    def end(self) -> None:
        """Let every thread stop at its next piece."""
        self._ended.set()

    def begin(self) -> None:
        """After an end, go on."""
        self._ended.clear()


class Opened:
    """A local file while it is read; that it changes meanwhile does not go unseen."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._taken: IO[bytes] = Path(file).open("rb")  # noqa: SIM115 - closed by __exit__
        self._first = self._signature()
        self.size = self._first[0]

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self._taken.close()

    def _signature(self) -> tuple[int, int]:
        status = os.fstat(self._taken.fileno())
        return status.st_size, status.st_mtime_ns

    def read(self, start: int, length: int) -> bytes:
        """A piece of it, from any thread."""
        content = os.pread(self._taken.fileno(), length, start)
        while len(content) < min(length, self.size - start):  # as the system may do
            more = os.pread(self._taken.fileno(), length - len(content), start + len(content))
            if not more:
                raise self._changed()
            content += more
        return content

    def pieces(self) -> Iterator[bytes]:
        """All of it, in order."""
        for start in range(0, self.size, CHUNK):
            yield self.read(start, CHUNK)

    def still(self) -> None:
        """Refuse what changed since it was opened."""
        if self._signature() != self._first:
            raise self._changed()

    def _changed(self) -> Unlandable:
        return Unlandable(
            "it changed while it was read",
            where=self.file,
            next="run it again when it is written to its end, or use --follow",
        )


@contextlib.contextmanager
def opened(file: str) -> Iterator[Opened]:
    """A local file to read; one that cannot be read is told as its own fault."""
    try:
        source = Opened(file)
    except FileNotFoundError:
        raise Unlandable("it went away", where=file, next=AGAIN) from None
    except OSError as error:
        what = os.strerror(error.errno or errno.EIO)
        raise Unlandable(what, where=file, next="check its owner and mode") from error
    with source:
        yield source


class Place(Protocol):
    """A raw zone that files can be put into; paths are below it, with / between names."""

    folder: str | None  # where it is, on a disk
    threads: int  # how many files it takes side by side
    alone: float  # a file of more bytes keeps all threads busy

    def ready(self) -> None:
        """Refuse a place that cannot be written to as asked, before anything is sent."""

    def there(self, paths: Sequence[str]) -> Mapping[str, int]:
        """Which of these exist, with their sizes; a folder has the size `NO_FILE`."""

    def differs(self, path: str, source: Opened) -> str | None:
        """What is other about that which is there; None where it is this very content."""

    def land(self, source: Opened, path: str, meter: Meter, *, replace: bool) -> None:
        """Put a file there, whole or not at all. Raises `Occupied` unless it may replace."""


def place_for(environment: Environment, encryption: Encryption | None = None) -> Place:
    """The raw zone of an environment."""
    raw = environment.raw
    scheme, colon, rest = raw.partition(":")
    if colon and "/" not in scheme and scheme in BUCKETS:
        from headgate.storage.landing_s3 import BucketPlace

        return BucketPlace(raw, environment.spark.conf, encryption)
    if colon and "/" not in scheme and scheme != "file":
        hint = "use the tool of that store, or a raw zone on S3 or a disk"
        raise Usage(f"land knows disks and S3, not {scheme}:", where=raw, next=hint)
    if encryption:
        raise Usage("--encrypt is for a raw zone on S3", where=raw, next="leave it out")
    return DiskPlace(f"/{rest.lstrip('/')}" if colon and scheme == "file" else raw)


class DiskPlace:
    """A raw zone on a disk. What is half written has a name that ingest passes over."""

    threads = 4
    alone: float = math.inf

    def __init__(self, root: str) -> None:
        self.root = root
        self.folder: str | None = root

    def ready(self) -> None:
        if self.there([""]).get("", NO_FILE) != NO_FILE:
            raise Usage("the raw zone is a file", where=self.root, next="correct raw: in conf/env")

    def there(self, paths: Sequence[str]) -> Mapping[str, int]:
        found = {}
        for path in paths:
            with told(self.root, path), contextlib.suppress(FileNotFoundError):
                target = self._at(path)
                found[path] = NO_FILE if target.is_dir() else target.stat().st_size
        return found

    def differs(self, path: str, source: Opened) -> str | None:
        with told(self.root, path), self._at(path).open("rb") as file:
            same = all(piece == file.read(len(piece)) for piece in source.pieces())
            return None if same and not file.read(1) else OTHER

    def land(self, source: Opened, path: str, meter: Meter, *, replace: bool) -> None:
        target = self._at(path)
        with told(self.root, path):
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._beside(target) as (made, file):
                self._copied(source, file, meter)
                if replace:
                    made.replace(target)
                elif not _published(made, target) and (other := self._other(path, source)):
                    raise Occupied(other, where=path)
                settle(target.parent)

    def _other(self, path: str, source: Opened) -> str | None:
        return A_FOLDER if self._at(path).is_dir() else self.differs(path, source)

    def _copied(self, source: Opened, file: IO[bytes], meter: Meter) -> None:
        sent = hashlib.sha256()
        for piece in source.pieces():
            file.write(piece)
            sent.update(piece)
            meter.add(len(piece))
        file.flush()
        os.fsync(file.fileno())
        source.still()
        if hasattr(os, "posix_fadvise"):  # so that what is read back comes from the disk
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(0)
        kept = hashlib.sha256()
        while piece := file.read(CHUNK):
            kept.update(piece)
        if kept.digest() != sent.digest():
            raise Infrastructure(
                "the disk does not give back what was written", where=self.root, next="check it"
            )

    @contextlib.contextmanager
    def _beside(self, target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
        """An empty file in the same folder, ours alone; what a dead landing left is taken over."""
        name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]  # never too long
        made = target.with_name(f".{name}.landing")
        with contextlib.ExitStack() as stack:
            while True:
                file = stack.enter_context(made.open("a+b"))
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    what = "it is being landed by somebody else"
                    raise Held(what, where=str(target), next="wait for that to end") from None
                if _same(made, file):
                    break
            file.truncate(0)
            try:
                yield made, file
            finally:
                if _same(made, file):  # after a replace the name may be another's already
                    made.unlink()

    def _at(self, path: str) -> Path:
        return Path(self.root, path)


def _same(path: Path, file: IO[bytes]) -> bool:
    """Whether a name still means an open file."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    return False


def _published(made: Path, target: Path) -> bool:
    """Give a finished file its name; False where something has it."""
    try:
        target.hardlink_to(made)  # unlike a rename, it never takes the place of another
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        if target.exists():  # a disk without hard links
            return False
        made.rename(target)
    return True
