"""How `drift` is written among the rules of a table, and what is said when it is written wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.conf import read_suite
from headgate.core.errors import Misconfigured
from headgate.core.spec import Drift, Table
from unit.conf_files import SUITE, laid_out

CLEAN = SUITE["clean/orders.yaml"]


def table(folder: Path, *lines: str) -> Table:
    text = CLEAN.rstrip(" ") + "".join(f"          - {line}\n" for line in lines)
    return read_suite(laid_out(folder, {"clean/orders.yaml": text})).tables["clean.orders"]


def faults(folder: Path, *lines: str) -> list[str]:
    with pytest.raises(Misconfigured) as error:
        table(folder, *lines)
    return [fault.what for fault in error.value.faults]


def test_all_words_of_a_rule(tmp_path: Path) -> None:
    made = table(
        tmp_path,
        "drift: {metrics: [row_count, mean], columns: [quantity, country], severity: critical}",
        "drift: {metrics: freshness, time: ordered_at, sensitivity: low}",
    )
    first, second = made.drift
    assert first.metrics == ("row_count", "mean")
    assert first.columns == ("quantity", "country")
    assert first.severity == "critical"
    assert first.written.startswith("drift: {metrics: [row_count, mean]")
    assert first.place.endswith("orders.yaml:11")
    assert (second.time, second.sensitivity, second.severity) == ("ordered_at", "low", "warning")
    assert len(made.quality) == 1  # the other rules are apart


@pytest.mark.parametrize("line", ["drift: {}", "drift:"])
def test_without_a_word_it_watches_what_is_usual(line: str, tmp_path: Path) -> None:
    (rule,) = table(tmp_path, line).drift
    assert rule == Drift(written="drift: {}", place=rule.place)


def test_what_is_misspelt_is_said_with_the_likely_word(tmp_path: Path) -> None:
    assert faults(
        tmp_path,
        "drift: {metrics: [row_cuont, nulls, avg], columns: [contry]}",
        "drift: {metric: [mean]}",
        "drift: {metrics: [freshness]}",
        "drift: {metrics: [mean], mostly: 0.9}",
        "drift: mean",
        "drift: {severity: loud}",
        "drift: {columns: [contry]}",
    ) == [
        "unknown metric 'row_cuont' (did you mean 'row_count'?)",
        "unknown metric 'nulls' (did you mean 'null_share'?)",
        "unknown metric 'avg' (did you mean 'mean'?)",
        "unknown key 'metric' (did you mean 'metrics'?)",
        "freshness needs 'time': the column that tells the time of a row",
        "unknown key 'mostly' (known: metrics, columns, time, sensitivity, severity, since)",
        "drift must be a map (key: value), not 'mean'",
        "must be one of critical, warning, info, not 'loud'",
        "unknown column 'contry' (did you mean 'country'?)",
    ]


def test_the_same_rule_twice_is_a_fault(tmp_path: Path) -> None:
    (what,) = faults(tmp_path, "drift: {metrics: [mean]}", "drift: {metrics: [mean]}")
    assert what.startswith("this rule is written twice")


def test_bytes_are_those_of_raw_files(tmp_path: Path) -> None:
    (what,) = faults(tmp_path, "drift: {metrics: [bytes, row_count]}")
    assert what.startswith("bytes are those of raw files")
