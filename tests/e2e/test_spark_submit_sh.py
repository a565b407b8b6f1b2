"""spark-submit.sh as a scheduler sees it: arguments, secrets, signals and exit codes.

A stand-in for Spark writes down how it was called, since what is tested is what comes before it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from headgate.storage import jars, pairs

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPT = CHECKOUT / "spark-submit.sh"
STAND_IN = """#!/usr/bin/env bash
out=$(dirname "$0")/..
printf '%s\\0' "$@" >"$out/arguments"
env -0 >"$out/environment"
for ((i = 1; i <= $#; i++)); do
    if [[ ${!i} == --properties-file ]]; then
        j=$((i + 1)); cp -p "${!j}" "$out/properties"; printf '%s' "${!j}" >"$out/where"
    fi
done
"""
SUITE = {
    "suite.yaml": "name: small\n",
    "env/local.yaml": "raw: data/raw\nlake: data/lake\n"
    "spark: {master: 'local[1]', conf: {spark.sql.shuffle.partitions: 3}}\n",
    "env/secret.yaml": "raw: data/raw\nlake: data/lake\n"
    "spark:\n  conf:\n    spark.hadoop.fs.s3a.secret.key: ${S3_KEY}\n"
    "    spark.app.proxy: 'http://me:${S3_KEY}@proxy'\n    spark.sql.shuffle.partitions: 3\n",
    "ingested/orders.yaml": "source: {files: 'orders/{window}/*.csv', format: csv}\n"
    "columns: {order_id: bigint}\n",
}
Run = subprocess.CompletedProcess[str]


@dataclass
class World:
    """A suite, and a folder that looks like Spark."""

    folder: Path
    environment: dict[str, str]

    @property
    def spark(self) -> Path:
        return self.folder / "spark"

    def does(self, shell: str) -> None:
        """What the stand-in does once it has written down its call."""
        script = self.spark / "bin" / "spark-submit"
        script.write_text(STAND_IN + shell)
        script.chmod(0o755)

    def command(self, *arguments: str) -> list[str]:
        return [str(SCRIPT), *arguments]

    def run(self, *arguments: str) -> Run:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start, and wait until the stand-in runs."""
        started = subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=self.environment, text=True
        )
        wait_for(lambda: (self.spark / "ready").exists())
        return started

    @property
    def arguments(self) -> list[str]:
        return (self.spark / "arguments").read_text().split("\0")[:-1]

    @property
    def for_the_job(self) -> list[str]:
        """The arguments after the job's script."""
        place = next(i for i, a in enumerate(self.arguments) if a.startswith(f"{CHECKOUT}/jobs/"))
        return self.arguments[place + 1 :]


def wait_for(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def world(tmp_path: Path) -> World:
    for name, text in SUITE.items():
        file = tmp_path / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "spark" / "bin").mkdir(parents=True)
    (tmp_path / "spark" / "conf").mkdir()
    delta = tmp_path / "delta"
    delta.mkdir()
    for jar in pairs.jar_names(*jars.installed_pair()):
        (delta / jar).touch()
    changed = {
        "SPARK_HOME": str(tmp_path / "spark"),
        "HEADGATE_JARS": str(delta),
        "TMPDIR": str(tmp_path),
        "S3_KEY": "hunter2 ä=:\\",
        "PYSPARK_PYTHON": sys.executable,
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_CONF", "PYSPARK_"))}
    made = World(tmp_path, {**kept, **changed})
    made.does("exit 0\n")
    return made


def test_arguments_reach_the_job_untouched(world: World) -> None:
    odd = ["a b", "", "*", "$HOME", "it's", 'say "x"', "two\nlines", "--where", "order_id = 42"]
    assert world.run("ingest", *odd).returncode == 0
    assert world.for_the_job == odd


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest", "--env", "local", "--conf", "conf", "orders"],
        ["--env=local", "--conf=conf", "ingest", "orders"],
        ["ingest", "orders", "--env", "local", "--conf", "conf"],
    ],
    ids=["between", "before", "after"],
)
def test_options_are_understood_wherever_they_stand(world: World, arguments: list[str]) -> None:
    assert world.run(*arguments).returncode == 0
    assert world.for_the_job == ["--env", "local", "--conf", "conf", "orders"]


