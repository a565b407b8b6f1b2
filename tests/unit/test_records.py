"""Run records: what they keep through JSON, and what is told from a lake's history."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headgate.core.records import History, RunRecord
from headgate.core.results import Entry, Gate, Result, Rows

counts = st.integers(min_value=0, max_value=2**40)


def record(window: str = "2026-01-01", status: str = "published", **more: Any) -> RunRecord:
    given: dict[str, Any] = {
        "run": f"r{more.get('sequence', 0)}", "suite": "s", "job": "clean", "table": "clean.a",
        "window": window, "status": status, "started_at": "2026-01-01T00:00:00+00:00",
        "finished_at": "2026-01-01T00:00:01+00:00", "seconds": 1.0, "rows": Rows(read=1, written=1),
        "gate": Gate(), "version": 0, "message": None, "exit_code": 0, "fingerprint": "f",
        "causes": "new input",
    }  # fmt: skip
    return RunRecord(**{**given, **more})


@given(
    rows=st.builds(Rows, *[counts] * 7),
    gate=st.builds(Gate, *[st.integers(0, 9)] * 3),
    version=st.none() | counts,
    inputs=st.dictionaries(st.text(max_size=5), counts, max_size=3),
    message=st.none() | st.text(),
    through=st.booleans(),
)
def test_a_record_survives_its_way_through_json(
    rows: Rows, gate: Gate, version: int | None, inputs: dict[str, int], message: str | None,
    through: bool,
) -> None:  # fmt: skip
    made = record(
        rows=rows, gate=gate, version=version, inputs=inputs, message=message, through=through,
        sequence=2**62 + 1, parts={"input": "x"},
    )  # fmt: skip
    assert RunRecord.from_plain(json.loads(json.dumps(made.plain()))) == made


def test_history_does_not_depend_on_the_order_in_which_it_is_read() -> None:
    records = [
        record("a", sequence=1, version=0, through=True, inputs={"x": 1}),
        record("b", "blocked", sequence=2, version=None, through=True, inputs={"x": 2}),
        record("a", "failed", sequence=3, version=None, fingerprint="g"),
        record("a", "unchanged", sequence=4, version=None),
        record("b", sequence=5, version=1, fingerprint="h"),
    ]
    expected = History(records)
    for seed in range(5):
        shuffled = random.Random(seed).sample(records, len(records))
        found = History(shuffled)
        assert found.published("clean.a") == expected.published("clean.a")
        assert found.through("clean.a") == expected.through("clean.a") == {"x": 2}
        assert found.windows("clean.a") == ["a", "b"]
        assert found.version("clean.a") == 1


def test_the_last_try_and_what_the_window_holds_are_two_things() -> None:
    history = History(
        [record("a", sequence=1), record("a", "blocked", sequence=2, fingerprint="g")]
    )
    last = history.last("clean.a", "a")
    assert last is not None
    assert last.status == "blocked"
    assert history.published("clean.a")["a"].fingerprint == "f"


def test_an_unchanged_run_hides_nothing() -> None:
    history = History([record("a", "failed", sequence=1), record("a", "unchanged", sequence=2)])
    last = history.last("clean.a", "a")
    assert last is not None
    assert last.status == "failed"


def test_a_window_that_was_undone_to_nothing_holds_nothing() -> None:
    history = History([record("a", sequence=1), record("a", sequence=2, fingerprint="")])
    assert not history.published("clean.a")


def test_nothing_is_known_of_a_table_that_never_ran() -> None:
    history = History()
    assert history.last("clean.a", "a") is None
    assert not history.published("clean.a")
    assert history.through("clean.a") == {}
    assert history.version("clean.a") is None
    assert history.windows("clean.a") == []


@given(st.builds(Rows, *[st.integers(0, 3)] * 7))
def test_rows_balance_exactly_where_in_equals_out(rows: Rows) -> None:
    out = rows.written + rows.withheld + rows.quarantined + rows.deduplicated + rows.filtered
    assert rows.balanced == (rows.read + rows.added == out)


def test_the_worst_run_names_the_result() -> None:
    def entry(status: str, code: int = 0) -> Entry:
        return Entry("r", "clean", "clean.a", "w", status, exit_code=code)

    result = Result("s", (entry("published"), entry("blocked", 10), entry("unchanged")))
    assert (result.status, result.exit_code) == ("blocked", 10)
    assert Result("s", (entry("unchanged"),)).status == "unchanged"
    assert Result("s").status == "unchanged"
    assert Result("s", errors=("x",), codes=(20,)).shown()["status"] == "failed"
    both = Result("s", (entry("blocked", 10), entry("failed", 20)))
    assert (both.status, both.exit_code) == ("failed", 10)
