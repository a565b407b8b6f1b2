"""One writer a table, whoever asks and however the last one ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from headgate.core.errors import Held, Infrastructure
from headgate.storage import lease as leases
from headgate.storage import process
from headgate.storage.files import LocalFiles
from headgate.storage.lease import Holding, acquire, holder

TABLE = "clean.orders"
PATH = f"ops/leases/{TABLE}.json"


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(str(tmp_path))


def saved(files: LocalFiles) -> Holding:
    return Holding(**json.loads(files.read_bytes(PATH)))


def put(files: LocalFiles, holding: Holding) -> None:
    files.write_atomic(PATH, holding.content())


def elsewhere(files: LocalFiles) -> Holding:
    """The lease of a holder on another machine, whose death cannot be seen from here."""
    acquire(files, TABLE, run="a").release()
    return replace(saved(files), home="far away", host="far", held=True, clean=False)


def test_second_is_told_who_holds_it_and_what_to_type(files: LocalFiles) -> None:
    with (
        acquire(files, TABLE, run="7f3a"),
        pytest.raises(Held) as caught,
    ):
        acquire(files, TABLE, run="b")
    said = caught.value.sentence
    assert said.startswith(f"{TABLE}: run 7f3a holds the table")
    assert f"process {os.getpid()}" in said
    assert "--break-lease" in said
    assert caught.value.exit_code == 21


def test_tokens_grow_over_releases_crashes_and_breaks(files: LocalFiles) -> None:
    tokens = []
    for clean in (True, False, True):
        lease = acquire(files, TABLE, run="a")
        tokens.append(lease.token)
        lease.release(clean=clean)
    first = acquire(files, TABLE, run="a")
    broken = acquire(files, TABLE, run="b", break_it=True)
    assert [*tokens, first.token, broken.token] == [1, 2, 3, 4, 5]
    broken.release()
    assert acquire(files, TABLE, run="c", above=lambda: 40).token == 6


def test_a_table_whose_lease_file_is_gone_tells_the_token(files: LocalFiles) -> None:
    assert acquire(files, TABLE, run="a", above=lambda: 40).token == 41


def test_other_tables_are_free(files: LocalFiles) -> None:
    with acquire(files, TABLE, run="a"), acquire(files, "clean.customers", run="a") as other:
        assert other.token == 1


def test_clean_release_is_no_crash(files: LocalFiles) -> None:
    first = acquire(files, TABLE, run="a")
    assert not first.crashed_before
    first.release()
    second = acquire(files, TABLE, run="b")
    assert not second.crashed_before
    second.release(clean=False)
    assert acquire(files, TABLE, run="c").crashed_before


def test_error_inside_leaves_it_unclean(files: LocalFiles) -> None:
    with pytest.raises(RuntimeError), acquire(files, TABLE, run="a"):
        raise RuntimeError
    assert acquire(files, TABLE, run="b").crashed_before


def test_killed_holder_on_this_machine_is_followed_at_once(files: LocalFiles) -> None:
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys,time; from headgate.storage.files import LocalFiles;"
            "from headgate.storage.lease import acquire;"
            f"acquire(LocalFiles(sys.argv[1]), '{TABLE}', run='dies'); print('up', flush=True);"
            "time.sleep(60)",
            files.root,
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    with pytest.raises(Held):
        acquire(files, TABLE, run="b")
    os.kill(child.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while holder(files, TABLE) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    heir = acquire(files, TABLE, run="b")  # the corpse has not even been buried yet
    assert heir.crashed_before
    assert heir.token == 2
    child.wait()
    child.stdout.close()


def test_same_process_id_of_a_later_process_is_not_the_holder(files: LocalFiles) -> None:
    acquire(files, TABLE, run="a").release()
    put(files, replace(saved(files), held=True, clean=False, started="1", until=time.time() + 60))
    assert acquire(files, TABLE, run="b").crashed_before


def test_holder_elsewhere_is_waited_for_until_it_runs_out(files: LocalFiles) -> None:
    far = elsewhere(files)
    put(files, replace(far, pid=2**22 - 1, until=time.time() + 60))
    with pytest.raises(Held, match="host far"):
        acquire(files, TABLE, run="b")
    put(files, replace(far, pid=2**22 - 1, until=time.time() - 1))
    assert acquire(files, TABLE, run="b").crashed_before


def test_heartbeat_renews(files: LocalFiles) -> None:
    lease = acquire(files, TABLE, run="a", ttl=0.3)
    first = saved(files).until
    time.sleep(0.6)
    assert saved(files).until > first
    assert not lease.lost
    lease.release()
    assert holder(files, TABLE) is None


def test_broken_lease_is_noticed_and_its_release_disturbs_nobody(files: LocalFiles) -> None:
    slept = acquire(files, TABLE, run="a")
    assert not slept.lost
    heir = acquire(files, TABLE, run="b", break_it=True)
    assert not slept.renew()
    assert slept.lost
    slept.release()
    assert holder(files, TABLE) == saved(files)
    assert saved(files).run == "b"
    assert not heir.lost


def test_storage_that_fails_for_a_while_loses_nothing(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = acquire(files, TABLE, run="a", ttl=0.6)
    with monkeypatch.context() as broken:

        def fails(*_: object) -> bool:
            raise Infrastructure("no answer")

        broken.setattr(LocalFiles, "replace_if", fails)
        time.sleep(0.3)
        assert not lease.lost
        time.sleep(0.5)
        assert lease.lost  # nobody could tell whether another has it
    assert lease.renew()
    assert not lease.lost
    lease.release()


def test_damaged_file_stops_unless_it_is_broken_by_hand(files: LocalFiles) -> None:
    files.write_atomic(PATH, b"{")
    with pytest.raises(Infrastructure, match="--break-lease"):
        acquire(files, TABLE, run="a")
    lease = acquire(files, TABLE, run="a", break_it=True, above=lambda: 7)
    assert lease.token == 8
    assert lease.crashed_before


def test_many_processes_one_winner_at_each_moment(files: LocalFiles) -> None:
    """Each winner writes that it came and went; the lines must not be interleaved."""
    seen = Path(files.root, "seen")
    program = f"""
