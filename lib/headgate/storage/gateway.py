"""Spark's JVM: started quietly, or found running."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway

from headgate.core.errors import Infrastructure, Usage

# Loggers that write exceptions of tasks, which quote cell values.
QUOTING = (
    "org.apache.spark.executor.Executor",
    "org.apache.spark.scheduler.TaskSetManager",
    "org.apache.spark.scheduler.DAGScheduler",
    "org.apache.spark.sql.execution.datasources.FileFormatWriter",
    "org.apache.spark.sql.delta.files.DeltaFileFormatWriter",
    "org.apache.spark.util.Utils",
)
_BOOT_NOISE = "WARNING: Using incubator modules"
_KEPT = 8_192  # bytes


def running() -> bool:
    """Whether this process has a JVM already, or was started by one (spark-submit)."""
    return SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ


def connect() -> SparkConf:
    """The settings with which the running JVM was started."""
    SparkContext._ensure_initialized()
    hush()
    return SparkConf()


def launch(settings: Mapping[str, str]) -> SparkConf:
    """Start a JVM with these settings. What it says while it starts is kept for the error."""
    reader, writer = os.pipe()
    voice = _Voice(reader)
    try:
        gateway: Any = launch_gateway(  # type: ignore[no-untyped-call]
            SparkConf(loadDefaults=False).setAll(list(settings.items())),
            {"stdout": writer, "stderr": writer},
        )
    except Exception as error:
        os.close(writer)
        raise _not_started(voice.last_words(), error) from None
    os.close(writer)
    SparkContext._ensure_initialized(gateway=gateway)
    voice.booting = False
    hush()
    return SparkConf()


def has_class(name: str) -> bool:
    """Whether the JVM can load a class."""
    jvm: Any = SparkContext._jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        jvm.java.lang.Class.forName(name, False, loader)
    except Exception:
        return False
    return True


def forget_dead(patience: float = 0) -> None:
    """Let go of a JVM that has ended, or does so within seconds: the next needs another."""
    process: Any = getattr(SparkContext._gateway, "proc", None)
    if process is None:
        return
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
        SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None


class _Voice(threading.Thread):
    """What the JVM says goes to standard error; what it says while it starts is kept.

    Every start would print a line, and standard output is for results.
    """

    def __init__(self, reader: int) -> None:
        super().__init__(name="spark-stderr", daemon=True)
        self.booting = True
        self._reader = reader
        self._said = b""
        self.start()

    def run(self) -> None:
        while chunk := os.read(self._reader, 1 << 16):
            if self.booting:
                self._said = (self._said + chunk)[-_KEPT:]
                continue
            try:
                os.write(2, chunk)
            except OSError:
                continue  # nobody listens; the JVM must not block on it
        os.close(self._reader)

    def last_words(self) -> list[str]:
        """What the JVM said before it ended."""
        self.join(timeout=5)
        lines = [line.strip() for line in self._said.decode(errors="replace").splitlines()]
        return [line for line in lines if line and not line.startswith(_BOOT_NOISE)]


def hush() -> None:
    """Keep cell values out of the logs; whatever goes wrong is raised as well."""
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_not_of_py4j)
    context = SparkContext._active_spark_context
    if context is not None:  # its server prints a traceback when the JVM dies
        setattr(context._accumulatorServer, "handle_error", _passed_over)  # noqa: B010
    with contextlib.suppress(ImportError):  # Spark 4 logs each failed query whole, as JSON
        from pyspark.logger import PySparkLogger

        for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
            PySparkLogger.getLogger(name).setLevel(logging.CRITICAL)
    # Of functions with type hints where pandas is not installed: they run as they should.
    warnings.filterwarnings("ignore", "Cannot infer the eval type", UserWarning)
    if os.environ.get("HEADGATE_SPARK_LOG", "off") != "off":
        return
    jvm: Any = SparkContext._jvm
    log4j = jvm.org.apache.logging.log4j
    for name in QUOTING:
        log4j.core.config.Configurator.setLevel(name, log4j.Level.OFF)


def _is_not_of_py4j(record: logging.LogRecord) -> bool:
    """py4j tells the root logger, with a traceback, what it raises as well."""
    return "py4j" not in Path(record.pathname).parts


def _passed_over(*_: Any) -> None: ...


def _not_started(said: list[str], error: Exception) -> Infrastructure | Usage:
    telling = [line for line in said if "rror" in line or "xception" in line or "nvalid" in line]
    reason = ([*telling, *said[-1:], f"{type(error).__name__}"])[0][:300]
    text = " ".join(said)
    if "heap" in text or "reserve enough space" in text or "memory" in text.lower():
        return Infrastructure(
            f"Spark's JVM did not get its memory: {reason}",
            next="set spark.driver.memory lower, in conf/env",
        )
    if "jdk.incubator.vector" in text:
        return Usage(
            "this Java lacks the module jdk.incubator.vector, which Spark needs",
            next="install a whole Java 17 or 21 and let JAVA_HOME name it",
        )
    if "UnsupportedClassVersionError" in text:
        return Usage("this Java is too old for Spark", next="install Java 17 and set JAVA_HOME")
    return Infrastructure(f"Spark's JVM did not start: {reason}", next="headgate doctor")