def test_nothing_is_ours_after_two_dashes(world: World) -> None:
    assert world.run("clean", "--", "--dry-run", "--env", "none").returncode == 0
    assert world.for_the_job == ["--", "--dry-run", "--env", "none"]


@pytest.mark.parametrize(
    ("job", "script"),
    [
        ("ingest", "ingest.py"),
        ("clean", "clean.py"),
        ("feature-engineer", "feature_engineer.py"),
        ("aggregate", "aggregate.py"),
        ("run", "run.py"),
    ],
)
def test_each_job_has_its_script(world: World, job: str, script: str) -> None:
    assert world.run(job).returncode == 0
    assert str(CHECKOUT / "jobs" / script) in world.arguments
    assert (CHECKOUT / "jobs" / script).is_file()


def test_spark_gets_its_settings_jars_and_code(world: World) -> None:
    world.run("ingest")
    given = world.arguments
    assert given[given.index("--master") + 1] == "local[1]"
    assert "spark.sql.shuffle.partitions=3" in given
    names = [Path(jar).name for jar in given[given.index("--jars") + 1].split(",")]
    assert names == list(pairs.jar_names(*jars.installed_pair()))
    code = given[given.index("--py-files") + 1]
    inside = zipfile.ZipFile(code).namelist()
    assert "headgate/__init__.py" in inside
    assert "headgate/core/errors.py" in inside
    assert not [name for name in inside if "__pycache__" in name]
    environment = (world.spark / "environment").read_text().split("\0")
    python = next(v for v in environment if v.startswith("PYSPARK_PYTHON="))
    assert python == f"PYSPARK_PYTHON={sys.executable}"


def test_the_suites_own_steps_are_sent_too(world: World) -> None:
    (world.folder / "lib" / "mine").mkdir(parents=True)
    (world.folder / "lib" / "mine" / "steps.py").write_text("LIMIT = 3\n")
    world.run("ingest")
    given = world.arguments
    _, steps = given[given.index("--py-files") + 1].split(",")
    assert zipfile.ZipFile(steps).namelist() == ["mine/steps.py"]


def test_a_dry_run_shows_the_command_and_starts_nothing(world: World) -> None:
    shown = world.run("ingest", "a b", "--dry-run")
    assert shown.returncode == 0
    assert not (world.spark / "arguments").exists()
    world.run("ingest", "a b")
    assert shlex.split(shown.stdout) == [str(world.spark / "bin/spark-submit"), *world.arguments]


def test_a_secret_is_in_no_argument(world: World) -> None:
    (world.spark / "conf" / "spark-defaults.conf").write_text("spark.of.platform  kept\n")
    assert world.run("ingest", "--env", "secret").returncode == 0
    assert "hunter2" not in "\n".join(world.arguments)
    assert "spark.sql.shuffle.partitions=3" in world.arguments
    private = world.spark / "properties"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    told = private.read_text()
    assert "spark.of.platform  kept" in told
    key = "hunter2\\u0020\\u00e4\\u003d\\u003a\\u005c"
    assert f"spark.hadoop.fs.s3a.secret.key={key}\n" in told
    assert f"spark.app.proxy=http\\u003a//me\\u003a{key}@proxy\n" in told
    assert not Path((world.spark / "where").read_text()).exists()


def test_a_dry_run_masks_secrets(world: World) -> None:
    shown = world.run("ingest", "--env", "secret", "--dry-run")
    assert shown.returncode == 0
    assert "hunter2" not in shown.stdout + shown.stderr
    assert "spark.hadoop.fs.s3a.secret.key=***" in shown.stdout


@pytest.mark.parametrize("code", [0, 2, 10, 21, 127, 130])
def test_the_exit_code_is_kept(world: World, code: int) -> None:
    world.does(f"exit {code}\n")
    assert world.run("ingest").returncode == code


