"""From a run's records to whoever is to hear of it: once, at least, and never in the run's way."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from headgate.core.errors import Held, Infrastructure
from headgate.core.records import History, RunRecord
from headgate.core.results import Entry
from headgate.stages import alerting, telling
from headgate.stages.lake import Lake
from headgate.storage import process
from headgate.storage.files import LocalFiles
from headgate.storage.outbox import Claim, Kept, Outbox
from headgate.storage.records import Records
from receivers import SECRET, Web, web
from unit.test_alerts import DAY, blocked, missing, published, suite

NO_SPARK = cast(SparkSession, None)  # nothing of all this needs one
Said = list[tuple[str, dict[str, Any]]]


class Shop:
    """A lake on a disk, and the calls that are made on it."""

    def __init__(self, folder: Path, *routes: dict[str, Any]) -> None:
        self.folder = folder
        self.suite = suite(*routes)
        place = self.suite.environment.model_copy(update={"lake": str(folder)})
        self.suite = self.suite.model_copy(update={"environment": place, "root": str(folder)})
        self.history = History()
        self.said: Said = []
        self.rows: list[dict[str, Any]] = []

    def routed(self, *routes: dict[str, Any]) -> Shop:
        """The same lake with other routes."""
        other = Shop(self.folder, *routes)
        other.history = self.history
        return other

    def lake(self) -> Lake:
        records = Records(NO_SPARK, str(self.folder))
        return Lake(NO_SPARK, self.suite, self.history, records, LocalFiles(str(self.folder)))

    def noted(self, *entries: Entry, recorded: bool = True, at: datetime | None = None) -> Lake:
        """A call as far as its records."""
        lake, moment = self.lake(), (at or datetime.now(timezone.utc)).isoformat()
        for entry in entries:
            self.rows += alerting.note(lake, entry.table, [entry], moment)
            if recorded:
                self.history.add(_record(entry, moment))
        return lake

    def call(self, *entries: Entry, **how: Any) -> None:
        """A whole call."""
        lake = self.noted(*entries, **how)
        telling.tell(lake, {}, [e.table for e in entries], self._say)

    def _say(self, event: str, **facts: Any) -> None:
        self.said.append((event, facts))

    @property
    def outbox(self) -> Outbox:
        return Outbox(LocalFiles(str(self.folder)))

    def states(self) -> list[str]:
        """Of the alerts in the outbox."""
        return [one.state for name in self.outbox.names() for one in self.outbox.read(name).alerts]

    def everything(self) -> str:
        """All that stands on the disk."""
        return "".join(file.read_text() for file in self.folder.rglob("*") if file.is_file())


def _record(entry: Entry, at: str) -> RunRecord:
    return RunRecord.of(
        entry, suite="shop", started_at=at, finished_at=at, fingerprint="f", causes="new input",
        sequence=time.time_ns(),
    )  # fmt: skip


@contextmanager
def shop(folder: Path, **how: Any) -> Iterator[tuple[Shop, Web]]:
    with web(**how) as server:
        yield Shop(folder, {"to": f"webhook:{server.url}"}), server


def test_each_alert_once_until_things_change(tmp_path: Path) -> None:
    with shop(tmp_path) as (lab, server):
        lab.call(published("0"))
        assert not (tmp_path / "ops").exists()  # nothing to tell costs nothing
        lab.call(blocked("1"))
        lab.call(blocked("2"))
        assert len(server.bodies) == 1
        lab.call(published("3"))
        lab.call(published("4"))
        lab.call(blocked("5"))
    assert [(one["state"], one["run"]) for one in server.said] == [
        ("raised", "1"), ("recovered", "3"), ("raised", "5"),
    ]  # fmt: skip
    assert server.said[0] == {
        "text": server.texts[0], "id": server.said[0]["id"], "state": "raised",
        "severity": "critical", "table": "clean.orders", "window": DAY, "run": "1",
        "raised_at": server.said[0]["raised_at"], "tables": ["clean.orders"], "suite": "shop",
        "lines": [server.texts[0]],
        "env": "local", "owner": None,
    }  # fmt: skip
    # Every try is on record, so that what is open shows; whether it was news as well.
    assert [(row["run"], row["news"]) for row in lab.rows] == [
        ("1", True),
        ("2", False),
        ("5", True),
    ]


def test_whoever_only_wants_trouble_hears_of_trouble(tmp_path: Path) -> None:
    with web() as server:
        route = {"to": f"webhook:{server.url}", "severity": ("critical", "warning")}
        lab = Shop(tmp_path, route)
        for run in (blocked("1"), published("2", "country has new values"), published("3")):
            lab.call(run)
        assert [one["severity"] for one in server.said] == ["critical", "warning"]
    assert lab.outbox.names() == []  # well, and nothing left to tell: nothing is kept


def test_a_receiver_that_is_away_hears_of_it_later(tmp_path: Path) -> None:
    with shop(tmp_path, answers=[500, 503]) as (lab, server):
        lab.call(blocked("1"))
        assert lab.said == [
            ("untold", {"count": 1, "routes": ["webhook: it answered 500"], "again": True})
        ]
        lab.call(published("2", table="clean.t01"))  # another table's call
        assert lab.states() == ["waiting"]
        lab.call()
        lab.call()
    assert len(server.bodies) == 3
    assert len({one["id"] for one in server.said}) == 1  # who heard it twice can tell
    assert lab.states() == ["told"]


def test_a_process_that_dies_between_record_and_telling(tmp_path: Path) -> None:
    with shop(tmp_path) as (lab, server):
        lab.noted(blocked("1"))
        lab.call()
        assert [one["run"] for one in server.said] == ["1"]


def test_a_process_that_dies_before_the_record(tmp_path: Path) -> None:
    """Nobody is sent after a run that is nowhere; the next try of the window tells of itself."""
    with shop(tmp_path) as (lab, server):
        lab.noted(blocked("1"), recorded=False)
        lab.call()
        assert server.bodies == []
        lab.call(blocked("2"))
        assert [one["run"] for one in server.said] == ["2"]


def test_a_process_that_dies_while_it_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice is what at least once allows; not at all is not."""

    def dies(name: str) -> None:
        raise KeyboardInterrupt(name)

    with shop(tmp_path) as (lab, server):
        with monkeypatch.context() as patch:
            patch.setattr(telling, "reached", dies)
            with pytest.raises(KeyboardInterrupt):
                lab.call(blocked("1"))
        assert len(server.bodies) == 1
        lab.call()
        lab.call()
        assert len(server.bodies) == 2


