"""What all tests share: an environment of their own, hypothesis' profile, and loud skips."""

from __future__ import annotations

import os
import secrets
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Spark's workers take whatever python3 is on PATH unless told; drivers stay on this machine.
os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

# A person's own settings must not decide a test; where the jars are is no matter of taste.
for _name in [name for name in os.environ if name.startswith("HEADGATE_")]:
    if _name != "HEADGATE_JARS":
        del os.environ[_name]

# A key of this run alone: what is protected by it is of no use to anybody afterwards.
os.environ["HEADGATE_KEY_MAIN"] = secrets.token_hex(32)

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "ci", derandomize=True, max_examples=25, deadline=None, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile(
    "dev", max_examples=25, deadline=None, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if "CI" in os.environ else "dev")
)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One session with Delta for all tests that need one; it is not started before."""
    from headgate.core.spec import SparkSettings
    from headgate.storage.session import start, stop_quietly
    from on_s3 import s3_is_here

    # Over so many tests the optimising compiler earns its keep; compiling a stage of ten rows never
    # does, and the tests of commands run with it.
    conf = {"spark.sql.shuffle.partitions": "2", "spark.sql.codegen.wholeStage": "false"}
    settings = SparkSettings(master="local[2]", conf=conf)
    places = ["s3a://any"] if s3_is_here() else []
    session = start(settings, timezone="UTC", app="tests", places=places)
    yield session
    stop_quietly(session)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped, and why, so that a green run claims no more than it did."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    reasons = Counter(_reason(report) for report in skipped)
    terminalreporter.section(f"{len(skipped)} NOT RUN", sep="!", yellow=True, bold=True)
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4} {reason}", yellow=True)


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return told.removeprefix("Skipped: ")
