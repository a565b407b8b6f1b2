"""Faults of databases as errors that a person can act on: by SQLSTATE, never by their words.

What a database says may quote values, names of users and hosts; a driver's may quote its URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from headgate.core.addresses import NAMES, Address
from headgate.core.errors import HeadgateError, Infrastructure, ShapeBroken, StepFailed, Usage
from headgate.storage.causes import causes
from headgate.storage.faults import classify
from headgate.storage.meanings import AGAIN

_SQL: Final = re.compile(
    r"\bjava\.sql\.\w+|\borg\.(?:postgresql|mariadb)\.\w[\w.]*Exception|SQL\w*Exception"
)
_STATE: Final = re.compile(r"SQLSTATE[:= ]+'?(\w{5})\b")


def told(error: Exception, what: str, place: Address, where: str) -> HeadgateError:
    """What a failure of a database means."""
    chain = causes(error)
    state = sql_state(error)
    if not state and not any(_SQL.search(f"{one.kind} {one.text}") for one in chain):
        return classify(error)
    here = f"{where} ({place.shown})"
    said = (str(code_of(error)), state, state[:2])
    code = next((one for one in said if one in _MEANINGS), "")
    if not code:
        return StepFailed(
            f"{NAMES[place.kind]} refused to read {what}" + (f" [{state}]" if state else ""),
            where=here, next="HEADGATE_SPARK_LOG=error shows its own words (they may quote data)",
        )  # fmt: skip
    kind, text, then = _MEANINGS[code]
    return kind(text.format(what=what), where=here, next=then)


def code_of(error: Exception) -> int:
    """MariaDB's own number, which tells more than its SQLSTATE; 0 where there is none."""
    return next((int(one.getErrorCode()) for one in _of_sql(error)), 0)


def _of_sql(error: Exception) -> Iterator[Any]:
    """The exceptions of the database in a chain of causes, the innermost first."""
    throwable: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    found = []
    for _ in range(12):
        if throwable is None:
            break
        with suppress(Exception):  # of another kind: it has no such method
            throwable.getSQLState()
            found.append(throwable)
        throwable = throwable.getCause()
    yield from reversed(found)


def sql_state(error: Exception) -> str:
    """The SQLSTATE of the innermost exception of a database."""
    found = next((str(one.getSQLState() or "") for one in _of_sql(error)), "")
    if found:
        return found
    # What failed on an executor comes as text; the drivers' own classes tell as much.
    text = " ".join(f"{one.kind} {one.text}" for one in causes(error))
    if re.search(r"SQLNonTransientConnection|SQLTransientConnection|CommunicationsException", text):
        return "08000"
    named = _STATE.search(text)
    return named[1] if named else ""


CHECK: Final = "headgate check --source"
_UP: Final = "see that the database is up and can be reached from here, then run again"
_RIGHTS: Final = (
    "check user and password under source.jdbc, and the user's rights (SELECT is enough)"
)
_MEANINGS: Final[dict[str, tuple[type[HeadgateError], str, str]]] = {
    "1044": (Infrastructure, "the database does not let this user in", _RIGHTS),
    "1045": (Infrastructure, "the database does not let this user in", _RIGHTS),
    "1049": (Usage, "there is no such database", "correct the address under source.jdbc"),
    "1142": (Infrastructure, "this user may not read {what}", _RIGHTS),
    "1143": (Infrastructure, "this user may not read {what}", _RIGHTS),
    "1356": (Infrastructure, "the view {what} cannot be read: what it shows, or a right, is gone",
             _RIGHTS),
    "08": (Infrastructure, "the database does not answer", _UP),
    "57": (Infrastructure, "the database broke the read off", AGAIN),
    "53": (Infrastructure, "the database has no room for another connection", AGAIN),
    "40": (Infrastructure, "the database broke the read off for the sake of others", AGAIN),
    "HYT00": (Infrastructure, "the database does not answer", _UP),
    "28": (Infrastructure, "the database does not let this user in", _RIGHTS),
    "42501": (Infrastructure, "this user may not read {what}", _RIGHTS),
    "3D": (Usage, "there is no such database", "correct the address under source.jdbc"),
    "42P01": (ShapeBroken, "there is no table {what}", "correct source.jdbc.table, or ask for it"),
    "42S02": (ShapeBroken, "there is no table {what}", "correct source.jdbc.table, or ask for it"),
    "3F": (ShapeBroken, "there is no schema of {what}", "correct source.jdbc.table"),
    "42703": (ShapeBroken, "{what} lacks a column that is asked for", CHECK),
    "42S22": (ShapeBroken, "{what} lacks a column that is asked for", CHECK),
    "42601": (Usage, "the database does not understand {what}", "correct source.jdbc.query"),
    "42": (Usage, "the database does not understand {what}", "correct source.jdbc, its rights too"),
    "22": (StepFailed, "the database cannot make a value of {what}", "correct source.jdbc.query"),
}  # fmt: skip
