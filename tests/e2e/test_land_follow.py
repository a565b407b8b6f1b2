"""`headgate land --follow`: a process that stays up and lands what has stopped growing."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from staying import Staying
from unit.conf_files import laid_out

DAY = "orders/2026-11-20"


class Followed(Staying):
    """The command at work, and what it says."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.inbox, self.zone = folder / "inbox", folder / "zone"
        words = ["land", str(self.inbox), "--to", DAY, "--conf", str(folder / "conf"), *more]
        super().__init__(folder, *words, "--follow", "--settle", "0.5")
        self.until(lambda: "--json" in more or "following" in self.said())


@contextmanager
def following(folder: Path, *more: str) -> Iterator[Followed]:
    laid_out(folder)
    (folder / "inbox").mkdir(exist_ok=True)
    one = Followed(folder, "--set", f"raw={folder / 'zone'}", *more)
    try:
        yield one
    finally:
        one.killed()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_what_appears_lands_once_it_has_stopped_growing(
    tmp_path: Path, how: signal.Signals
) -> None:
    write(tmp_path / "inbox" / "first.csv", "first")
    with following(tmp_path) as one:
        landed = one.zone / DAY
        with (one.inbox / "growing.csv").open("w") as growing:
            for number in range(12):
                growing.write(f"{number}\n")
                growing.flush()
                time.sleep(0.1)
                assert not (landed / "growing.csv").exists()
        write(one.inbox / "deep" / "new.csv", "new")
        one.until(lambda: (landed / "growing.csv").exists() and (landed / "deep/new.csv").exists())
        assert (landed / "growing.csv").read_text() == "".join(f"{n}\n" for n in range(12))
        time.sleep(1)
        one.stopped(how)
        for name in ("first.csv", "growing.csv", "deep/new.csv"):
            assert one.said().count(f"{DAY}/{name} landed") == 1
        assert "shop: 3 landed" in one.said()
        assert "unchanged" not in one.said()
    with following(tmp_path) as again:
        again.until(lambda: again.said().count("unchanged: the same content") == 3)


def test_a_file_that_cannot_land_keeps_no_other_out(tmp_path: Path) -> None:
    write(tmp_path / "zone" / DAY / "a.csv", "other")
    with following(tmp_path, "--json") as one:
        write(one.inbox / "a.csv", "mine")
        (one.inbox / "b.csv").symlink_to("nowhere")
        write(one.inbox / "c.csv", "c")
        one.until(lambda: (one.zone / DAY / "c.csv").exists())
        (one.inbox / "b.csv").unlink()
        write(one.inbox / "b.csv", "b")
        one.until(lambda: (one.zone / DAY / "b.csv").exists())
        time.sleep(0.5)
        told = json.loads(one.stopped(signal.SIGTERM)[-1])
    assert (told["exit_code"], told["counts"]) == (130, {"refused": 1, "landed": 2})
    assert [file["path"] for file in told["files"]] == [f"{DAY}/a.csv"]
    assert (one.zone / DAY / "a.csv").read_text() == "other"
    assert one.said().count(f"{DAY}/a.csv REFUSED: other content is there") == 1
    assert one.said().count("b.csv: the link leads nowhere") == 1


def test_trouble_that_passes_is_waited_for(tmp_path: Path) -> None:
    write(tmp_path / "zone" / "orders", "a file where a folder is needed")
    with following(tmp_path) as one:
        write(one.inbox / "a.csv", "a")
        one.until(lambda: "tried again" in one.said())
        time.sleep(2)
        assert one.said().count("tried again") == 1
        (one.zone / "orders").unlink()
        one.until(lambda: (one.zone / DAY / "a.csv").exists())
        one.stopped(signal.SIGTERM)
