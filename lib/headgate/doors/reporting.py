"""The `report` command: reads a lake's records, and writes one page about it."""

from __future__ import annotations

import argparse
import os
import tempfile
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.doors.data_docs import FOLDER, built, need_great_expectations
from headgate.doors.facts import Facts, Rejected
from headgate.doors.page import page, verdict
from headgate.doors.progress import Progress
from headgate.doors.words import Answer
from headgate.storage.files import unusable

if TYPE_CHECKING:
    from headgate.app import App

NAME = "report.html"


def report(arguments: argparse.Namespace) -> Answer:
    """`headgate report`: the page beside the lake, or where `--out` says; and Data Docs."""
    from headgate.app import opened

    if arguments.data_docs is not None:
        need_great_expectations()  # before Spark starts
    with Progress(quiet=arguments.json) as progress:
        app = opened(arguments.conf, env=arguments.env, overrides=arguments.overrides)
        progress.watch(app.spark)
        facts = gathered(app)
        path = put(page(facts), target(arguments.out, app.suite.environment.lake))
        site = None
        if arguments.data_docs is not None:
            site = built(app, Path(arguments.data_docs or path.parent / FOLDER))
    said, _ = verdict(facts)
    if not arguments.json:
        print(f"{path}  ({said})")
        if site:
            print(site)
    shown: dict[str, Any] = {
        "suite": app.suite.name,
        "report": str(path),
        "alerts": len(facts.open_alerts),
    }
    if site:
        shown["data_docs"] = str(site)
    return shown | {"exit_code": 0, "errors": []}, 0


def target(out: str | None, lake: str) -> Path:
    """Where the page goes: beside the lake, or here where the lake is on no disk.

    >>> target(None, "/shop/data/lake").as_posix(), target(None, "s3://shop/lake").as_posix()
    ('/shop/data/report.html', 'report.html')
    """
    if out:
        path = Path(out)
        return path / NAME if path.is_dir() or out.endswith("/") else path
    scheme, colon, rest = lake.partition(":")
    if colon and "/" not in scheme:
        return Path("/" + rest.lstrip("/")).parent / NAME if scheme == "file" else Path(NAME)
    return Path(lake).parent / NAME


def put(text: str, path: Path) -> Path:
    """Write the page so that a reader sees the old one or the new one, never a part."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        made = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            made.chmod(0o644)
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
    except OSError as error:
        raise unusable(error, str(path)) from error
    return path


def gathered(app: App) -> Facts:
    """All that the page tells, read once."""
    from headgate.stages.dismissing import unsettled

    lake, suite = app.lake, app.suite
    return Facts(
        suite=suite.name,
        env=suite.environment.name,
        grain=suite.window,
        made_at=lake.now().strftime("%Y-%m-%d %H:%M"),
        timezone=suite.timezone,
        tables=suite.tables,
        records=tuple(lake.history.records),
        alerts=tuple(unsettled(lake, lake.records.alerts())),
        dismissals=tuple(one for name in suite.tables for one in lake.dismissed(name)),
        rejected=tuple(rejected_rows(app)),
    )


def rejected_rows(app: App) -> list[Rejected]:
    """The rows in quarantine by reason and state: one query for all tables. Never a value."""
    from pyspark.sql import functions as F

    known = {record.run for record in app.lake.history.records}
    kept = [(name, app.lake.quarantine(name).rows()) for name in app.suite.tables]
    parts = [
        rows.select(
            F.lit(name).alias("table"),
            F.explode("_reasons").alias("reason"),
            F.col("_state").alias("state"),
            F.col("_window").alias("window"),
            F.col("_run").alias("run"),
        )
        for name, rows in kept
        if rows is not None
    ]
    if not parts:
        return []
    every = reduce(lambda one, other: one.unionByName(other), parts)
    groups = every.groupBy("table", "reason", "state", "window", "run").count().collect()
    counts: dict[tuple[str, str, str], int] = {}
    windows: dict[tuple[str, str, str], set[str]] = {}
    for group in groups:
        if group["run"] not in known:
            continue  # of a run that crashed: in no commit and on no record, so it does not count
        key = (group["table"], group["reason"], group["state"])
        counts[key] = counts.get(key, 0) + group["count"]
        windows.setdefault(key, set()).add(group["window"])
    return [Rejected(*key, rows, frozenset(windows[key])) for key, rows in sorted(counts.items())]
