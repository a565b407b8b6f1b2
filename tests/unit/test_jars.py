"""Where Delta's jars are looked for, and how they are fetched: once, whole, or with a clear no."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from headgate.core.errors import Infrastructure
from headgate.storage import jars

NAMES = ("delta-spark_4.1_2.13-4.4.0.jar", "delta-storage-4.4.0.jar")
CHECKOUT = Path(__file__).resolve().parents[2]
# Stands in for the spark-submit whose resolver fetches the jars.
FETCHES = """
from zipfile import ZipFile
ivy = Path(next(a for a in sys.argv if a.startswith("spark.jars.ivy=")).partition("=")[2])
(ivy / "jars").mkdir()
for name in ("delta-spark_4.1_2.13-4.4.0.jar", "delta-storage-4.4.0.jar", "other-1.jar"):
    with ZipFile(ivy / "jars" / f"io.delta_{name}", "w") as jar:
        jar.writestr("a", "b")
"""


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Spark without Delta, whose spark-submit has to be written by the test."""
    home = tmp_path / "spark"
    (home / "bin").mkdir(parents=True)
    (home / "jars").mkdir()
    monkeypatch.setenv("SPARK_HOME", str(home))
    monkeypatch.setenv("HEADGATE_JARS", str(tmp_path / "cache"))
    monkeypatch.setattr(jars, "PLATFORM_FOLDERS", ())
    monkeypatch.setattr(jars, "_has_java", lambda: True)
    return home


def submits(spark: Path, python: str) -> None:
    script = spark / "bin" / "spark-submit"
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n{python}")
    script.chmod(0o755)


def filled(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_jars_that_are_there_are_only_named(spark: Path, tmp_path: Path) -> None:
    cache = filled(tmp_path / "cache", *NAMES, "other.jar")
    found = jars.delta_jars("4.1.4", "4.4.0", fetch=True)
    assert found == [cache / name for name in NAMES]


def test_jars_of_another_pair_are_not_taken(spark: Path, tmp_path: Path) -> None:
    filled(tmp_path / "cache", "delta-spark_4.1_2.13-4.2.0.jar", NAMES[1])
    with pytest.raises(Infrastructure, match=NAMES[0]):
        jars.delta_jars("4.1.4", "4.4.0", fetch=False)


def test_a_platforms_own_builds_are_taken(
    spark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = filled(tmp_path / "platform", "delta-spark.jar", "delta-storage.jar")
    monkeypatch.setattr(jars, "PLATFORM_FOLDERS", (folder,))
    assert jars.delta_jars("3.5.6-amzn-1", "3.3.2-amzn-0", fetch=True) == [
        folder / "delta-spark.jar",
        folder / "delta-storage.jar",
    ]


def test_nothing_is_added_where_spark_has_delta(spark: Path) -> None:
    (spark / "jars" / "delta-spark_4.1_2.13-4.4.0.jar").touch()
    assert jars.delta_jars("4.1.4", "4.4.0", fetch=True) == []


def test_the_platforms_spark_tells_its_version(spark: Path) -> None:
    (spark / "jars" / "spark-core_2.12-3.5.6-amzn-1.jar").touch()
    assert jars.installed_pair()[0] == "3.5.6-amzn-1"


def test_missing_jars_are_an_error_with_the_command(spark: Path) -> None:
    with pytest.raises(Infrastructure) as raised:
        jars.delta_jars("4.1.4", "4.4.0", fetch=False)
    assert "python -m headgate.storage.jars" in raised.value.sentence


def test_exactly_two_jars_are_fetched_whole(spark: Path, tmp_path: Path) -> None:
    submits(spark, FETCHES)
    found = jars.delta_jars("4.1.4", "4.4.0", fetch=True)
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == sorted(NAMES)
    assert all(zipfile.is_zipfile(jar) for jar in found)


@pytest.mark.parametrize(
    ("python", "says"),
    [
        ("print('unresolved dependency: io.delta'); sys.exit(1)", "gave no answer"),
        ("print('Caused by: x.SomeException: odd\\n\\t... 3 more'); sys.exit(1)", "odd"),
        (FETCHES.replace('jar.writestr("a", "b")', "pass").replace("ZipFile(", "open("), "Delta"),
        ("", "Spark said nothing"),
    ],
    ids=["network", "cause", "cut", "silent"],
)
def test_what_could_not_be_fetched_is_said(
    spark: Path, tmp_path: Path, python: str, says: str
) -> None:
    submits(spark, python)
    with pytest.raises(Infrastructure) as raised:
        jars.delta_jars("4.1.4", "4.4.0", fetch=True)
    assert says in raised.value.sentence
    assert "HEADGATE_JARS" in raised.value.sentence
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(
    spark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEADGATE_JARS", str(tmp_path / "file" / "below"))
    with pytest.raises(Infrastructure, match="no folder for jars can be written"):
        jars.delta_jars("4.1.4", "4.4.0", fetch=True)


def test_the_home_folder_serves_where_the_environment_cannot_be_written(
    spark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submits(spark, FETCHES)
    (tmp_path / "prefix").touch()
    monkeypatch.delenv("HEADGATE_JARS")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    found = jars.delta_jars("4.1.4", "4.4.0", fetch=True)
    assert found[0].parent == tmp_path / "home" / "headgate" / "jars" / "4.1.4-4.4.0"
    assert jars.delta_jars("4.1.4", "4.4.0", fetch=False) == found


def test_looking_imports_no_spark(spark: Path, tmp_path: Path) -> None:
    filled(tmp_path / "cache", *NAMES)
    code = (
        "import sys; from headgate.storage import jars\n"
        "print(len(jars.delta_jars('4.1.4', '4.4.0', fetch=True)), 'pyspark' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT / "lib",
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "2 False"
