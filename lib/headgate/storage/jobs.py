"""The Spark jobs of one pass: grouped, and asked whether one of their stages was run again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession


@contextmanager
def tracked(spark: SparkSession, what: str) -> Iterator[str]:
    """All jobs started inside belong to one group, whose name is given."""
    group = f"headgate-{uuid.uuid4().hex[:12]}"
    context = spark.sparkContext
    context.setJobGroup(group, what)
    try:
        yield group
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
        context.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type]


def stage_was_retried(spark: SparkSession, group: str) -> bool:
    """Whether any stage of the group's jobs was tried more than once: it may have counted twice."""
    tracker = spark.sparkContext.statusTracker()
    for job in tracker.getJobIdsForGroup(group):
        info = tracker.getJobInfo(job)
        for stage in info.stageIds if info else ():
            known = tracker.getStageInfo(stage)
            if known is not None and known.currentAttemptId > 0:
                return True
    return False
