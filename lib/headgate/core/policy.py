"""Which rules of a table are in force for a window: what `since`, `until` and `gate` come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

from headgate.core.fingerprint import digest
from headgate.core.spec import Drift, Rule, Table, Waiver
from headgate.core.windows import Grain

_WAIVED = "; waived "

One = TypeVar("One", Rule, Drift)


def in_force(table: Table, day: date) -> Table:
    """The table as its gate stands for a window that begins on a day.

    A rule that is not yet in force warns where it would have closed; a waiver that is not, is gone.

    >>> new = Rule(expectation="row", since=date(2026, 12, 1), written="a > 0")
    >>> table = Table(name="clean.a", quality=(new,))
    >>> [in_force(table, date(2026, month, 1)).quality[0].severity for month in (11, 12)]
    ['warning', 'critical']
    """
    if table.gate == "off":
        return table.model_copy(update={"quality": (), "drift": (), "waive": ()})
    if not _dated(table):
        return table
    return table.model_copy(
        update={
            "quality": tuple(_begun(rule, day) for rule in table.quality),
            "drift": tuple(_begun(rule, day) for rule in table.drift),
            "waive": tuple(one for one in table.waive if _holds(one, day)),
        }
    )


def waived_by(table: Table) -> frozenset[str]:
    """The rules that a table in force waives itself."""
    return frozenset(one.rule for one in table.waive)


def waived_by_hand(names: Iterable[str], because: str | None) -> str:
    """What the record of a run says of the waivers of its command."""
    told = ", ".join(sorted(names))
    return f"{_WAIVED}{told}: {because}" if told else ""


def waived_in(said: str, known: Iterable[str]) -> frozenset[str]:
    """Those of the names known that the record of a run says were waived."""
    told = waivers_in(said)
    return frozenset(name for name in known if name in told)


def waivers_in(said: str) -> str:
    """What the record of a run says of waivers.

    >>> waivers_in("new files" + waived_by_hand(["max_rejected"], "a known fault"))
    'max_rejected: a known fault'
    """
    return said.partition(_WAIVED)[2]


def said_of(table: Table) -> str:
    """What the record of a run says of the waivers that were in force."""
    return "".join(
        f"{_WAIVED}{one.rule} until {one.until}"
        + (f" by {one.owner or table.owner}" if one.owner or table.owner else "")
        + f": {one.because}"
        for one in table.waive
    )


def rules_by_window(table: Table, grain: Grain) -> Callable[[str], str]:
    """For each window a name for the rules in force; two windows of one name share a pass."""
    if not _dated(table):
        always = _named(in_force(table, date.min))
        return lambda _: always
    known: dict[tuple[object, ...], str] = {}

    def name_of(window: str) -> str:
        now = in_force(table, grain.start(window).date())
        key = (*(one.severity for one in _all(now)), waived_by(now))
        return known.setdefault(key, _named(now))

    return name_of


def _named(table: Table) -> str:
    policy = [table.gate, table.on_empty, sorted(waived_by(table))]
    return digest([table.quality, table.max_rejected, *table.drift, policy])


def _dated(table: Table) -> bool:
    return bool(table.waive) or any(one.since for one in _all(table))


def _all(table: Table) -> list[Rule | Drift]:
    return [*table.quality, *table.drift]


def _begun(rule: One, day: date) -> One:
    begun = rule.since is None or rule.since <= day or rule.severity != "critical"
    return rule.model_copy(
        update={"severity": rule.severity if begun else "warning", "since": None}
    )


def _holds(waiver: Waiver, day: date) -> bool:
    return (waiver.since is None or waiver.since <= day) and day <= waiver.until
