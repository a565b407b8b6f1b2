"""The `maintain` command: small files made few, files of older versions removed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headgate.core.errors import HeadgateError, worst
from headgate.core.landing import bytes_told
from headgate.doors.opening import on_its_lake, understood
from headgate.doors.progress import Progress
from headgate.doors.tables import Grid, grid
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.stages.maintaining import Upkept


def maintain(arguments: argparse.Namespace) -> Answer:
    """Do it, or with --dry-run say what it would save."""
    suite = understood(arguments, arguments.what)
    found: list[Upkept] = []
    errors: list[HeadgateError] = []
    how = {"dry_run": arguments.dry_run}
    with Progress(quiet=arguments.json) as progress:
        app = on_its_lake(suite)
        progress.watch(app.spark)
        for name in app.selected(arguments.what):
            try:
                found += app.maintain(name, break_lease=arguments.break_lease, **how)
            except HeadgateError as error:
                errors.append(error)
        if not arguments.what:
            found += app.maintain_records(**how)
    code = worst([error.exit_code for error in errors])
    if not arguments.json:
        print("\n".join([str(sheet(found, dry_run=arguments.dry_run)), *map(str, errors)]))
    return {
        "suite": suite.name,
        "exit_code": code,
        "errors": [error.sentence for error in errors],
        "dry_run": arguments.dry_run,
        "places": [one.plain() for one in found],
    }, code


def sheet(found: Sequence[Upkept], *, dry_run: bool) -> Grid:
    """A line for each folder where something is to be done, or was."""
    busy = [one for one in found if not one.idle]
    rows = [
        {
            "table": one.table if one.place == "table" else f"{one.table} {one.place}",
            "files": one.live.files,
            "size": bytes_told(one.live.bytes),
            "small files": f"{one.small.files:,} to {one.into:,}" if one.into else "",
            "old files": one.old.files or None,
            "freed": bytes_told(one.old.bytes) if one.old.files else "",
        }
        for one in busy
    ]
    columns = ["table", "files", "size", "small files", "old files", "freed"]
    note = told(busy, dry_run=dry_run) if busy else ""
    return grid(rows, columns, empty="nothing to tidy up", note=note)


def told(busy: Sequence[Upkept], *, dry_run: bool) -> str:
    """What it comes to, in a line."""
    small, into = sum(one.small.files for one in busy), sum(one.into for one in busy)
    old, freed = sum(one.old.files for one in busy), sum(one.old.bytes for one in busy)
    said = []
    if small:
        said.append(f"{small:,} small files {'would become' if dry_run else 'became'} {into:,}")
    if old:
        said.append(
            f"{old:,} files that only older versions need {'would go' if dry_run else 'are gone'},"
            f" {bytes_told(freed)}"
        )
    return "; ".join(said) + (". Next: headgate maintain" if dry_run else "")
