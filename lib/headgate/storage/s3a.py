"""What a session needs for S3: Hadoop's connector, fetched once, and commits that no rival loses.

`python -m headgate.storage.s3a` fetches and makes both for the installed Spark, and prints their
paths.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from headgate.core.errors import HeadgateError, Infrastructure
from headgate.storage import jars, logstore

FETCH: Final = "python -m headgate.storage.s3a"
SCHEMES: Final = ("s3", "s3a")
FILE_SYSTEM: Final = "org.apache.hadoop.fs.s3a.S3AFileSystem"
# By the version of Hadoop that Spark carries, which the connector has to equal. The whole SDK has
# 641 MB; these modules are what the connector uses of it.
_SDK: Final = "software.amazon.awssdk"
MODULES: Final = {
    "3.4.2": (
        "org.apache.hadoop:hadoop-aws:3.4.2",
        *(
            f"{_SDK}:{name}:2.29.52"
            for name in ("s3", "s3-transfer-manager", "sts", "apache-client", "netty-nio-client")
        ),
        "org.wildfly.openssl:wildfly-openssl:2.1.4.Final",
    ),
}
# What Spark has already, or what the connector does without.
_EXCLUDES: Final = (
    f"{_SDK}:bundle",
    "commons-codec:commons-codec",
    "commons-logging:commons-logging",
    "org.apache.httpcomponents:httpclient",
    "org.apache.httpcomponents:httpcore",
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "org.slf4j:slf4j-api",
    "software.amazon.s3.analyticsaccelerator:analyticsaccelerator-s3",
    *(
        f"io.netty:netty-{name}"
        for name in (
            "buffer", "codec", "codec-http", "codec-http2", "common", "handler", "resolver",
            "transport", "transport-classes-epoll", "transport-native-unix-common",
        )
    ),
)  # fmt: skip
_PLATFORMS: Final = (Path("/usr/share/aws/emr"), Path("/opt/amazon"))  # EMR, Glue


def reached(places: Iterable[str]) -> bool:
    """Whether any of some places is on S3.

    >>> reached(["data/raw", "s3a://shop/lake"]), reached(["/data/s3", "hdfs://a/b"])
    (True, False)
    """
    return any(place.partition("://")[0] in SCHEMES for place in places if "://" in place)


def settings(places: Iterable[str], spark_version: str, delta: list[Path]) -> dict[str, str]:
    """The settings of a session that reads or writes these places; empty where none is on S3."""
    if not reached(places):
        return {}
    added = [] if _of_platform() else connector(fetch=True)
    made = {}
    if conditional():
        added = [*added, logstore.log_store(spark_version, delta)]
        made = {f"spark.delta.logStore.{scheme}.impl": logstore.CLASS for scheme in SCHEMES}
    if not _of_platform():
        made["spark.hadoop.fs.s3.impl"] = FILE_SYSTEM  # the address as all other programs write it
    return {**made, "spark.jars": ",".join(map(str, added))} if added else made


def conditional() -> bool:
    """Whether this Spark's connector can put on a condition."""
    return _hadoop() in MODULES


def connector(*, fetch: bool) -> list[Path]:
    """The jars of Hadoop's connector; none where Spark has them among its own."""
    home = jars.spark_home()
    if home is not None and any(Path(home, "jars").glob("hadoop-aws*.jar")):
        return []
    hadoop = _hadoop()
    if hadoop not in MODULES:
        raise Infrastructure(
            f"S3 is not tried with Hadoop {hadoop or 'of an unknown version'}, which this Spark"
            f" carries (tried: {', '.join(MODULES)})",
            where=str(home), next="pip install the pair that `headgate doctor` names, or put"
            " hadoop-aws and its SDK among Spark's jars",
        )  # fmt: skip
    folders = jars.folders("s3")
    for folder in folders:
        if (folder / hadoop).is_dir():
            return sorted((folder / hadoop).glob("*.jar"))
    if not fetch:
        raise Infrastructure(
            f"the connector to S3 is missing (hadoop-aws {hadoop})", where=str(folders[0]),
            next=f"{FETCH}; a run that needs it fetches it too",
        )  # fmt: skip
    target = jars.first_writable(folders)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target) as scratch:
        found = jars.resolved(MODULES[hadoop], _EXCLUDES, Path(scratch), target, said=FETCH)
        if not (target / hadoop).is_dir():
            found.rename(target / hadoop)
    return sorted((target / hadoop).glob("*.jar"))


def _of_platform() -> bool:
    """Whether the platform has its own way to S3."""
    return any(folder.is_dir() for folder in _PLATFORMS)


def _hadoop() -> str | None:
    """The version of Hadoop among Spark's jars."""
    home = jars.spark_home()
    names = [jar.name for jar in Path(home, "jars").glob("hadoop-client-api-*.jar")] if home else []
    found = re.search(r"-(\d+\.\d+\.\d+)", names[0]) if names else None
    return found.group(1) if found else None


def main() -> int:
    """Fetch and make what S3 needs, and say where it is."""
    try:
        spark, delta = jars.installed_pair()
        found = settings(["s3a://any"], spark, jars.delta_jars(spark, delta, fetch=True))
    except HeadgateError as error:
        print(error.sentence, file=sys.stderr)
        return error.exit_code
    print(found.get("spark.jars", "").replace(",", "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
