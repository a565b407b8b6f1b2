"""The port to files beside the tables: the raw zone, and Headgate's own small files in the lake."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from headgate.core.errors import Infrastructure, Unreadable, Usage
from headgate.storage.names import encoded, escaped, hidden, is_text

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CHUNK = 1 << 20


@dataclass(frozen=True, order=True)
class FileInfo:
    """One file: its path below the root, and what tells that it changed."""

    path: str
    size: int
    modified_ns: int


class Files(Protocol):
    """Files below one root; every path is relative to it, with / between names."""

    @property
    def root(self) -> str: ...
    def listing(self, prefix: str = "", *, every: bool = False) -> Iterator[FileInfo]:
        """All files below a folder, in a fixed order.

        Names with _ or . in front are left out, unless `every` file is meant.
        """

    def exists(self, path: str) -> bool: ...
    def read_bytes(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        """The content from `start`; FileNotFoundError where there is no such file."""

    def write_atomic(self, path: str, content: bytes) -> None:
        """Readers see the old content or the new one, never a part."""

    def create_exclusive(self, path: str, content: bytes) -> bool:
        """Whether this call made the file; False where it was there before."""

    def replace_if(self, path: str, expected: bytes | None, new: bytes) -> bool:
        """Write only where the content is still what is expected (None: no file)."""

    def vouch(self) -> None:
        """Refuse where two writers cannot be kept apart."""

    def delete(self, path: str) -> None:
        """Remove a file, or a folder with all in it; it is no fault when it is not there."""

    def digest(self, path: str) -> str:
        """SHA-256 of the content, in hex, read in pieces."""

    def uri(self, path: str) -> str:
        """The path as Spark shows it in `_metadata.file_path`."""

    def for_spark(self, path: str) -> str:
        """The path as Spark's readers take it; a name that they cannot read is refused."""


def files_for(root: str, spark: SparkSession | None = None) -> Files:
    """The files below a path or URI. Schemes other than file: go through Spark's JVM."""
    scheme, colon, rest = root.partition(":")
    if not colon or "/" in scheme:
        return LocalFiles(root)
    if scheme == "file":
        return LocalFiles("/" + rest.lstrip("/"))
    if spark is None:
        raise Usage(f"{root} can only be reached with a Spark session")
    from headgate.storage.hadoop import HadoopFiles

    return HadoopFiles(root, spark)


class LocalFiles:
    """Files on a disk of this machine, or mounted on it."""

    def __init__(self, root: str) -> None:
        # Like Spark, take out `..` but leave links as they are.
        self.root = os.path.abspath(root)  # noqa: PTH100

    def __repr__(self) -> str:
        return f"LocalFiles({self.root!r})"

    def listing(self, prefix: str = "", *, every: bool = False) -> Iterator[FileInfo]:
        with told(self.root, prefix):
            yield from self._below(prefix.strip("/"), (), every)

    def _below(
        self, folder: str, above: tuple[tuple[int, int], ...], every: bool
    ) -> Iterator[FileInfo]:
        try:
            here = self._at(folder).stat()
            entries = sorted(os.scandir(self._at(folder)), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        if (here.st_dev, here.st_ino) in above:
            return  # a link that leads back up
        for entry in entries:
            if hidden(entry.name) and not every:
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir():
                yield from self._below(path, (*above, (here.st_dev, here.st_ino)), every)
            elif entry.is_file():
                stat = entry.stat()
                yield FileInfo(path, stat.st_size, stat.st_mtime_ns)

    def exists(self, path: str) -> bool:
        with told(self.root, path):
            return self._at(path).exists()

    def read_bytes(self, path: str, start: int = 0, length: int | None = None) -> bytes:
        with told(self.root, path), self._at(path).open("rb") as file:
            file.seek(start)
            return file.read(-1 if length is None else length)

    def write_atomic(self, path: str, content: bytes) -> None:
        with told(self.root, path), self._beside(path, content) as made:
            made.replace(self._at(path))
            settle(made.parent)

    def create_exclusive(self, path: str, content: bytes) -> bool:
        with told(self.root, path), self._beside(path, content) as made:
            try:
                self._at(path).hardlink_to(made)  # appears whole, or not at all
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                    raise
                return self._opened_exclusively(path, content)  # a disk without hard links
            settle(made.parent)
            return True

    def _opened_exclusively(self, path: str, content: bytes) -> bool:
        try:
            with self._at(path).open("xb") as file:
                file.write(content)
        except FileExistsError:
            return False
        return True

    def replace_if(self, path: str, expected: bytes | None, new: bytes) -> bool:
        with told(self.root, path), self._locked(path):
            try:
                content: bytes | None = self._at(path).read_bytes()
            except FileNotFoundError:
                content = None
            if content != expected:
                return False
            self.write_atomic(path, new)
            return True

    def vouch(self) -> None:
        """A disk keeps them apart; one that is a mounted bucket is told by `headgate doctor`."""

    def delete(self, path: str) -> None:
        if not path.strip("/"):
            raise ValueError("the root itself is not deleted")
        target = self._at(path)
        with told(self.root, path), contextlib.suppress(FileNotFoundError):
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink()

    def digest(self, path: str) -> str:
        seen = hashlib.sha256()
        with told(self.root, path), self._at(path).open("rb") as file:
            while chunk := file.read(CHUNK):
                seen.update(chunk)
        return seen.hexdigest()

    def uri(self, path: str) -> str:
        return f"file:{encoded(str(self._at(path)))}"

    def for_spark(self, path: str) -> str:
        if ":" in path or not is_text(path):  # Hadoop's local file system fails on both
            raise Unreadable(
                "Spark cannot read a file of this name", where=ascii(path)[1:-1], next="rename it"
            )
        return escaped(f"file:{self._at(path)}")

    def _at(self, path: str) -> Path:
        return Path(self.root, path)

    @contextlib.contextmanager
    def _beside(self, path: str, content: bytes) -> Iterator[Path]:
        """A finished file in the same folder, under a name that no listing shows."""
        target = self._at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        made = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}")
        try:
            with made.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield made
        finally:
            with contextlib.suppress(OSError):
                made.unlink()

    @contextlib.contextmanager
    def _locked(self, path: str) -> Iterator[None]:
        """The kernel lets go of this lock when its holder dies, however it dies."""
        target = self._at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.with_name(f".{target.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def settle(folder: Path) -> None:
    """A new name is only on the disk once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some mounts cannot
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def told(root: str, path: str) -> Iterator[None]:
    """Faults of the disk as errors that a person can act on; a missing file stays one."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else f"{root}/{path}"
        raise unusable(error, where) from error


def unusable(error: OSError, where: str) -> Infrastructure:
    """What a fault of the disk means, and what to do."""
    said: dict[int | None, tuple[str, str]] = {
        errno.ENOSPC: ("the disk is full", "make room, then run again"),
        errno.EDQUOT: ("the quota of the disk is used up", "make room, then run again"),
        errno.EROFS: ("the disk is read-only", "mount it for writing, or choose another path"),
        errno.EACCES: ("no permission", "check the owner and mode of the folder"),
        errno.EPERM: ("no permission", "check the owner and mode of the folder"),
        errno.EEXIST: ("a file stands where a folder is needed", "move that file away"),
        errno.ENOTDIR: ("a file stands where a folder is needed", "move that file away"),
    }
    what, then = said.get(error.errno, (os.strerror(error.errno or errno.EIO), "headgate doctor"))
    return Infrastructure(what, where=where, next=then)
