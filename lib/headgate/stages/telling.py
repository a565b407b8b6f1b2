"""Alerts are told when a call is done: what is waiting, of this call and of earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from headgate.core.alerts import FOR_NOBODY, GIVEN_UP, TOLD, WAITING, Alert, route_for
from headgate.core.errors import HeadgateError
from headgate.core.lines import followed
from headgate.core.messages import Lineage, Message, Span, messages
from headgate.core.slicing import grain_of
from headgate.core.spec import Suite
from headgate.stages.alerting import file_of, note_faults, outbox_of
from headgate.stages.lake import Lake
from headgate.storage.couriers import Load, carried
from headgate.storage.logs import log
from headgate.storage.outbox import Claim, Kept, Outbox
from headgate.storage.points import reached

MOST = 20  # messages by one route in one call
SECONDS = 10.0  # for all messages of a call
MOST_TRIES = 50
OLDEST = timedelta(days=3)  # untold for so long, an alert is no news any more
Say = Callable[..., None]


def tell(
    lake: Lake, faults: Mapping[str, HeadgateError], looked_at: Collection[str], say: Say
) -> None:
    """Tell what is waiting, of this call and of earlier ones. Whatever happens, the call goes on.

    `faults` kept tables from being looked at; an empty name means the suite as a whole.
    """
    try:
        outbox = outbox_of(lake)
        there = set(outbox.names())
        there |= note_faults(lake, outbox, faults, looked_at, there)
        _tell(lake, outbox, there, say)
    except Exception as error:
        log("alerts.untold", level="warning", error=type(error).__name__)


def lineage_of(suite: Suite) -> Lineage:
    """Who reads whom, and what time a window covers."""

    def span(table: str, window: str) -> Span | None:
        spec = suite.tables.get(table)
        grain = grain_of(spec, suite.window) if spec else suite.window
        try:
            return grain.start(window), grain.end(window)
        except ValueError:  # of a table as a whole, or of the days of another grain
            return None

    return Lineage(suite.tables, span)


@dataclass
class _Post:
    """What is to be told now: by the file of the outbox that it is from."""

    waiting: dict[str, list[Alert]]
    standing: list[Alert]  # told before, and still so


def _tell(lake: Lake, outbox: Outbox, there: set[str], say: Say) -> None:
    post = _collected(lake, outbox, there)
    loose, lake.untold = lake.untold, []
    every = [*loose, *(one for alerts in post.waiting.values() for one in alerts)]
    if not every:
        return
    came = _sent(lake, every, post.standing)
    reached("told")
    for name in post.waiting:
        outbox.change(name, lambda kept: _marked(kept, came))
    _say(came, say)


def _collected(lake: Lake, outbox: Outbox, there: set[str]) -> _Post:
    """The waiting alerts of this suite, claimed for this process."""
    post = _Post({}, [])
    mine = {file_of(lake.suite, name) for name in ("", *lake.suite.tables)}
    runs: set[str] | None = None
    for name in sorted(mine & there):
        kept = outbox.read(name)
        post.standing += [one for one in kept.alerts if one.open and one.state == TOLD]
        if all(one.state != WAITING for one in kept.alerts):
            continue
        if runs is None:
            runs = {"", *lake.unrecordable, *(record.run for record in lake.history.records)}
        claim, taken = Claim.mine(), list[Alert]()

        def claimed(
            kept: Kept, known: set[str] = runs, claim: Claim = claim, taken: list[Alert] = taken
        ) -> Kept | None:
            taken[:] = []
            if kept.claim is not None and kept.claim.bars:
                return None
            taken[:] = [one for one in kept.alerts if one.state == WAITING and one.run in known]
            return replace(kept, claim=claim) if taken else None

        outbox.change(name, claimed)
        if taken:
            post.waiting[name] = taken
    return post


def _sent(lake: Lake, alerts: Sequence[Alert], standing: Sequence[Alert]) -> dict[str, Alert]:
    """The alerts as they are after they were told, by id."""
    suite, lineage = lake.suite, lineage_of(lake.suite)
    came: dict[str, Alert] = {}
    routed: dict[int, list[Alert]] = {}
    for one in alerts:
        spec = suite.tables.get(one.table)
        place = route_for(suite.alerts, one, spec.owner if spec else None)
        above = lineage.above(one) if one.exit_code == 12 else set()
        if place is None:
            came[one.id] = replace(one, state=FOR_NOBODY)
        elif root := next((s for s in standing if _explains(s, one, above, lineage)), None):
            # It lacks an input of which was told already why there is none.
            came[one.id] = replace(one, state=TOLD, told_with=root.told_with or root.table)
        else:
            routed.setdefault(place, []).append(one)
    told = {place: _few(messages(f, lineage), suite) for place, f in routed.items()}
    loads = [Load(suite.alerts[p], [_payload(suite, m) for m in ms]) for p, ms in told.items()]
    outcomes = carried(loads, suite.root, SECONDS)
    now = datetime.now(timezone.utc)
    for place, ms in told.items():
        kind = suite.alerts[place].kind
        for message in ms:
            why = outcomes[message.root.id]
            if why:
                _log_undelivered(message, kind, why)
            for one in message.alerts:
                first = message.root.table
                of = replace(one, told_with=first if first != one.table else "")
                came[one.id] = _after(of, kind, why, now)
    return came


def _explains(root: Alert, one: Alert, above: set[str], lineage: Lineage) -> bool:
    return root.table in above and lineage.follows([one], [root])


def _few(found: list[Message], suite: Suite) -> list[Message]:
    """As many messages as somebody reads; the last one counts the others, the least grave ones."""
    if len(found) <= MOST:
        return found
    kept, rest = found[: MOST - 1], found[MOST - 1 :]
    alerts = tuple(one for message in rest for one in message.alerts)
    text = followed(f"{suite.name}: {len(rest):,} more alerts", "headgate report")
    return [*kept, Message(rest[0].root, alerts, text)]


def _payload(suite: Suite, message: Message) -> dict[str, Any]:
    table = suite.tables.get(message.root.table)
    owner = table.owner if table else None
    return message.plain(suite=suite.name, env=suite.environment.name, owner=owner)


def _after(one: Alert, kind: str, why: str, now: datetime) -> Alert:
    """An alert after a try to tell it."""
    tried = replace(one, tries=one.tries + 1, tried_at=now.isoformat(), route=kind)
    if not why:
        return replace(tried, state=TOLD)
    old = now - datetime.fromisoformat(one.raised_at) > OLDEST
    over = old or tried.tries >= MOST_TRIES
    return replace(tried, state=GIVEN_UP if over else WAITING, route=f"{kind}: {why}")


def _log_undelivered(message: Message, kind: str, why: str) -> None:
    root = message.root
    log(
        "alert.undelivered", level="warning", run=root.run or None, table=root.table,
        window=root.window, route=kind, why=why, tries=root.tries + 1,
    )  # fmt: skip


def _marked(kept: Kept, came: Mapping[str, Alert]) -> Kept:
    """What is told is marked so; what is over and told is gone."""
    now = [came.get(one.id, one) for one in kept.alerts]
    # Between the reading and this, one may have ended: that is newer.
    now = [replace(one, open=old.open) for one, old in zip(now, kept.alerts, strict=True)]
    left = tuple(one for one in now if one.open or one.state == WAITING)
    return replace(kept, alerts=left, claim=None)


def _say(came: Mapping[str, Alert], say: Say) -> None:
    failed = [one for one in came.values() if one.state in (WAITING, GIVEN_UP)]
    if failed:
        routes = dict.fromkeys(one.route for one in failed)
        again = any(one.state == WAITING for one in failed)
        say("untold", count=len(failed), routes=list(routes), again=again)
