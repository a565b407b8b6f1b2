"""The `suggest` command: proposed rules as YAML that can be pasted as it is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from headgate.doors.looking import opened
from headgate.doors.tables import Grid, grid
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.core.spec import Table
    from headgate.quality.portrait import Proposal, Seen


def suggest(arguments: argparse.Namespace) -> Answer:
    """`headgate suggest`: rules that the table does not have, each with its evidence."""
    app = opened(arguments, [arguments.table])
    table = app.named(arguments.table)
    seen, proposals = app.suggest(arguments.table)
    if not arguments.json:
        print("\n".join(lines(table, seen, proposals)))
    return {
        "suite": app.suite.name,
        "exit_code": 0,
        "table": table.name,
        "rows": seen.rows,
        "windows": len(seen.written),
        "quality": [plain(one) for one in proposals],
    }, 0


def lines(table: Table, seen: Seen, proposals: list[Proposal]) -> list[str]:
    """YAML with the evidence above each rule, and nothing that is no YAML."""
    looked = f"# {table.name}: {seen.told()}"
    if not proposals:
        return [looked, "# nothing to suggest: no rule that it does not have speaks for itself"]
    told = [looked, "quality:"]
    for one in proposals:
        told += [f"  # {one.evidence}", f"  - {one.written}"]
    place = table.file or table.name
    then = f"# Next: headgate rule try {table.name} '…' for what one would have done,"
    return [*told, then, f"# then paste those that you believe under `quality:` in {place}"]


def suggested_sheet(name: str, seen: Seen, proposals: list[Proposal]) -> Grid:
    """A line a rule, with its evidence."""
    rows = [{"rule": one.written, "evidence": one.evidence} for one in proposals]
    empty = "no rule that it does not have speaks for itself"
    return grid(rows, ("evidence", "rule"), title=f"{name}: {seen.told()}", empty=empty)


def plain(one: Proposal) -> dict[str, Any]:
    """A rule for programs."""
    return {
        "rule": {one.expectation: dict(one.arguments)},
        "written": one.written,
        "evidence": one.evidence,
    }
