"""What this machine really offers: cores, memory, room, clocks, locks, a Python for the workers."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headgate.storage.files import LocalFiles

_CGROUPS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNITS: Final = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40}


@dataclass(frozen=True)
class Tried:
    """What came of writing into a folder."""

    skew: float  # seconds that the disk's clock is ahead of ours
    exclusive: bool  # whether of two that make one file, only the first does


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int | None:
    """The memory in bytes that this process may use: the machine's, or its container's."""
    known = []
    with contextlib.suppress(ValueError, OSError):
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for file in _CGROUPS:
        with contextlib.suppress(OSError, ValueError):
            known.append(int(Path(file).read_text()))
    return min(known, default=None)


def in_bytes(text: str, unit: str = "m") -> int | None:
    """A size as Spark's settings write it; None where it is none.

    >>> in_bytes("4g") == 4 << 30, in_bytes("512") == 512 << 20, in_bytes("much")
    (True, True, None)
    """
    found = re.fullmatch(r"(\d+)\s*([kmgt]?)b?", text.strip().lower())
    return int(found[1]) << _UNITS[found[2] or unit] if found else None


def standing(path: str) -> Path:
    """The nearest folder that is there: the path itself, or the one in which it would be made."""
    folder = Path(path)
    return next(place for place in (folder, *folder.parents) if place.exists())


def room(path: str) -> int:
    """The bytes that are free on the disk of a path."""
    return shutil.disk_usage(standing(path)).free


def tried(folder: Path) -> Tried:
    """Write a small file into a folder, lock it, look at it and take it away again."""
    files = LocalFiles(str(folder))
    name = f".headgate-doctor-{uuid.uuid4().hex[:12]}"
    lock = f".{name}.lock"
    try:
        first = files.create_exclusive(name, b"1")
        second = files.create_exclusive(name, b"2")
        skew = (folder / name).stat().st_mtime - time.time()
        locked = files.replace_if(name, b"1", b"3") and not files.replace_if(name, b"1", b"4")
    finally:
        for left in (name, lock):
            files.delete(left)
    return Tried(skew, first and not second and locked)


def mounted_as(path: str) -> str | None:
    """The kind of file system that a path is on, where the machine tells (Linux does)."""
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return None
    place = str(standing(path).resolve()) + "/"
    mounts = [line.split(" ")[1:3] for line in lines]
    above = [(point, kind) for point, kind in mounts if place.startswith(point.rstrip("/") + "/")]
    return max(above, key=lambda one: len(one[0]))[1] if above else None


def answers(address: str, patience: float = 0.7) -> bool:
    """Whether something listens at host:port."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=patience):
            return True
    except (OSError, ValueError):
        return False


def python_of(command: str) -> tuple[int, int] | None:
    """The version of a Python interpreter; None where it does not start."""
    shows = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(  # noqa: S603 - the user's own interpreter, no shell
            [command, "-I", "-S", "-c", shows], capture_output=True, text=True, timeout=10,
            check=False,
        )  # fmt: skip
        major, minor = done.stdout.split()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return int(major), int(minor)
