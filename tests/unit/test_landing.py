"""`headgate land` to a disk: what lands, what is refused, what is left behind. No Spark, no S3."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headgate.conf import read_suite
from headgate.core.errors import Infrastructure
from headgate.core.landing import Unlandable
from headgate.doors.cli import main
from headgate.doors.tally import Tally
from headgate.storage.landing import Meter, opened
from headgate.storage.side_by_side import side_by_side
from unit.conf_files import laid_out

DAY = "orders/2026-11-20"


class Shop:
    """A suite, its raw zone, and a folder of files that are to land there."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.conf = laid_out(folder)
        self.inbox, self.raw = folder / "inbox", folder / "zone"
        self.inbox.mkdir()
        self.err = ""

    def file(self, name: str, content: str = "x") -> Path:
        made = self.inbox / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(content)
        return made

    def land(self, *words: str | Path, to: str = DAY, raw: str | None = None) -> dict[str, Any]:
        where = ["--conf", str(self.conf), "--set", f"raw={raw or self.raw}"]
        code = main(["land", *map(str, words), "--to", to, *where, "--json"])
        out = self._capsys.readouterr()
        self.err = out.err
        told: dict[str, Any] = json.loads(out.out.splitlines()[-1])
        assert told["exit_code"] == code
        assert "Traceback" not in out.err
        return told

    def landed(self) -> dict[str, str]:
        """Everything in the raw zone, half-written files too."""
        every = sorted(path for path in self.raw.rglob("*") if path.is_file())
        return {path.relative_to(self.raw).as_posix(): path.read_text() for path in every}


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


def statuses(told: dict[str, Any]) -> dict[str, str]:
    return {one["path"]: one["status"] for one in told["files"]}


def test_files_and_folders_land_as_they_lie(shop: Shop) -> None:
    for name in ("a.csv", "deep/b.csv", ".hidden", "_SUCCESS", "_tmp/c.csv", "empty.csv"):
        shop.file(name, "" if name == "empty.csv" else name)
    (shop.folder / "link.csv").symlink_to(shop.inbox / "a.csv")
    told = shop.land(shop.inbox, shop.folder / "link.csv")
    assert shop.landed() == {
        f"{DAY}/a.csv": "a.csv",
        f"{DAY}/deep/b.csv": "deep/b.csv",
        f"{DAY}/empty.csv": "",
        f"{DAY}/link.csv": "a.csv",
    }
    assert (told["exit_code"], told["status"], told["errors"]) == (0, "landed", [])
    assert (told["counts"], told["bytes"], told["runs"]) == ({"landed": 4}, 20, [])
    tables = {one["path"]: one["tables"] for one in told["files"]}
    assert tables[f"{DAY}/a.csv"] == ["ingested.orders"]
    assert tables[f"{DAY}/deep/b.csv"] == []


def test_what_is_there_is_not_landed_again(shop: Shop) -> None:
    shop.file("a.csv")
    shop.land(shop.inbox)
    before = (shop.raw / DAY / "a.csv").stat()
    shop.file("b.csv")
    told = shop.land(shop.inbox)
    assert statuses(told) == {f"{DAY}/a.csv": "unchanged", f"{DAY}/b.csv": "landed"}
    after = (shop.raw / DAY / "a.csv").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    told = shop.land(shop.inbox)
    assert (told["status"], told["exit_code"]) == ("unchanged", 0)


def test_other_content_keeps_the_whole_batch_out(shop: Shop) -> None:
    shop.file("a.csv", "old"), shop.file("b.csv", "old")
    shop.land(shop.inbox)
    shop.file("a.csv", "new"), shop.file("b.csv", "longer"), shop.file("c.csv")
    told = shop.land(shop.inbox)
    assert told["exit_code"] == 2
    assert [error.partition(":")[0] for error in told["errors"]] == [f"{DAY}/a.csv", f"{DAY}/b.csv"]
    assert all("other content is there Next: --replace" in error for error in told["errors"])
    assert shop.landed() == {f"{DAY}/a.csv": "old", f"{DAY}/b.csv": "old"}
    told = shop.land(shop.inbox, "--replace")
    assert told["counts"] == {"replaced": 2, "landed": 1}
    assert shop.landed() == {f"{DAY}/a.csv": "new", f"{DAY}/b.csv": "longer", f"{DAY}/c.csv": "x"}


def test_a_folder_in_the_way_stays_also_when_told_to_replace(shop: Shop) -> None:
    (shop.raw / DAY / "a.csv").mkdir(parents=True)
    shop.file("a.csv")
    told = shop.land(shop.inbox, "--replace")
    assert told["exit_code"] == 2
    assert "a folder of this name is there" in told["errors"][0]


