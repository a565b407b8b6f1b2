"""The goal of drift, on seeded histories: hardly a false alarm, hardly a fault that is missed."""

from __future__ import annotations

import pytest
from bench.drift import FALSE_ALARMS_GOAL, RECALL_GOAL, scored
from bench.histories import FAULTS


@pytest.mark.parametrize("rows", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_faults_are_found_and_healthy_windows_are_left_alone(rows: int) -> None:
    score = scored(rows, range(5), days=100)
    assert score.planted.total() == 30
    assert score.alarms < FALSE_ALARMS_GOAL, score.blamed
    assert {
        fault: score.recall(fault) for fault in FAULTS if score.recall(fault) < RECALL_GOAL
    } == {}
