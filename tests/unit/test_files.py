"""Files on a disk: what a listing shows, and writes of which nobody sees a half."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headgate.core.errors import Infrastructure, ShapeBroken, Usage
from headgate.storage.files import LocalFiles, files_for


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(str(tmp_path))


def make(files: LocalFiles, *paths: str) -> None:
    for path in paths:
        target = Path(files.root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"x")


def paths(files: LocalFiles, prefix: str = "") -> list[str]:
    return [info.path for info in files.listing(prefix)]


def test_listing_is_deep_and_passes_over_what_spark_passes_over(files: LocalFiles) -> None:
    make(files, "a/2/y.csv", "a/1/x.csv", "_SUCCESS", ".x.csv.crc", "a/_tmp/z.csv", "a/.git/z.csv")
    make(files, "a/part.csv._COPYING_", "b.csv")
    assert paths(files) == ["a/1/x.csv", "a/2/y.csv", "b.csv"]
    assert paths(files, "a") == paths(files, "a/") == ["a/1/x.csv", "a/2/y.csv"]
    assert paths(files, "a/_tmp") == ["a/_tmp/z.csv"]  # what is asked for by name is shown


def test_folder_called_like_a_file_is_a_folder(files: LocalFiles) -> None:
    make(files, "orders.csv/part-0.csv")
    assert paths(files) == ["orders.csv/part-0.csv"]


def test_nothing_there_is_nothing_listed(files: LocalFiles) -> None:
    make(files, "a.csv")
    assert paths(files, "nope") == paths(files, "a.csv/x") == []


def test_listing_tells_what_changed(files: LocalFiles) -> None:
    make(files, "a.csv")
    os.utime(Path(files.root, "a.csv"), ns=(0, 1_700_000_000_123_456_789))
    (info,) = files.listing()
    assert (info.size, info.modified_ns) == (1, 1_700_000_000_123_456_789)


def test_links_are_followed_once(
    files: LocalFiles, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.csv").write_text("x")
    make(files, "a/y.csv")
    Path(files.root, "a", "up").symlink_to(files.root)
    Path(files.root, "there").symlink_to(outside)
    Path(files.root, "broken").symlink_to("nowhere")
    assert paths(files) == ["a/y.csv", "there/x.csv"]


def test_reading_a_part(files: LocalFiles) -> None:
    files.write_atomic("a/b", b"0123456789")
    assert files.read_bytes("a/b") == b"0123456789"
    assert files.read_bytes("a/b", 2, 3) == b"234"
    assert files.read_bytes("a/b", 8, 30) == b"89"
    assert files.read_bytes("a/b", 30) == b""
    with pytest.raises(FileNotFoundError):
        files.read_bytes("nope")


def test_written_file_is_whole_or_not_there(files: LocalFiles) -> None:
    files.write_atomic("a/b", b"old")
    files.write_atomic("a/b", b"new")
    assert files.read_bytes("a/b") == b"new"
    assert [name.name for name in Path(files.root, "a").iterdir()] == ["b"]


def test_writer_killed_midway_leaves_the_old_content(files: LocalFiles) -> None:
    files.write_atomic("a", b"old")
    program = (
        "import os, signal, sys; from headgate.storage import files;"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL);"
        "files.LocalFiles(sys.argv[1]).write_atomic('a', b'new')"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program, files.root], env=environment, check=False)
    assert done.returncode == -9
    assert files.read_bytes("a") == b"old"
    assert paths(files) == ["a"]


def test_one_of_many_makes_the_file(files: LocalFiles) -> None:
    with ThreadPoolExecutor(8) as pool:
        contents = [str(number).encode() for number in range(40)]
        made = list(pool.map(lambda content: files.create_exclusive("a/b", content), contents))
    assert made.count(True) == 1
    assert files.read_bytes("a/b") == contents[made.index(True)]


def test_exclusive_without_hard_links(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    assert files.create_exclusive("a", b"1")
    assert not files.create_exclusive("a", b"2")
    assert files.read_bytes("a") == b"1"


def test_replacing_only_what_is_expected(files: LocalFiles) -> None:
    assert not files.replace_if("a", b"0", b"1")
    assert not files.exists("a")
    assert files.replace_if("a", None, b"1")
    assert not files.replace_if("a", None, b"2")
    assert files.replace_if("a", b"1", b"2")
    assert files.read_bytes("a") == b"2"


def test_increments_of_many_are_all_kept(files: LocalFiles) -> None:
    files.write_atomic("n", b"0")

    def increment(_: int) -> None:
        while True:
            now = files.read_bytes("n")
            if files.replace_if("n", now, str(int(now) + 1).encode()):
                return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(60)))
    assert files.read_bytes("n") == b"60"


def test_deleting(files: LocalFiles) -> None:
    make(files, "a/b/c", "a/d")
    files.delete("a/b")
    files.delete("a/d")
    files.delete("a/nope")
    assert paths(files) == []
    with pytest.raises(ValueError, match="root"):
        files.delete("/")


def test_digest_is_of_the_content(files: LocalFiles) -> None:
    content = os.urandom(3_000_000)
    files.write_atomic("a", content)
    assert files.digest("a") == hashlib.sha256(content).hexdigest()


def test_names_that_spark_cannot_read_are_refused(files: LocalFiles) -> None:
    assert files.for_spark("a [1].csv") == f"file:{files.root}/a \\[1\\].csv"
    for name in ("12:30.csv", os.fsdecode(b"\xff.csv")):
        with pytest.raises(ShapeBroken, match="rename it"):
            files.for_spark(name)


def test_root_as_spark_would_take_it(files: LocalFiles) -> None:
    assert LocalFiles(f"{files.root}/x/../y/").uri("z") == f"file:{files.root}/y/z"
    for root in (f"file://{files.root}", f"file:{files.root}", files.root):
        assert files_for(root).root == files.root
    with pytest.raises(Usage, match="s3a://bucket"):
        files_for("s3a://bucket/raw")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_faults_of_the_disk_say_what_to_do(
    files: LocalFiles, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), f"{files.root}/a")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(Infrastructure, match=said) as caught:
        files.write_atomic("a", b"x")
    assert f"{files.root}/a" in caught.value.sentence
    assert "Next:" in caught.value.sentence
    monkeypatch.undo()
    assert list(Path(files.root).iterdir()) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda files: files.write_atomic("file/below", b""),
        lambda files: files.create_exclusive("file/below", b""),
        lambda files: files.replace_if("file/below", None, b""),
    ],
    ids=["write", "create", "replace"],
)
def test_file_in_the_way(files: LocalFiles, act: Callable[[LocalFiles], object]) -> None:
    make(files, "file")
    with pytest.raises(Infrastructure, match="a file stands where a folder is needed"):
        act(files)
