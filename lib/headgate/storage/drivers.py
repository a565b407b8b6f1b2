"""JDBC drivers of databases: one jar each, fetched once, and only where a suite reads one.

`python -m headgate.storage.drivers` fetches both and prints their paths.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headgate.core.addresses import NAMES
from headgate.core.errors import HeadgateError, Infrastructure
from headgate.storage import jars

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FETCH: Final = "python -m headgate.storage.drivers"


@dataclass(frozen=True)
class Driver:
    """One jar, as it was tested."""

    coordinate: str
    sha256: str
    name: str  # of its class

    @property
    def jar(self) -> str:
        _, name, version = self.coordinate.split(":")
        return f"{name}-{version}.jar"


DRIVERS: Final = {
    "mysql": Driver(
        "org.mariadb.jdbc:mariadb-java-client:3.5.3",
        "85c4ba2f221d0dfd439c26affbb294f784960763544263c65aba9c2c76858706",
        "org.mariadb.jdbc.Driver",
    ),
    "postgresql": Driver(
        "org.postgresql:postgresql:42.7.7",
        "157963d60ae66d607e09466e8c0cdf8087e9cb20d0159899ffca96bca2528460",
        "org.postgresql.Driver",
    ),
}


def driver_jar(kind: str, *, fetch: bool) -> Path:
    """The driver of a kind of database; with `fetch`, a missing one is resolved by Spark's Ivy."""
    driver = DRIVERS[kind]
    folders = jars.folders("drivers")
    found = next(
        (folder / driver.jar for folder in folders if (folder / driver.jar).is_file()), None
    )
    if found is None and not fetch:
        raise Infrastructure(
            f"the driver of {NAMES[kind]} is missing ({driver.jar})",
            where=str(folders[0]), next=f"{FETCH}; a run that needs it fetches it too",
        )  # fmt: skip
    if found is None:
        target = jars.first_writable(folders)
        jars.fetch_jars(driver.coordinate, [driver.jar], target, said=FETCH)
        found = target / driver.jar
    if hashlib.sha256(found.read_bytes()).hexdigest() != driver.sha256:
        raise Infrastructure(
            f"{driver.jar} is damaged, or another than the one that was tested",
            where=str(found), next=f"delete it, then {FETCH}",
        )  # fmt: skip
    return found


def loaded(spark: SparkSession, kind: str) -> str:
    """The class of a driver that this session and its executors know."""
    jar = driver_jar(kind, fetch=True)
    session = getattr(spark, "_jsparkSession").sessionState()  # noqa: B009 - not in the stubs
    session.resourceLoader().addJar(jar.as_uri())
    return DRIVERS[kind].name


if __name__ == "__main__":
    try:
        print("\n".join(str(driver_jar(kind, fetch=True)) for kind in DRIVERS))
    except HeadgateError as error:
        print(error.sentence, file=sys.stderr)
        sys.exit(error.exit_code)