def test_a_run_that_cannot_be_put_on_record_is_told_all_the_same(tmp_path: Path) -> None:
    with shop(tmp_path) as (lab, server):
        lake = lab.noted(blocked("1"), recorded=False)
        lake.unrecordable.add("1")
        telling.tell(lake, {}, (), lab._say)
        assert [one["run"] for one in server.said] == ["1"]


def test_what_another_process_is_telling_is_left_to_it(tmp_path: Path) -> None:
    with shop(tmp_path) as (lab, server):
        lab.noted(blocked("1"))
        above = os.getppid()
        parent = replace(Claim.mine(), pid=above, started=process.started(above) or "")
        for claim, times in ((parent, 0), (replace(parent, pid=2**22 + 1), 1)):

            def claimed(kept: Kept, claim: Claim = claim) -> Kept:
                return replace(kept, claim=claim)

            lab.outbox.change("clean.orders", claimed)
            lab.call()
            assert len(server.bodies) == times  # the dead leave theirs to others


def test_a_receiver_that_says_nothing_costs_seconds_and_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "SECONDS", 0.3)
    with shop(tmp_path, hang=threading.Event()) as (lab, _):
        began = time.monotonic()
        lab.call(blocked("1"))
        assert time.monotonic() - began < 2
        assert lab.states() == ["waiting"]


def _unwritable(shop: Shop) -> None:
    (shop.folder / "ops").write_text("a file where the folder should be")


def _damaged(shop: Shop) -> None:
    (shop.folder / "ops" / "outbox").mkdir(parents=True)
    (shop.folder / "ops" / "outbox" / "clean.orders.json").write_text('{"alerts": [{"x": 1}]')


@pytest.mark.parametrize("spoil", [_unwritable, _damaged])
def test_an_outbox_that_cannot_be_used_stops_no_alert(
    tmp_path: Path, spoil: Callable[[Shop], None]
) -> None:
    with shop(tmp_path) as (lab, server):
        spoil(lab)
        lab.call(blocked("1"))
        assert [one["run"] for one in server.said] == ["1"]


def test_nothing_that_goes_wrong_reaches_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(SECRET)

    with shop(tmp_path) as (lab, _):
        monkeypatch.setattr(telling, "carried", broken)
        lab.call(blocked("1"))
        monkeypatch.undo()
        lab.call()
        assert lab.states() == ["told"]


