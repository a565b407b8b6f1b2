"""What drift found in the windows of a lake, and what a person says to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from headgate.core.errors import Usage
from headgate.core.records import Dismissal, RunRecord
from headgate.core.results import Metric
from headgate.core.selection import descendants
from headgate.core.spec import Table
from headgate.quality.drift_causes import caused, lines_of, name_of, of_one_cause
from headgate.quality.past import OUT, RULING, Ruling, content_of, is_dismissed, rulings_of
from headgate.stages.idle import slices
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of
from headgate.stages.past import dismissed_in
from headgate.stages.work import Due

JUDGED = ("published", "blocked")
WHY = "drift was dismissed"


@dataclass(frozen=True)
class Deviation:
    """One metric that was out of line in the last run of a window."""

    record: RunRecord
    metric: Metric
    text: str
    dismissed: Dismissal | None = None


def deviations_of(lake: Lake, record: RunRecord) -> list[Deviation]:
    """What drift found in one run."""
    return _told(lake, record, lake.measured([record.run]).get(record.run, ()))


def found(lake: Lake, names: Sequence[str]) -> list[Deviation]:
    """What drift found in the last run of each window, newest windows first."""
    kept = lake.records.metrics_in(OUT, names)
    last = [
        one for name in names for window in lake.history.windows(name)
        if (one := lake.history.last(name, window)) is not None
    ]  # fmt: skip
    ranked = sorted(last, key=lambda one: one.window, reverse=True)
    return [one for record in ranked for one in _told(lake, record, kept.get(record.run, ()))]


def _told(lake: Lake, record: RunRecord, metrics: Iterable[Metric]) -> list[Deviation]:
    said = {
        (one.column, one.metric, one.content): one
        for one in lake.dismissed(record.table) if one.window == record.window
    }  # fmt: skip
    out = [one for one in metrics if one.metric != RULING and one.detail.get("state") == OUT]
    return [
        Deviation(record, one, lines_of([one])[0], said.get((*name_of(one), content_of(one))))
        for one in out
    ]


def dismissal(
    lake: Lake,
    table: Table,
    window: str,
    because: str,
    who: str,
    *,
    metric: str | None = None,
    column: str | None = None,
) -> list[Dismissal]:
    """Put on record that what drift said of a window was a false alarm; all of it, or one cause.

    What the tables below say for the same cause goes with it.
    """
    where = f"{table.name} {window}"
    there = _open(lake, table.name, window)
    if there is None:
        raise Usage("no gate has judged this window", where=where, next=_listing(table))
    if not there:
        raise Usage("drift found nothing out of line there", where=where, next=_listing(table))
    out = [one.metric for one in there]
    meant = of_one_cause(out, column, metric)
    if not meant:
        listed = ", ".join(dict.fromkeys(" ".join(filter(None, name_of(one))) for one in out))
        what = "drift found nothing of that kind out of line there"
        raise Usage(what, where=where, next=f"--metric and --column as in: {listed}")
    chosen = [one for one in there if one.metric in meant]
    for name in descendants(lake.suite.tables, [table.name]):
        below = _open(lake, name, window) or []
        follows = caused([one.metric for one in below], {table.name: meant})
        chosen += [one for one in below if name_of(one.metric) in follows]
    at = datetime.now(timezone.utc).isoformat()
    made = [
        Dismissal(
            one.record.run, one.record.table, window, one.metric.column, one.metric.metric,
            one.metric.value, content_of(one.metric), one.text, because, who, at,
        )
        for one in chosen if one.dismissed is None
    ]  # fmt: skip
    lake.dismiss(made)
    return made


def _listing(table: Table) -> str:
    return f"headgate drift list {table.name}"


def _open(lake: Lake, table: str, window: str) -> list[Deviation] | None:
    """What drift found in the last run of a window that a gate has judged; None: there is none."""
    runs = [
        one for one in lake.history.records
        if (one.table, one.window) == (table, window) and one.status in JUDGED
    ]  # fmt: skip
    return deviations_of(lake, runs[-1]) if runs else None


def let_in(lake: Lake, table: Table) -> set[str]:
    """The windows that drift held back until all it closed the gate for was dismissed."""
    closing = {rule.written for rule in table.drift if rule.severity == "critical"}
    held = [lake.history.last(table.name, w) for w in lake.history.blocked(table.name)]
    if not closing or not held:
        return set()
    said = {one.run for one in lake.dismissed(table.name)}
    asked = [one for one in held if one is not None and one.run in said]
    metrics = lake.measured([one.run for one in asked]) if asked else {}
    return {one.window for one in asked if not _left(lake, one, metrics[one.run], closing)}


def _left(
    lake: Lake, record: RunRecord, metrics: Sequence[Metric], closing: set[str]
) -> list[Ruling]:
    """The rulings of a run that stand, whatever was dismissed."""
    said = dismissed_in(lake, record.table).get(record.window, {})
    gone = frozenset(name_of(one) for one in metrics if is_dismissed(one, said))
    return [
        one for (_, rule), one in rulings_of(record.window, metrics).items()
        if rule in closing and one.without(gone).state == OUT
    ]  # fmt: skip


def with_let_in(lake: Lake, table: Table, due: list[Due], named: Sequence[str] | None) -> list[Due]:
    """What is due of a table, with windows that a dismissal lets in."""
    held = let_in(lake, table) - {one.window for one in due}
    if named is not None:
        held &= set(slices(lake, table, named))
    if not held:
        return due
    again = layer_of(table).due(lake, table, None, True)
    return [*due, *(replace(one, why=WHY) for one in again if one.window in held)]


def unsettled(lake: Lake, alerts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The alerts but for those that told of nothing but what a person has dismissed since."""
    texts: dict[str, list[str]] = {}
    for table in {row["table"] for row in alerts}:
        for one in lake.dismissed(table):
            texts.setdefault(one.run, []).append(one.text)
    if not texts:
        return list(alerts)
    runs = [one for one in lake.history.records if one.run in texts]
    lake.measured(texts)
    left = {
        record.run for record in runs
        if any(one.dismissed is None for one in deviations_of(lake, record))
    }  # fmt: skip
    return [
        row for row in alerts
        if row["severity"] != "warning" or row["run"] in left
        or not any(text in row["text"] for text in texts.get(row["run"], ()))
    ]  # fmt: skip
