"""The local files that a call offers for landing: those it names, and those in folders it names."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headgate.core.errors import HeadgateError, Usage
from headgate.core.landing import Offer
from headgate.storage.files import unusable
from headgate.storage.names import hidden, is_text

PASSED_OVER = "ingest passes over names that begin with _ or ."


@dataclass(frozen=True)
class Offered:
    """Files to land, what cannot be, and how many names were passed over as ingest would."""

    files: tuple[Offer, ...]
    faults: tuple[HeadgateError, ...] = ()
    passed_over: int = 0


def offered(names: Sequence[str], prefix: str, zone: str | None) -> Offered:
    """Each file with its place: a named file by its name, a folder's files as they lie in it.

    `zone` is the raw zone's folder, where it is on a disk: what holds it would land in itself.
    """
    if any(hidden(name) for name in prefix.split("/")):
        raise Usage(PASSED_OVER, where=f"--to {prefix}", next="--to orders/2026-11-20")
    found = _Found(prefix, Path(zone, prefix).resolve() if zone else None)
    for name in names:
        with found.kept(name):
            if name and Path(name).is_dir():
                found.folder(name)
            elif name:
                found.file(name)
            else:
                raise Usage("a name is empty", next="headgate land --help")
    return Offered(tuple(found.offers.values()), tuple(found.faults), found.passed_over)


class _Found:
    """Files by the place that each is to take."""

    def __init__(self, prefix: str, zone: Path | None) -> None:
        self._prefix, self._zone = prefix, zone
        self.offers: dict[str, Offer] = {}
        self.faults: list[HeadgateError] = []
        self.passed_over = 0

    @contextlib.contextmanager
    def kept(self, name: str) -> Iterator[None]:
        """One fault must not hide the others."""
        try:
            yield
        except HeadgateError as error:
            self.faults.append(error)
        except FileNotFoundError:
            self.faults.append(Usage("it is not there", where=name, next="correct the name"))
        except OSError as error:
            self.faults.append(unusable(error, str(error.filename or name)))

    def file(self, name: str) -> None:
        """A file that was named."""
        own = Path(os.path.abspath(name)).name  # noqa: PTH100 - a link keeps its name
        if hidden(own):
            raise Usage(PASSED_OVER, where=name, next="give it another name")
        self._add(name, own)

    def folder(self, name: str) -> None:
        """A folder that was named: all that ingest would see of it."""
        if self._zone and self._zone.is_relative_to(Path(name).resolve()):
            raise Usage("it would land in itself", where=name, next="name a folder beside it")
        self._below(name, "", ())

    def _below(self, folder: str, at: str, above: tuple[tuple[int, int], ...]) -> None:
        here = Path(folder).stat()
        if (here.st_dev, here.st_ino) in above:
            return  # a link that leads back up
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            with self.kept(entry.path):
                if hidden(entry.name):
                    self.passed_over += 1
                elif entry.is_dir():
                    within = (*above, (here.st_dev, here.st_ino))
                    self._below(entry.path, f"{at}{entry.name}/", within)
                elif entry.is_symlink() and not Path(entry.path).exists():
                    raise Usage("the link leads nowhere", where=entry.path, next="mend it")
                else:
                    self._add(entry.path, at + entry.name)

    def _add(self, name: str, below: str) -> None:
        path = f"{self._prefix}/{below}" if self._prefix else below
        status = Path(name).stat()
        if not stat.S_ISREG(status.st_mode):
            raise Usage("it is neither a file nor a folder", where=name, next="leave it out")
        if ":" in path or not is_text(path):
            raise Usage(f"Spark cannot read a file of the name {path!a}", next="rename it")
        other = self.offers.get(path)
        if other is not None and not Path(other.file).samefile(name):
            what = f"{other.file} and {name} would both land as {path}"
            raise Usage(what, next="land them apart, each with its own --to")
        self.offers.setdefault(path, Offer(name, path, status.st_size, status.st_ctime_ns))