@pytest.mark.faults
@pytest.mark.parametrize("name", ["TERM", "INT", "HUP"])
def test_signals_are_passed_on_and_the_answer_is_kept(world: World, name: str) -> None:
    world.does(f'trap "exit 42" {name}\ntouch "$out/ready"\nwhile :; do sleep 0.05; done\n')
    started = world.start("ingest")
    started.send_signal(getattr(signal, f"SIG{name}"))
    assert started.wait(20) == 42
    assert not list(world.folder.glob("tmp.*"))


@pytest.mark.faults
@pytest.mark.skipif(shutil.which("pgrep") is None, reason="pgrep (procps) is not installed")
def test_the_driver_hears_a_signal_first(world: World) -> None:
    """Its JVM lives on until the driver has put its things in order, and keeps its exit code."""
    driver = (
        "import os, pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), os._exit(130)))\n"
        "pathlib.Path(sys.argv[1], 'ready').touch()\n"
        "time.sleep(300)\n"
    )
    (world.folder / "jobs").mkdir()
    (world.folder / "jobs" / "any.py").write_text(driver)
    world.does(
        'trap "exit 143" TERM\n'
        f'{sys.executable} {world.folder}/jobs/any.py "$out" & wait $!\nexit $?\n'
    )
    started = world.start("ingest")
    started.send_signal(signal.SIGTERM)
    assert started.wait(20) == 130


@pytest.mark.faults
def test_a_driver_that_outlives_its_jvm_is_ended(world: World) -> None:
    world.does('sleep 300 & echo $! >"$out/driver"\nexit 20\n')
    assert world.run("ingest").returncode == 20
    driver = int((world.spark / "driver").read_text())
    wait_for(lambda: not is_alive(driver))


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_nothing_outlives_a_killed_script(world: World) -> None:
    world.does('echo $$ >"$out/ready"\nwhile :; do sleep 0.05; done\n')
    started = world.start("ingest")
    wait_for(lambda: (world.spark / "ready").read_text().strip() != "")
    started.kill()
    started.wait(20)
    child = int((world.spark / "ready").read_text())
    wait_for(lambda: not is_alive(child))


@pytest.mark.faults
def test_a_driver_ends_with_its_spark_submit(tmp_path: Path) -> None:
    """The driver's side of the same: whoever launched it was killed without a word."""
    driver = (
        "import os, pathlib, sys, time\n"
        "from headgate.doors.lifeline import end_with_launcher\n"
        "end_with_launcher()\n"
        "pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\n"
        "time.sleep(300)\n"
    )
    told = tmp_path / "pid"
    launcher = subprocess.Popen(
        ["bash", "-c", '"$0" -c "$1" "$2"; :', sys.executable, driver, str(told)],
        env={**os.environ, "PYSPARK_GATEWAY_PORT": "1", "PYTHONPATH": str(CHECKOUT / "lib")},
    )
    wait_for(lambda: told.is_file() and told.read_text() != "")
    launcher.kill()
    launcher.wait(20)
    wait_for(lambda: not is_alive(int(told.read_text())))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["inject"], "unknown job 'inject'"),
        (["--env", "local"], "no job was named"),
        (["ingest", "--env"], "--env needs a value"),
        (["ingest", "--env", "emrr"], "there is no environment 'emrr'"),
        (["ingest", "--conf", "nowhere"], "nowhere"),
    ],
    ids=["job", "none", "value", "environment", "conf"],
)
def test_a_wrong_call_is_answered_in_one_line(
    world: World, arguments: list[str], says: str
) -> None:
    answer = world.run(*arguments)
    assert answer.returncode == 2
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
    result = json.loads(answer.stdout.splitlines()[-1])
    assert result["exit_code"] == 2
    assert says in "\n".join(result["errors"])
    assert not (world.spark / "arguments").exists()


def test_help_says_how_to_call_it(world: World) -> None:
    answer = world.run("--help")
    assert answer.returncode == 0
    assert "usage: ./spark-submit.sh JOB" in answer.stdout
