"""The report's page: what it says of a lake's records, and that nothing in it can break out."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.core.contract import FileSource
from headgate.core.errors import Infrastructure
from headgate.core.records import RunRecord
from headgate.core.results import Gate, Rows
from headgate.core.spec import Clean, Ingested, Mart, Period, Table
from headgate.core.windows import Grain
from headgate.doors.facts import Facts, Rejected
from headgate.doors.page import page, verdict
from headgate.doors.picture import SHOWN
from headgate.doors.reporting import put, target

VOID = {"meta"}


class Seen(HTMLParser):
    """A page as a browser takes it: its elements, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("|".join(self.texts).split())

    def ids(self) -> set[str | None]:
        return {value for name, value in self.attributes if name == "id"}


def tables(word: str = "plain") -> dict[str, Table]:
    orders = Ingested(
        name="ingested.orders", description=word, owner=word,
        source=FileSource(files="orders/{window}/*.csv"), columns={},
    )  # fmt: skip
    clean = Clean(name="clean.orders", reads={"orders": "ingested.orders"})
    mart = Mart(
        name="marts.sales", reads={"orders": "clean.orders"},
        period=Period(column="at", grain="month"),
    )  # fmt: skip
    return {table.name: table for table in (orders, clean, mart)}


def record(number: int, **more: Any) -> RunRecord:
    given: dict[str, Any] = {
        "run": f"run{number}", "suite": "s", "job": "clean", "table": "clean.orders",
        "window": "2026-11-01", "status": "published", "started_at": "2026-11-20T05:00:00.000Z",
        "finished_at": "2026-11-20T05:00:00.000Z", "seconds": 1.0, "gate": Gate(),
        "rows": Rows(read=10, written=10), "version": 0, "message": None, "exit_code": 0,
        "fingerprint": "f", "causes": "new input", "sequence": number,
    }  # fmt: skip
    return RunRecord(**{**given, **more})


def alert(number: int, text: str = "mean(price) 41, expected 4", **more: Any) -> dict[str, Any]:
    given = {
        "run": f"run{number}", "table": "clean.orders", "window": "2026-11-01",
        "severity": "critical", "text": text, "raised_at": f"2026-11-20T05:00:{number:02}.000Z",
    }  # fmt: skip
    return {**given, **more}


def facts(*records: RunRecord, word: str = "plain", **more: Any) -> Facts:
    given: dict[str, Any] = {
        "suite": "shop", "env": "local", "grain": Grain.day, "made_at": "2026-11-20 06:00",
        "timezone": "UTC", "tables": tables(word), "records": records,
    }  # fmt: skip
    return Facts(**{**given, **more})


def blocked(number: int, **more: Any) -> RunRecord:
    rows = Rows(read=10, withheld=9, quarantined=1)
    return record(number, status="blocked", rows=rows, exit_code=10, **more)


def test_an_empty_lake_has_a_page_too() -> None:
    empty = facts()
    assert verdict(empty) == ("nothing has run yet", "warning")
    seen = Seen(page(empty))
    assert "headgate run" in seen.text
    assert {"ingested.orders", "clean.orders", "marts.sales"} <= seen.ids()


def test_a_suite_without_tables_has_a_page_too() -> None:
    assert "0 tables" in Seen(page(facts(tables={}))).text


@given(
    word=st.text(min_size=1, max_size=40) | st.sampled_from(["<script>", '"><b onload=x>', "&lt;"])
)
def test_no_text_of_a_lake_becomes_markup(word: str) -> None:
    plain, hostile = (
        Seen(
            page(
                facts(
                    blocked(1, message=text, causes=text, run=text),
                    word=text, suite=text, env=text, made_at=text,
                    alerts=[alert(1, text, run=text)],
                    rejected=[Rejected("clean.orders", text, "open", 3, frozenset({text}))],
                )
            )
        )
        for text in ("plain", word)
    )  # fmt: skip
    assert hostile.tags == plain.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in plain.attributes]


def test_the_page_needs_nothing_from_anywhere() -> None:
    text = page(facts(blocked(1), alerts=[alert(1)]))
    assert not re.search(r"https?:|//\w|@import|url\(|\bsrc=|<link|<script", text)
    assert "default-src &#x27;none&#x27;" in text or "default-src 'none'" in text
    links = [value for name, value in Seen(text).attributes if name == "href"]
    assert links
    assert all(str(link).startswith("#") for link in links)


def test_every_link_leads_somewhere() -> None:
    seen = Seen(page(facts(record(1))))
    assert {str(v)[1:] for n, v in seen.attributes if n == "href"} <= seen.ids()


def test_an_alert_is_open_until_a_later_run_of_its_window() -> None:
    closed = facts(blocked(1), record(2), alerts=[alert(1)])
    assert closed.open_alerts == ()
    assert verdict(closed)[1] == "good"
    still = facts(blocked(1), record(2, window="2026-11-02"), alerts=[alert(1)])
    assert [one.run for one in still.open_alerts] == ["run1"]
    idle = facts(blocked(1), record(2, status="unchanged", rows=Rows()), alerts=[alert(1)])
    assert [one.run for one in idle.open_alerts] == ["run1"]


