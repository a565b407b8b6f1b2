"""The code that executors need, as plain zips: a wheel works on the driver only."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

CODE = "code"  # of a bundle: the folder of its zips


def code_zips(checkout: Path, suite_root: Path, spare: Path) -> list[Path]:
    """Headgate's own code, and the suite's steps where they live elsewhere.

    They stay in the checkout's build/, since executors fetch them late, else in a spare folder. A
    bundle brings them.
    """
    if not (checkout / "lib").is_dir():
        return sorted((checkout / CODE).glob("*.zip"))
    folder = checkout / "build" / "spark-submit"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = spare
    if not os.access(folder, os.W_OK):
        folder = spare
    made = [zipped(checkout / "lib", "headgate", folder)]
    steps = suite_root / "lib"
    if steps.is_dir() and steps.resolve() != (checkout / "lib").resolve():
        made.append(zipped(steps, "suite", folder))
    return made


def zipped(source: Path, name: str, folder: Path) -> Path:
    """All code below a folder as one plain zip, named by its content: the same code, one file."""
    made = zip_of(
        {file.relative_to(source).as_posix(): file.read_bytes() for file in code_files(source)}
    )
    target = folder / f"{name}-{hashlib.sha256(made).hexdigest()[:12]}.zip"
    if not target.is_file():
        unfinished = target.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(made)
        unfinished.replace(target)
    return target


def zip_of(files: Mapping[str, bytes], scripts: Collection[str] = ()) -> bytes:
    """Files as a zip, whose bytes tell nothing but their names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if name in scripts else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def code_files(source: Path) -> Iterator[Path]:
    """All files below a folder but what Python makes of them."""
    for file in sorted(source.rglob("*")):
        parts = file.relative_to(source).parts
        made = any(part == "__pycache__" or part.endswith(".egg-info") for part in parts)
        if file.is_file() and not made and file.suffix != ".pyc":
            yield file
