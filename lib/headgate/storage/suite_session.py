"""A session as a suite's environment wants it."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession

from headgate.core.spec import SparkSettings, Suite
from headgate.storage.session import start


def session_for(suite: Suite) -> SparkSession:
    """A session as the suite's environment wants it; the suite's own code is importable in it."""
    library = str(Path(suite.root) / "lib")
    if library not in sys.path and Path(library).is_dir():
        sys.path.insert(0, library)
    settings = suite.environment.spark
    if any(table.private for table in suite.tables.values()):
        # What Spark spills, shuffles and broadcasts lies on disk: rows in plain, and the keys.
        conf = {"spark.io.encryption.enabled": "true", **settings.conf}
        settings = settings.model_copy(update={"conf": conf})
    return start(
        settings, timezone=suite.timezone, app=f"headgate {suite.name}",
        places=suite.environment.places,
    )  # fmt: skip


def small_session(suite: Suite) -> SparkSession:
    """A session for a few rows on this machine, wherever the suite itself runs."""
    conf = {k: v for k, v in suite.environment.spark.conf.items() if k != "spark.master"}
    conf = {"spark.ui.enabled": "false", **conf, "spark.sql.shuffle.partitions": "2"}
    settings = SparkSettings(master="local[2]", quick=True, conf=conf)
    spark = suite.environment.model_copy(update={"spark": settings})
    return session_for(suite.model_copy(update={"environment": spark}))
