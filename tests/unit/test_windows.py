"""Windows as text: what they cover, how they follow each other, and what is no window."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.core.errors import Usage
from headgate.core.windows import Grain, parse_range, written

grains = st.sampled_from(list(Grain))
moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2199, 1, 1))  # noqa: DTZ001


@given(grain=grains, moment=moments)
def test_a_moment_lies_in_its_window_and_in_no_other(grain: Grain, moment: datetime) -> None:
    window = grain.of(moment)
    assert grain.start(window) <= moment < grain.end(window)
    assert grain.of(grain.start(window)) == window
    assert grain.end(grain.shift(window, -1)) == grain.start(window)


@given(grain=grains, moment=moments, by=st.integers(min_value=-400, max_value=400))
def test_shifts_go_back_and_count_what_lies_between(
    grain: Grain, moment: datetime, by: int
) -> None:
    window = grain.of(moment)
    there = grain.shift(window, by)
    assert grain.shift(there, -by) == window
    assert grain.index(there) - grain.index(window) == by
    assert (there > window) == (by > 0)
    assert len(grain.between(*sorted((window, there)))) == abs(by) + 1


@given(grain=grains, first=moments, days=st.integers(min_value=0, max_value=90))
def test_the_windows_that_cover_days_touch_them_and_leave_none_out(
    grain: Grain, first: datetime, days: int
) -> None:
    last = first.date() + timedelta(days=days)
    found = grain.covering(first.date(), last)
    assert grain.start(found[0]).date() <= first.date() < grain.end(found[-1]).date() or days == 0
    assert all(grain.start(window).date() <= last for window in found)
    assert all(grain.end(window) > datetime.combine(first.date(), datetime.min.time())
               for window in found)  # fmt: skip
    assert all(grain.end(one) == grain.start(two) for one, two in itertools.pairwise(found))


@given(st.sets(st.integers(min_value=0, max_value=60)), grains)
def test_written_ranges_name_the_same_windows(places: set[int], grain: Grain) -> None:
    base = grain.of(datetime(2026, 2, 20, 5))  # noqa: DTZ001
    windows = [grain.shift(base, place) for place in places]
    named: list[str] = []
    for part in filter(None, written(windows, grain).split(", ")):
        named += parse_range(part, grain)
    assert named == sorted(windows)


def test_the_last_hour_of_a_day_is_covered() -> None:
    found = Grain.hour.covering(date(2026, 11, 20), date(2026, 11, 20))
    assert (found[0], found[-1], len(found)) == ("2026-11-20T00", "2026-11-20T23", 24)


def test_a_leap_day_is_a_window_and_a_false_one_is_not() -> None:
    assert parse_range("2028-02-28..2028-03-01", Grain.day)[1] == "2028-02-29"
    with pytest.raises(Usage, match="2026-02-29"):
        parse_range("2026-02-29", Grain.day)


@pytest.mark.parametrize(
    "text",
    ["", "..", "2026", "2026-11", "2026-1-2", "2026-11-20T05", "20261120", "today", "2026-13-01",
     "2026-11-01..", "..2026-11-01", "2026-11-01...2026-11-02", " 2026-11-01", "2026-11-01 ",
     "٢٠٢٦-١١-٠١", "0000-01-01", "2026-11-01..9999-12-31x"],
)  # fmt: skip
def test_what_is_no_window_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Usage) as caught:
        parse_range(text, Grain.day)
    assert caught.value.exit_code == 2
    assert "2026-11-20" in caught.value.sentence


def test_a_range_that_runs_backwards_is_turned_round_in_the_advice() -> None:
    with pytest.raises(Usage) as caught:
        parse_range("2026-11-03..2026-11-01", Grain.day)
    assert caught.value.next == "--window 2026-11-01..2026-11-03"


@pytest.mark.parametrize(
    ("grain", "text"),
    [(Grain.hour, "2026-11-20T05"), (Grain.day, "2026-11-20"), (Grain.month, "2026-11")],
)
def test_each_grain_has_its_own_form(grain: Grain, text: str) -> None:
    assert parse_range(text, grain) == (text,)


def test_the_end_of_time_is_no_traceback() -> None:
    with pytest.raises(Usage):
        parse_range("2026-11-01..9999-12-31", Grain.hour)
    assert parse_range("9999-12-30", Grain.day) == ("9999-12-30",)
