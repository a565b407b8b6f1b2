"""Tables side by side: the order of dependencies holds, whatever ends first or goes wrong."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest
from pyspark.sql import SparkSession

from headgate.stages.abreast import abreast

AFTER = {"a": (), "b": (), "c": ("a",), "d": ("a", "b"), "e": ("d",)}


@dataclass
class Watched:
    """Work that takes a moment, and what was seen of it."""

    spark: SparkSession
    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    most: int = 0
    early: list[str] = field(default_factory=list)  # begun before what they come after had ended
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, name: str) -> str:
        with self._lock:
            self.begun.append(name)
            self.most = max(self.most, len(self.begun) - len(self.ended))
            if not set(AFTER[name]) <= set(self.ended):
                self.early.append(name)
        time.sleep(0.2 if name == "a" else 0.05)
        with self._lock:
            self.ended.append(name)
        return name.upper()


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_each_starts_when_all_that_it_comes_after_has_ended(
    spark: SparkSession, at_once: int
) -> None:
    seen = Watched(spark)

    found = dict(abreast(list(AFTER), AFTER.__getitem__, lambda _: True, seen.work, at_once, spark))

    assert found == {name: name.upper() for name in AFTER}
    assert not seen.early
    assert seen.most == min(at_once, 2)  # a and b; then c and d


def test_one_that_may_not_start_holds_nothing_up(spark: SparkSession) -> None:
    seen = Watched(spark)

    found = abreast(list(AFTER), AFTER.__getitem__, lambda name: name != "d", seen.work, 2, spark)

    assert sorted(name for name, _ in found) == ["a", "b", "c", "e"]


def test_whoever_may_start_is_asked_when_the_outcomes_before_it_are_known(
    spark: SparkSession,
) -> None:
    told: list[str] = []
    asked: dict[str, set[str]] = {}

    def may(name: str) -> bool:
        asked[name] = set(told)
        return True

    for name, _ in abreast(list(AFTER), AFTER.__getitem__, may, Watched(spark).work, 2, spark):
        told.append(name)

    assert all(set(AFTER[name]) <= before for name, before in asked.items())


def test_an_interrupt_cancels_the_jobs_of_the_others_and_waits_for_them(
    spark: SparkSession,
) -> None:
    ended: list[str] = []

    def work(name: str) -> str:
        if name == "a":
            while not spark.sparkContext.statusTracker().getActiveStageIds():
                time.sleep(0.1)
            raise KeyboardInterrupt
        try:
            # A minute of small tasks: only cancelling ends it before.
            slow = spark.range(0, 60, 1, 60)
            slow.selectExpr("reflect('java.lang.Thread', 'sleep', 2000L + id)").collect()
        finally:
            ended.append(name)
        return name

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(abreast(["a", "b"], AFTER.__getitem__, lambda _: True, work, 2, spark))
    assert ended == ["b"]
    assert time.monotonic() - began < 30


def test_the_session_of_the_call_is_the_active_one_in_each(spark: SparkSession) -> None:
    apart = spark.newSession()

    def work(_: str) -> bool:
        return bool(apart._jvm.SparkSession.getActiveSession().get().equals(apart._jsparkSession))  # type: ignore[union-attr]

    found = dict(abreast(["a", "b"], AFTER.__getitem__, lambda _: True, work, 2, apart))

    assert found == {"a": True, "b": True}
