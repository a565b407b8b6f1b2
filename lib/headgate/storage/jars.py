"""Delta's two jars: where they are, and how they get there once.

`python -m headgate.storage.jars` fetches them for the installed pair and prints their paths.
Where they are already there, nothing here starts a JVM or imports pyspark.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from headgate.core.errors import HeadgateError, Infrastructure, Usage
from headgate.storage import pairs

FOLDER_VARIABLE: Final = "HEADGATE_JARS"
# Where EMR keeps Delta's jars: its own builds, without a version in their names.
PLATFORM_FOLDERS: Final = (Path("/usr/share/aws/delta/lib"),)
_FETCH: Final = "python -m headgate.storage.jars"
_PATIENCE_SECONDS: Final = 900


def delta_jars(spark_version: str, delta_version: str, *, fetch: bool) -> list[Path]:
    """Delta's two jars for this pair; an empty list where Spark has them on its own class path.

    With `fetch`, jars that are missing are resolved once, by Spark's own Ivy.
    """
    if _on_spark_class_path():
        return []
    wanted = pairs.jar_names(spark_version, delta_version)
    places = folders(f"{spark_version}-{delta_version}")
    for folder in places:
        if all((folder / name).is_file() for name in wanted):
            return [folder / name for name in wanted]
    for folder in _chosen_by_hand() + list(PLATFORM_FOLDERS):
        if found := _unversioned(folder):
            return found
    if not fetch:
        raise Infrastructure(
            f"Delta's jars are missing ({' and '.join(wanted)})",
            where=str(places[0]),
            next=_FETCH,
        )
    target = first_writable(places)
    fetch_jars(pairs.coordinate(spark_version, delta_version), wanted, target, said=_FETCH)
    return [target / name for name in wanted]


def installed_pair() -> tuple[str, str]:
    """The versions of Spark and Delta that are installed, without importing either.

    A platform's Spark is known by its jars; where Delta's version cannot be told, the pair's is
    taken.
    """
    spark = _spark_of_home() or _distribution("pyspark")
    if spark is None:
        raise Infrastructure("pyspark is not installed", next=pairs.DEFAULT.install)
    delta = _distribution("delta-spark")
    if delta is None:
        line = spark.split(".")[:2]
        same = [p.delta for p in pairs.SUPPORTED if p.spark.split(".")[:2] == line]
        delta = same[-1] if same else pairs.DEFAULT.delta
    return spark, delta


def spark_home() -> Path | None:
    """Where Spark is: $SPARK_HOME, else inside the installed pyspark."""
    if named := os.environ.get("SPARK_HOME"):
        return Path(named)
    spec = importlib.util.find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _distribution(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _spark_of_home() -> str | None:
    """The version of the Spark in $SPARK_HOME, which wins over an installed pyspark."""
    named = os.environ.get("SPARK_HOME")
    if not named:
        return None
    core = next(Path(named).glob("jars/spark-core_*.jar"), None)
    return core.stem.split("-", 2)[2] if core else None


def _on_spark_class_path() -> bool:
    home = spark_home()
    return home is not None and next(home.glob("jars/delta-spark*.jar"), None) is not None


def _chosen_by_hand() -> list[Path]:
    named = os.environ.get(FOLDER_VARIABLE)
    return [Path(named).expanduser()] if named else []


def folders(pair: str) -> list[Path]:
    """Where a pair's jars may be, the best place first."""
    if by_hand := _chosen_by_hand():
        return by_hand
    places = [Path(sys.prefix, "share")]
    with contextlib.suppress(RuntimeError):  # no HOME, and a user without an entry in passwd
        places.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"))
    return [place / "headgate" / "jars" / pair for place in places]


def _unversioned(folder: Path) -> list[Path]:
    """The two jars of a folder where a platform has put its own builds, by their plain names."""
    found = [folder / "delta-spark.jar", folder / "delta-storage.jar"]
    return found if all(jar.is_file() for jar in found) else []


def first_writable(places: list[Path]) -> Path:
    """The first of some folders that can be written; it is made where it is not there."""
    for folder in places:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise Infrastructure(
        "no folder for jars can be written",
        where=", ".join(map(str, places)),
        next=f"set {FOLDER_VARIABLE} to a folder that you can write, then {_FETCH}",
    )


