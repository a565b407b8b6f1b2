"""Which records of files a SQL condition means, wherever they have come to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import HeadgateError, Usage
from headgate.core.lives import Origin
from headgate.core.policy import waived_by
from headgate.core.spec import Clean, Ingested, Suite, Table
from headgate.stages import clean, rejected
from headgate.stages.flow import marked
from headgate.stages.ingest import batch_of
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of, under_policy
from headgate.stages.preview import Looking
from headgate.stages.runner import MOST_APART
from headgate.stages.work import Due, Work
from headgate.storage.faults import classify
from headgate.storage.session import ANSI
from headgate.transforms.hidden import column

CARRIED = ("_window", "_file", "_row")  # what a row is known by


@dataclass
class Search:
    """A condition, tried on one place after the other."""

    where: str
    windows: tuple[str, ...] | None
    places: list[DataFrame] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    refused: list[HeadgateError] = field(default_factory=list)

    def look(self, rows: DataFrame | None, place: str) -> None:
        """Look among some rows; a condition on columns that are not there is no fault yet."""
        if rows is None or not set(CARRIED) <= set(rows.columns):
            return
        if self.windows is not None:
            rows = rows.where(column("_window").isin(list(self.windows)))
        try:
            found = _lenient(rows, self.where).select(*CARRIED)
        except Exception as error:
            told = classify(error)
            if not (isinstance(told, Usage) and told.what.startswith("unknown column")):
                raise told from None
            self.refused.append(told)
            return
        self.places.append(found)
        self.looked.append(place)

    def found(self, most: int) -> tuple[list[Origin], int]:
        """Some of the records, and how many there are: one job, and one more where it is many."""
        if not self.places:
            raise self.refused[-1] if self.refused else Usage("there is nothing to look at yet")
        every = reduce(DataFrame.unionByName, self.places).where("_file IS NOT NULL")
        one = every.groupBy("_file", "_row").agg(F.min("_window").alias("_window"))
        shown = one.orderBy(F.col("_window").desc(), "_file", "_row").limit(most + 1).collect()
        origins = [Origin(row["_window"], row["_file"], int(row["_row"] or 0)) for row in shown]
        total = len(shown) if len(shown) <= most else one.count()
        return sorted(origins[:most]), total


def chain(suite: Suite, table: Table) -> list[Table]:
    """The tables that a row passes on its way to one, the ingested one first."""
    way = [table]
    while isinstance(way[0], Clean):
        way.insert(0, suite.tables[clean.main_input(way[0])])
    if not isinstance(way[0], Ingested):
        reads = sorted(way[0].inputs)
        raise Usage(
            f"{way[0].name} is made of groups of rows: none of them has a life of its own",
            where=table.name if len(way) > 1 else "",
            next=f"headgate why {reads[0]} --where CONDITION" if reads else "headgate status",
        )
    return way


def search(lake: Lake, way: Sequence[Table], where: str, windows: Sequence[str] | None) -> Search:
    """The condition on all tables of a way: on what they hold, rejected, and held back."""
    made = Search(where, tuple(windows) if windows is not None else None)
    for table in way:
        name = table.name
        if lake.version(name) is not None:
            made.look(lake.delta(name).read(), name)
        if lake.quarantine(name).exists():
            kept = rejected.typed(lake, table).where("_state <> 'superseded'")
            made.look(kept, f"the quarantine of {name}")
        try:
            work = _flow(lake, table, made.windows)
            rows = marked(work, None)[0] if work is not None else None
        except Exception as error:  # steps that do not run hide no row that lies somewhere
            told = classify(error)
            made.looked.append(f"not the rows that {name} would make now: {told.what}")
            continue
        if work is not None:
            what = "raw files" if isinstance(table, Ingested) else "rows after the steps"
            made.look(rows, f"the {what} of {name}, {_windows(work)}")
    return made


def _windows(work: Work) -> str:
    names = sorted(work.slices.names)
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def _flow(lake: Lake, table: Table, windows: Sequence[str] | None) -> Work | None:
    """The windows whose rows have to be made anew to be looked at."""
    if isinstance(table, Ingested):
        names = list(windows) if windows is not None else lake.history.blocked(table.name)
        names = [one for one in names if one in batch_of(Looking.at(lake), table, names).windows]
    else:
        assert isinstance(table, Clean)
        there = sorted(clean.input_windows(lake, table))
        names = [one for one in there if windows is None or one in windows]
    return work_on(lake, table, names)


def work_on(lake: Lake, table: Table, names: Sequence[str]) -> Work | None:
    """The work on some windows, as many as share a plan; None where none can be read."""
    if not names or not all(lake.version(one) is not None for one in table.inputs):
        return None
    due, now = [Due(name, "looked at", "") for name in names], under_policy(lake, table, max(names))
    work = replace(layer_of(now).work(Looking.at(lake), now, due), waived=waived_by(now))
    if not work.together:
        work = work.only(sorted(work.slices.names)[-MOST_APART:])
    return work if work.slices.names else None


def _lenient(rows: DataFrame, where: str) -> DataFrame:
    """The rows for which a condition is true; where it cannot be judged, it is not.

    Spark resolves a condition when it is given, casts included, so the setting holds for it alone.
    """
    conf = rows.sparkSession.conf
    before = conf.get(ANSI)
    conf.set(ANSI, "false")
    try:
        return rows.where(F.expr(where))
    finally:
        conf.set(ANSI, before or "true")


def among(origins: Sequence[Origin]) -> Column:
    """Whether a row comes from one of these records."""
    windows = column("_window").isin(sorted({one.window for one in origins}))
    tests = [
        (column("_file") == F.lit(one.file))
        & (F.coalesce(column("_row"), F.lit(0)) == F.lit(one.row))
        for one in origins
    ]
    return windows & reduce(lambda left, right: left | right, tests)
