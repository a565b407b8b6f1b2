"""`headgate doctor`: what is wrong is told with its fix and exit code, and no JVM is started."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from headgate.core.errors import Refused
from headgate.doors import places
from headgate.doors.cli import main
from headgate.storage import jars, java, machine, pairs, s3a
from unit.conf_files import laid_out

CHECKOUT = Path(__file__).resolve().parents[2]
CLUSTER = "raw: data/raw\nlake: data/lake\nspark: {{master: '{}'}}\n"


@dataclass
class Visit:
    """A machine on which all is well until a test makes it otherwise."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    jars: Path

    def __call__(self, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """The exit code, and the worst finding of each check."""
        code = main(["doctor", "--json", "--conf", str(self.folder / "conf"), *arguments])
        shown = json.loads(self.capsys.readouterr().out)
        assert shown["exit_code"] == code
        order = ("ok", "warn", "fail")
        checks = sorted(shown["checks"], key=lambda one: order.index(one["state"]))
        assert len(shown["errors"]) == sum(one["state"] == "fail" for one in checks)
        assert all(one["next"] for one in checks if one["state"] != "ok")
        return code, {one["check"]: one for one in checks}

    def env(self, text: str) -> None:
        (self.folder / "conf" / "env" / "local.yaml").write_text(text)


def pair_is(monkeypatch: pytest.MonkeyPatch, spark: str, delta: str) -> None:
    monkeypatch.setattr(jars, "installed_pair", lambda: (spark, delta))


def java_is(monkeypatch: pytest.MonkeyPatch, found: java.Java | None) -> None:
    monkeypatch.setattr(java, "found", lambda: found)


@pytest.fixture
def visit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Visit:
    laid_out(tmp_path)
    (tmp_path / "data/raw/orders").mkdir(parents=True)
    (tmp_path / "data/raw/orders/a.csv").write_text("a\n1\n")
    cache = tmp_path / "jars"
    cache.mkdir()
    for jar in pairs.jar_names("4.1.4", "4.4.0"):
        with zipfile.ZipFile(cache / jar, "w") as made:
            made.writestr("a", "b")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_JARS", str(cache))
    for name in ("PYSPARK_PYTHON", "SPARK_HOME", "SPARK_CONF_DIR", "SPARK_LOCAL_DIRS"):
        monkeypatch.delenv(name, raising=False)
    pair_is(monkeypatch, "4.1.4", "4.4.0")
    java_is(monkeypatch, java.Java("/usr/bin/java", "17.0.15"))
    monkeypatch.setattr(machine, "room", lambda _: 50 << 30)
    monkeypatch.setattr(machine, "memory", lambda: 16 << 30)
    monkeypatch.setattr(machine, "mounted_as", lambda _: "ext4")
    return Visit(tmp_path, capsys, cache)


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_all_is_well_and_nothing_is_left_behind(visit: Visit) -> None:
    before = left(visit.folder)
    code, found = visit()
    assert code == 0
    assert {check: one["state"] for check, one in found.items()} == dict.fromkeys(
        ("python", "java", "spark", "jars", "suite", "capacity", "raw", "lake", "clock", "storage",
         "disk"), "ok",
    )  # fmt: skip
    assert "4.1.4 with Delta 4.4.0" in found["spark"]["said"]
    assert left(visit.folder) == before


def test_a_person_reads_a_line_a_check_with_the_fix_below(visit: Visit) -> None:
    (visit.folder / "data/raw/orders/a.csv").unlink()
    (visit.folder / "data/raw/orders").rmdir()
    assert main(["doctor"]) == 0
    lines = visit.capsys.readouterr().out.splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith("warn  raw"))
    assert lines[place + 1].strip() == "Next: put files there, or set raw: in conf/env/local.yaml"
    assert lines[-1] == "11 checks, 0 failed, 1 to look at"


@pytest.mark.parametrize(
    ("spark", "delta", "says"),
    [
        ("4.1.2", "4.2.0", "Delta 4.2.0 fails (ALTER, OPTIMIZE and more) on Spark 4.1.2"),
        ("4.1.4", "4.4.1", "Delta 4.4.1 has no jar yet"),
        ("3.4.1", "2.4.0", "Spark 3.4.1 is too old"),
    ],
)
def test_a_bad_pair_is_refused_with_what_to_install(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, spark: str, delta: str, says: str
) -> None:
    pair_is(monkeypatch, spark, delta)
    code, found = visit()
    assert code == 2
    assert says in found["spark"]["said"]
    assert found["spark"]["next"].startswith("pip install 'pyspark==")
    assert "jars" not in found  # which ones are wanted is not known


