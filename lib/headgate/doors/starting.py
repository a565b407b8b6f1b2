"""The `init` command: a new small suite that runs at once."""

from __future__ import annotations

import argparse
import contextlib
import keyword
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.core.errors import Usage
from headgate.doors.words import Answer
from headgate.storage.files import unusable

if TYPE_CHECKING:
    from importlib.abc import Traversable

OWN = "template_own"  # of a suite from one's own samples
SUFFIX = ".in"  # of the template's files, so that nothing takes them for code or configuration
TAKEN = ("headgate", "pyspark", "delta", "py4j", "pytest", "yaml", "pydantic", "test", "tests")


def init(arguments: argparse.Namespace) -> Answer:
    """`headgate init DIR`: refuses a folder with anything in it."""
    if arguments.samples:
        from headgate.doors.own_data import init_from

        return init_from(arguments)
    if arguments.no_run:
        raise Usage(
            "--no-run goes with --from: without it nothing is run", next="headgate init DIR"
        )
    folder = Path(arguments.folder)
    refuse_used(folder)
    name = package_name(folder.resolve().name)
    texts = suite_files(name, datetime.now(timezone.utc))
    write_all(folder, texts)
    here = folder.resolve() == Path.cwd().resolve()
    next_ = "headgate run" if here else f"cd {shlex.quote(str(folder))} && headgate run"
    if not arguments.json:
        print(f"{folder}: the suite '{name}', {len(texts)} files. README.md says what is where.")
        print(f"Next: {next_}")
    shown = {"suite": name, "files": sorted(texts), "next": next_, "exit_code": 0, "errors": []}
    return shown, 0


def refuse_used(folder: Path) -> None:
    next_ = "headgate init with a new folder"
    try:
        if folder.exists() and not folder.is_dir():
            raise Usage(f"{folder} is a file", next=next_)
        if folder.is_dir() and any(folder.iterdir()):
            raise Usage(f"{folder} is not empty; nothing was written", next=next_)
    except OSError as error:
        raise unusable(error, str(folder)) from error


def package_name(text: str) -> str:
    """The suite's name, which its Python package has too.

    >>> package_name("Bike-Rides 2"), package_name("test"), package_name("7"), package_name("é")
    ('bike_rides_2', 'test_suite', 'suite_7', 'suite')
    """
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "suite"
    if name[0].isdigit():
        name = f"suite_{name}"
    taken = name in sys.stdlib_module_names or name in TAKEN or keyword.iskeyword(name)
    return f"{name}_suite" if taken else name


def suite_files(name: str, now: datetime) -> dict[str, str]:
    """The new suite's files by path. Its sample dumps are of the three days before."""
    words = {"NAME": name}
    words |= {f"DAY{n}": (now - timedelta(days=4 - n)).date().isoformat() for n in (1, 2, 3)}
    return filled(template("template"), words)


def template(name: str) -> Traversable:
    """A folder of files that wait for their words."""
    return files("headgate.doors").joinpath(name)


def filled(folder: Traversable, words: Mapping[str, str]) -> dict[str, str]:
    """The files of a template by path, with their words put in."""
    return {
        _path(path, words): _filled(file.read_text(encoding="utf-8"), words)
        for path, file in _below(folder, ())
    }


def _below(
    folder: Traversable, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _below(entry, (*above, entry.name))
        elif entry.name.endswith(SUFFIX):
            yield (*above, entry.name), entry


def _path(parts: tuple[str, ...], words: Mapping[str, str]) -> str:
    named = [words.get(part, part) for part in parts]
    path = "/".join(named).removesuffix(SUFFIX)
    return ".gitignore" if path == "gitignore" else path


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text


def write_all(folder: Path, texts: Mapping[str, str]) -> None:
    """All files, or none: what was begun is taken back."""
    made: list[Path] = []
    try:
        for name, text in texts.items():
            path = folder / name
            new = [part for part in (path.parent, *path.parent.parents) if not part.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            made += [*reversed(new), path]
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise unusable(error, str(error.filename or folder)) from error
