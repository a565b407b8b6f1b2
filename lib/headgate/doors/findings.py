"""What `headgate doctor` finds: one line each, with what to type where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headgate.core.errors import HeadgateError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    state: State
    said: str
    next: str = ""
    code: int = 0

    @property
    def sentence(self) -> str:
        return f"{self.check}: {self.said}{f' Next: {self.next}' if self.next else ''}"


def fine(check: str, said: str) -> Finding:
    """Nothing to do."""
    return Finding(check, "ok", said)


def warned(check: str, said: str, next: str) -> Finding:
    """A run can work, but somebody should know."""
    return Finding(check, "warn", said, next)


def failed(check: str, error: HeadgateError) -> Finding:
    """A run cannot work."""
    said = f"{error.where}: {error.what}" if error.where else error.what
    return Finding(check, "fail", said, error.next, error.exit_code)
