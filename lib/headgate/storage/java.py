"""Which Java Spark would be started with, and whether that can work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Java:
    """A Java on this machine."""

    path: str
    version: str  # as it calls itself: 17.0.15, 1.8.0_402

    @property
    def major(self) -> int:
        """The number that Java versions are known by.

        >>> Java("java", "17.0.15").major, Java("java", "1.8.0_402").major
        (17, 8)
        """
        numbers = [int(number) for number in re.findall(r"\d+", self.version)[:2]]
        return numbers[1] if numbers[:1] == [1] and len(numbers) > 1 else (numbers or [0])[0]


def found() -> Java | None:
    """The Java that Spark's own scripts would take: of JAVA_HOME, else the first on PATH."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=str(Path(home, "bin")) if home else None)
    if path is None:
        return None
    return Java(path, _released(Path(path)) or _asked(path))


def wanted(spark_version: str) -> tuple[int, ...]:
    """The majors that a Spark runs on, the best first.

    >>> wanted("4.1.4"), wanted("3.5.6")
    ((17, 21), (17, 11, 8))
    """
    return (17, 11, 8) if spark_version.startswith("3.") else (17, 21)


def verdict(spark_version: str) -> tuple[str, str] | None:
    """What is wrong with this machine's Java and what to type; None where it is well."""
    java, majors = found(), wanted(spark_version)
    choice = " or ".join(str(major) for major in sorted(majors))
    if java is None:
        home = os.environ.get("JAVA_HOME")
        lacking = f"JAVA_HOME is {home}, which holds no bin/java" if home else "there is no java"
        return f"{lacking}; Spark {spark_version} needs Java {choice}", _install(majors[0])
    if java.major in majors:
        return None
    what = f"{java.path} is Java {java.version}; Spark {spark_version} needs Java {choice}"
    return what, _install(majors[0]) + ", or set JAVA_HOME to one that is there"


def _install(major: int) -> str:
    """The command that installs Java on this kind of machine."""
    if sys.platform == "darwin":
        return f"brew install openjdk@{major}"
    if shutil.which("apt-get"):
        return f"sudo apt-get install -y openjdk-{major}-jre-headless"
    if shutil.which("dnf"):
        return f"sudo dnf install -y java-{major}-openjdk-headless"
    if shutil.which("apk"):
        return f"apk add openjdk{major}-jre-headless"
    return f"install Java {major}"


def _released(path: Path) -> str | None:
    """The version in the file beside it, which costs no JVM."""
    try:
        text = (path.resolve().parent.parent / "release").read_text()
    except (OSError, UnicodeDecodeError):
        return None
    match = re.search(r'^JAVA_VERSION="([^"]+)"', text, re.MULTILINE)
    return match[1] if match else None


def _asked(path: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own java, no shell
            [path, "-version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    match = re.search(r'version "([^"]+)"', done.stderr)
    return match[1] if match else "unknown"
