"""The `diff` command: what a change of configuration does to rows, for a pull request."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from headgate.core.errors import Usage
from headgate.doors.markdown import code, table, text, value
from headgate.doors.opening import on_its_lake, understood
from headgate.doors.progress import Progress
from headgate.doors.sheets import FATES, span
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.stages.difference import Difference, Example, Side

_COLUMNS = 8  # of a row that is shown whole


def diff(arguments: argparse.Namespace) -> Answer:
    """`headgate diff`: the other revision is read and checked before Spark starts."""
    if not arguments.window:
        raise Usage("a diff needs a window", next=f"headgate diff {arguments.table} --window W")
    suite = understood(arguments, [arguments.table])
    from headgate.stages.earlier import at_revision

    with at_revision(suite, arguments.against) as then:
        with Progress(quiet=arguments.json):
            app = on_its_lake(suite)
        found = app.diff(arguments.table, arguments.window, then)
    if not arguments.json:
        print("\n".join(markdown(found)))
    return {"suite": app.suite.name, "exit_code": 0, **plain(found)}, 0


def markdown(found: Difference) -> list[str]:
    """The whole comment."""
    against = f"{code(found.revision)} ({found.commit[:10]})"
    told = [f"### {code(found.table)} {span(found.windows)}: this configuration against {against}"]
    told += ["", text_of_change(found)]
    if not found.nothing:
        parts = (_counts(found), _gates(found), _rules(found), _schema(found), _columns(found))
        for part in (*parts, _examples(found)):
            told += ["", *part] if part else []
    note = (
        "Both sides are worked out from the inputs as they are published now. Nothing is written."
    )
    return [*told, "", f"<sub>{note}</sub>"]


def text_of_change(found: Difference) -> str:
    """What the change does, in a sentence or two."""
    rows = found.rows
    if found.before is None:
        said = f"**A new table**: {rows.new:,} rows would be written."
    elif found.before.error or found.after.error:
        side, error = ("before", found.before.error) if found.before.error else (
            "now", found.after.error)  # fmt: skip
        said = f"**No rows {side}**: {text(error)}"
    elif found.nothing:
        return "**Nothing changes**: the same rows, the same counts, the same word of the gate."
    else:
        same = found.after.accepted - rows.new - rows.changed
        said = (
            f"**{rows.new:,} rows new, {rows.gone:,} gone, {rows.changed:,} changed**, "
            f"{same:,} the same."
        )
    closed = [one.window for one in found.after.slices if one.verdict.closed]
    return f"{said} **The gate closes on {span(closed)}.**" if closed else said


def _counts(found: Difference) -> list[str]:
    """The fate of every row, on both sides."""
    lines = [
        (name, getattr(before, name), getattr(after, name))
        for before, after in [(_rows(found.before), _rows(found.after))]
        for name in FATES
    ]
    used = [line for line in lines if line[1] or line[2] or line[0] in ("read", "written")]
    old, new = (side.changes if side else {} for side in (found.before, found.after))
    why = [(f"… {text(name)}", old.get(name, 0), new.get(name, 0)) for name in {**old, **new}]
    return _sides("rows", [*used, *why])


def _rows(side: Side | None) -> Any:
    from headgate.core.results import Rows

    return side.rows if side else Rows()


def _sides(head: str, lines: list[tuple[str, int, int]]) -> list[str]:
    shown = [(name, f"{old:,}", f"{new:,}", _step(new - old)) for name, old, new in lines]
    return table((head, "before", "after", "change"), shown, 3)


def _step(by: int) -> str:
    return f"{by:+,}" if by else ""


def _gates(found: Difference) -> list[str]:
    """What the gate says of each window, where it says otherwise or closes."""
    old = {one.window: one for one in found.before.slices} if found.before else {}
    new = {one.window: one for one in found.after.slices}
    lines = []
    for window in found.windows:
        before, after = _word(old.get(window)), _word(new.get(window))
        if before != after or "closes" in after:
            lines.append((window, before, after))
    return table(("gate", "before", "after"), lines) if lines else []


def _word(one: Any) -> str:
    if one is None:
        return "-"
    if one.verdict.closed:
        return f"closes: {text(one.verdict.message)}"
    warned = "; ".join(one.verdict.warnings)
    return f"open; warns: {text(warned)}" if warned else "open"


def _rules(found: Difference) -> list[str]:
    """Rejected rows by rule."""
    old, new = (side.rejected if side else {} for side in (found.before, found.after))
    lines = [(code(rule), old.get(rule, 0), new.get(rule, 0)) for rule in {**old, **new}]
    return _sides("quarantined by", lines) if lines else []


def _schema(found: Difference) -> list[str]:
    """Columns that are new, gone, or of another type."""
    lines = [(code(name), old, new) for name, old, new in _types(found)]
    return table(("column", "type before", "type after"), lines) if lines else []


def _types(found: Difference) -> Iterator[tuple[str, str, str]]:
    if found.before is None or found.before.error or found.after.error:
        return
    old, new = found.before.columns, found.after.columns
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            yield name, old.get(name, "-"), new.get(name, "-")


def _columns(found: Difference) -> list[str]:
    """How many rows differ in each column."""
    if not found.rows.columns:
        return []
    by = ", ".join(code(name) for name in found.rows.by)
    listed = sorted(found.rows.columns.items(), key=lambda one: -one[1])
    lines = [(code(name), f"{count:,}") for name, count in listed]
    return [f"Rows are matched by {by}.", "", *table(("changed column", "rows"), lines, 1)]


def _examples(found: Difference) -> list[str]:
    """A few rows of each kind."""
    if not found.rows.examples:
        return []
    single = len(found.windows) == 1
    lines = [
        (one.what, _values(one.row, single), "<br>".join(_change(one)))
        for one in found.rows.examples
    ]
    shown = table(("", "row", "before → after"), lines)
    return ["<details><summary>Examples</summary>", "", *shown, "", "</details>"]


def _values(row: Mapping[str, Any], single: bool) -> str:
    told = {name: one for name, one in row.items() if not (single and name == "_window")}
    shown = [f"{text(name)} {value(one)}" for name, one in list(told.items())[:_COLUMNS]]
    return ", ".join([*shown, *(["…"] if len(told) > _COLUMNS else [])])


def _change(one: Example) -> list[str]:
    pairs = list(one.values.items())
    told = [f"{text(name)} {value(old)} → {value(new)}" for name, (old, new) in pairs[:_COLUMNS]]
    return [*told, *(["…"] if len(pairs) > _COLUMNS else [])]


def plain(found: Difference) -> dict[str, Any]:
    """The same for programs."""
    rows = found.rows
    return {
        "table": found.table,
        "windows": list(found.windows),
        "against": {"revision": found.revision, "commit": found.commit},
        "new_table": found.before is None,
        "nothing": found.nothing,
        "before": _plain(found.before) if found.before else None,
        "after": _plain(found.after),
        "schema": [{"column": n, "before": old, "after": new} for n, old, new in _types(found)],
        "rows": {
            "matched_by": list(rows.by),
            "new": rows.new,
            "gone": rows.gone,
            "changed": rows.changed,
            "columns": dict(rows.columns),
            "examples": [vars(one) for one in rows.examples],
        },
    }


def _plain(side: Side) -> dict[str, Any]:
    return {
        "error": side.error,
        "rows": dict(vars(side.rows)),
        "reasons": side.changes,
        "quarantined": dict(side.rejected),
        "gate": [
            {
                "window": one.window,
                "status": one.status,
                **vars(one.verdict.gate),
                "closed_by": [check.rule for check in one.verdict.checks if check.closed],
                "message": one.verdict.message,
                "warnings": list(one.verdict.warnings),
            }
            for one in side.slices
        ],
    }