def test_critical_alerts_come_first_with_the_next_command() -> None:
    warned = record(2, window="2026-11-02", gate=Gate(rules=1, warned=1))
    found = facts(
        blocked(1),
        warned,
        alerts=[
            alert(2, "country broken by 3 rows", severity="warning", window="2026-11-02"),
            alert(1, "no such file Next: headgate land a.csv"),
        ],
    )
    assert [one.severity for one in found.open_alerts] == ["critical", "warning"]
    assert [one.next for one in found.open_alerts] == ["headgate land a.csv", "headgate show run2"]
    text = Seen(page(found)).text
    assert verdict(found) == ("1 critical alert", "critical")
    assert text.index("headgate land a.csv") < text.index("country broken by 3 rows")
    assert "Next: headgate land" not in text  # told once, as a command of its own


def test_warnings_of_many_windows_are_one_box() -> None:
    days = [f"2026-11-{day:02}" for day in range(1, 9)]
    records = [record(n, window=day, gate=Gate(1, 0, 1)) for n, day in enumerate(days)]
    alerts = [alert(n, "warned", severity="warning", window=day) for n, day in enumerate(days)]
    found = facts(*records, alerts=alerts)
    assert found.standings["clean.orders"].state == "warned"
    text = Seen(page(found)).text
    assert "7 earlier windows" in text
    assert verdict(found) == ("warnings in 1 table", "warning")


def test_counts_are_those_of_each_windows_last_run() -> None:
    found = facts(
        record(1, rows=Rows(read=100, written=100)),
        blocked(2),
        record(3, window="2026-11-02", rows=Rows(read=5, written=4, filtered=1)),
    )
    standing = found.standings["clean.orders"]
    assert standing.rows == Rows(read=15, written=4, withheld=9, quarantined=1, filtered=1)
    assert standing.rows.balanced
    assert standing.state == "blocked"
    assert standing.newest == "2026-11-02"
    first = standing.slices[0]
    assert (first.window, first.visible, first.tries, first.troubled) == (
        "2026-11-01",
        True,
        2,
        False,
    )
    assert "readers see what was there before" in Seen(page(found)).text


def test_a_window_that_never_went_through_is_not_seen_by_readers() -> None:
    found = facts(blocked(1))
    assert found.standings["clean.orders"].newest is None
    assert "readers see nothing of it" in Seen(page(found)).text


def test_rejected_rows_are_told_by_reason_open_ones_first() -> None:
    rejected = [
        Rejected("clean.orders", "price > 0", "superseded", 70, frozenset({"a"})),
        Rejected("clean.orders", "price > 0", "open", 2, frozenset({"a", "b"})),
        Rejected("ingested.orders", "at: not a date", "open", 31, frozenset({"c"})),
    ]
    text = Seen(page(facts(record(1), rejected=rejected))).text
    assert "clean.orders|price > 0|2|70|2" in text
    assert text.index("at: not a date|31|0|1") < text.index("price > 0|2|70|2")


def test_windows_that_ran_together_are_one_line() -> None:
    days = [f"2026-11-{day:02}" for day in (1, 2, 3, 7)]
    one_pass = [record(n, window=day) for n, day in enumerate(days)]
    later = record(9, table="marts.sales", window="2026-11", started_at="2026-11-20T06:00:00.000Z")
    batches = facts(*one_pass, later).batches(10)
    assert [(b.table, b.windows, b.count, b.rows.read) for b in batches] == [
        ("marts.sales", "2026-11", 1, 10),
        ("clean.orders", "2026-11-01..2026-11-03, 2026-11-07", 4, 40),
    ]
    assert len(facts(*one_pass, later).batches(1)) == 1


def test_windows_of_another_length_are_told_as_they_are() -> None:
    found = facts(record(1, window="2026-10"), record(2, window="2026-11"))
    assert found.batches(5)[0].windows == "2026-10, 2026-11"


def test_a_long_history_shows_the_newest_windows() -> None:
    months = [f"{year}-{month:02}" for year in range(2000, 2026) for month in range(1, 13)]
    found = facts(*[record(n, table="marts.sales", window=m) for n, m in enumerate(months)])
    text = page(found)
    assert f"{SHOWN} windows" in text
    assert "2025-12 published" in text
    assert "2000-01 published" not in text


def test_records_of_a_table_that_is_gone_do_no_harm() -> None:
    gone = facts(record(1, table="clean.gone"), alerts=[alert(1, table="clean.gone")])
    assert gone.open_alerts == ()
    assert "clean.gone" in Seen(page(gone)).text  # among the last runs


def test_instants_are_told_in_the_suites_zone() -> None:
    text = Seen(page(facts(record(1), timezone="Europe/Berlin"))).text
    assert "2026-11-20 06:00|clean.orders" in text


@pytest.mark.parametrize(
    ("out", "path"),
    [
        pytest.param(None, "lake-beside/report.html", id="beside the lake"),
        pytest.param("there.html", "there.html", id="a file"),
        pytest.param("pages/", "pages/report.html", id="a folder that is not there yet"),
    ],
)
def test_where_the_page_goes(out: str | None, path: str) -> None:
    assert target(out, "lake-beside/lake").as_posix() == path


def test_a_page_replaces_the_one_before_whole(tmp_path: Path) -> None:
    path = put("first", tmp_path / "new" / "report.html")
    put("second", path)
    assert path.read_text(encoding="utf-8") == "second"
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Infrastructure, match="a file stands where a folder is needed"):
        put("page", tmp_path / "file" / "report.html")
