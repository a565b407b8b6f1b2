"""The settings of a session: what Headgate sets where nobody else has."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
DELTA = {"spark.sql.extensions": EXTENSION, "spark.sql.catalog.spark_catalog": CATALOG}
EXECUTOR_PATH = "spark.executorEnv.PYTHONPATH"
OPTIONS = "spark.driver.extraJavaOptions"
# C1 and the serial collector start in half the time, and work for long at half the speed. With C1
# alone Java 17 keeps only 48 MiB of compiled code, and then throws away what Spark still needs.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m"
# Java never compiles a method of over 8,000 bytes, and the steps and rules of a wide table are one.
LARGE = "-XX:-DontCompileHugeMethods"
# For batch work on few cores; Java's default trades throughput for short pauses.
STEADY = "-XX:+UseParallelGC"
GIB = 1 << 30
# Files that Delta names in the checksum beside a commit: about 0.6 MB for a table of so many.
NAMED = 1000


def defaults(master: str, *, timezone: str, app: str, jars: Iterable[Path]) -> dict[str, str]:
    """What is set where neither the user nor the platform has set it."""
    made = {
        **DELTA,
        "spark.master": master,
        "spark.app.name": app,
        "spark.sql.session.timeZone": timezone,
        "spark.sql.ansi.enabled": "true",
        # Spark keeps a hundred; one run uses more, and would have each compiled anew.
        "spark.sql.codegen.cache.maxEntries": "2000",
        # Steps make columns of columns, and each way to say that one is not null is one more for
        # the planner to compare: a dozen steps took it minutes, and it gained nothing.
        "spark.sql.constraintPropagation.enabled": "false",
        # Where in Python each column was named: several calls into the JVM for every one of them.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        "spark.databricks.delta.allFilesInCrc.thresholdNumFiles": str(NAMED),
    }
    paths = [str(jar) for jar in jars]
    if paths:
        made |= _class_path(paths, local=master.startswith("local"))
    if master.startswith("local"):
        return made | _for_one_machine()
    # As LARGE does, where the executors' Java options are the platform's.
    return made | {"spark.sql.codegen.hugeMethodLimit": "8000"}


def added(ours: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Further settings of ours; lists of jars add up.

    >>> added({"spark.jars": "a"}, {"spark.jars": "b", "spark.x": "1"})
    {'spark.jars': 'a,b', 'spark.x': '1'}
    """
    both = [one["spark.jars"] for one in (ours, more) if one.get("spark.jars")]
    return {**ours, **more, **({"spark.jars": ",".join(both)} if both else {})}


def merged(
    ours: Mapping[str, str], users: Mapping[str, str], platform: Mapping[str, str]
) -> dict[str, str]:
    """Who wins: the user over the platform, the platform over ours; some settings add up.

    >>> merged({"spark.a": "1", "spark.b": "1"}, {"spark.a": "3"}, {"spark.b": "2"})
    {'spark.a': '3'}
    """
    made = {key: value for key, value in ours.items() if key not in platform} | dict(users)
    extensions = [*ours.get("spark.sql.extensions", "").split(",")]
    others = users.get("spark.sql.extensions") or platform.get("spark.sql.extensions") or ""
    extensions += [name for name in others.split(",") if name not in extensions]
    if any(extensions):
        made["spark.sql.extensions"] = ",".join(name for name in extensions if name)
    for key, sign in (("spark.jars", ","), ("spark.driver.extraClassPath", os.pathsep)):
        theirs = users.get(key) or platform.get(key)
        if key in ours and theirs:
            made[key] = f"{ours[key]}{sign}{theirs}"
    return made


def platform_settings() -> dict[str, str]:
    """What `spark-defaults.conf` says: the settings of the platform on which Spark is installed."""
    home = os.environ.get("SPARK_HOME", "")
    folder = os.environ.get("SPARK_CONF_DIR") or (f"{home}/conf" if home else "")
    try:
        text = Path(folder, "spark-defaults.conf").read_text() if folder else ""
    except OSError:
        return {}
    return parsed(text)


def parsed(text: str) -> dict[str, str]:
    """Settings as a Java properties file writes them.

    >>> parsed("# a\\nspark.a   1\\nspark.b=x y\\nspark.c: z\\n")
    {'spark.a': '1', 'spark.b': 'x y', 'spark.c': 'z'}
    """
    made = {}
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith(("#", "!")):
            continue
        end = next((i for i, sign in enumerate(line) if sign in " \t=:"), len(line))
        made[line[:end]] = line[end:].strip().removeprefix("=").removeprefix(":").strip()
    return made


def java_options(theirs: str, *, quick: bool, archive: str) -> str:
    """Options of the driver's JVM, ours first: of two, Java takes the last.

    >>> java_options("-XX:+UseZGC -Dlog4j2.configurationFile=x", quick=True, archive="")
    '-XX:-DontCompileHugeMethods -XX:+UseZGC -Dlog4j2.configurationFile=x'
    """
    made = []
    log = Path(__file__).with_name("log4j2.properties")
    if "log4j2.configurationFile" not in theirs and not _own_log4j() and log.is_file():
        made.append(f"-Dlog4j2.configurationFile={log.as_uri()}")
    if not re.search(r"-XX:\+Use\w+GC", theirs):
        made.append(QUICK if quick else STEADY)
    if "DontCompileHugeMethods" not in theirs:
        made.append(LARGE)
    if "SharedArchiveFile" not in theirs:
        made.append(archive)
    return " ".join(filter(None, [*made, theirs]))


def _own_log4j() -> bool:
    folder = os.environ.get("SPARK_CONF_DIR")
    return folder is not None and any(Path(folder).glob("log4j2.*"))


def names_delta(conf: Mapping[str, str]) -> bool:
    """Whether these settings bring Delta's jars themselves."""
    keys = ("spark.jars", "spark.jars.packages", "spark.driver.extraClassPath")
    given = [conf.get(key, "") for key in keys] + [os.environ.get("PYSPARK_SUBMIT_ARGS", "")]
    return any("delta-spark" in value or "/delta/lib" in value for value in given)


def _class_path(jars: list[str], *, local: bool) -> dict[str, str]:
    """One machine reads the jars where they are; a cluster has to be sent them."""
    if local:
        return {"spark.driver.extraClassPath": os.pathsep.join(jars)}
    return {"spark.jars": ",".join(jars)}


def _for_one_machine() -> dict[str, str]:
    """Settings made for clusters, and what they are on one machine."""
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": f"{heap() >> 20}m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.warehouse.dir": f"{tempfile.gettempdir()}/headgate-{os.getuid()}/warehouse",
        EXECUTOR_PATH: os.pathsep.join(_own_folders()),
    }


def heap() -> int:
    """A third of the memory, between one and four GiB."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        memory = 0
    return min(max(memory // 3, GIB), 4 * GIB)


def _own_folders() -> list[str]:
    """Where Python finds code that is not installed: workers have to look there too."""
    installed = {*sysconfig.get_paths().values()}
    installed |= {f"{folder}/lib-dynload" for folder in installed}
    folders = [str(Path(entry).absolute()) for entry in sys.path if Path(entry).is_dir()]
    return [folder for folder in dict.fromkeys(folders) if folder not in installed]
