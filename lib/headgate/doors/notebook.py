"""What `headgate.open()` returns: a suite for notebooks and scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.app import App, opened
from headgate.conf.typed import condition_typed, rule_typed
from headgate.core.erasure import Erasure
from headgate.core.lives import Lives
from headgate.core.results import Result
from headgate.doors import sheets
from headgate.doors.data_docs import FOLDER, RUNS, built
from headgate.doors.diff import markdown
from headgate.doors.erasing import places_sheet, said_of
from headgate.doors.looking import rows_sheet, texts
from headgate.doors.profiling import profile_sheet
from headgate.doors.reporting import target
from headgate.doors.suggesting import suggested_sheet
from headgate.doors.tables import Grid
from headgate.doors.training import said_of_labels
from headgate.doors.trying import total_line, trial_sheet
from headgate.doors.why import life_sheet, lines
from headgate.stages.difference import Difference
from headgate.stages.earlier import at_revision
from headgate.stages.erasing import Raw, Wish
from headgate.stages.preview import Preview
from headgate.stages.subject import Held
from headgate.stages.training import TrainingSet
from headgate.stages.trying import Trial
from headgate.stages.verifying import Verified
from headgate.storage.repaired import given_at, given_in

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SHOWN = 20  # rows of a preview in a notebook


class RunResult(Result):
    """What a call came to, shown as a table."""

    @staticmethod
    def of(result: Result) -> RunResult:
        return RunResult(result.suite, result.runs, result.errors, result.codes)

    def __repr__(self) -> str:
        return str(sheets.result_sheet(self))

    def _repr_html_(self) -> str:
        return sheets.result_sheet(self)._repr_html_()


class Seen(Preview):
    """A preview, shown as tables."""

    @staticmethod
    def of(seen: Preview) -> Seen:
        return Seen(seen.table, seen.slices, seen.accepted, seen.rejected)

    def _sheets(self) -> list[Grid]:
        made = []
        for title, df in (("accepted", self.accepted), ("rejected", self.rejected)):
            made.append(rows_sheet(texts(df, _SHOWN), title))
        return made

    def __repr__(self) -> str:
        return sheets.preview_line(self)

    def _repr_html_(self) -> str:
        line = _line(sheets.preview_line(self))
        return line + "".join(each._repr_html_() for each in self._sheets())


class Compared(Difference):
    """A diff, shown as its Markdown."""

    @staticmethod
    def of(found: Difference) -> Compared:
        return Compared(**vars(found))

    def __repr__(self) -> str:
        return "\n".join(markdown(self))

    _repr_markdown_ = __repr__


class Tried(Trial):
    """A rule tried on windows, shown as a table."""

    @staticmethod
    def of(trial: Trial) -> Tried:
        return Tried(trial.table, trial.rule, trial.windows, trial.unread)

    def __repr__(self) -> str:
        return f"{trial_sheet(self)}\n{total_line(self)}"

    def _repr_html_(self) -> str:
        return trial_sheet(self)._repr_html_() + _line(total_line(self))


class Followed(Lives):
    """The lives of rows, a table each."""

    @staticmethod
    def of(lives: Lives) -> Followed:
        return Followed(lives.table, lives.where, lives.found, lives.total, lives.looked)

    def __repr__(self) -> str:
        return "\n".join(lines(self))

    def _repr_html_(self) -> str:
        if not self.found:
            return _line(repr(self))
        more = self.total - len(self.found)
        rest = _line(f"and {more:,} rows more: a narrower condition shows them") if more else ""
        return "".join(life_sheet(life)._repr_html_() for life in self.found) + rest


class Erased(Erasure):
    """An erasure, shown as its places and what came of it."""

    @staticmethod
    def of(made: Erasure) -> Erased:
        return Erased(**vars(made))

    def __repr__(self) -> str:
        return "\n".join([str(places_sheet(self)), *said_of(self)])

    def _repr_html_(self) -> str:
        return places_sheet(self)._repr_html_() + "".join(map(_line, said_of(self)))


class TrainedOn(TrainingSet):
    """A training set, shown as how many labels found features."""

    @staticmethod
    def of(made: TrainingSet) -> TrainedOn:
        return TrainedOn(made.lake, made.rows, made.time, made.sources)

    def __repr__(self) -> str:
        return "\n".join(said_of_labels(self))

    def _repr_html_(self) -> str:
        return "".join(map(_line, said_of_labels(self)))


def _line(text: str) -> str:
    """A text as a paragraph."""
    return Grid((), (), empty=text)._repr_html_()


class OpenSuite:
    """A suite opened on its lake. What others publish meanwhile is seen by the next call."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def spark(self) -> SparkSession:
        """The session in use."""
        return self._app.spark

    @property
    def lake(self) -> str:
        """Where the tables are."""
        return self._app.suite.environment.lake

    @property
    def name(self) -> str:
        return self._app.suite.name

    @property
    def tables(self) -> list[str]:
        """The tables, dependencies first."""
        return list(self._app.suite.tables)

    def _now(self) -> App:
        """The suite on its lake as it stands now."""
        self._app = App(self._app.suite, self._app.spark)
        return self._app

    def table(self, name: str, as_of: str | None = None) -> DataFrame:
        """A table's rows; with `as_of`, as they were published by the end of that window."""
        return self._app.table(name, as_of=as_of)

    def graph(self, name: str, as_of: str | None = None) -> tuple[DataFrame, DataFrame]:
        """The vertices (`id`) and edges (`src dst weight`) of a feature table that is a graph.

        As of the end of a window, or as of the newest.
        """
        return self._app.graph(name, as_of)

    def training_set(
        self,
        labels: DataFrame | str,
        *tables: str,
        time: str = "time",
        within: str | Sequence[str] = (),
    ) -> TrainedOn:
        """Labels with the features of their own time: `rows`, `met`, `leaks()`.

        `labels` are rows, a table or a file, with the columns that the tables know entities by.
        `within` is how old features may be: `"7 days"`, or for one table `"features.a=2 days"`.
        """
        limits = [within] if isinstance(within, str) else within
        return TrainedOn.of(self._now().training_set(labels, tables, time, limits))

    def run(self, *what: str, window: str | None = None, **how: Any) -> RunResult:
        """Run what is due, or a window: takes `force`, `rebuild`, `waive`, `because`, too."""
        if isinstance(how.get("waive"), str):
            how["waive"] = [how["waive"]]
        return RunResult.of(self._now().run(what, window=window, **how))

    def preview(
        self,
        name: str,
        window: str | None = None,
        *,
        quality: Sequence[Any] | None = None,
        upto: str | None = None,
    ) -> Seen:
        """What would be written and rejected: `accepted`, `rejected`, `rows`. Writes nothing.

        `quality` stands in for the table's rules, written as in its file. `upto` stops after the
        last step of that name: later steps, the key and the table's rules do not apply.
        """
        return Seen.of(self._now().preview(name, window, quality=quality, upto=upto))

    def verify(self, name: str, window: str | None = None) -> Verified:
        """A table made anew from what its runs read, and compared. Writes nothing."""
        return self._now().verify(name, window)

    def diff(self, name: str, window: str | None = None, *, against: str = "HEAD") -> Compared:
        """What this configuration does to a window's rows, against that of a git revision."""
        app = self._now()
        with at_revision(app.suite, against) as then:
            return Compared.of(app.diff(name, window, then))

    def why(self, name: str, where: str, window: str | None = None) -> Followed:
        """What became of the rows that a SQL condition means, from their file on."""
        typed = condition_typed(where, "where")
        return Followed.of(self._now().why(name, typed, window))

    def try_rule(
        self,
        name: str,
        rule: str | Mapping[str, Any],
        window: str | None = None,
        *,
        severity: str | None = None,
    ) -> Tried:
        """What a rule would have done to past windows; a text or a mapping as under `quality:`."""
        text = rule if isinstance(rule, str) else json.dumps(rule, default=str)
        conf = self._app.suite.conf
        return Tried.of(self._now().try_rule(name, rule_typed(text, conf, severity), window))

    def suggest(self, name: str) -> Grid:
        """Rules that the published rows speak for: each as it is written, with its evidence."""
        seen, proposals = self._now().suggest(name)
        return suggested_sheet(name, seen, proposals)

    def profile(self, name: str, window: str | None = None, *, as_of: str | None = None) -> Grid:
        """What each column of the published rows looks like, a line a column."""
        return profile_sheet(self._now().profile(name, window, as_of=as_of))

    def quarantine(self, name: str) -> DataFrame:
        """A table's rejected rows with their own typed columns, why, and where they are from."""
        return self._now().quarantine(name)

    def replay(
        self,
        name: str,
        repaired: DataFrame | str | Path | None = None,
        *,
        window: str | None = None,
        reason: str | None = None,
    ) -> RunResult:
        """Rejected rows once more: repaired ones, or as they are under what has changed since.

        `repaired` is a file as `headgate quarantine export` writes it, or what `quarantine` returns
        with other values in it. Without it `window` and `reason` may narrow what is meant.
        """
        app = self._now()
        given = None
        if isinstance(repaired, str | Path):
            given = given_at(app.spark, str(repaired))
        elif repaired is not None:
            given = given_in(repaired)
        return RunResult.of(app.replay(name, given, window=window, reason=reason)[0])

    def revealed(self, name: str) -> DataFrame:
        """A table with its tokens and encrypted texts as they were, for who has vault and keys."""
        return self._now().revealed(name)

    def erase(self, name: str, where: str, *, yes: bool = False, raw: Raw = "rewrite") -> Erased:
        """The plan of an erasure; with `yes` it is carried out and proved."""
        typed = condition_typed(where, "where")
        return Erased.of(self._now().erase(name, typed, Wish(yes=yes, raw=raw)))

    def subject(self, name: str, where: str) -> Held:
        """What is held on the people whom a condition means: rows, by place."""
        return self._now().subject(name, condition_typed(where, "where"))

    def plan(
        self, *what: str, window: str | None = None, force: bool = False, rebuild: bool = False
    ) -> Grid:
        """What `run` would do, and why."""
        lines = self._now().plan(what, window=window, force=force, rebuild=rebuild)
        return sheets.plan_sheet(lines)

    def status(self, *what: str) -> Grid:
        """Where each table stands."""
        return sheets.status_sheet(self._now().status(what))

    def runs(self, *what: str, rows: int = 20) -> Grid:
        """History, newest first."""
        found = self._now().runs(what)
        return sheets.runs_sheet(found[:rows], len(found))

    def data_docs(self, folder: str | Path | None = None, *, runs: int = RUNS) -> Path:
        """Write great-expectations' Data Docs about the newest runs of each table.

        The page to open; without `folder` the site goes to `data-docs` beside the lake.
        """
        app = self._now()
        beside = target(None, app.suite.environment.lake).parent / FOLDER
        return built(app, Path(folder) if folder else beside, runs)

    def __repr__(self) -> str:
        suite = self._app.suite
        return f"OpenSuite({suite.name}, {len(suite.tables)} tables, {suite.environment.lake})"


def open_suite(conf: str = "conf", *, env: str = "local", **overrides: Any) -> OpenSuite:
    """Open a suite; `raw`, `lake` and other keys of the environment can be given by name."""
    places = {key: str(value) for key, value in overrides.items()}
    return OpenSuite(opened(conf, env=env, overrides=places))
