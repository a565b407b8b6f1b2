"""What a call names, understood before Spark starts: a slip of the pen costs no ten seconds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headgate.conf import read_suite
from headgate.core.errors import Usage
from headgate.core.selection import named_windows, refuse_before_since, selected
from headgate.core.spec import Suite

if TYPE_CHECKING:
    from headgate.app import App


def understood(
    arguments: argparse.Namespace, what: Sequence[str] = (), layer: str | None = None
) -> Suite:
    """The suite, when it has the tables, the windows and the rules that the call names."""
    suite = read_suite(arguments.conf, env=arguments.env, overrides=arguments.overrides)
    names = selected(suite.tables, what, layer)
    if getattr(arguments, "window", None):
        today = suite.window.of(suite.now())
        named_windows(arguments.window, suite.window, today, suite.timezone)
        if hasattr(arguments, "rebuild"):  # it runs them, or plans to
            refuse_before_since(suite.tables, names, arguments.window, suite.window)
    if getattr(arguments, "rows", 0) < 0:
        raise Usage("--rows takes a number from 0", next="--rows 20")
    if getattr(arguments, "waive", None):
        from headgate.app import refuse_unknown_rules

        refuse_unknown_rules([suite.tables[name] for name in names], arguments.waive)
    return suite


def refuse_without_keys(suite: Suite, names: Sequence[str]) -> None:
    """A key that is missing or wrong is told before Spark starts."""
    from headgate.storage.keys import lacking

    if wrong := lacking(suite, names):
        raise wrong[0]


def on_its_lake(suite: Suite) -> App:
    """The suite with a session."""
    from headgate.app import App
    from headgate.storage.suite_session import session_for

    return App(suite, session_for(suite))
