"""The `bundle` command: what a cluster needs of a suite, in one file."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from headgate import __version__
from headgate.core.errors import Usage
from headgate.core.landing import bytes_told
from headgate.doors.opening import understood
from headgate.doors.words import Answer
from headgate.storage.bundle import bundle_of, dependencies_packed
from headgate.storage.files import LocalFiles, unusable


def bundle(arguments: argparse.Namespace) -> Answer:
    """Make the bundle; without Spark, and without a network."""
    suite = understood(arguments)
    place = Path(arguments.to or f"build/{suite.name}.zip")
    if place.suffix != ".zip" or place.is_dir():
        raise Usage("a bundle is a zip file", where=str(place), next="--to build/shop.zip")
    made = bundle_of(suite, version=__version__, with_jars=arguments.jars)
    content = made.content
    archive = place.with_name(f"{place.stem}-dependencies.tar.gz")
    try:
        if arguments.dependencies:
            dependencies_packed(archive)
    except OSError as error:
        raise unusable(error, str(archive)) from error
    LocalFiles(str(place.parent)).write_atomic(place.name, content)
    said = [f"{place}: {len(made.files):,} files, {bytes_told(len(content))}"]
    if arguments.dependencies:
        said.append(f"{archive}: {bytes_told(archive.stat().st_size)} of Python's packages")
    if not arguments.json:
        then = f"unzip it where spark-submit is, then ./spark-submit.sh run --env {arguments.env}"
        print("\n".join([*said, f"Next: {then}"]))
    return {
        "suite": suite.name, "exit_code": 0, "bundle": str(place), "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "manifest": dict(made.manifest),
        "dependencies": str(archive) if arguments.dependencies else None,
    }, 0  # fmt: skip
