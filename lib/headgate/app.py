"""Puts the pieces together: the only module that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from headgate.conf import read_suite
from headgate.core.erasure import Erasure
from headgate.core.errors import HeadgateError, Misconfigured, Usage
from headgate.core.labels import known_names, shown_names
from headgate.core.lives import Lives
from headgate.core.records import Dismissal, RunRecord
from headgate.core.results import Result
from headgate.core.selection import named_windows, refuse_before_since, selected
from headgate.core.spec import Ingested, Rule, Suite, Table
from headgate.core.windows import parse_range
from headgate.quality.portrait import Proposal
from headgate.quality.portrait import Seen as Portrait
from headgate.quality.profile import Profile
from headgate.stages.call import run_all, run_one
from headgate.stages.difference import Difference, difference
from headgate.stages.dismissing import Deviation, dismissal, found, let_in
from headgate.stages.earlier import Earlier
from headgate.stages.erasing import Wish, erased
from headgate.stages.formats import graph
from headgate.stages.lake import Lake
from headgate.stages.lives import lives_of
from headgate.stages.maintaining import Upkept, maintained, records_maintained
from headgate.stages.planning import Planned, planned
from headgate.stages.preview import Preview, previewed
from headgate.stages.profiling import profiled
from headgate.stages.reads import with_known_columns
from headgate.stages.rejected import typed
from headgate.stages.repair import absorb
from headgate.stages.replaying import Replayed, chosen_for, ended
from headgate.stages.revealing import revealed
from headgate.stages.runner import Orders
from headgate.stages.settling import Choice, settled
from headgate.stages.sources import Seen, seen, tables_of
from headgate.stages.standing import Standing, standings
from headgate.stages.subject import Held, subject
from headgate.stages.suggesting import suggested
from headgate.stages.telling import tell
from headgate.stages.training import TrainingSet, limits, training_set
from headgate.stages.trying import Trial, tried_on
from headgate.stages.undo import undone
from headgate.stages.verifying import Verified, verified
from headgate.storage.labels import labels_at
from headgate.storage.process import who
from headgate.storage.records import Records
from headgate.storage.repaired import Given
from headgate.storage.suite_session import session_for
from headgate.transforms.versions import held_at

Say = Callable[..., None]


class App:
    """A suite opened on a lake."""

    def __init__(self, suite: Suite, spark: SparkSession) -> None:
        suite = with_every_table(suite, spark)
        self.suite, self.spark = suite, spark
        self.lake = Lake.opened(spark, suite)
        for table in suite.tables:
            absorb(self.lake, table)
        self.lake.suite = self.suite = with_known_columns(self.lake)

    def selected(self, what: Sequence[str], layer: str | None = None) -> list[str]:
        """The tables that a call names."""
        return selected(self.suite.tables, what, layer)

    def windows(self, text: str | None) -> tuple[str, ...] | None:
        """The windows that a call names."""
        if text is None:
            return None
        grain = self.suite.window
        return named_windows(text, grain, grain.of(self.lake.now()), self.suite.timezone)

    def plan(
        self, what: Sequence[str] = (), *, window: str | None = None, force: bool = False,
        rebuild: bool = False, layer: str | None = None,
    ) -> list[Planned]:  # fmt: skip
        """What `run` would do, and why."""
        names = self.selected(what, layer)
        refuse_before_since(self.suite.tables, names, window, self.suite.window)
        tables = [self.suite.tables[name] for name in names]
        orders = Orders(named=self.windows(window), force=force, rebuild=rebuild)
        return planned(self.lake, tables, orders)

    def run(
        self,
        what: Sequence[str] = (),
        *,
        window: str | None = None,
        layer: str | None = None,
        force: bool = False,
        rebuild: bool = False,
        waive: Sequence[str] = (),
        because: str | None = None,
        break_lease: bool = False,
        parallel: int | None = None,
        max_windows: int | None = None,
        say: Say = lambda *_, **__: None,
        until: Callable[[], bool] = lambda: False,
    ) -> Result:
        """Run what is due, dependencies first; `until` ends it before the next table.

        What is published and differs in nothing but the configuration is left, unless `rebuild`.
        `parallel` tables run at once, or as many as the environment says; of each table at most
        `max_windows`, the oldest first.
        """
        names, named = self.selected(what, layer), self.windows(window)
        refuse_before_since(self.suite.tables, names, window, self.suite.window)
        refuse_unknown_rules([self.suite.tables[name] for name in names], waive)
        if max_windows is not None and max_windows < 1:
            raise Usage("the most windows are a whole number from 1", next="--max-windows 30")
        orders = Orders(
            named=named, force=force, rebuild=rebuild, waived=frozenset(waive), because=because,
            break_lease=break_lease, most=max_windows, say=say,
        )  # fmt: skip
        at_once = parallel or self.suite.environment.parallel
        return run_all(self.lake, names, orders, at_once, until)

    def replay(
        self,
        name: str,
        given: Given | None = None,
        *,
        window: str | None = None,
        reason: str | None = None,
        say: Say = lambda *_, **__: None,
    ) -> tuple[Result, Replayed]:
        """Rejected rows once more: repaired ones, or as they are under what has changed since."""
        table = self.named(name)
        chosen = chosen_for(self.lake, table, given, self.windows(window), reason)
        orders = Orders(named=chosen.windows, force=given is None, replay=True, say=say)
        entries, error = run_one(self.lake, table, orders) if chosen.windows else ([], None)
        tell(self.lake, {name: error} if error else {}, (name,), say)
        for entry in entries:
            say("entry", entry=entry)
        said, codes = ((error.sentence,), (error.exit_code,)) if error else ((), ())
        result = Result(self.suite.name, tuple(entries), said, codes)
        return result, ended(self.lake, table, chosen)

    def taken(self) -> dict[str, list[str]]:
        """The files that each table has seen."""
        ingested = [n for n, one in self.suite.tables.items() if isinstance(one, Ingested)]
        return {name: [str(row["file"]) for row in self.lake.ledger(name)] for name in ingested}

    def undo(self, name: str, window: str, *, break_lease: bool = False) -> Result:
        """Back to what a window held before its last publish."""
        names = self.selected([name])
        if len(names) != 1 or names[0] != name:
            raise Usage(
                "undo takes one table, by its whole name", next=f"one of {', '.join(names)}"
            )
        table = self.suite.tables[name]
        entry = undone(self.lake, table, window, break_lease=break_lease)
        tell(self.lake, {}, (), lambda *_, **__: None)
        return Result(self.suite.name, (entry,))

    def dismiss(
        self,
        name: str,
        window: str,
        because: str,
        *,
        metric: str | None = None,
        column: str | None = None,
    ) -> list[Dismissal]:
        """Put on record that drift raised a false alarm; all that was new in what was said."""
        return dismissal(
            self.lake, self.named(name), window, because, who(), metric=metric, column=column
        )

    def let_in(self, names: Sequence[str]) -> list[str]:
        """Tables with windows that drift held back, and that a dismissal has made due."""
        return [name for name in dict.fromkeys(names) if let_in(self.lake, self.named(name))]

    def drift(self, what: Sequence[str] = ()) -> list[Deviation]:
        """What drift found in the last run of each window, newest first."""
        return found(self.lake, self.selected(what))

    def table(self, name: str, *, as_of: str | None = None) -> DataFrame:
        """A table's rows; with `as_of`, as they were published by the end of that window.

        Of a history table these are the versions that held at the end of that window.
        """
        self.named(name)
        version = self.lake.version(name)
        if version is None:
            raise Usage(f"{name} has never been published", next=f"headgate run +{name}")
        df = self.lake.delta(name).read()
        if as_of is None:
            return df
        if self.lake.versioned(name):
            return held_at(df, self.lake.bounds(parse_range(as_of, self.suite.window)[-1])[1])
        return df.where(df["_window"] <= as_of) if "_window" in df.columns else df

    def graph(self, name: str, as_of: str | None = None) -> tuple[DataFrame, DataFrame]:
        """The vertices and edges of a graph, as of the end of a window or the newest."""
        window = None if as_of is None else parse_range(as_of, self.suite.window)[-1]
        return graph(self.lake, self.named(name), window)

    def training_set(
        self, labels: DataFrame | str, tables: Sequence[str], time: str, within: Sequence[str] = ()
    ) -> TrainingSet:
        """Labels (rows, a table or a file) with the features of their time."""
        named = [self.named(name) for name in tables]
        old = limits(tables, within)
        if isinstance(labels, str):
            known = labels in self.suite.tables
            labels = self.table(labels) if known else labels_at(self.spark, labels)
        return training_set(self.lake, labels, named, time, old)

    def status(self, what: Sequence[str] = ()) -> list[Standing]:
        """Where each table stands."""
        return standings(self.lake, [self.suite.tables[name] for name in self.selected(what)])

    def preview(
        self,
        name: str,
        window: str | None,
        *,
        quality: Sequence[Any] | None = None,
        upto: str | None = None,
    ) -> Preview:
        """What a run of these windows would write and reject; nothing is written."""
        table, named = self.named(name), self._needed(name, window, "a preview")
        return previewed(self.lake, table, named, quality=quality, upto=upto)

    def diff(self, name: str, window: str | None, then: Earlier) -> Difference:
        """What this configuration does to the rows of windows, against that of another revision."""
        return difference(self.lake, self.named(name), then, self._needed(name, window, "a diff"))

    def _needed(self, name: str, window: str | None, what: str) -> tuple[str, ...]:
        """The windows of a call that cannot do without."""
        named = self.windows(window)
        if named is None:
            newest = max(self.lake.history.windows(name), default=None)
            named_so = newest or self.suite.window.of(self.lake.now())
            raise Usage(f"{what} needs a window", next=f"--window {named_so}")
        return named

    def try_rule(self, name: str, rule: Rule, window: str | None = None) -> Trial:
        """What a rule would have done to these windows, or to the last ones; nothing is written."""
        return tried_on(self.lake, self.named(name), rule, self.windows(window))

    def why(self, name: str, where: str, window: str | None = None) -> Lives:
        """The lives of the rows that a condition means, in a table or in what it reads."""
        return lives_of(self.lake, self.named(name), where, self.windows(window))

    def to_verify(self, what: Sequence[str] = ()) -> list[str]:
        """The tables that a call means to verify: all that were ever published, or those named."""
        names = self.selected(what)
        return names if what else [n for n in names if self.lake.history.published(n)]

    def verify(
        self, name: str, window: str | None = None, *, share: float | None = None
    ) -> Verified:
        """A table made anew from what its runs read, and compared; nothing is written."""
        return verified(self.lake, self.named(name), self.windows(window), share)

    def sources(self, what: Sequence[str] = ()) -> list[Seen]:
        """The contracts of ingested tables against what their sources are now."""
        tables = [self.suite.tables[name] for name in self.selected(what)]
        return [seen(self.lake, one) for one in tables if isinstance(one, Ingested)]

    def profile(self, name: str, window: str | None = None, *, as_of: str | None = None) -> Profile:
        """What the columns of a table's published rows look like; or of some windows' rows."""
        if window is not None and as_of is not None:
            raise Usage("a profile is of windows, or as of one", next="leave out one of the two")
        table, windows = self.named(name), self.windows(window)
        return profiled(self.lake, table, self.table(name, as_of=as_of), windows, as_of)

    def suggest(self, name: str) -> tuple[Portrait, list[Proposal]]:
        """Rules that a table's published rows and its history suggest."""
        return suggested(self.lake, self.named(name))

    def runs(self, what: Sequence[str] = ()) -> list[RunRecord]:
        """The runs on record, newest first."""
        names = set(self.selected(what))
        return [record for record in reversed(self.lake.history.records) if record.table in names]

    def run_named(self, text: str) -> RunRecord:
        """The run whose id begins like this."""
        known = self.lake.history.records
        found = {record.run: record for record in known if record.run.startswith(text)}
        if text in found:
            return found[text]
        if len(found) > 1:
            listed = [f"{r.run} ({r.table} {r.window})" for r in [*found.values()][-8:]]
            raise Usage(
                f"{len(found)} runs begin with '{text}'", next=f"one of {', '.join(listed)}"
            )
        if not found:
            raise Usage(f"there is no run '{text[:60]}'", next="headgate runs")
        return next(iter(found.values()))

    def quarantine(self, name: str) -> DataFrame:
        """A table's rejected rows with their own typed columns."""
        return typed(self.lake, self.named(name))

    def revealed(self, name: str) -> DataFrame:
        """A table in plain again: tokens by the vault, encrypted texts by the keys."""
        table = self.named(name)
        if self.lake.version(name) is None:
            raise Usage(f"{name} has never been published", next=f"headgate run +{name}")
        return revealed(self.lake, table)

    def erase(self, name: str, where: str, wish: Wish) -> Erasure:
        """The plan of an erasure; if it is wished, what came of it and the proof."""
        made = erased(self.lake, self.named(name), where, wish)
        if wish.yes:
            tell(self.lake, {}, (), lambda *_, **__: None)
        return made

    def maintain(
        self, name: str, *, dry_run: bool = False, break_lease: bool = False
    ) -> list[Upkept]:
        """Small files made few and old ones removed, in all that is kept of a table."""
        return maintained(self.lake, self.named(name), dry_run=dry_run, break_lease=break_lease)

    def maintain_records(self, *, dry_run: bool = False) -> list[Upkept]:
        """The same for the tables of records."""
        return list(records_maintained(self.lake, dry_run=dry_run))

    def subject(self, name: str, where: str) -> Held:
        """What is held on the people whom a condition means, by place."""
        return subject(self.lake, self.named(name), where)

    def settle(self, what: Sequence[str], choice: Choice) -> dict[str, dict[str, int]]:
        """Set open rejected rows aside: how many, by table and window."""
        tables = [self.suite.tables[name] for name in self.selected(what)]
        found = {table.name: settled(self.lake, table, choice) for table in tables}
        return {name: counts for name, counts in found.items() if counts}

    def named(self, name: str) -> Table:
        """The one table of this name."""
        if name not in self.suite.tables:
            names = self.selected([name])
            raise Usage(f"'{name}' is not one table", next=f"one of {', '.join(names)}")
        return self.suite.tables[name]


