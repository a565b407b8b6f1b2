"""Plans, standings, runs and rejected rows as tables, the same for terminals and notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from headgate.core.records import RunRecord
from headgate.core.results import Result, Rows
from headgate.core.windows import Grain, written
from headgate.doors.tables import Grid, grid

if TYPE_CHECKING:
    from headgate.stages.dismissing import Deviation
    from headgate.stages.planning import Planned
    from headgate.stages.preview import Preview
    from headgate.stages.standing import Standing

FATES = ("read", "added", "written", "quarantined", "deduplicated", "filtered", "withheld")


def plan_sheet(lines: Sequence[Planned]) -> Grid:
    """What would run; neighbouring windows with one reason in a line."""
    rows = []
    for (table, why, runs), group in groupby(lines, key=lambda one: (one.table, one.why, one.runs)):
        windows = [one.window for one in group if one.window]
        does = "run" if runs else "wait"
        rows.append(
            {"table": table, "windows": span(windows), "does": does, "why": _plain_why(why)}
        )
    return grid(rows, ("table", "windows", "does", "why"), empty="nothing is due")


def _plain_why(why: str) -> str:
    """Reasons name files; of many, the first will do."""
    return why if len(why) <= 300 else f"{why[:299]}…"


def span(windows: Sequence[str]) -> str:
    """Windows as a person would write them; whatever is not written as one stays as it is.

    >>> span(["2026-11-01", "2026-11-02", "2026-11-05"]), span(["…"]), span(["2026-11"])
    ('2026-11-01..2026-11-02, 2026-11-05', '…', '2026-11')
    """
    grains = {4: Grain.year, 7: Grain.month, 10: Grain.day, 13: Grain.hour}
    kinds = {len(window) for window in windows}
    if len(kinds) != 1 or not kinds <= set(grains):
        return ", ".join(windows)
    return written(list(windows), grains[kinds.pop()])


def status_sheet(standings: Sequence[Standing]) -> Grid:
    """A line a table."""
    rows = [
        {
            "table": one.table,
            "last good": one.last_good or "-",
            "state": one.state + (f" ({len(one.windows)})" if len(one.windows) > 1 else ""),
            "lag": lag(one),
            "rejected": one.rejected,
            "next": one.next,
        }
        for one in standings
    ]
    return grid(rows, ("table", "last good", "state", "lag", "rejected", "next"))


def lag(one: Standing) -> str:
    """How many whole windows are over since the last good one."""
    if one.behind is None:
        return "-"
    return f"{one.behind}, late" if one.late else str(one.behind)


def run_line(record: RunRecord) -> dict[str, Any]:
    """A run as the result object writes it, with when and why."""
    rows = dict(vars(record.rows))
    if record.job in ("aggregate", "feature-engineer"):
        rows = {"read": record.rows.read, "written": record.rows.written}
    return {
        "run": record.run,
        "job": record.job,
        "table": record.table,
        "window": record.window,
        "status": record.status,
        "rows": rows,
        "gate": dict(vars(record.gate)),
        "version": record.version,
        "seconds": record.seconds,
        "message": record.message,
        "exit_code": record.exit_code,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "causes": record.causes,
    }


def runs_sheet(records: Sequence[RunRecord], total: int) -> Grid:
    """History, newest first."""
    rows = [
        {
            "run": record.run,
            "finished": _moment(record.finished_at),
            "table": record.table,
            "window": record.window,
            "status": record.status,
            "read": record.rows.read,
            "written": record.rows.written,
            "rejected": record.rows.quarantined,
            "seconds": record.seconds,
            "message": record.message or record.causes,
        }
        for record in records
    ]
    more = f"{len(rows):,} of {total:,} runs; --rows shows more" if total > len(rows) else ""
    columns = ("run", "finished", "table", "window", "status", "read", "written", "rejected",
               "seconds", "message")  # fmt: skip
    return grid(rows, columns, empty="no run is on record", note=more)


def _moment(text: str) -> str:
    return text[:19].replace("T", " ")


def facts_sheet(record: RunRecord) -> Grid:
    """What is known of one run, but for its checks."""
    said = {
        "run": record.run,
        "table": record.table,
        "window": record.window,
        "job": record.job,
        "status": record.status,
        "finished": f"{_moment(record.finished_at)} UTC",
        "seconds": f"{record.seconds:,.3g}",
        "rows": fates_line(record.rows),
        "gate": f"{record.gate.rules} rules, {record.gate.failed} closed it, "
        f"{record.gate.warned} warned",
        "version": None if record.version is None else str(record.version),
        "why it ran": record.causes,
        "read": ", ".join(f"{name}@{version}" for name, version in record.inputs.items()),
        "message": record.message,
    }
    rows = [(name, value) for name, value in said.items() if value]
    return Grid(("what", "is"), tuple(rows))


def fates_line(rows: Rows) -> str:
    """The fate of every row in a line.

    >>> fates_line(Rows(read=1000, written=990, quarantined=10))
    '1,000 read, 990 written, 10 quarantined'
    """
    return ", ".join(f"{getattr(rows, n):,} {n}" for n in FATES if getattr(rows, n) or n == "read")


def checks_sheet(checks: Sequence[Mapping[str, Any]]) -> Grid:
    """The rules that were judged, those that closed the gate first."""
    rows = [
        {
            "rule": check["rule"],
            "severity": check["severity"],
            "outcome": "closed the gate" if check["closed"] else _outcome(check),
            "broken": check["unexpected"],
            "judged": check["total"],
            "observed": check.get("found") if check["observed"] is None else check["observed"],
        }
        for check in sorted(checks, key=lambda one: (not one["closed"], one["success"]))
    ]
    columns = ("outcome", "severity", "broken", "judged", "observed", "rule")
    return grid(rows, columns, empty="no rule was judged")


def drift_sheet(found: Sequence[Deviation], **more: str) -> Grid:
    """What was out of line with the past, and what a person said to it."""
    rows = [
        {
            "table": one.record.table,
            "window": one.record.window,
            "run": one.record.run,
            "was": one.record.status,
            "out of line": one.text,
            "dismissed": f"by {one.dismissed.who}: {one.dismissed.because}"
            if one.dismissed else None,
        }
        for one in found
    ]  # fmt: skip
    columns = ("table", "window", "run", "was", "out of line", "dismissed")
    return grid(rows, columns, **{"empty": "nothing is out of line", **more})


def drift_line(one: Deviation) -> dict[str, Any]:
    """The same of one deviation, as JSON shows it."""
    said = one.dismissed
    return {
        "table": one.record.table,
        "window": one.record.window,
        "run": one.record.run,
        "status": one.record.status,
        "column": one.metric.column,
        "metric": one.metric.metric,
        "value": one.metric.value,
        "text": one.text,
        "dismissed": None if said is None
        else {"who": said.who, "at": said.dismissed_at, "because": said.because},
    }  # fmt: skip


def _outcome(check: Mapping[str, Any]) -> str:
    return "passed" if check["success"] else "failed"


def counts_sheet(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Rejected rows, counted."""
    columns = ("table", "window", "state", "rows", "reason")
    return grid(rows, columns, empty="no row is in quarantine")


