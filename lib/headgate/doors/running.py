"""Commands that publish."""

from __future__ import annotations

import argparse

from headgate.core.errors import Usage
from headgate.core.results import JOBS
from headgate.doors.progress import Progress
from headgate.doors.words import Answer


def run(arguments: argparse.Namespace) -> Answer:
    """`run` and the four jobs."""
    from headgate.app import opened

    if arguments.waive and not arguments.because:
        raise Usage("a waived rule needs a reason", next="--because 'why this may pass'")
    with Progress(quiet=arguments.json) as progress:
        app = opened(arguments.conf, env=arguments.env, overrides=arguments.overrides)
        progress.watch(app.spark)
        result = app.run(
            arguments.what,
            window=arguments.window,
            layer=JOBS.get(arguments.command),
            force=arguments.force,
            waive=arguments.waive,
            because=arguments.because,
            break_lease=arguments.break_lease,
            say=progress.say,
        )
    progress.summary(result)
    return result.shown(), result.exit_code


def undo(arguments: argparse.Namespace) -> Answer:
    """Back to what a window held before."""
    from headgate.app import opened

    if not arguments.window:
        raise Usage("undo needs a window", next=f"headgate undo {arguments.table} --window W")
    with Progress(quiet=arguments.json) as progress:
        app = opened(arguments.conf, env=arguments.env, overrides=arguments.overrides)
        result = app.undo(arguments.table, arguments.window, break_lease=arguments.break_lease)
    progress.summary(result)
    return result.shown(), result.exit_code
