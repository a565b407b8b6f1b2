"""The `profile` command: what the columns of a table look like, a line a column."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from headgate.doors.looking import opened
from headgate.doors.tables import Grid, cut, grid
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.quality.profile import Face, Profile

_COLUMNS = ("column", "type", "null", "different", "least", "median", "most", "spread", "often")
_OFTEN = 3  # of the values that come most often, on a terminal


def profile(arguments: argparse.Namespace) -> Answer:
    """`headgate profile`: types, nulls, different values, quantiles, top values, histogram."""
    app = opened(arguments, [arguments.table])
    seen = app.profile(arguments.table, arguments.window, as_of=arguments.as_of)
    if not arguments.json:
        print(profile_sheet(seen))
        print(f"Next: headgate suggest {seen.table}")
    return {"suite": app.suite.name, "exit_code": 0, **plain(seen)}, 0


def profile_sheet(seen: Profile) -> Grid:
    """A line a column."""
    rows = [_line(one, seen.rows) for one in seen.columns]
    title = f"{seen.table}{f' {seen.of}' if seen.of else ''}: {seen.rows:,} rows"
    said = []
    if any(one.private for one in seen.columns):
        said.append("values of private columns are not shown")
    if not seen.counts_top:
        said.append("the values that come most often are counted from Spark 4.1 on")
    empty = "no row is published there"
    note = "; ".join(said)
    return grid(rows if seen.rows else [], _COLUMNS, title=title, note=note, empty=empty)


def _line(one: Face, rows: int) -> dict[str, Any]:
    often = [f"{cut(value)} ({count:,})" for value, count in one.top[:_OFTEN]]
    length = "{} long" if one.type in ("string", "binary") else "{}"
    return {
        "column": one.name,
        "type": one.type,
        "null": f"{one.nulls / rows:.1%}" if one.nulls else "",
        "different": one.distinct,
        "least": length.format(one.least) if one.least is not None else "",
        "median": one.median or "",
        "most": length.format(one.most) if one.most is not None else "",
        "spread": one.bars.drawn if one.bars else "",
        "often": "(private)" if one.private else often,
    }


def plain(seen: Profile) -> dict[str, Any]:
    """A profile for programs."""
    from headgate.quality.against_past import QUANTILES

    columns = []
    for one in seen.columns:
        shown = {**vars(one), "bars": list(one.bars.rows) if one.bars else None}
        shown["quantiles"] = dict(zip(map(str, QUANTILES), one.quantiles, strict=False))
        shown["top"] = [{"value": value, "rows": count} for value, count in one.top]
        columns.append(shown)
    return {"table": seen.table, "of": seen.of or None, "rows": seen.rows, "columns": columns}
