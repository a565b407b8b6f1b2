"""Commands that look and change nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headgate.core.records import RunRecord
from headgate.doors import sheets
from headgate.doors.opening import on_its_lake, understood
from headgate.doors.progress import Progress
from headgate.doors.tables import Grid, grid
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from headgate.app import App

EXAMPLES = 5  # of the rows that a run rejected


def opened(arguments: argparse.Namespace, what: Sequence[str] = ()) -> App:
    """The suite on its lake; a misspelt table or window is told before Spark starts."""
    suite = understood(arguments, what)
    with Progress(quiet=arguments.json):
        return on_its_lake(suite)


def _say(arguments: argparse.Namespace, *texts: Any) -> None:
    if not arguments.json:
        print("\n\n".join(str(text) for text in texts))


def _answer(app: App, **more: Any) -> Answer:
    return {"suite": app.suite.name, "exit_code": 0, **more}, 0


def plan(arguments: argparse.Namespace) -> Answer:
    """What `run` would do, and why."""
    app = opened(arguments, arguments.what)
    lines = app.plan(
        arguments.what, window=arguments.window, force=arguments.force, rebuild=arguments.rebuild
    )
    _say(arguments, sheets.plan_sheet(lines))
    return _answer(app, plan=[dict(vars(line)) for line in lines])


def status(arguments: argparse.Namespace) -> Answer:
    """A line a table."""
    app = opened(arguments, arguments.what)
    found = app.status(arguments.what)
    _say(arguments, sheets.status_sheet(found))
    return _answer(app, tables=[{**vars(one), "windows": list(one.windows)} for one in found])


def preview(arguments: argparse.Namespace) -> Answer:
    """What would be written and rejected."""
    app = opened(arguments, [arguments.table])
    seen = app.preview(arguments.table, arguments.window)
    rows, good = seen.rows, seen.rows.written + seen.rows.withheld
    accepted = texts(seen.accepted, arguments.rows if good else 0)
    rejected = texts(seen.rejected, arguments.rows if rows.quarantined else 0)
    _say(
        arguments,
        sheets.preview_line(seen),
        *([sheets.why_sheet(seen)] if any(one.reasons for one in seen.slices) else []),
        rows_sheet(accepted, f"accepted: {_of(accepted, good)}"),
        rows_sheet(rejected, f"rejected: {_of(rejected, rows.quarantined)}"),
    )
    return _answer(
        app,
        table=seen.table,
        windows=[one.window for one in seen.slices],
        status=seen.status,
        message=seen.message,
        rows=dict(vars(rows)),
        slices=[_slice(one) for one in seen.slices],
        accepted=[json.loads(text) for text in accepted],
        rejected=[json.loads(text) for text in rejected],
    )


def _slice(one: Any) -> dict[str, Any]:
    return {
        "window": one.window,
        "status": one.status,
        "rows": dict(vars(one.rows)),
        "gate": dict(vars(one.verdict.gate)),
        "message": one.verdict.message,
        "reasons": dict(one.reasons),
    }


def _of(shown: Sequence[str], total: int) -> str:
    return f"{total:,} rows" if len(shown) == total else f"{len(shown):,} of {total:,} rows"


def texts(df: DataFrame, most: int) -> list[str]:
    """The first rows, each as JSON."""
    if not most:
        return []
    from pyspark.sql import functions as F

    names = [F.col(f"`{name}`") for name in df.columns]
    text = F.to_json(F.struct(*names), {"ignoreNullFields": "false"})
    return [row[0] for row in df.limit(most).select(text).collect()]


def rows_sheet(rows: Sequence[str], title: str) -> Grid:
    """Rows of a table as they are written, whoever they are of: no separators in their numbers."""
    read = [json.loads(text, parse_float=str, parse_int=str) for text in rows]
    names = list(read[0]) if read else []
    last = [name for name in ("_file", "_row", "_reasons", "_record") if name in names]
    used = [name for name in names if not name.startswith("_")] + last
    used = [name for name in used if any(row[name] is not None for row in read)]
    return grid(read, used, title=title, empty="")


def runs(arguments: argparse.Namespace) -> Answer:
    """History, newest first."""
    app = opened(arguments, arguments.what)
    found = app.runs(arguments.what)
    shown = found[: arguments.rows]
    _say(arguments, sheets.runs_sheet(shown, len(found)))
    return _answer(app, total=len(found), runs=[sheets.run_line(record) for record in shown])


def show(arguments: argparse.Namespace) -> Answer:
    """One run whole."""
    app = opened(arguments)
    record = app.run_named(arguments.run_id)
    checks = app.lake.records.checks(record.run)
    then = next_commands(record)
    from headgate.stages import rejected
    from headgate.stages.dismissing import deviations_of

    examples = rejected.examples_of(app.lake, record, EXAMPLES)
    table = app.suite.tables.get(record.table)
    drifted = deviations_of(app.lake, record) if table is not None and table.drift else []
    _say(
        arguments,
        sheets.facts_sheet(record),
        sheets.checks_sheet(checks),
        *([sheets.drift_sheet(drifted)] if drifted else []),
        *([sheets.examples_sheet(examples, record.rows.quarantined)] if examples else []),
        "\n".join(["Next:", *(f"  {command}" for command in then)]),
    )
    whole = {
        **sheets.run_line(record),
        "inputs": dict(record.inputs),
        "checks": checks,
        "drift": [sheets.drift_line(one) for one in drifted],
        "examples": examples,
        "next": then,
    }
    return _answer(app, run=whole)


def next_commands(record: RunRecord) -> list[str]:
    """What a person may want to type after having seen a run."""
    place = f"{record.table} --window {record.window}"
    kept = [f"headgate quarantine show {record.table}"] if record.rows.quarantined else []
    if record.status == "published":
        return [*kept, f"headgate undo {place}"]
    again = f"headgate run {place}"
    if record.exit_code == 10:
        waived = f"{again} --waive RULE --because 'why it may pass'"
        return [*kept, f"headgate preview {place}", waived]
    return [*kept, again]


def quarantine(arguments: argparse.Namespace) -> Answer:
    """Rejected rows: counted, or themselves."""
    app = opened(arguments, arguments.what)
    names = app.selected(arguments.what)
    from headgate.stages import rejected

    if arguments.action == "list":
        counts = rejected.counted(app.lake, names)
        _say(arguments, sheets.counts_sheet(counts))
        return _answer(app, quarantine=counts)
    rows = rejected.listed(app.lake, names, arguments.rows)
    total = len(rows) if len(rows) < arguments.rows else rejected.total(app.lake, names)
    _say(arguments, sheets.rejected_sheet(rows, total))
    return _answer(app, total=total, rows=rows)
