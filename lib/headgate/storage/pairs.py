"""Which Delta goes with which Spark, and what to install where a pair does not work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Pair:
    """One line of Spark with the line of Delta that is tested on it."""

    spark: str  # the version that is tested; its minor line is what the pair stands for
    delta: str
    scala: str
    named_by_spark: bool  # since Delta 4.1 an artefact's name says for which Spark it is
    where: str = ""  # the platforms that ship it

    @property
    def line(self) -> tuple[int, int]:
        """The minor line of Spark, such as (4, 1)."""
        return _numbers(self.spark)[:2]

    @property
    def install(self) -> str:
        """What to type to get this pair."""
        return f"pip install 'pyspark=={self.spark}' 'delta-spark=={self.delta}'"


DEFAULT: Final = Pair("4.1.4", "4.4.0", "2.13", named_by_spark=True)
SUPPORTED: Final = (
    DEFAULT,
    Pair("4.1.1", "4.2.0", "2.13", named_by_spark=True, where="EMR 8, Glue 6"),
    Pair("3.5.6", "3.3.2", "2.12", named_by_spark=False, where="EMR 7, Glue 5"),
)

# Left alone, Delta brings 33 jars (87 MB), among them older copies of what Spark has already.
# With these left out, two remain: delta-spark and delta-storage.
EXCLUDES: Final = (
    "com.fasterxml.jackson.core:jackson-databind",
    "com.fasterxml.jackson.datatype:jackson-datatype-jdk8",
    "io.delta:delta-kernel-api",
    "io.delta:delta-kernel-defaults",
    "io.delta:delta-kernel-unitycatalog",
    "io.unitycatalog:unitycatalog-client",
    "io.unitycatalog:unitycatalog-hadoop",
    "org.antlr:antlr4-runtime",
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "org.apache.parquet:parquet-hadoop",
    "org.checkerframework:checker-qual",
    "org.scala-lang:scala-library",
)


def coordinate(spark_version: str, delta_version: str) -> str:
    """The name of Delta's artefact for this Spark.

    >>> coordinate("4.1.4", "4.4.0")
    'io.delta:delta-spark_4.1_2.13:4.4.0'
    >>> coordinate("3.5.6", "3.3.2")
    'io.delta:delta-spark_2.12:3.3.2'
    """
    pair = _pair_of(spark_version)
    name = f"delta-spark_{pair.scala}"
    if pair.named_by_spark:
        name = f"delta-spark_{pair.line[0]}.{pair.line[1]}_{pair.scala}"
    return f"io.delta:{name}:{delta_version}"


def jar_names(spark_version: str, delta_version: str) -> tuple[str, str]:
    """The file names of the two jars that Delta needs.

    >>> jar_names("4.1.4", "4.4.0")
    ('delta-spark_4.1_2.13-4.4.0.jar', 'delta-storage-4.4.0.jar')
    """
    _, name, version = coordinate(spark_version, delta_version).split(":")
    return f"{name}-{version}.jar", f"delta-storage-{version}.jar"


def verdict(spark_version: str, delta_version: str) -> str | None:
    """One sentence when this pair is known not to work, with what to install; else None.

    >>> verdict("4.1.4", "4.4.0")
    >>> print(verdict("4.1.4", "4.4.1"))
    Delta 4.4.1 has no jar yet: pip install 'pyspark==4.1.4' 'delta-spark==4.4.0'
    """
    try:
        spark, delta = _numbers(spark_version), _numbers(delta_version)
    except ValueError:
        return f"Spark {spark_version} with Delta {delta_version} is not a pair of versions."
    return _bad_spark(spark) or _bad_delta(spark, delta)


def _bad_spark(spark: Version) -> str | None:
    shown = _dotted(spark)
    if spark < (3, 5, 0):
        return f"Spark {shown} is too old (3.5 or 4.1 is needed): {DEFAULT.install}"
    if spark[:2] > DEFAULT.line:
        return f"No Delta is tested on Spark {shown} yet: {DEFAULT.install}"
    if spark[:2] not in {pair.line for pair in SUPPORTED}:
        return f"Spark {shown} is not among the tested lines 3.5 and 4.1: {DEFAULT.install}"
    return None


def _bad_delta(spark: Version, delta: Version) -> str | None:
    pair = _pair_of(_dotted(spark))
    both = f"Delta {_dotted(delta)} {{}} Spark {_dotted(spark)}: {pair.install}"
    if delta[0] != _numbers(pair.delta)[0]:
        return both.format("does not run on")
    if spark[0] == 3:
        return None if delta[:2] == (3, 3) else both.format("is not tested on")
    if delta == (4, 4, 1):
        return f"Delta 4.4.1 has no jar yet: {pair.install}"
    if not (4, 2, 0) <= delta <= (4, 4, 0):
        return both.format("is not tested on")
    if delta == (4, 2, 0) and spark >= (4, 1, 2):
        return both.format("fails (ALTER, OPTIMIZE and more) on")
    return None


def _pair_of(spark_version: str) -> Pair:
    """The pair that names artefacts for this Spark; unknown lines are taken for the newest."""
    line = _numbers(spark_version)[:2]
    return next((pair for pair in SUPPORTED if pair.line == line), DEFAULT)


def _numbers(version: str) -> Version:
    """The three numbers of a version; what platforms append to it says nothing here.

    >>> _numbers("3.5.6-amzn-1"), _numbers("4.1.4.dev0"), _numbers("4.2")
    ((3, 5, 6), (4, 1, 4), (4, 2, 0))
    """
    major, minor, *rest = version.split("-")[0].split(".")
    return int(major), int(minor), int(rest[0]) if rest else 0


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
