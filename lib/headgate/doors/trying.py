"""The `rule` command: what a rule would have done, before it is written down."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from headgate.conf.typed import rule_typed
from headgate.core.labels import MAX_REJECTED
from headgate.doors.looking import opened
from headgate.doors.sheets import span
from headgate.doors.tables import Grid, grid
from headgate.doors.words import Answer
from headgate.quality.wording import share

if TYPE_CHECKING:
    from headgate.stages.trying import Trial, TriedWindow


def rule(arguments: argparse.Namespace) -> Answer:
    """`headgate rule try`: the rule is understood before Spark starts."""
    typed = rule_typed(arguments.rule, arguments.conf, arguments.severity)
    app = opened(arguments, [arguments.table])
    trial = app.try_rule(arguments.table, typed, arguments.window)
    if not arguments.json:
        print(f"{trial_sheet(trial)}\n\n{total_line(trial)}\n{next_line(trial)}")
    return {"suite": app.suite.name, "exit_code": 0, **plain(trial)}, 0


def trial_sheet(trial: Trial) -> Grid:
    """A line a window."""
    rows = [_line(one) for one in trial.windows]
    columns = ["window", "was", "judged", "broken", "share", "rejected", "observed", "gate"]
    used = [name for name in columns if any(row[name] is not None for row in rows)]
    unread = [f"{window} cannot be read: {why}" for window, why in trial.unread.items()]
    title = f"{trial.table.name}: {trial.rule.written} ({trial.rule.severity})"
    return grid(rows, used, title=title, empty="no window", note="\n".join(unread))


def _line(one: TriedWindow) -> dict[str, Any]:
    counted = one.broken is not None
    told = one.check.observed if one.check.found is None else one.check.found
    because = f" ({MAX_REJECTED})" if one.because == MAX_REJECTED else ""
    return {
        "window": one.window,
        "was": one.then,
        "judged": one.judged,
        "broken": one.broken,
        "share": share(one.broken or 0, one.judged) if counted else None,
        "rejected": one.rejected if counted else None,
        "observed": told,
        "gate": f"{one.ends}{because}",
    }


def total_line(trial: Trial) -> str:
    """All windows together, in a sentence."""
    windows = f"{len(trial.windows):,} window{'' if len(trial.windows) == 1 else 's'}"
    if trial.broken is None:
        kept = f"does not hold on {trial.fails:,} of {windows}, {trial.judged:,} rows"
    else:
        part = share(trial.broken, trial.judged)
        kept = f"broken by {trial.broken:,} of {trial.judged:,} rows ({part}) in {windows}"
        kept += f", {trial.rejected:,} more rows rejected" if trial.rejected else ""
    closed = f"closed on {span(trial.closes)}" if trial.closes else "closed on none"
    return f"total: {kept}; the gate would have {closed}"


def next_line(trial: Trial) -> str:
    """What to type next."""
    place = trial.table.file or trial.table.name
    if not trial.closes:
        return f"Next: write it under `quality:` in {place}"
    return (
        "Next: try it with other bounds, with mostly, or with --severity warning; "
        f"or write it with a `since` under `quality:` in {place}"
    )


def plain(trial: Trial) -> dict[str, Any]:
    """The same numbers for programs."""
    return {
        "table": trial.table.name,
        "rule": trial.rule.written,
        "severity": trial.rule.severity,
        "windows": [
            {
                "window": one.window,
                "was": one.then,
                "rows": one.rows,
                "judged": one.judged,
                "broken": one.broken,
                "share": _part(one.broken, one.judged),
                "rejected": one.rejected,
                "observed": one.check.observed,
                "found": one.check.found,
                "success": one.check.success,
                "gate": one.ends,
                "because": one.because or None,
            }
            for one in trial.windows
        ],
        "unread": dict(trial.unread),
        "total": {
            "windows": len(trial.windows),
            "judged": trial.judged,
            "broken": trial.broken,
            "share": _part(trial.broken, trial.judged),
            "rejected": trial.rejected,
            "fails": trial.fails,
            "closes": list(trial.closes),
        },
    }


def _part(broken: int | None, judged: int) -> float | None:
    return None if broken is None else round(broken / judged, 6) if judged else 0.0