def test_an_address_shows_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with shop(tmp_path, answers=[404]) as (lab, server):
        lab.call(blocked("1"))
        lab = lab.routed({"to": f"slack:http://127.0.0.1:1/{SECRET}"})
        lab.call()
        lab = lab.routed({"to": f"slack:nowhere-{SECRET}"})
        lab.call()
    shown = f"{capsys.readouterr()} {lab.everything()} {lab.said} {lab.suite!r} {lab.rows}"
    assert "alert.undelivered" in shown
    assert SECRET not in shown
    assert str(server.port) not in shown


def test_what_nobody_could_be_told_for_days_is_given_up(tmp_path: Path) -> None:
    with shop(tmp_path, answers=[500] * 9) as (lab, server):
        lab.call(blocked("1"), at=datetime.now(timezone.utc) - timedelta(days=4))
        assert lab.states() == ["given up"]
        lab.call()
        assert len(server.bodies) == 1
        assert lab.said == [
            ("untold", {"count": 1, "routes": ["webhook: it answered 500"], "again": False})
        ]
        lab.call(blocked("2"))  # it is tried anew when it is raised anew
        assert len(server.bodies) == 2


def test_a_suite_without_routes_tells_nobody_and_gathers_nothing(tmp_path: Path) -> None:
    lab = Shop(tmp_path)
    lab.call(blocked("1"))
    assert lab.states() == ["for nobody"]
    with web() as server:
        lab = lab.routed({"to": f"webhook:{server.url}"})
        lab.call(blocked("2"))  # a route that came later
        assert [one["run"] for one in server.said] == ["2"]


def test_each_table_in_a_call_of_its_own(tmp_path: Path) -> None:
    """As a scheduler with a task a table makes them: what lacks its input says nothing new."""
    with shop(tmp_path) as (lab, server):
        lab.call(blocked("1"))
        for name in ("clean.t00", "clean.t01"):
            lab.call(missing(name))
        lab.call(missing("clean.t02", "2026-11-12"))
        lab.call(published("2"))
        lab.call(published("3", table="clean.t00"))
    assert [(one["table"], one["state"]) for one in server.said] == [
        ("clean.orders", "raised"), ("clean.t02", "raised"), ("clean.orders", "recovered"),
    ]  # fmt: skip


def test_a_warning_explains_no_failure(tmp_path: Path) -> None:
    with shop(tmp_path) as (lab, server):
        lab.call(published("1", "country has new values"))
        lab.call(missing("clean.t00"))
    assert [one["table"] for one in server.said] == ["clean.orders", "clean.t00"]


def test_owners_hear_of_their_own_tables(tmp_path: Path) -> None:
    with web() as crm, web() as rest:
        lab = Shop(
            tmp_path,
            {"to": f"webhook:{crm.url}", "owner": ("crm",)},
            {"to": f"webhook:{rest.url}"},
        )
        lab.call(blocked("1"), missing("clean.t00"), missing("clean.t01"))
        assert [one["tables"] for one in crm.said] == [["clean.t00"], ["clean.t01"]]
        assert [one["tables"] for one in rest.said] == [["clean.orders"]]


def test_more_than_anybody_reads_is_counted(tmp_path: Path) -> None:
    with shop(tmp_path) as (lab, server):
        lab.call(*[blocked(f"{n}", f"cause {'x' * n}") for n in range(60)])
    assert len(server.bodies) == telling.MOST
    assert server.texts[-1].startswith("shop: 41 more alerts")
    assert server.texts[-1].endswith("Next: headgate report")
    assert set(lab.states()) == {"told"}


def test_what_kept_a_table_from_being_looked_at(tmp_path: Path) -> None:
    gone = Infrastructure("the database does not answer", where="clean.orders", next="start it")
    with shop(tmp_path) as (lab, server):
        for faults in ({"clean.orders": gone}, {"clean.orders": gone}, {}, {"clean.orders": gone}):
            telling.tell(lab.lake(), faults, ("", "clean.orders"), lab._say)
        telling.tell(lab.lake(), {"": gone}, (), lab._say)
        busy = Held("another run holds the table")
        telling.tell(lab.lake(), {"clean.t00": busy}, (), lab._say)
    assert server.texts == [
        "clean.orders FAILED the database does not answer. Next: start it",
        "clean.orders FAILED the database does not answer. Next: start it",
        "shop FAILED clean.orders: the database does not answer. Next: start it",
    ]
