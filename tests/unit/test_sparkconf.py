"""Whose settings win, before any JVM is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from headgate.core.errors import Usage
from headgate.core.spec import SparkSettings
from headgate.storage import archive, gateway, jars, java, session, sparkconf
from headgate.storage.sparkconf import EXTENSION, defaults, java_options, merged, platform_settings

JARS = [Path("/jars/delta-spark.jar"), Path("/jars/delta-storage.jar")]


def made(master: str) -> dict[str, str]:
    return defaults(master, timezone="Europe/Oslo", app="shop", jars=JARS)


def test_one_machine_reads_the_jars_where_they_are_and_a_cluster_is_sent_them() -> None:
    local, cluster = made("local[2]"), made("spark://host:7077")
    assert local["spark.driver.extraClassPath"] == "/jars/delta-spark.jar:/jars/delta-storage.jar"
    assert cluster["spark.jars"] == "/jars/delta-spark.jar,/jars/delta-storage.jar"
    assert "spark.jars" not in local
    assert "spark.ui.enabled" not in cluster
    assert cluster["spark.sql.session.timeZone"] == "Europe/Oslo"
    assert cluster["spark.sql.ansi.enabled"] == "true"


def test_a_cluster_is_not_given_methods_that_its_java_would_not_compile() -> None:
    limit = "spark.sql.codegen.hugeMethodLimit"
    assert limit not in made("local[2]")
    assert made("yarn")[limit] == "8000"
    assert "-XX:-DontCompileHugeMethods" in java_options("", quick=False, archive="")
    theirs = "-XX:+DontCompileHugeMethods"
    assert "-XX:-Dont" not in java_options(theirs, quick=False, archive="")


def test_user_wins_over_platform_and_platform_over_us() -> None:
    ours = made("local[2]")
    conf = merged(
        ours,
        {"spark.sql.shuffle.partitions": "9"},
        {"spark.sql.shuffle.partitions": "7", "spark.ui.enabled": "true"},
    )
    assert conf["spark.sql.shuffle.partitions"] == "9"
    assert "spark.ui.enabled" not in conf  # as the platform has it


def test_extensions_and_jars_add_up() -> None:
    conf = merged(
        made("yarn"),
        {"spark.sql.extensions": "org.Other", "spark.jars": "/mine.jar"},
        {"spark.sql.extensions": "org.Platform"},
    )
    assert conf["spark.sql.extensions"] == f"{EXTENSION},org.Other"
    assert conf["spark.jars"] == "/jars/delta-spark.jar,/jars/delta-storage.jar,/mine.jar"


def test_platform_defaults_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_HOME", raising=False)
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert platform_settings() == {}
    (tmp_path / "spark-defaults.conf").write_text("spark.master  yarn\n#spark.x 1\nspark.a=b=c\n")
    assert platform_settings() == {"spark.master": "yarn", "spark.a": "b=c"}


def test_java_options_keep_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
    assert "TieredStopAtLevel=1" in java_options("", quick=True, archive="")
    assert "TieredStopAtLevel=1" not in java_options("", quick=False, archive="")
    kept = java_options("-XX:+UseG1GC -Da=b", quick=False, archive="-XX:SharedArchiveFile=x")
    assert kept.endswith("-XX:SharedArchiveFile=x -XX:+UseG1GC -Da=b")
    assert "UseParallelGC" not in kept
    theirs = "-XX:SharedArchiveFile=mine"
    assert "=x" not in java_options(theirs, quick=True, archive="-XX:SharedArchiveFile=x")


def test_workers_look_where_the_driver_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    folders = made("local")[sparkconf.EXECUTOR_PATH].split(":")
    assert str(tmp_path) in folders
    assert not [folder for folder in folders if folder.endswith(("site-packages", "lib-dynload"))]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing is installed but what a test puts there."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def put_java(home: Path, version: str) -> None:
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    (home / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n')


@pytest.mark.parametrize(
    ("version", "spark", "well"),
    [
        ("17.0.15", "4.1.4", True),
        ("21.0.2", "4.1.4", True),
        ("1.8.0_402", "3.5.6", True),
        ("11.0.1", "4.1.4", False),
        ("1.8.0_402", "4.1.4", False),
        ("25", "4.1.4", False),
    ],
)
def test_java_is_judged_by_its_release(machine: Path, version: str, spark: str, well: bool) -> None:
    put_java(machine, version)
    said = java.verdict(spark)
    assert (said is None) == well
    if said is not None:
        assert f"is Java {version}; Spark {spark} needs Java 17 or 21" in said[0]


def test_java_that_only_says_its_version(machine: Path) -> None:
    put_java(machine, "x")
    (machine / "release").unlink()
    (machine / "bin" / "java").write_text('#!/bin/sh\necho openjdk version \\"17.0.2\\" >&2\n')
    assert java.verdict("4.1.4") is None


def test_no_java_is_one_sentence_with_the_command(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launched(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(gateway, "running", lambda: False)
    monkeypatch.setattr(gateway, "launch", launched)
    with pytest.raises(Usage, match=r"there is no java; Spark .* needs Java 17 or 21") as caught:
        session._prepared(SparkSettings(), "UTC", "shop")
    assert "17" in caught.value.next
    monkeypatch.setenv("JAVA_HOME", str(machine / "gone"))
    with pytest.raises(Usage, match=r"JAVA_HOME is .*gone, which holds no bin/java"):
        session._prepared(SparkSettings(), "UTC", "shop")


def test_known_bad_pair_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "running", lambda: False)
    monkeypatch.setattr(jars, "installed_pair", lambda: ("4.1.4", "4.2.0"))
    with pytest.raises(Usage, match=r"Delta 4\.2\.0 fails"):
        session._prepared(SparkSettings(), "UTC", "shop")


def test_archive_belongs_to_one_class_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, jar = tmp_path / "spark", tmp_path / "delta.jar"
    (home / "jars").mkdir(parents=True)
    (home / "jars" / "spark-core_2.13-4.1.4.jar").write_text("x")
    jar.write_text("x")
    monkeypatch.setattr(jars, "spark_home", lambda: home)
    monkeypatch.setattr(java, "found", lambda: java.Java("/usr/bin/java", "17.0.15"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert archive.options([jar]) == ""
    name = archive._name([jar])
    assert name is not None
    made_once = tmp_path / "cache" / "headgate" / "archive" / f"{name}-4.jsa"
    made_once.parent.mkdir(parents=True)
    made_once.write_text("cut")
    assert archive.options([jar]) == ""  # Java would crash on it
    made_once.write_text("whol")
    assert f"-XX:SharedArchiveFile={made_once} -Xshare:auto" in archive.options([jar])
    jar.write_text("another")
    assert archive.options([jar]) == ""
    jar.write_text("x")
    monkeypatch.setenv(archive.VARIABLE, "off")
    assert archive.existing([jar]) is None


def test_old_java_has_no_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "found", lambda: java.Java("/usr/bin/java", "11.0.1"))
    assert archive.options([]) == ""


def test_modules_that_need_no_jvm_import_no_pyspark() -> None:
    program = (
        "import sys; import headgate.storage.sparkconf, headgate.storage.java,"
        "headgate.storage.files, headgate.storage.lease, headgate.storage.points;"
        "sys.exit('pyspark' in sys.modules)"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": ""}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
