"""The `verify` command: incremental equals full."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from headgate.conf.forms import share
from headgate.core.errors import HeadgateError, Usage, worst
from headgate.doors.opening import on_its_lake, understood
from headgate.doors.progress import Progress
from headgate.doors.sheets import span
from headgate.doors.tables import grid
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.stages.verifying import Verified

DIFFERENT = 30  # the exit code, as for a fault: nothing but one can make a difference
MOST = 20  # slices shown


def verify(arguments: argparse.Namespace) -> Answer:
    """Make tables anew from what their runs read, and compare."""
    part = _share(arguments.sample)
    suite = understood(arguments, arguments.what)
    with Progress(quiet=arguments.json):
        app = on_its_lake(suite)
    found: list[Verified] = []
    errors: list[HeadgateError] = []
    for name in app.to_verify(arguments.what):
        try:
            one = app.verify(name, arguments.window, share=part)
        except HeadgateError as error:
            errors.append(error)
            if not arguments.json:
                print(f"{name}: {error.sentence}")
            continue
        found.append(one)
        if not arguments.json:
            print(told(one))
    codes = [DIFFERENT] if any(one.different for one in found) else []
    code = worst([*codes, *(error.exit_code for error in errors)])
    return {
        "suite": app.suite.name,
        "exit_code": code,
        "errors": [error.sentence for error in errors],
        "tables": [plain(one) for one in found],
    }, code


def _share(text: str | None) -> float | None:
    try:
        part = None if text is None else share(text)
    except ValueError as error:
        raise Usage(f"--sample {error}", next="--sample 10%") from None
    if part == 0:
        raise Usage("--sample of nothing proves nothing", next="--sample 10%")
    return part


def told(one: Verified) -> str:
    """What came of one table, in words."""
    windows = f"{one.slices:,} window{'' if one.slices == 1 else 's'}"
    lines = []
    if one.different:
        total = len(one.different)
        lines.append(
            f"{one.table}: {total:,} of {windows} DIFFER from what their inputs make. "
            f"Next: headgate run {one.table} --force"
        )
        rows = [
            {"window": d.slice, "rows there": d.there, "rows made": d.made,
             "columns that differ": ", ".join(d.columns)}
            for d in one.different[:MOST]
        ]  # fmt: skip
        more = f"{total - MOST:,} more" if total > MOST else ""
        columns = ["window", "rows there", "rows made", "columns that differ"]
        lines.append(str(grid(rows, columns, empty="", note=more)))
        for title, sample in (
            ("in the table, but made by nothing", one.surplus),
            ("made by the inputs, but not in the table", one.lacking),
        ):
            if sample:
                lines.append(str(grid(list(sample), list(sample[0]), title=title, empty="")))
    elif one.slices:
        lines.append(f"{one.table}: {windows}, {one.rows:,} rows: equal to what their inputs make")
    by_reason: dict[str, list[str]] = {}
    for window, why in one.skipped.items():
        by_reason.setdefault(why, []).append(window)
    for why, windows_ in by_reason.items():
        lines.append(f"{one.table}: not compared {span(windows_)}: {why}")
    return "\n".join(lines)


def plain(one: Verified) -> dict[str, Any]:
    """The same for programs."""
    return {
        "table": one.table,
        "equal": not one.different,
        "windows": one.slices,
        "rows": one.rows,
        "different": [
            {"window": d.slice, "there": d.there, "made": d.made, "columns": list(d.columns)}
            for d in one.different
        ],
        "surplus": [dict(row) for row in one.surplus],
        "lacking": [dict(row) for row in one.lacking],
        "skipped": dict(one.skipped),
    }
