"""Tables as text and as HTML, and the sheets that commands and notebooks share."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from headgate.core.records import RunRecord
from headgate.core.results import Entry, Gate, Result, Rows
from headgate.doors import sheets
from headgate.doors.looking import next_commands, rows_sheet
from headgate.doors.tables import Grid, grid, padded, width
from headgate.stages.planning import Planned
from headgate.stages.standing import Standing


def record(**more: object) -> RunRecord:
    """A run on record."""
    at = datetime(2026, 11, 2, 3, 4, 5, tzinfo=timezone.utc).isoformat()
    known = {
        "run": "7f3a01", "suite": "s", "job": "clean", "table": "clean.orders",
        "window": "2026-11-01", "status": "published", "started_at": at, "finished_at": at,
        "seconds": 1.5, "rows": Rows(read=1000, written=990, quarantined=10), "gate": Gate(3, 0, 1),
        "version": 4, "message": None, "exit_code": 0, "fingerprint": "f", "causes": "new input",
        "inputs": {"ingested.orders": 7},
    }  # fmt: skip
    return RunRecord(**{**known, **more})  # type: ignore[arg-type]


def test_a_table_as_text_lines_up_and_numbers_stand_to_the_right() -> None:
    shown = str(Grid(("table", "rows", "why"), (("a", 1, "x"), ("longer", 12345, None))))
    assert shown.splitlines() == [
        "TABLE     ROWS  WHY",
        "a            1  x",
        "longer  12,345",
    ]


def test_an_empty_table_says_so() -> None:
    assert str(Grid(("a",), (), empty="nothing is due")) == "nothing is due"
    assert "nothing is due" in Grid(("a",), (), empty="nothing is due")._repr_html_()


def test_values_cannot_move_the_cursor_or_break_the_line() -> None:
    shown = str(Grid(("a",), (("\x1b[2Jx\r\ny\u2028z\u202e",),)))
    assert shown.splitlines() == ["A", r"\x1b[2Jx\r\ny\u2028z\u202e"]


def test_html_escapes_what_the_data_says() -> None:
    page = Grid(("<b>",), (("<script>alert(1)</script>",),), title="<t>", note="&n")._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;t&gt;" in page
    assert "&amp;n" in page


def test_wide_signs_take_two_places() -> None:
    assert width("日本") == 4
    assert padded("日本", 6, right=False) == "日本  "


def test_only_the_last_column_is_as_long_as_it_likes() -> None:
    text = str(Grid(("a", "b"), (("x" * 500, "y" * 500),)))
    assert "y" * 500 in text
    assert "x" * 91 not in text


def test_a_table_gives_its_rows_as_dictionaries() -> None:
    made = grid([{"a": 1, "b": 2}, {"a": 3}], ("a", "b"))
    assert list(made) == [{"a": 1, "b": 2}, {"a": 3, "b": None}]
    assert (len(made), made[1]) == (2, {"a": 3, "b": None})


def test_a_plan_writes_neighbours_with_one_reason_in_a_line() -> None:
    lines = [Planned("clean.a", f"2026-11-0{day}", "new input") for day in (1, 2, 3)]
    lines += [
        Planned("clean.a", "2026-11-05", "changed rule"),
        Planned("clean.b", "…", "after clean.a"),
        Planned("ingested.a", "2026-11-04", "gap: no input", runs=False),
        Planned("clean.c", "", "x has never been published", runs=False),
    ]
    assert [(row["table"], row["windows"], row["does"]) for row in sheets.plan_sheet(lines)] == [
        ("clean.a", "2026-11-01..2026-11-03", "run"),
        ("clean.a", "2026-11-05", "run"),
        ("clean.b", "…", "run"),
        ("ingested.a", "2026-11-04", "wait"),
        ("clean.c", "", "wait"),
    ]


@pytest.mark.parametrize(
    ("windows", "shown"),
    [
        (["2026-11-01T05", "2026-11-01T06"], "2026-11-01T05..2026-11-01T06"),
        (["2026-11", "2026-12", "2027-02"], "2026-11..2026-12, 2027-02"),
        (["2025", "2026"], "2025..2026"),
        (["2026-11-01", "2026-11-08"], "2026-11-01, 2026-11-08"),
        ([], ""),
    ],
)
def test_windows_of_every_grain_are_written_as_ranges(windows: list[str], shown: str) -> None:
    assert sheets.span(windows) == shown


def test_a_status_says_how_many_windows_are_blocked_and_whether_it_is_late() -> None:
    one = Standing(
        "clean.a", "blocked", "2026-11-01", ("2026-11-02", "2026-11-03"), 3, True, 7, "m",
        "headgate show 7f3a",
    )  # fmt: skip
    (row,) = sheets.status_sheet([one])
    assert row == {
        "table": "clean.a", "last good": "2026-11-01", "state": "blocked (2)", "lag": "3, late",
        "rejected": 7, "next": "headgate show 7f3a",
    }  # fmt: skip


def test_a_run_is_told_with_its_inputs_and_fates() -> None:
    told = {row["what"]: row["is"] for row in sheets.facts_sheet(record())}
    assert told["rows"] == "1,000 read, 990 written, 10 quarantined"
    assert told["read"] == "ingested.orders@7"
    assert told["why it ran"] == "new input"
    assert "message" not in told


def test_a_run_of_a_mart_shows_what_was_read_and_written() -> None:
    line = sheets.run_line(record(job="aggregate", table="marts.sales"))
    assert line["rows"] == {"read": 1000, "written": 990}


def test_checks_that_closed_the_gate_come_first() -> None:
    def check(rule: str, *, success: bool, closed: bool) -> dict[str, object]:
        return {"rule": rule, "severity": "critical", "success": success, "closed": closed,
                "unexpected": 1, "total": 2, "observed": None}  # fmt: skip

    found = sheets.checks_sheet(
        [
            check("fine", success=True, closed=False),
            check("warned", success=False, closed=False),
            check("shut", success=False, closed=True),
        ]
    )
    assert [row["rule"] for row in found] == ["shut", "warned", "fine"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["headgate quarantine show clean.orders",
              "headgate undo clean.orders --window 2026-11-01"]),
        ({"status": "failed", "exit_code": 20, "rows": Rows()},
         ["headgate run clean.orders --window 2026-11-01"]),
    ],
)  # fmt: skip
def test_after_a_run_comes_a_command(more: dict[str, object], expected: list[str]) -> None:
    assert next_commands(record(**more)) == expected


def test_after_a_closed_gate_the_waiver_is_named() -> None:
    commands = next_commands(record(status="blocked", exit_code=10))
    assert commands[0] == "headgate quarantine show clean.orders"
    assert any("--waive RULE --because" in command for command in commands)


def test_rows_of_the_data_keep_their_numbers_as_they_are() -> None:
    rows = ['{"id": 1000012, "price": 52.70, "gone": null, "_file": "a.csv", "_window": "w"}']
    sheet = rows_sheet(rows, "accepted")
    assert sheet.columns == ("id", "price", "_file")
    assert sheet[0] == {"id": "1000012", "price": "52.70", "_file": "a.csv"}


def test_a_result_shows_the_fates_that_occurred() -> None:
    entry = Entry("r", "clean", "clean.a", "2026-11-01", "published", Rows(read=3, written=3))
    sheet = sheets.result_sheet(Result("s", (entry,), ("clean.b waits for clean.a, which failed",)))
    assert sheet.columns == ("table", "window", "status", "read", "written", "message")
    assert sheet.note == "clean.b waits for clean.a, which failed"
    assert "s: published (exit code 0)" in str(sheet)
