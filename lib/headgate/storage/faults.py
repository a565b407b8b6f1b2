"""Faults of Spark, Delta, the disk and users' code as errors that a person can act on.

Their own messages quote cell values. What is said here is made of names only: of conditions,
types, columns, expressions as written in the configuration, files and lines.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from headgate.core.errors import (
    HeadgateError,
    Infrastructure,
    InputMissing,
    Interrupted,
    ShapeBroken,
    StepFailed,
    Unreadable,
    Usage,
)
from headgate.storage.causes import Cause, Raised, causes, parsed, raised
from headgate.storage.files import unusable
from headgate.storage.meanings import (
    AGAIN,
    CANCELLED,
    CONCURRENT,
    NOTHING_THERE,
    OF_CODE,
    READING,
    STORAGE,
    VALUES,
)

DAMAGED = "the file cannot be read: it is damaged or cut off"
SEE_LOG = "HEADGATE_SPARK_LOG=error shows Spark's own words (they may quote data)"
Chain = tuple[Cause, ...]


def broken_off(error: BaseException) -> bool:
    """Whether a person ended the call, also where putting things right failed thereafter."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, KeyboardInterrupt):
            return True
        link = link.__context__
    return False


def classify(error: BaseException) -> HeadgateError:
    """What happened and what to do about it; never a value of the data."""
    if isinstance(error, HeadgateError):
        return error
    if broken_off(error):
        return Interrupted("interrupted", next=AGAIN)
    if isinstance(error, MemoryError):
        return Infrastructure("Python ran out of memory", next="a machine or container with more")
    if type(error).__module__.startswith("py4j") and not hasattr(error, "java_exception"):
        return _of_gateway(error)
    if chain := causes(error):
        return of_chain(chain)
    if isinstance(error, ConnectionError | EOFError):
        return _of_gateway(error)
    if isinstance(error, OSError) and error.errno is not None:
        return unusable(error, str(error.filename or ""))
    return _of_python(raised(error) or Raised(type(error).__name__), str(error))


def of_storage(error: BaseException) -> HeadgateError | None:
    """What a fault of the storage means, where it is one that is known."""
    found = (_storage(cause) for cause in reversed(causes(error)))
    return next(filter(None, found), None)


def of_chain(chain: Chain) -> HeadgateError:
    """What Java's chain of causes means. The innermost knows best what happened."""
    tellers: tuple[Callable[[Cause], HeadgateError | None], ...] = (
        _concurrent, _value, _python, _storage,
    )  # fmt: skip
    for tell in tellers:
        for cause in reversed(chain):
            if found := tell(cause):
                return found
    if found := _unreadable(chain):
        return found
    for cause in reversed(chain):
        if found := _analysis(cause):
            return found
    inner = chain[-1]
    named = inner.condition or inner.kind.rpartition(".")[2]
    return StepFailed(f"Spark failed with {named}{_in(inner)}", next=SEE_LOG)


def _of_gateway(error: BaseException) -> HeadgateError:
    """py4j's own exceptions: the JVM does not answer, or we asked for what it does not have."""
    if type(error).__name__ == "Py4JError" and "does not exist" in str(error):
        return StepFailed("this Spark lacks something that Headgate calls", next="headgate doctor")
    return Infrastructure(
        "Spark's JVM is gone: it was killed, or ran out of memory",
        next="set spark.driver.memory higher in conf/env, then run again",
    )


def _in(cause: Cause) -> str:
    """The expression, where it is one of SQL; Spark names calls from Python by one word."""
    return f" in '{cause.expression}'" if re.search(r"\W", cause.expression) else ""


def _concurrent(cause: Cause) -> HeadgateError | None:
    if not re.search(CONCURRENT, f"{cause.kind} {cause.condition}"):
        return None
    return Infrastructure("somebody else changed the table at the same moment", next=AGAIN)


def _value(cause: Cause) -> HeadgateError | None:
    """A value of the data did not fit: the condition says how, its parameters would say which."""
    name = cause.condition.partition(".")[0]
    if name in VALUES:
        pattern, instead = VALUES[name]
        try:
            what = pattern.format(**{key: v.strip('"') for key, v in cause.parameters.items()})
        except KeyError:
            what = re.sub(r"(?: from| the column)? ?\(?\{.*", "", pattern)
        return StepFailed(f"{what}{_in(cause)} [{cause.condition}]", next=f"use {instead}")
    if name.startswith(("DELTA_VIOLATE_CONSTRAINT", "DELTA_NOT_NULL")):
        broken = cause.parameters.get("constraintName", "NOT NULL")
        return StepFailed(f"a row breaks the table's own constraint {broken}", next="add a rule")
    if cause.state[:2] in ("21", "22", "23"):
        return StepFailed(f"a value does not fit{_in(cause)} [{cause.condition}]", next=SEE_LOG)
    return None


