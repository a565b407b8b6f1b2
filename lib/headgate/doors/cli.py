"""The `headgate` command: reads the words of a call, runs it, and ends with its exit code."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from headgate.core.errors import HeadgateError, Interrupted, Misconfigured, Usage
from headgate.doors.words import COMMANDS, Command, parser_for


class Parser(argparse.ArgumentParser):
    """A parser whose faults are errors like all others."""

    def error(self, message: str) -> NoReturn:
        raise Usage(message, next=f"{self.prog} --help")


def main(argv: Sequence[str] | None = None, *, always_json: bool = False) -> int:
    """Run one command; the exit code says how it ended."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = always_json or "--json" in words
    _end_on_sigterm()
    try:
        command, arguments = _understood(words)
        if command is None:
            return 0
        shown, code = command.run(arguments)
        if as_json:
            print(json.dumps(shown, default=str), flush=True)
        return code
    except KeyboardInterrupt:
        error: HeadgateError = Interrupted(
            "interrupted: the lake is as it was", next="run it again"
        )
        return _ended(error, as_json)
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except HeadgateError as error:
        return _ended(error, as_json)
    except Exception as error:
        from headgate.storage.faults import classify

        if os.environ.get("HEADGATE_DEBUG"):
            raise
        return _ended(classify(error), as_json)


def _understood(words: list[str]) -> tuple[Command | None, argparse.Namespace]:
    parser = parser_for(Parser)
    if not words or words[0] in ("-h", "--help", "help"):
        parser.print_help()
        return None, argparse.Namespace()
    if words[0] == "--version":
        from headgate import __version__

        print(f"headgate {__version__}")
        return None, argparse.Namespace()
    known = {command.name for command in COMMANDS}
    if words[0] not in known and not words[0].startswith("-"):
        raise _unknown(words[0], known)
    try:
        arguments, rest = parser.parse_known_args(words)
    except SystemExit:  # --help of a command
        return None, argparse.Namespace()
    if rest:
        raise _not_taken(rest[0], arguments)
    return next(c for c in COMMANDS if c.name == arguments.command), arguments


def _not_taken(word: str, arguments: argparse.Namespace) -> Usage:
    from difflib import get_close_matches

    named = {"overrides": "set"}
    known = [f"--{named.get(name, name).replace('_', '-')}" for name in vars(arguments)]
    close = get_close_matches(word.partition("=")[0], known, 1, 0.6)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    verb = f"headgate {arguments.command}" if arguments.command else "headgate"
    return Usage(f"unrecognized arguments: {word}{hint}", next=f"{verb} --help")


def _unknown(word: str, known: set[str]) -> Usage:
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1, 0.5)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    return Usage(f"there is no command '{word}'{hint}", next="headgate help")


def _ended(error: HeadgateError, as_json: bool) -> int:
    """Say what is wrong, once: all faults of a configuration, a line each."""
    lines = [error.sentence]
    if isinstance(error, Misconfigured) and len(error.faults) > 1:
        lines = [str(fault) for fault in error.faults]
    for line in lines:
        print(line, file=sys.stderr)
    if len(lines) > 1:
        print(f"{len(lines)} faults Next: {error.next}", file=sys.stderr)
    if as_json:
        shown: dict[str, Any] = {
            "suite": None, "status": "failed", "exit_code": error.exit_code,
            "errors": lines, "runs": [],
        }  # fmt: skip
        print(json.dumps(shown), flush=True)
    return error.exit_code


def _end_on_sigterm() -> None:
    """A scheduler's SIGTERM ends a run as Ctrl-C does: the lease is given back."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # not the main thread: its starter handles signals
        signal.signal(signal.SIGTERM, interrupt)


if __name__ == "__main__":
    raise SystemExit(main())
