"""The one place where a Spark session is made, or a running one is taken."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from headgate.core.errors import HeadgateError, Infrastructure, Usage
from headgate.core.spec import SparkSettings
from headgate.storage import archive, gateway, jars, java, pairs, s3a, sparkconf

ZONE, ANSI = "spark.sql.session.timeZone", "spark.sql.ansi.enabled"
# Spark 3.5 ends a run at a date that only Spark 2 would read; so set, it is a date that is none.
DATES = "spark.sql.legacy.timeParserPolicy"


def start(
    settings: SparkSettings, *, timezone: str, app: str, places: Sequence[str] = ()
) -> SparkSession:
    """A session with Delta: the running one if there is one, else a new one.

    `places` are those that it is to reach: some need jars of their own.
    """
    session = _running()
    if session is None:
        session = _started(_prepared(settings, timezone, app, places))
    _require_delta(session)
    gateway.hush()
    session.conf.set(ZONE, timezone)
    session.conf.set(ANSI, "true")
    session.conf.set(DATES, "CORRECTED")
    return session


def stop_quietly(session: SparkSession | None) -> None:
    """Stop a session; what goes wrong meanwhile is of no interest any more."""
    try:
        if session is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # PySpark's, of a JVM that died
                session.stop()
    except Exception:
        gateway.forget_dead(patience=5)


@functools.lru_cache(maxsize=2)
def reading_session(session: SparkSession) -> SparkSession:
    """A session beside this one in which each file is one task, read in order.

    So a record's number is its place in the task. In the given session this would slow other reads.
    """
    beside = session.newSession()
    for key in (ZONE, ANSI, DATES, "spark.sql.shuffle.partitions"):
        beside.conf.set(key, session.conf.get(key) or "")
    beside.conf.set("spark.sql.files.maxPartitionBytes", str(1 << 40))
    beside.conf.set("spark.sql.files.openCostInBytes", str(1 << 40))
    return beside


def committing_session(
    session: SparkSession, told: Mapping[str, Any], settings: Mapping[str, str]
) -> SparkSession:
    """A session beside this one for one commit of Delta's own, which says this."""
    beside = session.newSession()
    text = json.dumps({"headgate": dict(told)}, sort_keys=True)
    mine = {
        "spark.databricks.delta.commitInfo.userMetadata": text,
        ZONE: session.conf.get(ZONE) or "UTC",
        ANSI: "true",
    }
    for key, value in {**mine, **settings}.items():
        beside.conf.set(key, value)
    return beside


def _running() -> SparkSession | None:
    """The session that somebody has started in this process, a notebook for one."""
    gateway.forget_dead()
    session = SparkSession.getActiveSession()
    if session is None and SparkContext._active_spark_context is not None:
        session = SparkSession.builder.getOrCreate()  # made in another thread
    if session is not None and not hasattr(session, "_jsparkSession"):
        raise Usage(
            "the running session is Spark Connect, which does not give Headgate what it needs",
            next="use a classic session, or let Headgate start its own in a fresh process",
        )
    return session


def _require_delta(session: SparkSession) -> None:
    have = {key: session.conf.get(key, "") or "" for key in sparkconf.DELTA}
    missing = {key: value for key, value in sparkconf.DELTA.items() if value not in have[key]}
    if missing:
        lines = " ".join(f'.config("{key}", "{value}")' for key, value in missing.items())
        raise Usage(
            f"the running Spark session has no Delta; its builder lacks {lines}",
            next="spark.stop(), then headgate.open(…) starts one that has all, in a fresh process",
        )
    _refuse_bad_pair(session.version)


def _refuse_bad_pair(spark: str) -> None:
    sentence = pairs.verdict(spark, jars.installed_pair()[1])
    if sentence:
        raise Usage(sentence)