def with_every_table(suite: Suite, spark: SparkSession) -> Suite:
    """The suite with all tables of the databases of which it wants all: they are asked now."""
    if not suite.every:
        return suite
    ledger = Records(spark, suite.environment.lake).files()
    listed = {name: tables_of(spark, one, name, ledger) for name, one in suite.every.items()}
    env, overrides = suite.environment.name, suite.overrides
    return read_suite(suite.conf, env=env, overrides=overrides, listed=listed)


def refuse_unknown_rules(tables: Sequence[Table], waived: Sequence[str]) -> None:
    """A waiver of a rule that no chosen table has is a slip of the pen."""
    for word in waived:
        if any(word in known_names(table) for table in tables):
            continue
        known = [name for table in tables for name in shown_names(table)]
        close = get_close_matches(word, known, 1, 0.4)
        raise Usage(
            f"no rule of these tables is called '{word}'",
            next=f"--waive '{close[0] if close else ', '.join(known[:6])}'",
        )


def opened(
    conf: str | Path = "conf",
    *,
    env: str = "local",
    overrides: Sequence[str] | Mapping[str, str] = (),
) -> App:
    """Read a suite whole, then start or take a session."""
    suite = read_suite(conf, env=env, overrides=overrides)
    return App(suite, session_for(suite))


def faults_of(error: HeadgateError) -> list[str]:
    """All that is wrong, a line each."""
    if isinstance(error, Misconfigured):
        return [str(fault) for fault in error.faults]
    return [error.sentence]
