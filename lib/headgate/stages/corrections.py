"""What people repaired of a table: part of what its windows are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.fingerprint import digest
from headgate.core.spec import Table
from headgate.stages.counting import Counter
from headgate.stages.lake import Lake
from headgate.transforms.corrections import CELLS, CORRECTS, FILE, MAP, PLACE, REPAIRS, ROW
from headgate.transforms.hidden import column

CORRECTED = "corrected"  # the point at which corrected rows are counted, and a part of a run
# Keys of a correction: a name for what the record held, and its changed cells.
OF, CHANGED = "of", "row"
WRITTEN = f"{OF} string, {CHANGED} {MAP}"
FEW = 200_000  # corrections that go to every task, so that the window's rows need no shuffle


@dataclass(frozen=True)
class Repaired:
    """The corrections of one window."""

    name: str  # a name for all of them
    records: int


def part(lake: Lake, table: Table, window: str) -> dict[str, str]:
    """What corrections add to what a window is made of; nothing where there are none."""
    found = repaired(lake, table).get(window)
    return {CORRECTED: found.name} if found else {}


def repaired(lake: Lake, table: Table) -> Mapping[str, Repaired]:
    """The corrections of a table by window; looked at once a call."""
    if table.name not in lake.corrected_tables():
        return {}
    if table.name not in lake.repaired:
        lake.repaired[table.name] = _counted(lake, table)
    found: Mapping[str, Repaired] = lake.repaired[table.name]
    return found


def _counted(lake: Lake, table: Table) -> dict[str, Repaired]:
    rows = lake.corrections(table.name).rows()
    if rows is None:
        return {}
    one = F.xxhash64("_file", "_row", "_record", "_at")
    found = rows.groupBy("_window").agg(
        F.sort_array(F.collect_set(one)).alias("names"),
        F.count_distinct("_file", "_row").alias("records"),
    )
    return {
        row["_window"]: Repaired(digest([str(name) for name in row["names"]]), row["records"])
        for row in found.collect()
    }


def repairs_for(lake: Lake, table: Table, windows: Sequence[str]) -> DataFrame | None:
    """The corrections in force of some windows: FILE, ROW and REPAIRS, a row for each record."""
    found = repaired(lake, table)
    count = sum(found[window].records for window in windows if window in found)
    if not count:
        return None
    by_content = in_force(lake, table, F.col("_window").isin(list(windows)))
    if by_content is None:
        return None
    pairs = F.collect_list(F.struct(OF, CELLS))
    place = (F.col("_file").alias(FILE), F.col("_row").alias(ROW))
    rows = by_content.groupBy(*place).agg(F.map_from_entries(pairs).alias(REPAIRS))
    return F.broadcast(rows) if count <= FEW else rows


def in_force(lake: Lake, table: Table, which: Column | None = None) -> DataFrame | None:
    """The newest correction of each record and content: PLACE, OF and CELLS."""
    rows = lake.corrections(table.name).rows()
    if rows is None:
        return None
    rows = rows if which is None else rows.where(which)
    opened = lake.guard(table).opened(rows, "_record") if table.private else rows
    told = opened.select(*PLACE, F.from_json("_record", WRITTEN).alias("told"), "_at")
    known = told.select(*PLACE, f"told.{OF}", F.col(f"told.{CHANGED}").alias(CELLS), "_at")
    known = known.where(F.col(OF).isNotNull())  # what no key opens is in force no more
    newest = F.max_by(F.struct(CELLS), F.col("_at"))  # a map by itself has no order
    return known.groupBy(*PLACE, OF).agg(newest.alias("newest")).select(*PLACE, OF, "newest.*")


def counted(rows: DataFrame, counter: Counter | None) -> DataFrame:
    """The rows without the marks of correction, which are counted as they pass."""
    if CORRECTS not in rows.columns:
        return rows
    if counter is not None:
        code = F.expr(counter.slices.code())
        rows = counter.point(rows, CORRECTED, {"rows": F.when(column(CORRECTS).isNotNull(), code)})
    return rows.drop(CORRECTS)


def stale(expected: int, fitted: int) -> str | None:
    """What is told of corrections that no row is read by."""
    count = expected - fitted
    if count <= 0:
        return None
    said = "correction belongs" if count == 1 else "corrections belong"
    return f"{count:,} {said} to a record that holds something else now, or fits no more"
