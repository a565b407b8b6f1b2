"""The `demo` command: two weeks of messy dumps through all four jobs, told as it goes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from headgate.conf import read_suite
from headgate.core.errors import StepFailed, Usage
from headgate.core.results import Entry, Result
from headgate.core.spec import Suite
from headgate.doors.progress import Progress
from headgate.doors.stage import Stage
from headgate.doors.telling import (
    ending,
    expected_faults,
    opening,
    pass_told,
    scene,
    seconds_told,
)
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.app import App
    from shop.story import Arrival, Story

SUITE, PRICED = "shop", "clean.order_lines"
AT_ONCE = 2  # tables side by side: one keeps little more than one core busy


class Telling(Progress):
    """Says on standard output what happens; single slices only move the living line on."""

    def __enter__(self) -> Telling:
        super().__enter__()
        return self

    def say(self, event: str, **facts: Any) -> None:
        if event == "entry":
            entry: Entry = facts["entry"]
            self._ended(entry)
        else:
            super().say(event, **facts)

    def line(self, text: str) -> None:
        if not self._quiet:
            self._clear()
            print(text, flush=True)

    def lines(self, texts: list[str]) -> None:
        for text in texts:
            self.line(text)


def demo(arguments: argparse.Namespace) -> Answer:
    """`headgate demo`: empties its own lake, fills it pass by pass, and ends with what to try."""
    os.environ.setdefault("HEADGATE_LOG", "error")  # the story is told, not logged
    began = time.monotonic()
    suite = read_suite(arguments.conf, env=arguments.env, overrides=arguments.overrides)
    generator = _generator(suite)
    with Stage.taken(suite) as stage, Telling(quiet=arguments.json) as telling:
        story = _generated(generator, stage.raw, suite, arguments)
        telling.lines(opening(story, stage.raw, stage.lake))
        show = _Show(suite, story, generator, stage.raw, telling)
        show.play()
        report = show.report(stage.lake)
        last = show.last_words(report, _flags(arguments))
        telling.lines([*last, f"The demo took {seconds_told(time.monotonic() - began)}."])
        faults = show.faults
    for fault in faults:
        print(f"not as planned: {fault}", file=sys.stderr)
    code = StepFailed.exit_code if faults else 0
    shown = {
        "suite": suite.name, "status": "failed" if faults else "published", "exit_code": code,
        "errors": faults, "runs": [entry.shown() for entry in show.entries], "report": str(report),
    }  # fmt: skip
    return shown, code


class _Show:
    """The passes of one demo, in one session."""

    def __init__(
        self, suite: Suite, story: Story, generator: ModuleType, raw: Path, telling: Telling
    ) -> None:
        from headgate.app import App
        from headgate.storage.suite_session import session_for

        self.story, self.generator, self.raw, self.telling = story, generator, raw, telling
        self.app: App = App(suite, session_for(suite))
        telling.watch(self.app.spark)
        self.entries: list[Entry] = []
        self.faults: list[str] = []
        self.closed: Entry | None = None  # the run whose gate closed first

    def play(self) -> None:
        """The catch-up, then each group of arrivals and a run."""
        self._pass(1, (), 0)
        arrived = 0
        for number, arrivals in enumerate(self.story.passes(), start=2):
            for arrival in arrivals:
                self.generator.arrive(self.raw, self.story, arrival)
            arrived += len(arrivals)
            self._pass(number, arrivals, arrived)
        self.faults += expected_faults(self.story.fates(), self._last_entries())

    def _pass(self, number: int, arrivals: tuple[Arrival, ...], arrived: int) -> None:
        self.telling.lines(["", *scene(number, self.story, arrivals)])
        began = time.monotonic()
        result = self.app.run(say=self.telling.say, parallel=AT_ONCE)
        told = pass_told(result, self.app.suite, time.monotonic() - began)
        self.telling.lines(told)
        for entry in result.runs:
            if entry.status == "blocked" and entry.table == PRICED:
                self.closed = self.closed or entry
                self._readers(entry.window)
        self._judge(result, arrived)

    def _judge(self, result: Result, arrived: int) -> None:
        """Whether the pass went as planned: every count of every run, and nothing failed."""
        self.entries += result.runs
        self.faults += result.errors
        self.faults += [
            f"{one.table} {one.window}: {one.message}"
            for one in result.runs
            if one.status == "failed"
        ]
        ran = {(one.table, one.window): one for one in result.runs}
        fates = [f for f in self.story.fates(arrived) if (f.table, f.window) in ran]
        self.faults += expected_faults(fates, ran)

    def _last_entries(self) -> dict[tuple[str, str], Entry]:
        return {(entry.table, entry.window): entry for entry in self.entries}

    def _readers(self, window: str) -> None:
        """What a reader finds where the gate has closed: nothing of it, and all that was there."""
        rows = self.app.table(PRICED)
        good = rows.where(rows["_window"] != window).groupBy().agg({"_window": "max", "*": "count"})
        seen = good.collect()[0]
        leaked = rows.where(rows["_window"] == window).count()
        self.telling.line(
            f"     readers   {PRICED} still ends at {seen['max(_window)']} for them: "
            f"{seen['count(1)']:,} rows, and {leaked or 'none'} of {window}"
        )
        if leaked:
            self.faults.append(f"{leaked:,} rows of {PRICED} {window} are visible")

    def report(self, lake: Path) -> Path:
        """The page, written with the session that is up."""
        from headgate.doors.page import page
        from headgate.doors.reporting import gathered, put, target

        return put(page(gathered(self.app)), target(None, str(lake)))

    def last_words(self, report: Path, flags: str) -> list[str]:
        """Sales by country, the report, and what to try."""
        rows = self.app.table("marts.sales_by_country").groupBy("country")
        sums = rows.agg({"revenue": "sum", "orders": "sum"}).collect()
        sales = [(r["country"], r["sum(revenue)"], r["sum(orders)"]) for r in sums]
        return ending(sales, report, self.closed, flags)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """The suite's own lib, as the session will have it too."""
    if folder.is_dir() and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    yield