def rejected_sheet(rows: Sequence[Mapping[str, Any]], total: int) -> Grid:
    """Rejected rows themselves."""
    more = f"{len(rows):,} of {total:,} rows; --rows shows more" if total > len(rows) else ""
    columns = ("table", "window", "state", "file", "row", "reasons", "record")
    return grid(rows, columns, empty="no row is in quarantine", note=more)


def examples_sheet(rows: Sequence[Mapping[str, Any]], total: int) -> Grid:
    """A few rows that one run rejected."""
    title = f"rejected: {len(rows):,} of {total:,} rows"
    return grid(rows, ("file", "row", "reasons", "record"), title=title, empty="")


def result_sheet(result: Result) -> Grid:
    """A line a run of a call."""
    rows = [
        {
            "table": entry.table,
            "window": entry.window,
            "status": entry.status,
            **{name: getattr(entry.rows, name) for name in FATES},
            "message": entry.message,
        }
        for entry in result.runs
    ]
    used = [name for name in FATES if name == "read" or any(row[name] for row in rows)]
    columns = ("table", "window", "status", *used, "message")
    head = f"{result.suite}: {result.status} (exit code {result.exit_code})"
    note = "; ".join(result.errors)
    return grid(rows, columns, empty="nothing was due", title=head, note=note)


def preview_line(seen: Preview) -> str:
    """A preview in one line."""
    ends = "the gate would close: " if seen.status == "blocked" else ""
    head = f"{seen.table} {span([one.window for one in seen.slices])}: {fates_line(seen.rows)}"
    return f"{head}; {ends}{seen.message}" if seen.message else head


def why_sheet(seen: Preview) -> Grid:
    """What the steps of a preview did to the number of rows."""
    rows = [
        {"window": one.window, "rows": count, "because": why}
        for one in seen.slices
        for why, count in one.reasons
    ]
    return grid(rows, ("window", "rows", "because"), empty="no step dropped or added a row")
