"""The folders that the demo may empty: its own, known by a mark, and no others."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headgate.core.errors import Held, Usage
from headgate.core.spec import Suite
from headgate.storage.files import unusable

MARK = ".headgate-demo"
SAYS = "headgate demo empties this folder when it starts. Remove this file to keep what is here.\n"


@dataclass(frozen=True)
class Stage:
    """An empty raw zone and an empty lake on this machine's disk."""

    raw: Path
    lake: Path

    @staticmethod
    @contextmanager
    def taken(suite: Suite) -> Iterator[Stage]:
        """Both folders, emptied if the demo had made what is there; held until the end."""
        stage = Stage(_on_disk(suite.environment.raw), _on_disk(suite.environment.lake))
        for folder in (stage.raw, stage.lake):
            _refuse_foreign(folder)
        try:
            with _held(stage.lake):
                for folder in (stage.raw, stage.lake):
                    _emptied(folder)
                yield stage
        except OSError as error:
            raise unusable(error, str(error.filename or stage.lake)) from error


def _on_disk(place: str) -> Path:
    scheme, colon, rest = place.partition(":")
    if not colon or "/" in scheme:
        return Path(place)
    if scheme == "file":
        return Path("/" + rest.lstrip("/"))
    raise Usage(
        f"the demo works on this machine's disk, and {scheme}: is elsewhere",
        next="headgate demo --set raw=data/raw --set lake=data/lake",
    )


def _refuse_foreign(folder: Path) -> None:
    """A folder with anything in it that the demo has not made is nobody's to empty."""
    if folder.exists() and not folder.is_dir():
        raise Usage(f"{folder} is a file", next="--set raw=… --set lake=… with new folders")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise Usage(
            f"{folder} is not empty, and what is in it was not made by the demo: nothing was "
            "touched",
            next="headgate demo --set raw=demo/raw --set lake=demo/lake",
        )


@contextmanager
def _held(lake: Path) -> Iterator[None]:
    """One demo a lake at a time; the kernel lets go when it dies, however it dies."""
    lake.mkdir(parents=True, exist_ok=True)
    with (lake / MARK).open("a+", encoding="utf-8") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Held(
                "another demo is running on this lake", where=str(lake), next="wait for it"
            ) from None
        yield


def _emptied(folder: Path) -> None:
    """The folder with its mark and nothing else. The mark stays first to last: a demo that is
    killed meanwhile leaves a folder that the next one may empty."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(SAYS, encoding="utf-8")
    for path in folder.iterdir():
        if path.name == MARK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
