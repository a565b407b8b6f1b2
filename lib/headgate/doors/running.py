"""Commands that publish."""

from __future__ import annotations

import argparse

from headgate.core.errors import Usage
from headgate.core.results import JOBS
from headgate.core.selection import selected
from headgate.doors.opening import on_its_lake, refuse_without_keys, understood
from headgate.doors.progress import Progress
from headgate.doors.words import Answer


def run(arguments: argparse.Namespace) -> Answer:
    """`run` and the four jobs."""
    if arguments.waive and not arguments.because:
        raise Usage("a waived rule needs a reason", next="--because 'why this may pass'")
    if arguments.parallel is not None and arguments.parallel < 1:
        raise Usage("--parallel takes a whole number from 1", next="--parallel 2")
    if arguments.max_windows is not None and arguments.max_windows < 1:
        raise Usage("--max-windows takes a whole number from 1", next="--max-windows 30")
    layer = JOBS.get(arguments.command)
    suite = understood(arguments, arguments.what, layer)
    refuse_without_keys(suite, selected(suite.tables, arguments.what, layer))
    with Progress(quiet=arguments.json) as progress:
        app = on_its_lake(suite)
        progress.watch(app.spark)
        result = app.run(
            arguments.what,
            window=arguments.window,
            layer=layer,
            force=arguments.force,
            rebuild=arguments.rebuild,
            parallel=arguments.parallel,
            max_windows=arguments.max_windows,
            waive=arguments.waive,
            because=arguments.because,
            break_lease=arguments.break_lease,
            say=progress.say,
        )
    progress.summary(result)
    return result.shown(), result.exit_code


def undo(arguments: argparse.Namespace) -> Answer:
    """Back to what a window held before."""
    if not arguments.window:
        raise Usage("undo needs a window", next=f"headgate undo {arguments.table} --window W")
    suite = understood(arguments, [arguments.table])
    with Progress(quiet=arguments.json) as progress:
        app = on_its_lake(suite)
        result = app.undo(arguments.table, arguments.window, break_lease=arguments.break_lease)
    progress.summary(result)
    return result.shown(), result.exit_code
