"""Points at which tests kill the flow: they kill all of it, and only when asked."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from headgate.storage import points

PROGRAM = """
import os, subprocess, sys
from headgate.storage.points import reached
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
for turn in range(3):
    print(turn, flush=True)
    reached("judged")
child.kill()
"""


def run(stop: str, *, leader: bool) -> tuple[int, int, list[str]]:
    """Exit code, the child's process id, and the turns that were begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), points.STOP: stop},
        start_new_session=leader,
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    code = process.wait(timeout=20)
    if not leader:
        os.kill(child, 9)  # it holds our pipe
    turns = process.stdout.read().split()
    process.stdout.close()
    return code, child, turns


def gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize(
    ("stop", "turns"), [("judged", ["0"]), ("judged:2", ["0", "1"]), ("judged:9", ["0", "1", "2"])]
)
def test_group_is_killed_at_the_point(stop: str, turns: list[str]) -> None:
    code, child, begun = run(stop, leader=True)
    assert begun == turns
    assert code == (0 if stop.endswith("9") else -9)
    deadline = time.monotonic() + 5
    while not gone(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone(child)


def test_those_who_only_share_the_group_live_on() -> None:
    code, _, begun = run("judged", leader=False)
    assert (code, begun) == (-9, ["0"])  # and we are still here


def test_nothing_happens_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(points.STOP, raising=False)
    points.reached("judged")
    monkeypatch.setenv(points.STOP, "kept")
    points.reached("judged")
    with pytest.raises(ValueError, match="no point"):
        points.reached("judgde")


def test_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(points.PAUSE, "judged:0.05")
    before = time.monotonic()
    points.reached("judged")
    assert time.monotonic() - before >= 0.05
