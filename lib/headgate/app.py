"""Puts the pieces together: the only module that knows them all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from headgate.conf import read_suite
from headgate.core.errors import HeadgateError, Misconfigured, Usage
from headgate.core.results import JOB_OF, Entry, Result
from headgate.core.selection import ancestors, selected
from headgate.core.spec import Suite
from headgate.core.windows import parse_range
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of, without_input
from headgate.stages.planning import Planned, planned
from headgate.stages.repair import repaired
from headgate.stages.runner import Orders, run_table
from headgate.storage.faults import classify
from headgate.storage.session import start

Say = Callable[..., None]


class App:
    """A suite opened on a lake."""

    def __init__(self, suite: Suite, spark: SparkSession) -> None:
        self.suite, self.spark = suite, spark
        self.lake = Lake.opened(spark, suite)
        for table in suite.tables:
            repaired(self.lake, table, crashed=False)

    def selected(self, what: Sequence[str], layer: str | None = None) -> list[str]:
        """The tables that a call names."""
        return selected(self.suite.tables, what, layer)

    def windows(self, text: str | None) -> tuple[str, ...] | None:
        """The windows that a call names."""
        if text is None:
            return None
        grain = self.suite.window
        named = parse_range(text, grain)
        today = grain.of(self.lake.now())
        late = [window for window in named if window > today]
        if late:
            raise Usage(
                f"the window {late[0]} is in the future (it is {today} in {self.suite.timezone})",
                next=f"--window {today}",
            )
        return named

    def plan(
        self, what: Sequence[str] = (), *, window: str | None = None, force: bool = False,
        layer: str | None = None,
    ) -> list[Planned]:  # fmt: skip
        """What `run` would do, and why."""
        tables = [self.suite.tables[name] for name in self.selected(what, layer)]
        return planned(self.lake, tables, self.windows(window), force)

    def run(
        self,
        what: Sequence[str] = (),
        *,
        window: str | None = None,
        layer: str | None = None,
        force: bool = False,
        waive: Sequence[str] = (),
        because: str | None = None,
        break_lease: bool = False,
        say: Say = lambda *_, **__: None,
    ) -> Result:
        """Run what is due, dependencies first."""
        names, named = self.selected(what, layer), self.windows(window)
        orders = Orders(
            named=named, force=force, waived=frozenset(waive), because=because,
            break_lease=break_lease, say=say,
        )  # fmt: skip
        result, failed, errors = Result(self.suite.name), set[str](), list[str]()
        codes: list[int] = []
        for name in names:
            stopped = sorted(failed & ancestors(self.suite.tables, [name]))
            if stopped:
                errors.append(f"{name} waits for {stopped[0]}, which failed")
                continue
            entries, error = self._table(name, orders)
            if error is not None:
                errors.append(error.sentence)
                codes.append(error.exit_code)
                failed.add(name)
            if any(entry.status == "failed" for entry in entries):
                failed.add(name)
            result = result.plus(*entries)
            for entry in entries:
                say("entry", entry=entry)
        return Result(self.suite.name, result.runs, tuple(errors), tuple(codes))

    def _table(self, name: str, orders: Orders) -> tuple[list[Entry], HeadgateError | None]:
        table = self.suite.tables[name]
        try:
            entries = run_table(self.lake, table, orders)
            if orders.named is not None:
                entries += self._idle(name, orders.named, entries)
        except HeadgateError as error:
            return [], error
        except Exception as error:
            return [], classify(error)
        return entries, None

    def _idle(self, name: str, named: Sequence[str], ran: Iterable[Entry]) -> list[Entry]:
        """Entries for named windows that did not run: unchanged, or without input."""
        table, done = self.suite.tables[name], {entry.window for entry in ran}
        if table.layer not in ("ingested", "clean"):
            from headgate.core.windows import Grain
            from headgate.stages.marts import overlapping

            period = getattr(getattr(table, "period", None), "grain", None)
            grain = Grain(period) if period else self.suite.window
            named = sorted(overlapping(named, self.suite.window, grain))
        found = []
        for window in named:
            if window in done:
                continue
            lacking = without_input(self.lake, table, window)
            status = "failed" if lacking else "unchanged"
            found.append(
                Entry(
                    run="", job=JOB_OF[table.layer], table=name, window=window, status=status,
                    message=lacking.sentence if lacking else None,
                    exit_code=lacking.exit_code if lacking else 0,
                )  # fmt: skip
            )
        return found

    def table(self, name: str, *, as_of: str | None = None) -> DataFrame:
        """A table's rows; with `as_of`, as they were published by the end of that window."""
        spec = self.suite.tables.get(name)
        if spec is None:
            self.selected([name])
        version = self.lake.version(name)
        if version is None:
            raise Usage(f"{name} has never been published", next=f"headgate run +{name}")
        df = self.lake.delta(name).read()
        if as_of is not None and "_window" in df.columns:
            df = df.where(df["_window"] <= as_of)
        return df


def opened(
    conf: str | Path = "conf",
    *,
    env: str = "local",
    overrides: Sequence[str] | Mapping[str, str] = (),
) -> App:
    """Read a suite whole, then start or take a session."""
    suite = read_suite(conf, env=env, overrides=overrides)
    return App(suite, session_for(suite))


def session_for(suite: Suite) -> SparkSession:
    """A session as the suite's environment wants it; the suite's own code is importable in it."""
    library = str(Path(suite.root) / "lib")
    if library not in sys.path and Path(library).is_dir():
        sys.path.insert(0, library)
    settings = suite.environment.spark
    return start(settings, timezone=suite.timezone, app=f"headgate {suite.name}")


def faults_of(error: HeadgateError) -> list[str]:
    """All that is wrong, a line each."""
    if isinstance(error, Misconfigured):
        return [str(fault) for fault in error.faults]
    return [error.sentence]


__all__ = ["App", "layer_of", "opened", "session_for", "faults_of", "Any"]
