"""What Spark's exceptions say, as plain values: Java's chain of causes, and Python's traceback."""

from __future__ import annotations

import re
import sysconfig
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEPTH = 12
_CONDITION = re.compile(r"org\.apache\.spark\.\S+: \[([A-Z][A-Z0-9_]{3,}(?:\.[A-Z0-9_]+)*)\]")
_FRAME = re.compile(r'^ *(?:\| *)?File "(?P<file>[^"]+)", line (?P<line>\d+), in ')
_RAISED = re.compile(r"^ *(?:\| *)?(?P<kind>[A-Za-z_][\w.]*)(?::|$)")
_NOT_THE_USERS = re.compile(r"[/\\](pyspark|py4j|headgate|cloudpickle)[/\\.]|^<frozen")


@dataclass(frozen=True)
class Cause:
    """One exception of a chain."""

    kind: str  # the Java class
    condition: str = ""  # Spark's or Delta's name for the error
    state: str = ""  # SQLSTATE
    parameters: Mapping[str, str] = field(default_factory=dict)
    text: str = ""  # may quote data: to be looked at, never to be shown
    expression: str = ""  # as written in SQL


@dataclass(frozen=True)
class Raised:
    """A Python exception without its message: what it was and where."""

    kind: str
    file: str = ""
    line: int = 0
    module: str = ""  # which was not found

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


def causes(error: BaseException) -> tuple[Cause, ...]:
    """The Java exceptions behind an error, the outermost first."""
    throwable: Any = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
    if throwable is None:
        return ()
    return tuple(_read(one) for one in _chain(throwable))


def raised(error: BaseException) -> Raised | None:
    """The Python exception that a worker reported, or this one with the user's line."""
    if type(error).__name__ == "PythonException":
        return parsed(str(error))
    frames = [
        (frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)
    ]
    module = str(error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    condition = _asked(error, "getCondition", "getErrorClass")
    kind = f"{type(error).__name__} [{condition}]" if condition else type(error).__name__
    return _with_place(kind, frames, module)


def parsed(text: str) -> Raised | None:
    """The exception of a printed traceback; its message is passed over.

    >>> shown = 'Traceback (most recent call last):\\n  File "a.py", line 2, in f\\nKeyError: 7'
    >>> parsed(shown)
    Raised(kind='KeyError', file='a.py', line=2, module='')
    """
    _, found, last = text.rpartition("Traceback (most recent call last):\n")
    if not found:
        return None
    frames: list[tuple[str, int]] = []
    for line in last.splitlines():
        if frame := _FRAME.match(line):
            frames.append((frame["file"], int(frame["line"])))
        elif frames and not line.startswith("  "):
            kind = _RAISED.match(line)
            module = re.search(r"No module named '([\w.]+)'", line)
            return _with_place(
                kind["kind"].rpartition(".")[2] if kind else "Exception",
                frames,
                module[1] if module else "",
            )
    return None


def _with_place(kind: str, frames: list[tuple[str, int]], module: str) -> Raised:
    theirs = [frame for frame in frames if _is_theirs(frame[0])]
    file, line = (theirs or [("", 0)])[-1]
    return Raised(kind, file, line, module)


def _is_theirs(file: str) -> bool:
    """Whether a frame lies in code of the user, not of a library."""
    if _NOT_THE_USERS.search(file) or "site-packages" in file or "dist-packages" in file:
        return False
    standard = Path(sysconfig.get_paths()["stdlib"])
    return standard not in Path(file).parents


def _chain(throwable: Any) -> Iterator[Any]:
    for _ in range(DEPTH):
        if throwable is None:
            return
        yield throwable
        throwable = throwable.getCause()


def _read(throwable: Any) -> Cause:
    text = str(throwable.getMessage() or "")
    condition = _asked(throwable, "getCondition", "getErrorClass")
    if not condition:
        # A task's own exception may come as text only.
        named = _CONDITION.search(text)
        condition = named[1] if named else ""
    try:
        given: Mapping[str, str] = dict(throwable.getMessageParameters())
    except Exception:
        given = {}
    return Cause(
        kind=str(throwable.getClass().getName()),
        condition=condition,
        state=_asked(throwable, "getSqlState"),
        parameters=given,
        text=text,
        expression=_expression(throwable),
    )


def _asked(throwable: Any, *methods: str) -> str:
    """What the first method says that this version has."""
    for method in methods:
        try:
            return str(getattr(throwable, method)() or "")
        except Exception:  # noqa: S112 - py4j raises its own kinds for a missing method
            continue
    return ""


def _expression(throwable: Any) -> str:
    try:
        fragments = [str(context.fragment()) for context in throwable.getQueryContext()]
    except Exception:
        return ""
    return " ".join((fragments or [""])[0].split())[:120]