def _python(cause: Cause) -> HeadgateError | None:
    file = re.search(r"\bUnreadableFile: (\S+)", cause.text)
    if file:
        return Unreadable(DAMAGED, where=file[1], next="ask for it again")
    found = parsed(cause.text) if "Python" in cause.kind else None
    return _of_python(found, cause.text) if found else None


def _storage(cause: Cause) -> HeadgateError | None:
    said = f"{cause.kind} {cause.condition} {cause.text}"
    for pattern, what, then in STORAGE:
        if re.search(pattern, said):
            return Infrastructure(what, next=then)
    if re.match(CANCELLED, cause.text):
        return Interrupted("the work was cancelled", next=AGAIN)
    return None


def _unreadable(chain: Chain) -> HeadgateError | None:
    """A file that Spark stumbled over, named where Spark names it."""
    reading = [cause for cause in chain if cause.condition.startswith(READING)]
    if not reading:
        return None
    named = [cause.parameters.get("path") or cause.parameters.get("file") for cause in reading]
    path = next(filter(None, named), "")
    if any("FILE_NOT_EXIST" in cause.condition or "FileNotFound" in cause.kind for cause in chain):
        return Infrastructure("the file went away while it was read", where=path, next=AGAIN)
    if "COLUMN_DATA_TYPE_MISMATCH" in reading[0].condition:
        return ShapeBroken("the file's types are not the table's", where=path)
    return Unreadable(DAMAGED, where=path, next="ask for it again")


def _analysis(cause: Cause) -> HeadgateError | None:
    """Spark understood a name, a type or the text of a query not: no row was read yet."""
    name, said = cause.condition, cause.parameters
    if name.startswith(NOTHING_THERE):
        where = said.get("path", said.get("tableName", ""))
        return InputMissing("there is nothing here to read", where=where, next="headgate plan")
    if name.startswith(("UNRESOLVED_COLUMN", "UNRESOLVED_FIELD")):
        word = said.get("objectName", said.get("fieldName", "")).replace("`", "")
        near = said.get("proposal", "").replace("`", "").split(", ")
        return Usage(f"unknown column '{word}'{_in(cause)}", next=_meant(word, near))
    if name.startswith("UNRESOLVED_ROUTINE"):
        word = said.get("routineName", "").replace("`", "")
        return Usage(f"unknown function '{word}'", next=_meant(word, _functions()))
    if name.startswith("PARSE_") or cause.kind.endswith("ParseException"):
        word = said.get("error", "").strip("'")
        return Usage("Spark cannot read this SQL" + (f" near '{word}'" if word else ""))
    if cause.state[:2] in ("42", "0A") or cause.kind.endswith("AnalysisException"):
        return Usage(_first_line(cause))
    return None


def _meant(word: str, words: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"it has {', '.join(words)}" if any(words) and len(words) < 20 else ""


def _functions() -> list[str]:
    from pyspark.sql import functions

    return [name for name in dir(functions) if name.islower() and not name.startswith("_")]


def _first_line(cause: Cause) -> str:
    """The analyser's message without the resolved expression, which shows values of lists."""
    lines = [line for line in cause.text.splitlines() if line.strip()]
    line = (lines or ["Spark refuses the plan"])[0]
    resolved = cause.parameters.get("sqlExpr", "")
    if resolved:
        written = cause.expression if re.search(r"\W", cause.expression) else "an expression"
        line = line.replace(resolved, f'"{written}"')
    line = re.sub(r"\s*SQLSTATE: \w+.*$|; line \d+ pos \d+.*$", "", line)
    return line.strip().rstrip(";")[:300]


def _of_python(found: Raised, text: str) -> HeadgateError:
    """A Python exception by its kind and place: its message may hold data."""
    if found.kind == "MemoryError":
        return Infrastructure("a Python worker ran out of memory", next="give it more, in conf/env")
    if found.module:
        return StepFailed(
            f"no module named '{found.module}'",
            where=found.place,
            next="put it into lib/, or install it where Spark's workers run",
        )
    said = f": {text[:200]}" if found.kind in OF_CODE and "\n" not in text.strip() else ""
    where = found.place or "a Python step"
    return StepFailed(f"{found.kind} was raised{said}", where=where, next="headgate preview")


_MADE_MEANWHILE = ("PROTOCOL_CHANGED", "ProtocolChanged", "METADATA_CHANGED", "MetadataChanged")


def is_conflict(error: Exception) -> bool:
    """Whether another writer got in between.

    Of two who make a table at the same time, the second finds another protocol and other columns.
    """
    text = str(error)
    return any(word in text for word in ("Concurrent", "CONCURRENT", *_MADE_MEANWHILE))
