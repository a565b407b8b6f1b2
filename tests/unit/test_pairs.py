"""Which Spark goes with which Delta, and what is said where they do not go together."""

from __future__ import annotations

import pytest

from headgate.storage import pairs


@pytest.mark.parametrize(
    ("spark", "delta"),
    [
        ("4.1.4", "4.4.0"),
        ("4.1.0", "4.4.0"),
        ("4.1.1", "4.2.0"),
        ("4.1.1", "4.4.0"),
        ("3.5.1", "3.3.0"),
        ("3.5.6", "3.3.2"),
        ("3.5.6-amzn-1", "3.3.2-amzn-0"),
        ("4.1.1-amzn-0", "4.2.0"),
    ],
)
def test_pairs_that_work(spark: str, delta: str) -> None:
    assert pairs.verdict(spark, delta) is None


@pytest.mark.parametrize(
    ("spark", "delta", "says", "installs"),
    [
        ("4.1.2", "4.2.0", "fails", "delta-spark==4.4.0"),
        ("4.1.4", "4.2.0", "fails", "delta-spark==4.4.0"),
        ("4.1.4", "4.4.1", "no jar", "delta-spark==4.4.0"),
        ("4.1.4", "4.5.0", "not tested", "delta-spark==4.4.0"),
        ("4.1.1", "4.1.0", "not tested", "delta-spark=="),
        ("4.1.4", "3.3.2", "does not run", "delta-spark==4.4.0"),
        ("3.5.6", "4.4.0", "does not run", "delta-spark==3.3.2"),
        ("3.5.6", "3.2.1", "not tested", "delta-spark==3.3.2"),
        ("4.2.0", "4.4.0", "No Delta is tested on Spark 4.2.0", "pyspark==4.1.4"),
        ("4.3.0", "4.4.1", "No Delta is tested on Spark 4.3.0", "pyspark==4.1.4"),
        ("4.0.1", "4.0.0", "not among the tested lines", "pyspark==4.1.4"),
        ("3.4.4", "2.4.0", "too old", "pyspark==4.1.4"),
        ("four", "4.4.0", "not a pair of versions", ""),
        ("4", "4.4.0", "not a pair of versions", ""),
    ],
)
def test_pairs_that_do_not(spark: str, delta: str, says: str, installs: str) -> None:
    sentence = pairs.verdict(spark, delta)
    assert sentence is not None
    assert says in sentence
    assert installs in sentence
    assert "\n" not in sentence


def test_every_supported_pair_passes_its_own_verdict() -> None:
    assert [pairs.verdict(p.spark, p.delta) for p in pairs.SUPPORTED] == [None, None, None]


@pytest.mark.parametrize(
    ("spark", "delta", "jar"),
    [
        ("4.1.4", "4.4.0", "delta-spark_4.1_2.13-4.4.0.jar"),
        ("4.1.1", "4.2.0", "delta-spark_4.1_2.13-4.2.0.jar"),
        ("3.5.6", "3.3.2", "delta-spark_2.12-3.3.2.jar"),
    ],
)
def test_names_of_the_jars(spark: str, delta: str, jar: str) -> None:
    assert pairs.jar_names(spark, delta) == (jar, f"delta-storage-{delta}.jar")
