"""Patterns of the raw zone: which files match, and which window each belongs to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.core.paths import Pattern
from headgate.core.windows import Grain


def window(text: str, path: str, grain: Grain = Grain.day) -> str | None:
    return Pattern(text, grain).window_of(path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("orders/{window}/*.csv", "orders/2026-11-20/a.csv", "2026-11-20"),
        ("orders/{window}/*.csv", "orders/2026-11-20/b/a.csv", None),
        ("orders/{window}/**/*.csv", "orders/2026-11-20/b/c/a.csv", "2026-11-20"),
        ("orders/{window}/**/*.csv", "orders/2026-11-20/a.csv", "2026-11-20"),
        ("orders/{window:%Y/%m/%d}/*.csv", "orders/2026/11/20/a.csv", "2026-11-20"),
        ("orders_{window:%Y%m%d}.csv", "orders_20261120.csv", "2026-11-20"),
        ("orders_{window:%d%b%Y}.csv", "orders_20Nov2026.csv", "2026-11-20"),
        ("orders_{window:%Y%j}.csv", "orders_2026324.csv", "2026-11-20"),
        ("{window}/o_{window:%Y%m%d}.csv", "2026-11-20/o_20261120.csv", "2026-11-20"),
        ("{window}/o_{window:%Y%m%d}.csv", "2026-11-20/o_20261121.csv", None),
        ("orders/{window}.csv", "orders/2026-02-30.csv", None),
        ("orders/{window}.csv", "orders/2026-2-3.csv", None),
        ("orders/{window}.csv", "orders/2026-11-20xcsv", None),
        ("orders/?.csv", "orders/a.csv", ""),
        ("orders/?.csv", "orders/ab.csv", None),
        ("orders/*.csv", "orders/a.csv.gz", None),
        ("or(d)+ers/*.csv", "or(d)+ers/a.csv", ""),
        ("or(d)+ers/*.csv", "ordders/a.csv", None),
        ("a/{window}/x\ny.csv", "a/2026-11-20/x\ny.csv", "2026-11-20"),
    ],
)
def test_a_path_has_one_window_or_does_not_match(
    text: str, path: str, expected: str | None
) -> None:
    assert window(text, path) == expected


def test_hours_and_months_have_forms_of_their_own() -> None:
    assert window("h/{window}.csv", "h/2026-11-20T05.csv", Grain.hour) == "2026-11-20T05"
    assert window("h/{window:%Y-%m-%d/%H}.csv", "h/2026-11-20/05.csv", Grain.hour) == (
        "2026-11-20T05"
    )
    assert window("m/{window}.csv", "m/2026-11.csv", Grain.month) == "2026-11"
    assert window("m/{window:%Y-%m-%d}.csv", "m/2026-11-20.csv", Grain.month) == "2026-11"


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("orders/{window}/*.csv", "orders/"),
        ("a/b/c*.csv", "a/b/"),
        ("*.csv", ""),
        ("a/b.csv", "a/"),
        ("a/b[1].csv", "a/"),
    ],
)
def test_the_prefix_holds_all_that_matches(text: str, prefix: str) -> None:
    assert Pattern(text, Grain.day).prefix == prefix


@given(
    day=st.dates(min_value=date(1970, 1, 1), max_value=date(2150, 1, 1)),
    form=st.sampled_from(["", ":%Y/%m/%d", ":%Y%m%d", ":%d.%m.%Y", ":y=%Y/m=%m/d=%d", ":%Y-%j"]),
)
def test_the_folders_of_a_window_hold_its_files_and_those_only(day: date, form: str) -> None:
    pattern = Pattern("in/{window" + form + "}/*.csv", Grain.day)
    text = day.isoformat()
    (folder,) = pattern.folders([text])
    assert pattern.window_of(f"{folder}a.csv") == text
    (other,) = pattern.folders([(day + timedelta(days=1)).isoformat()])
    assert other != folder
    assert folder.startswith(pattern.prefix)


def test_a_pattern_whose_window_is_in_the_name_lists_the_folder_above() -> None:
    pattern = Pattern("in/{window:%Y-%m}/x_{window:%d}.csv", Grain.day)
    assert pattern.folders(["2026-11-20", "2026-11-21"]) == ["in/2026-11/"]