def fetch_jars(coordinate: str, wanted: Sequence[str], target: Path, *, said: str) -> None:
    """Resolve once beside the target; each jar then appears whole, also when two do so at once."""
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target) as scratch:
        heard = _resolve([coordinate], pairs.EXCLUDES, Path(scratch))
        group = coordinate.split(":")[0]
        for name in wanted:
            # Ivy prefixes a retrieved jar with its group.
            fetched = Path(scratch, "jars", f"{group}_{name}")
            if not fetched.is_file() or not zipfile.is_zipfile(fetched):
                raise _not_fetched(coordinate, wanted, target, heard, said)
            fetched.replace(target / name)


def resolved(
    coordinates: Sequence[str], excludes: Sequence[str], scratch: Path, target: Path, *, said: str
) -> Path:
    """A folder with all jars of some modules and of what they need."""
    heard = _resolve(coordinates, excludes, scratch)
    made = Path(scratch, "jars")
    found = [jar for jar in made.glob("*.jar") if zipfile.is_zipfile(jar)]
    names = [coordinate.split(":")[1] for coordinate in coordinates]
    if lacking := [n for n in names if not any(f"_{n}-" in jar.name for jar in found)]:
        raise _not_fetched(coordinates[0], lacking, target, heard, said)
    return made


def _resolve(coordinates: Sequence[str], excludes: Sequence[str], scratch: Path) -> str:
    """Let spark-submit resolve the jars before it runs an empty script; what it said."""
    home = spark_home()
    if home is None or not (home / "bin" / "spark-submit").is_file():
        raise Infrastructure("Spark is not installed", next=pairs.DEFAULT.install)
    if not _has_java():
        raise Infrastructure(
            "Java is not found", next="install Java 17 or 21, or set JAVA_HOME to where it is"
        )
    script = scratch / "nothing.py"
    script.touch()
    settings = {
        "spark.jars.packages": ",".join(coordinates),
        "spark.jars.excludes": ",".join(excludes),
        "spark.jars.ivy": str(scratch),
        "spark.driver.memory": "512m",
        "spark.ui.enabled": "false",
    }
    options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
    command = [str(home / "bin" / "spark-submit"), "--master", "local[1]", *options, str(script)]
    environment = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    environment.pop("PYSPARK_DRIVER_PYTHON", None)
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_PATIENCE_SECONDS} seconds"
    return done.stdout


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=str(Path(home, "bin")) if home else None) is not None


def _not_fetched(
    coordinate: str, wanted: Sequence[str], target: Path, heard: str, command: str
) -> Infrastructure:
    lowered = heard.lower()
    if "unresolved dependenc" in lowered or "download failed" in lowered:
        reason = "the package server gave no answer, or does not have it"
    else:
        reason = _telling_line(heard)
    what = "Delta's jars" if coordinate.startswith("io.delta:") else " and ".join(wanted)
    return Infrastructure(
        f"{what} could not be fetched ({coordinate}): {reason}",
        where=str(target),
        next=f"with a network, {command}; without one, put {' and '.join(wanted)} into that folder"
        f" or into one that {FOLDER_VARIABLE} names; behind a mirror, set"
        " DEFAULT_ARTIFACT_REPOSITORY to its address",
    )


def _telling_line(said: str) -> str:
    """The line of a JVM's last words that names a cause, rather than a place in its stack."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    causes = [line for line in lines if "Exception" in line or "rror:" in line]
    return ([*causes[-1:], *lines[-1:], "Spark said nothing"])[0][:200]


def _fetched_aloud(spark: str, delta: str) -> list[Path]:
    try:
        return delta_jars(spark, delta, fetch=False)
    except Infrastructure:
        print(f"headgate: fetching the two jars of Delta {delta}, once", file=sys.stderr)
        return delta_jars(spark, delta, fetch=True)


def _main(arguments: list[str]) -> int:
    try:
        if unknown := set(arguments) - {"--quiet"}:
            raise Usage(f"unknown argument {min(unknown)!r}", next=f"{_FETCH} [--quiet]")
        spark, delta = installed_pair()
        if sentence := pairs.verdict(spark, delta):
            raise Infrastructure(sentence)
        jars = _fetched_aloud(spark, delta)
    except HeadgateError as error:
        print(error.sentence, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"Delta's jars could not be kept: {error.strerror}", file=sys.stderr)
        return Infrastructure.exit_code
    if "--quiet" not in arguments:
        print("\n".join(map(str, jars)) or "Delta is on Spark's own class path")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
