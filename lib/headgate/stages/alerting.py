"""Alerts of a call: noted with its records, told when it is done, and never in its way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from headgate.core import alerts as core
from headgate.core.alerts import FOR_NOBODY, GIVEN_UP, TOLD, WAITING, Alert
from headgate.core.errors import HeadgateError
from headgate.core.lines import followed
from headgate.core.messages import Lineage, Message, Span, messages
from headgate.core.results import Entry
from headgate.core.spec import Features, Mart, Suite
from headgate.core.windows import Grain
from headgate.stages.lake import Lake
from headgate.storage.couriers import Load, carried
from headgate.storage.files import files_for
from headgate.storage.logs import log
from headgate.storage.outbox import Claim, Held, Outbox
from headgate.storage.points import reached

MOST = 20  # messages by one route in one call
MOST_TRIES = 50
OLDEST = timedelta(days=3)  # untold for so long, an alert is no news any more
SILENT = (21, 130)  # another run does the work; a person broke it off
Say = Callable[..., None]


def note(
    lake: Lake, table: str, entries: Sequence[Entry], at: str, *, quietly: bool = False
) -> list[dict[str, Any]]:
    """Put what runs have to tell into the outbox; the rows of it for `ops.alerts`.

    This comes before the runs are on record: an alert of a run that is not is told by nobody, and
    one that were lost would be missed for ever.
    """
    ended = [entry for entry in entries if entry.status != "unchanged"]
    raised = {entry.run: core.raised_by(entry, at) for entry in ended}
    fresh = [one for told in raised.values() for one in told]

    def changed(held: Held) -> Held | None:
        known, new = list(held.alerts), list[Alert]()
        for entry in ended:
            new += core.news(known, raised[entry.run])
            known = core.noted(known, entry, raised[entry.run], at)
        fresh[:] = new
        if quietly:
            known = [one for one in known if one.severity != "info" or one in held.alerts]
        return None if tuple(known) == held.alerts else replace(held, alerts=tuple(known))

    if ended:
        try:
            outbox = outbox_of(lake)
            left = outbox.change(table, changed)
            if left.content is not None and not left.alerts:
                outbox.forget(table)
        except Exception as error:  # told all the same, as long as this process lives
            log("alerts.unnoted", level="warning", table=table, error=type(error).__name__)
            lake.untold += fresh
    new = {id(one) for one in fresh}
    return [
        {
            "run": one.run, "table": one.table, "window": one.window, "severity": one.severity,
            "text": one.text, "raised_at": at, "cause": one.cause, "news": id(one) in new,
        }
        for told in raised.values() for one in told
    ]  # fmt: skip


def tell(
    lake: Lake, faults: Mapping[str, HeadgateError], looked_at: Collection[str], say: Say
) -> None:
    """Tell what is waiting, of this call and of earlier ones. Whatever happens, the call goes on.

    `faults` kept tables from being looked at; an empty name means the suite as a whole.
    """
    try:
        _note_faults(lake, faults, looked_at)
        _tell(lake, say)
    except Exception as error:
        log("alerts.untold", level="warning", error=type(error).__name__)


def outbox_of(lake: Lake) -> Outbox:
    return Outbox(files_for(lake.suite.environment.lake, lake.spark))


def lineage_of(suite: Suite) -> Lineage:
    """Who reads whom, and what time a window covers."""

    def span(table: str, window: str) -> Span | None:
        spec, grain = suite.tables.get(table), suite.window
        if isinstance(spec, Mart):
            grain = Grain(spec.period.grain)
        elif isinstance(spec, Features) and spec.every == "month":
            grain = Grain.month
        try:
            return grain.start(window), grain.end(window)
        except ValueError:  # of a table as a whole, or of the days of another grain
            return None

    return Lineage(suite.tables, span)


def _file_of(suite: Suite, table: str) -> str:
    return table or f"suite.{suite.name}"


def _note_faults(
    lake: Lake, faults: Mapping[str, HeadgateError], looked_at: Collection[str]
) -> None:
    """What kept a table from being looked at is open until it is looked at."""
    outbox, at = outbox_of(lake), datetime.now(timezone.utc).isoformat()
    found = {
        name: core.raised_without_run(error, lake.suite.name, name, at)
        for name, error in faults.items()
        if error.exit_code not in SILENT
    }
    there = set(outbox.names())
    calm = {
        name for name in looked_at if name not in faults and _file_of(lake.suite, name) in there
    }
    for name in [*found, *calm]:
        raised = [found[name]] if name in found else []

        def changed(held: Held, raised: list[Alert] = raised) -> Held | None:
            known = core.noted(held.alerts, Entry("", "", "", "", "failed"), raised, at)
            return None if tuple(known) == held.alerts else replace(held, alerts=tuple(known))

        try:
            outbox.change(_file_of(lake.suite, name), changed)
        except Exception as error:
            log("alerts.unnoted", level="warning", table=name, error=type(error).__name__)
            lake.untold += raised


@dataclass
class _Post:
    """What is to be told now: by the file of the outbox that it is from."""

    waiting: dict[str, list[Alert]]
    standing: list[Alert]  # told before, and still so


def _tell(lake: Lake, say: Say) -> None:
    outbox = outbox_of(lake)
    post = _collected(lake, outbox)
    loose, lake.untold = lake.untold, []
    every = [*loose, *(one for alerts in post.waiting.values() for one in alerts)]
    if not every:
        return
    came = _sent(lake, every, post.standing)
    reached("told")
    for name in post.waiting:
        outbox.change(name, lambda held: _marked(held, came))
    _say(came, say)


def _collected(lake: Lake, outbox: Outbox) -> _Post:
    """The waiting alerts of this suite, claimed for this process."""
    post = _Post({}, [])
    mine = {_file_of(lake.suite, name) for name in ("", *lake.suite.tables)}
    runs: set[str] | None = None
    for name in sorted(mine & set(outbox.names())):
        held = outbox.read(name)
        post.standing += [one for one in held.alerts if one.open and one.state == TOLD]
        if all(one.state != WAITING for one in held.alerts):
            continue
        runs = {r.run for r in lake.history.records} if runs is None else runs
        claim, taken = Claim.mine(), list[Alert]()

        def claimed(
            held: Held, known: set[str] = runs, claim: Claim = claim, taken: list[Alert] = taken
        ) -> Held | None:
            taken[:] = []
            if held.claim is not None and held.claim.bars:
                return None
            taken[:] = [
                one
                for one in held.alerts
                if one.state == WAITING and (one.run or "") in {*known, ""}
            ]
            return replace(held, claim=claim) if taken else None

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
        place = core.route_for(suite.alerts, one, spec.owner if spec else None)
        above = lineage.above(one) if one.exit_code == 12 else set()
        if place is None:
            came[one.id] = replace(one, state=FOR_NOBODY)
        elif any(s.table in above and lineage.follows([one], [s]) for s in standing):
            # It lacks an input of which was told already why there is none.
            came[one.id] = replace(one, state=TOLD, route="with what it reads")
        else:
            routed.setdefault(place, []).append(one)
    told = {place: _few(messages(f, lineage), suite) for place, f in routed.items()}
    loads = [Load(suite.alerts[p], [_payload(suite, m) for m in ms]) for p, ms in told.items()]
    outcomes = carried(loads, suite.root)
    now = datetime.now(timezone.utc)
    for place, ms in told.items():
        kind = suite.alerts[place].kind
        for message in ms:
            for one in message.alerts:
                came[one.id] = _after(one, kind, outcomes[message.root.id], now)
    return came


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
    log(
        "alert.undelivered", level="warning", run=one.run or None, table=one.table,
        window=one.window, route=kind, why=why, tries=tried.tries, given_up=over,
    )  # fmt: skip
    return replace(tried, state=GIVEN_UP if over else WAITING, route=f"{kind}: {why}")


def _marked(held: Held, came: Mapping[str, Alert]) -> Held:
    """What is told is marked so; what is over and told is gone."""
    now = [came.get(one.id, one) for one in held.alerts]
    # Between the reading and this, one may have ended: that is newer.
    now = [replace(one, open=old.open) for one, old in zip(now, held.alerts, strict=True)]
    kept = tuple(one for one in now if one.open or one.state == WAITING)
    return replace(held, alerts=kept, claim=None)


def _say(came: Mapping[str, Alert], say: Say) -> None:
    failed = [one for one in came.values() if one.state in (WAITING, GIVEN_UP)]
    if failed:
        routes = dict.fromkeys(one.route for one in failed)
        say("untold", count=len(failed), routes=list(routes))
