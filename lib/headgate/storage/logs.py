"""What a run does, as one JSON object a line on standard error; nothing of the data."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from datetime import datetime, timezone
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]
LEVELS = ("debug", "info", "warning", "error", "off")
VARIABLE = "HEADGATE_LOG"
LONGEST = 1_000


def log(event: str, *, level: Level = "info", **fields: str | int | float | bool | None) -> None:
    """Write one line, where lines of this level are wanted. Fields hold names and numbers."""
    if LEVELS.index(level) < LEVELS.index(_wanted()):
        return
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    line = {"time": now, "level": level, "event": event} | {
        name: value[:LONGEST] if isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None
    }
    with contextlib.suppress(OSError, ValueError):  # nobody reads it; the run goes on
        sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stderr.flush()


def _wanted() -> str:
    """The level asked for; at a terminal a person reads what the command itself says."""
    asked = os.environ.get(VARIABLE, "").lower()
    asked = {"warn": "warning", "none": "off", "quiet": "off"}.get(asked, asked)
    if asked in LEVELS:
        return asked
    return "off" if sys.stderr is None or sys.stderr.isatty() else "info"
