"""What a cluster needs of a suite, as one zip: the same files make the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from headgate.core.errors import Infrastructure, Usage
from headgate.core.spec import Suite
from headgate.storage import jars, pairs
from headgate.storage.code_zips import CODE, code_files, zip_of

MANIFEST: Final = "manifest.json"
SCRIPT: Final = "spark-submit.sh"
LIFELINE: Final = "jobs/lifeline.py"
PACKAGE: Final = Path(__file__).parent.parent
# What a suite is written in; whatever else lies in conf/ is no part of it.
SUITE_FILES: Final = (".yaml", ".yml", ".sql", ".json")


@dataclass(frozen=True)
class Bundle:
    """A bundle: its files by name, the manifest among them."""

    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        return zip_of(self.files, scripts=[SCRIPT])


def bundle_of(suite: Suite, *, version: str, with_jars: bool) -> Bundle:
    """The suite with Headgate; Delta's jars where they are asked for."""
    conf = Path(suite.conf).resolve()
    spark, delta = jars.installed_pair()
    files = {
        **_doors(),
        f"{CODE}/headgate.zip": zip_of(_code(PACKAGE.parent, only=PACKAGE.name)),
        **{f"conf/{name}": text for name, text in conf_files(conf).items()},
    }
    own = _code(Path(suite.root) / "lib", without=PACKAGE.name)
    if own:
        files[f"{CODE}/suite.zip"] = zip_of(own)
    if with_jars:
        found = jars.delta_jars(spark, delta, fetch=False)
        if not found:
            raise Usage("Spark has Delta's jars itself", next="leave out --jars")
        files |= {f"jars/{jar.name}": jar.read_bytes() for jar in found}
    manifest = {
        "suite": suite.name,
        "environment": suite.environment.name,
        "headgate": version,
        "spark": spark,
        "delta": delta,
        "jars": "in the bundle" if with_jars else pairs.coordinate(spark, delta),
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(files.items())
        },
    }
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    return Bundle({**files, MANIFEST: text.encode()}, manifest)


def conf_files(conf: Path) -> dict[str, bytes]:
    """The files of a suite's conf folder, by their names below it."""
    return {
        file.relative_to(conf).as_posix(): file.read_bytes()
        for file in sorted(conf.rglob("*"))
        if file.suffix in SUITE_FILES and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(conf).parts)
    }  # fmt: skip


def dependencies_packed(place: Path) -> None:
    """The Python environment of this process as an archive that a cluster can unpack.

    Spark is left out: the cluster has its own.
    """
    try:
        import venv_pack
    except ImportError:
        raise Usage(
            "the dependencies are packed by venv-pack, which is not installed",
            next="pip install venv-pack; or leave out --dependencies where the platform has them",
        ) from None
    unfinished = place.with_name(f".{os.getpid()}.{place.name}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        environment = venv_pack.Env(sys.prefix).exclude("*/pyspark/*")
        environment.pack(output=str(unfinished), force=True)
        unfinished.replace(place)
    except venv_pack.VenvPackException as error:
        raise Infrastructure(
            f"this Python environment cannot be packed: {str(error)[:200]}",
            next="run headgate from a virtual environment made by python -m venv",
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _doors() -> dict[str, bytes]:
    """The jobs and the script that starts them."""
    checkout = PACKAGE.parent.parent
    if not (checkout / SCRIPT).is_file():
        raise Usage(
            f"{SCRIPT} and jobs/ are not beside this installation of Headgate",
            where=str(checkout),
            next="run it from a checkout: PYTHONPATH=CHECKOUT/lib python -m headgate bundle",
        )
    jobs = {f"jobs/{job.name}": job.read_bytes() for job in (checkout / "jobs").glob("*.py")}
    lifeline = (PACKAGE / "doors" / "lifeline.py").read_bytes()
    return {SCRIPT: (checkout / SCRIPT).read_bytes(), **jobs, LIFELINE: lifeline}


def _code(folder: Path, *, only: str = "", without: str = "") -> dict[str, bytes]:
    """The code below a folder: of one package, or of all but one."""
    found = {}
    environments = [cfg.parent for cfg in folder.rglob("pyvenv.cfg")]
    for file in code_files(folder / only):
        name = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        installed = any(one in file.parents for one in environments)
        if not (hidden or installed or name.parts[0] == without):
            found[name.as_posix()] = file.read_bytes()
    return found