def _generator(suite: Suite) -> ModuleType:
    """What makes the raw files; only the retail suite has it."""
    if suite.name != SUITE or PRICED not in suite.tables:
        raise Usage(
            f"the demo is about the retail suite '{SUITE}', and this is '{suite.name}'",
            where=suite.conf,
            next="headgate demo in a clone of Headgate's repository, or --conf with its conf/",
        )
    with _importable(Path(suite.root) / "lib"):
        try:
            from shop import generate
        except ImportError:
            raise Usage(
                "the generator of the raw dumps (lib/shop) is not there",
                where=suite.root,
                next="headgate demo in a clone of Headgate's repository",
            ) from None
    return generate


def _generated(
    generator: ModuleType, raw: Path, suite: Suite, arguments: argparse.Namespace
) -> Story:
    """The first raw files. No day of the story may lie in the future: no window could be named."""
    today = suite.now().date()
    try:
        latest = today - timedelta(days=max(arguments.days, 1) - 1)
        start: date = min(generator.FIRST_DAY, latest)
        story: Story = generator.generate(
            raw, rows=arguments.rows, days=arguments.days, seed=arguments.seed, start=start
        )
    except (ValueError, OverflowError) as error:
        raise Usage(
            f"--rows, --days: {error}", next="headgate demo --rows 20000 --days 14"
        ) from None
    return story


def _flags(arguments: argparse.Namespace) -> str:
    """The options that the next command needs too."""
    import shlex

    words = [] if arguments.conf == "conf" else ["--conf", arguments.conf]
    words += [] if arguments.env == "local" else ["--env", arguments.env]
    for override in arguments.overrides:
        words += ["--set", override]
    return f" {shlex.join(words)}" if words else ""