import os, sys, time
from headgate.core.errors import Held
from headgate.storage.files import LocalFiles
from headgate.storage.lease import acquire
out = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
wins, end = 0, time.monotonic() + 20
while wins < 12 and time.monotonic() < end:
    try:
        lease = acquire(LocalFiles(sys.argv[1]), {TABLE!r}, run=sys.argv[3])
    except Held:
        time.sleep(0.001)
        continue
    wins += 1
    os.write(out, f"in {{lease.token}}\\n".encode())
    time.sleep(0.002)
    if wins == 12 and sys.argv[3] in "01":
        os.kill(os.getpid(), 9)
    os.write(out, f"out {{lease.token}}\\n".encode())
    lease.release()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, files.root, str(seen), str(place)], env=environment
        )
        for place in range(6)
    ]
    codes = [child.wait(timeout=60) for child in children]
    assert sorted(codes) == [-9, -9, 0, 0, 0, 0]
    lines = [line.split() for line in seen.read_text().splitlines()]
    entered = [int(token) for word, token in lines if word == "in"]
    assert len(entered) == 6 * 12
    assert entered == sorted(set(entered))
    killed = 0
    for place, (word, token) in enumerate(lines):
        if word == "out":
            assert lines[place - 1] == ["in", token]
        elif place + 1 < len(lines) and lines[place + 1][0] == "in":
            killed += 1  # only the two that were killed never said that they went
    assert killed <= 2


def test_a_process_knows_the_dead_from_the_living() -> None:
    me = process.started(os.getpid())
    assert me
    assert process.lives(os.getpid(), me)
    assert not process.lives(os.getpid(), "1")
    child = subprocess.Popen([sys.executable, "-c", ""])
    since = process.started(child.pid)
    child.wait()
    assert since is None or not process.lives(child.pid, since)


def test_lease_is_kept_where_the_lake_keeps_its_records(files: LocalFiles) -> None:
    acquire(files, TABLE, run="a").release()
    assert files.exists(f"{leases.FOLDER}/{TABLE}.json")
    assert [info.path for info in files.listing()] == [PATH]