def test_java_that_is_missing_or_too_old(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (None, java.Java("/usr/bin/java", "11.0.2")):
        java_is(monkeypatch, wrong)
        code, found = visit()
        assert code == 2
        assert "needs Java 17 or 21" in found["java"]["said"]
        assert "17" in found["java"]["next"]


def test_jars_that_are_missing_or_damaged(visit: Visit) -> None:
    jar = visit.jars / pairs.jar_names("4.1.4", "4.4.0")[0]
    jar.write_bytes(b"half")
    code, found = visit()
    assert (code, found["jars"]["state"]) == (20, "fail")
    assert found["jars"]["next"] == f"rm {jar}, then headgate doctor"
    jar.unlink()
    code, found = visit()
    assert code == 20
    assert found["jars"]["next"] == "python -m headgate.storage.jars"


def test_a_faulty_suite_does_not_hide_the_machine(visit: Visit) -> None:
    (visit.folder / "conf/clean/orders.yaml").write_text("reads: ingested.order\nkeys: a\n")
    code, found = visit()
    assert code == 2
    assert "conf/clean/orders.yaml:" in found["suite"]["said"]
    assert found["suite"]["next"] == "headgate check"
    assert found["java"]["state"] == "ok"
    assert "lake" not in found


def test_without_a_suite_only_the_machine_is_looked_at(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert main(["doctor", "--json"]) == 0
    assert "headgate init DIR" in visit.capsys.readouterr().out
    assert visit("--conf", "nowhere")[0] == 2  # a folder that was named has to be there


def as_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("no folder")


@pytest.mark.parametrize(("check", "place"), [("raw", "data/rah"), ("lake", "data/lake/x")])
def test_a_file_where_a_folder_is_needed(visit: Visit, check: str, place: str) -> None:
    as_file(visit.folder / ("data/rah" if check == "raw" else "data/lake"))
    code, found = visit("--set", f"{check}={place}")
    assert (code, found[check]["state"]) == (20, "fail")
    assert "a file stands where a folder is needed" in found[check]["said"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_lake_without_permission(visit: Visit) -> None:
    (visit.folder / "data/lake").mkdir(mode=0o500)
    code, found = visit()
    assert (code, found["lake"]["state"]) == (20, "fail")
    assert "no permission" in found["lake"]["said"]


def test_a_lake_that_cannot_be_written(visit: Visit) -> None:
    code, found = visit("--set", "lake=/proc/headgate/lake")
    assert (code, found["lake"]["state"]) == (20, "fail")


CLOCKS = {0.5: ("ok", 0), -9.0: ("warn", 0), 9.0: ("warn", 0), 300.0: ("fail", 20)}


@pytest.mark.parametrize("skew", CLOCKS)
def test_clocks_that_differ(visit: Visit, monkeypatch: pytest.MonkeyPatch, skew: float) -> None:
    monkeypatch.setattr(machine, "tried", lambda _: machine.Tried(skew, exclusive=True))
    code, found = visit()
    assert (found["clock"]["state"], code) == CLOCKS[skew]
    if code:
        assert "300 s ahead" in found["clock"]["said"]


def test_a_disk_that_cannot_keep_runs_apart(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "tried", lambda _: machine.Tried(0, exclusive=False))
    assert visit()[0] == 64


MOUNTS = {"ext4": ("ok", 0), None: ("ok", 0), "nfs4": ("warn", 0), "fuse.s3fs": ("fail", 64)}


@pytest.mark.parametrize("kind", MOUNTS, ids=str)
def test_where_the_lake_is_mounted(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, kind: str | None
) -> None:
    monkeypatch.setattr(machine, "mounted_as", lambda _: kind)
    code, found = visit()
    assert (found["storage"]["state"], code) == MOUNTS[kind]


def test_s3_is_told_to_be_safe_where_puts_can_be_conditional(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    places = ("--set", "lake=s3a://bucket/lake", "--set", "raw=s3a://bucket/raw")
    code, found = visit(*places)
    assert (code, found["storage"]["state"]) == (0, "warn")
    assert "the connector to S3 is missing" in found["storage"]["said"]
    monkeypatch.setattr(s3a, "connector", lambda **_: [Path("s3/a.jar")])
    code, found = visit(*places)
    assert (code, found["storage"]["state"]) == (0, "ok")
    assert "several drivers at once are safe" in found["storage"]["said"]
    monkeypatch.setattr(s3a, "conditional", lambda: False)
    code, refused = visit(*places)
    assert (code, refused["storage"]["state"]) == (Refused.exit_code, "fail")
    assert "DynamoDB" in refused["storage"]["next"]
    assert "not tried" in found["lake"]["said"]
    assert "AWS_PROFILE" in found["credentials"]["said"]
    assert "clock" not in found


ROOM = {50 << 30: ("ok", 0), 1 << 30: ("warn", 0), 1 << 20: ("fail", 20)}


@pytest.mark.parametrize("free", ROOM)
def test_room(visit: Visit, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(machine, "room", lambda _: free)
    code, found = visit()
    assert (found["disk"]["state"], code) == ROOM[free]


MEMORY: Mapping[str, tuple[str, int]] = {
    "2g": ("ok", 0), "15g": ("warn", 0), "64g": ("fail", 20), "much": ("fail", 2),
}  # fmt: skip


@pytest.mark.parametrize("wanted", MEMORY)
def test_memory(visit: Visit, wanted: str) -> None:
    code, found = visit("--set", f"spark.conf.spark.driver.memory={wanted}")
    assert (found["capacity"]["state"], code) == MEMORY[wanted]


def script(folder: Path, says: str) -> str:
    file = folder / "another-python"
    file.write_text(f"#!/bin/sh\n{says}\n")
    file.chmod(0o755)
    return str(file)


PYTHONS: Mapping[str, tuple[Callable[[Path], str], str]] = {
    "ours": (lambda _: sys.executable, ""),
    "same version": (lambda _: str(Path(sys.executable).resolve()), ""),
    "missing": (lambda folder: str(folder / "none"), "is no Python that starts"),
    "another": (lambda folder: script(folder, "echo 3 7"), "is Python 3.7, another than"),
    "broken": (lambda folder: script(folder, "exit 1"), "is no Python that starts"),
}


@pytest.mark.parametrize("name", PYTHONS)
def test_the_workers_python(visit: Visit, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make, says = PYTHONS[name]
    monkeypatch.setenv("PYSPARK_PYTHON", make(visit.folder))
    code, found = visit()
    assert code == (2 if says else 0)
    assert says in found["workers"]["said"]
    assert found["workers"]["state"] == ("fail" if says else "ok")


def test_a_master_that_answers_and_one_that_does_not(visit: Visit) -> None:
    with socket.socket() as master:
        master.bind(("127.0.0.1", 0))
        master.listen()
        url = f"spark://127.0.0.1:{master.getsockname()[1]}"
        visit.env(CLUSTER.format(url))
        assert visit()[1]["cluster"]["state"] == "ok"
    code, found = visit()
    assert (code, found["cluster"]["state"]) == (20, "fail")
    assert f"{url} does not answer" in found["cluster"]["said"]


def test_workers_elsewhere_should_be_told_their_python(visit: Visit) -> None:
    visit.env(CLUSTER.format("yarn"))
    code, found = visit()
    assert (code, found["workers"]["state"]) == (0, "warn")


def test_the_worst_decides(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    pair_is(monkeypatch, "4.1.4", "4.4.1")
    monkeypatch.setattr(machine, "room", lambda _: 1)
    assert visit()[0] == 2


def test_a_real_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    tried = machine.tried(tmp_path)
    assert tried.exclusive
    assert abs(tried.skew) < places.SKEW
    assert left(tmp_path) == []
    assert machine.standing(str(tmp_path / "a/b")) == tmp_path
    assert machine.room(str(tmp_path / "a")) > 0


def test_neither_pyspark_nor_a_jvm_is_needed(tmp_path: Path) -> None:
    program = (
        "import sys; from headgate.doors.cli import main; main(['doctor', '--json']);"
        "sys.exit('pyspark' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "lib")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_route_of_alerts_that_lacks_its_secret(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = visit.folder / "conf" / "suite.yaml"
    suite.write_text("name: shop\nalerts: [log, 'slack:${secret:hook}']\n")
    code, found = visit()
    assert (code, found["alerts"]["state"]) == (0, "warn")
    assert found["alerts"]["said"] == "alerts[1], slack: there is no secret 'hook'"
    assert found["alerts"]["next"].startswith("export HEADGATE_SECRET_HOOK")
    monkeypatch.setenv("HEADGATE_SECRET_HOOK", "https://hooks.example/hidden")
    assert visit()[1]["alerts"]["said"] == "2 routes: log, slack"
