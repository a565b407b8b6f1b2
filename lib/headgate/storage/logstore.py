"""The class by which Delta commits on S3, compiled once by the compiler that Spark carries.

Delta's own class for S3 looks whether a commit of this number is there, and puts its own then: two
drivers that do so at one instant both believe that theirs is the commit, and one is lost. Ours puts
it on the condition that none is there. It needs no JDK: Spark compiles its own queries with Janino,
which can compile this too.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from headgate.core.errors import Infrastructure
from headgate.storage import jars, java

CLASS: Final = "io.headgate.storage.ConditionalPutLogStore"
SOURCE: Final = Path(__file__).with_name("sources") / "ConditionalPutLogStore.java"
_COMPILER: Final = "org.codehaus.commons.compiler.samples.CompilerDemo"
_PATIENCE_SECONDS: Final = 120
_THEN: Final = (1980, 1, 1, 0, 0, 0)  # in the jar, so that it is the same whenever it is made


def log_store(spark_version: str, delta: Sequence[Path]) -> Path:
    """The jar with the class; made where it is not there yet.

    `delta` are Delta's jars; none where Spark has them on its own class path.
    """
    text = SOURCE.read_bytes()
    name = f"headgate-logstore-{hashlib.sha256(text).hexdigest()[:12]}.jar"
    folders = jars.folders(f"logstore-{spark_version}")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    target = jars.first_writable(folders)
    with tempfile.TemporaryDirectory(prefix=".make-", dir=target) as scratch:
        classes = _compiled(delta, Path(scratch))
        made = Path(scratch, name)
        with zipfile.ZipFile(made, "w") as jar:
            for file in sorted(classes.rglob("*.class")):
                entry = zipfile.ZipInfo(file.relative_to(classes).as_posix(), _THEN)
                jar.writestr(entry, file.read_bytes())
        made.replace(target / name)
    return target / name


def _compiled(delta: Sequence[Path], scratch: Path) -> Path:
    home = jars.spark_home()
    own = sorted(Path(home, "jars").glob("*.jar")) if home else []
    compiler = [jar for jar in own if jar.name.startswith(("janino", "commons-compiler"))]
    if not compiler:
        raise Infrastructure(
            "Spark's own compiler (Janino) is not among its jars", where=f"{home}/jars",
            next="headgate doctor",
        )  # fmt: skip
    found = java.found()
    if found is None:
        raise Infrastructure("Java is not found", next="headgate doctor")
    classes = scratch / "classes"
    classes.mkdir()
    command = [
        found.path, "-cp", os.pathsep.join(map(str, compiler)), _COMPILER,
        "-d", str(classes), "-encoding", "UTF-8",
        "-classpath", os.pathsep.join(map(str, [*own, *delta])), str(SOURCE),
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", timeout=_PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    if not (classes / f"{CLASS.replace('.', '/')}.class").is_file():
        said = (done.stdout.strip().splitlines() or ["it said nothing"])[0][:300]
        raise Infrastructure(
            f"the class that commits on S3 could not be compiled: {said}", where=str(SOURCE),
            next="headgate doctor",
        )  # fmt: skip
    return classes