def links_to_nothing(shop: Shop) -> Path:
    (shop.inbox / "a.csv").symlink_to("nowhere")
    return shop.inbox


def pipe(shop: Shop) -> Path:
    os.mkfifo(shop.inbox / "pipe")
    return shop.inbox / "pipe"


def holds_the_zone(shop: Shop) -> Path:
    shop.file("a.csv")
    return shop.folder


@pytest.mark.parametrize(
    ("name", "to", "more", "said"),
    [
        (lambda _: "nope.csv", DAY, [], "nope.csv: it is not there"),
        (lambda _: "", DAY, [], "a name is empty"),
        (lambda shop: shop.inbox, DAY, [], "there is no file to land"),
        (lambda shop: shop.file("_a.csv"), DAY, [], "begin with _ or ."),
        (lambda shop: shop.file("12:30.csv"), DAY, [], "rename it"),
        (links_to_nothing, DAY, [], "the link leads nowhere"),
        (pipe, DAY, [], "neither a file nor a folder"),
        (holds_the_zone, DAY, [], "it would land in itself"),
        (lambda shop: shop.file("a"), "../raw2", [], "it leaves the raw zone"),
        (lambda shop: shop.file("a"), "/orders", [], "no folder below the raw zone"),
        (lambda shop: shop.file("a"), "", [], "--to: it is empty"),
        (lambda shop: shop.file("a"), "orders/{window}", [], "it is a pattern"),
        (lambda shop: shop.file("a"), "orders/_tmp", [], "ingest passes over"),
        (lambda shop: shop.file("a"), DAY, ["--encrypt", "AES256"], "for a raw zone on S3"),
        (lambda shop: shop.file("a"), DAY, ["--kms-key", "k"], "--encrypt aws:kms"),
        (lambda shop: shop.file("a"), DAY, ["--settle", "1"], "goes with --follow"),
        (lambda shop: shop.file("a"), DAY, ["--follow"], "it is no folder"),
        (lambda shop: shop.inbox, DAY, ["--follow", "--settle", "0"], "seconds above 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_is_said(
    shop: Shop, name: Callable[[Shop], Path | str], to: str, more: list[str], said: str
) -> None:
    told = shop.land(name(shop), *more, to=to)
    assert told["exit_code"] == 2
    assert said in told["errors"][0]
    assert " Next: " in told["errors"][0]
    assert told["errors"][0] in shop.err
    assert not shop.raw.exists()


def test_every_fault_of_a_call_is_told_and_nothing_lands(shop: Shop) -> None:
    shop.file("a/x.csv"), shop.file("b/x.csv", "y"), shop.file("good.csv")
    told = shop.land(shop.inbox / "a", shop.inbox / "b", "nope", shop.inbox / "good.csv")
    assert len(told["errors"]) == 2
    assert f"would both land as {DAY}/x.csv" in told["errors"][0]
    assert shop.landed() == {}


def test_raw_zones_that_are_neither_disk_nor_bucket(shop: Shop) -> None:
    told = shop.land(shop.file("a.csv"), raw="hdfs://host/raw")
    assert told["exit_code"] == 2
    assert "land knows disks and S3, not hdfs:" in told["errors"][0]
    assert shop.land(shop.file("a.csv"), raw=f"file://{shop.raw}")["status"] == "landed"
    assert shop.landed() == {f"{DAY}/a.csv": "x"}


def test_s3_without_boto3_says_what_to_install(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    told = shop.land(shop.file("a.csv"), raw="s3a://bucket/raw")
    assert told["exit_code"] == 2
    assert told["errors"] == [
        "S3 needs boto3, which is not installed Next: pip install 'headgate[aws]'"
    ]


def test_a_file_that_changes_while_it_is_read_does_not_land(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.file("good.csv")
    growing, real = shop.file("growing.csv", "abc"), Meter.add

    def grows(meter: Meter, count: int) -> None:
        if count == 3:
            with growing.open("a") as file:
                file.write("more")
        real(meter, count)

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "add", grows)
        told = shop.land(shop.inbox)
    assert told["exit_code"] == 20
    assert statuses(told) == {f"{DAY}/good.csv": "landed", f"{DAY}/growing.csv": "failed"}
    assert f"{growing}: it changed while it was read" in told["errors"][0]
    assert shop.landed() == {f"{DAY}/good.csv": "x"}
    assert shop.land(shop.inbox)["counts"] == {"unchanged": 1, "landed": 1}


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_what_came_meanwhile_is_not_overwritten(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    shop.file("a.csv", "mine"), shop.file("b.csv", "same!")
    real = Meter.add

    def rival(meter: Meter, count: int) -> None:
        name, content = ("a.csv", "theirs") if count == 4 else ("b.csv", "same!")
        (shop.raw / DAY / name).write_text(content)
        real(meter, count)

    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(Meter, "add", rival)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    told = shop.land(shop.inbox)
    assert told["exit_code"] == 2
    assert statuses(told) == {f"{DAY}/a.csv": "refused", f"{DAY}/b.csv": "landed"}
    assert shop.landed() == {f"{DAY}/a.csv": "theirs", f"{DAY}/b.csv": "same!"}


def test_a_file_that_gets_shorter_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("abcdef")
    with opened(str(file)) as source:
        file.write_text("abc")
        with pytest.raises(Unlandable, match="changed while it was read"):
            source.read(0, 6)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x")
    file.chmod(0o600)
    os.seteuid(65534)
    try:
        match = "Permission denied Next: check its owner"
        with pytest.raises(Unlandable, match=match) as told, opened(str(file)):
            pass
    finally:
        os.seteuid(0)
    assert told.value.exit_code == 20


def test_a_full_disk_ends_it_and_leaves_nothing_half_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.file("a.csv"), shop.file("b.csv")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        told = shop.land(shop.inbox)
    assert told["exit_code"] == 20
    assert "the disk is full Next: make room" in told["errors"][0]
    assert shop.landed() == {}
    assert shop.land(shop.inbox)["counts"] == {"landed": 2}


def test_what_the_disk_does_not_keep_does_not_land(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def garbles(descriptor: int) -> None:
        real(descriptor)
        os.ftruncate(descriptor, 1)

    shop.file("a.csv", "abc")
    monkeypatch.setattr(os, "fsync", garbles)
    told = shop.land(shop.inbox)
    assert told["exit_code"] == 20
    assert "does not give back what was written" in told["errors"][0]
    assert shop.landed() == {}


def test_killed_midway_leaves_what_ingest_passes_over_and_the_next_run_lands(shop: Shop) -> None:
    shop.file("a.csv", "abc")
    program = (
        "import os, signal, sys; from headgate.doors.cli import main;"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL); main(sys.argv[1:])"
    )
    words = ["land", str(shop.inbox), "--to", DAY, "--conf", str(shop.conf)]
    done = subprocess.run(
        [sys.executable, "-c", program, *words, "--set", f"raw={shop.raw}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -9
    (left,) = shop.landed()
    assert Path(left).name.startswith(".")
    assert shop.land(shop.inbox)["counts"] == {"landed": 1}
    assert shop.landed() == {f"{DAY}/a.csv": "abc"}


def test_a_file_that_another_lands_at_this_moment_is_left_to_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.file("a.csv")
    real = fcntl.flock

    def rival(file: Any, how: int) -> None:
        with Path(file.name).open("rb") as other:
            real(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            real(file, how)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", rival)
        told = shop.land(shop.inbox)
    assert told["exit_code"] == 21
    assert "being landed by somebody else" in told["errors"][0]
    assert shop.land(shop.inbox)["counts"] == {"landed": 1}


def test_an_error_breaks_off_what_others_have_in_hand() -> None:
    ended, at_work = threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number == 0:
            at_work.wait(30)
            raise Infrastructure("no more")
        at_work.set()
        ended.wait(30)
        return number

    with pytest.raises(Infrastructure, match="no more"):
        list(side_by_side(work, [1, 0], 2, ended.set))
    assert ended.is_set()


def test_progress_tells_rate_and_time_left(shop: Shop) -> None:
    tally = Tally(read_suite(shop.conf))
    assert tally.text() == "looking at what is there already"
    tally.meter.expect(100_000_000)
    tally.meter.add(1)
    assert "left" not in tally.text()
    tally.meter.add(39_999_999)
    tally.meter.since -= 4
    assert tally.text() == "40.0 MB of 100.0 MB  10.0 MB/s  6 s left"


def test_no_module_of_spark_is_loaded(shop: Shop) -> None:
    program = (
        "import sys; from headgate.doors.cli import main; code = main(sys.argv[1:]);"
        "sys.exit(code or sorted({'pyspark', 'py4j', 'delta', 'boto3'} & set(sys.modules)) or 0)"
    )
    words = ["land", str(shop.file("a.csv")), "--to", DAY, "--conf", str(shop.conf)]
    done = subprocess.run(
        [sys.executable, "-c", program, *words, "--set", f"raw={shop.raw}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"{DAY}/a.csv landed: 1 byte\n" in done.stderr
    assert done.stderr.endswith("Next: headgate run ingested.orders+\n")
