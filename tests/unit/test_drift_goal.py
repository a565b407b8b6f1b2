"""The goal of drift, on seeded histories: hardly a false alarm, hardly a fault that is missed."""

from __future__ import annotations

import pytest
from bench.drift import FALSE_ALARMS_GOAL, RECALL_GOAL, scored
from bench.histories import FAULTS, OTHERS


@pytest.mark.parametrize("rows", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_faults_are_found_and_healthy_windows_are_left_alone(rows: int) -> None:
    score = scored(rows, range(5), days=100)
    assert score.planted.total() == 30
    assert score.alarms < FALSE_ALARMS_GOAL, score.blamed
    assert {
        fault: score.recall(fault) for fault in FAULTS if score.recall(fault) < RECALL_GOAL
    } == {}


def test_every_metric_finds_its_own_fault() -> None:
    """Also in a rule that watches them all: each is left with less of the odds."""
    score = scored(20_000, range(2), days=180, every=True)
    assert score.planted.total() == 40
    assert score.alarms < FALSE_ALARMS_GOAL, score.blamed
    missed = {one: score.recall(one) for one in FAULTS + OTHERS if score.recall(one) < RECALL_GOAL}
    assert missed == {}