def _prepared(
    settings: SparkSettings, timezone: str, app: str, places: Sequence[str] = ()
) -> SparkConf:
    """A JVM with the settings of the session that is to be."""
    if gateway.running():
        return _joined(settings, timezone, app)
    spark, delta = jars.installed_pair()
    _refuse_bad_pair(spark)
    if fault := java.verdict(spark):
        raise Usage(fault[0], next=fault[1])
    platform = sparkconf.platform_settings()
    master = _master(settings, platform)
    known = {**platform, **settings.conf}
    found = [] if sparkconf.names_delta(known) else jars.delta_jars(spark, delta, fetch=True)
    ours = sparkconf.defaults(master, timezone=timezone, app=app, jars=found)
    ours = sparkconf.added(ours, s3a.settings(places, spark, found))
    made = sparkconf.merged(ours, {**settings.conf, "spark.master": master}, platform)
    if master.startswith("local"):
        theirs = known.get(sparkconf.OPTIONS, "")
        made[sparkconf.OPTIONS] = sparkconf.java_options(
            theirs, quick=settings.quick, archive=archive.options(found)
        )
    _choose_python(master)
    return gateway.launch(made)


def _joined(settings: SparkSettings, timezone: str, app: str) -> SparkConf:
    """The settings of a further session in a JVM that runs already."""
    conf = gateway.connect()
    platform = sparkconf.platform_settings()
    given: dict[str, str] = {}
    if _submitted():  # the command line wins; it is what the platform's defaults do not say
        given = {key: value for key, value in conf.getAll() if platform.get(key) != value}
    master = given.get("spark.master") or _master(settings, platform)
    ours = sparkconf.defaults(master, timezone=timezone, app=app, jars=())
    users = {**settings.conf, **given, "spark.master": master}
    for key, value in sparkconf.merged(ours, users, platform).items():
        conf.set(key, value)
    if not gateway.has_class(sparkconf.EXTENSION):
        raise Usage(
            "this Spark was started without Delta's jars, and can take no more of them",
            next=_how_to_submit(),
        )
    _refuse_bad_pair(jars.installed_pair()[0])
    _choose_python(master)
    return conf


def _submitted() -> bool:
    """Whether spark-submit started this process."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _how_to_submit() -> str:
    if not _submitted():
        return "start in a fresh Python process (restart the kernel)"
    spark, delta = jars.installed_pair()
    return f"./spark-submit.sh, or spark-submit --packages {pairs.coordinate(spark, delta)}"


def _master(settings: SparkSettings, platform: dict[str, str]) -> str:
    named = settings.conf.get("spark.master") or settings.master
    master = named or platform.get("spark.master") or "local[*]"
    if not re.fullmatch(r"local(-cluster)?(\[[\w*, ]+\])?|(spark|k8s)://.+|yarn", master):
        raise Usage(f"'{master}' is not a Spark master", next='spark: {master: "local[*]"}')
    return master


def _choose_python(master: str) -> None:
    """Workers take whatever python3 is on PATH unless they are told."""
    if master.startswith(("local", "spark://")):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def _started(conf: SparkConf) -> SparkSession:
    try:
        session = SparkSession.builder.config(conf=conf).getOrCreate()
        _end_on_sigint(session.sparkContext)
        return session
    except HeadgateError:
        raise
    except Exception as error:
        raise _not_started(error) from error


def _end_on_sigint(context: SparkContext) -> None:
    """Ctrl-C cancels what runs, as PySpark has it, and always ends the call.

    PySpark's own handler raises what goes wrong while it cancels instead of the interrupt.
    """

    def interrupt(*_: object) -> NoReturn:
        with contextlib.suppress(Exception):
            context.cancelAllJobs()
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, interrupt)


def _not_started(error: Exception) -> HeadgateError:
    java_error: Any = getattr(error, "java_exception", None)
    said = str(java_error.getMessage() if java_error is not None else error).splitlines()[0][:300]
    return Infrastructure(f"Spark did not start: {said}", next="headgate doctor")
