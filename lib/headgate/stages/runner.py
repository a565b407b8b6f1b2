"""One table's due slices, run in passes under its lease; a slice that spoils a pass is parted."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from headgate.core.errors import (
    HeadgateError,
    Held,
    Infrastructure,
    ShapeBroken,
    StepFailed,
    Unreadable,
    Usage,
)
from headgate.core.policy import said_of, waived_by, waived_by_hand
from headgate.core.records import CheckRecord, MetricRecord, RunRecord
from headgate.core.results import JOB_OF, Entry
from headgate.core.spec import Table
from headgate.stages.alerting import note
from headgate.stages.dismissing import with_let_in
from headgate.stages.due import left_as_they_are
from headgate.stages.flow import Pass, run_pass
from headgate.stages.idle import slices
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of, under_policy
from headgate.stages.leaving import REPLAY, left
from headgate.stages.past import past_of
from headgate.stages.repair import repaired
from headgate.stages.told_once import told_once
from headgate.stages.work import Due, Hands, Work
from headgate.storage.faults import broken_off, classify
from headgate.storage.files import files_for
from headgate.storage.jobs import stage_was_retried, tracked
from headgate.storage.lease import acquire
from headgate.storage.logs import log
from headgate.storage.points import reached

MOST_TOGETHER = 400  # windows that share a plan
MOST_APART = 31  # windows with a plan each in one pass: a union of more takes long to analyse
TRIES = 3  # of a pass, when another writer got in between


@dataclass(frozen=True)
class Orders:
    """How a person wants this call to run."""

    named: tuple[str, ...] | None = None
    force: bool = False
    rebuild: bool = False  # also what is published, and differs in nothing but the configuration
    waived: frozenset[str] = frozenset()
    because: str | None = None
    break_lease: bool = False
    replay: bool = False  # whether rejected rows are to go through once more
    most: int | None = None  # slices of a table that this call runs, the oldest first
    say: Callable[..., None] = lambda *_, **__: None

    def meant(self, due: Due) -> bool:
        """Whether this call runs a slice, or leaves it until a person asks for it."""
        return not due.waits or self.named is not None or self.force or self.rebuild


@dataclass
class _Look:
    """What the last look at a table found."""

    chosen: list[str] = field(default_factory=list)  # slices of the pass
    apart: list[Due] = field(default_factory=list)  # what waits for a rebuild
    left: int = 0  # what is due, and not in the pass


class _Spoiled(Exception):
    """A step spoiled a pass over several slices: each half is tried by itself. A file that cannot
    be read spoiled it: it is set aside, and the same slices are tried again."""

    def __init__(self, refused: Sequence[Entry] = (), *, parted: bool = True) -> None:
        super().__init__()
        self.refused = tuple(refused)  # slices of the pass that had ended before
        self.parted = parted


def run_table(lake: Lake, table: Table, orders: Orders) -> list[Entry]:
    """Run what is due of one table; every slice ends in an entry and on record."""
    found: list[Entry] = []
    done: set[str] = set()
    look = _Look()
    queue: list[frozenset[str] | None] = [None]  # None: whatever is due
    while queue and (orders.most is None or len(done) < orders.most):
        only = queue[0]
        try:
            entries = _one_pass(lake, table, orders, done, only, look)
        except _Spoiled as spoiled:
            found += spoiled.refused
            done |= {entry.window for entry in spoiled.refused}
            chosen = [window for window in look.chosen if window not in done]
            # One slice that fails must not hold up the others: halves, until it stands alone.
            middle = len(chosen) // 2 if spoiled.parted else 0
            halves = frozenset(chosen[:middle]), frozenset(chosen[middle:])
            queue = [*(half for half in halves if half), *queue]
            continue
        if only is not None or not entries:
            queue.pop(0)
        found += entries
        done |= {entry.window for entry in entries}
    if look.left:
        orders.say("left", table=table.name, count=look.left)
    if look.apart:
        said = left_as_they_are(table.name, [one.why for one in look.apart])
        orders.say("waits", table=table.name, said=said)
        log("waits", table=table.name, message=said)
    return found


def _one_pass(
    lake: Lake,
    table: Table,
    orders: Orders,
    done: set[str],
    only: frozenset[str] | None,
    look: _Look,
) -> list[Entry]:
    """The next pass under the lease; no entry where nothing is left to do."""

    def left() -> list[Due]:
        due = due_now(lake, table, orders)
        look.apart = [one for one in due if not orders.meant(one)]
        due = [one for one in due if orders.meant(one)]
        return [d for d in due if d.window not in done and (only is None or d.window in only)]

    started = time.monotonic()
    look.chosen, look.left, waiting = [], 0, left()
    if not waiting and table.name not in lake.unrecorded:
        return []
    orders.say("queue", table=table.name, done=len(done), left=len(waiting))
    lake.unrecorded.discard(table.name)  # put right below, if whoever published it has died
    files = files_for(lake.suite.environment.lake, lake.spark)
    try:
        lease = acquire(
            files, table.name, run=_call_id(), break_it=orders.break_lease,
            above=lambda: lake.fence(table.name),
        )  # fmt: skip
    except Held as error:
        return [_failed(table, one, error, started) for one in waiting]
    clean = False
    try:
        reached("leased")
        if lake.refreshed(table.name) | repaired(lake, table.name, crashed=lease.crashed_before):
            waiting = left()
        reached("planned")
        now = _of_one_gate(waiting)[:MOST_TOGETHER]
        now = now if orders.most is None else now[: orders.most - len(done)]
        look.chosen, look.left = [one.window for one in now], len(waiting) - len(now)
        whole = only is None and orders.named is None and len(now) == len(waiting)
        if not lease.crashed_before:
            refuse_foreign(lake, table)
        entries = _guarded(lake, table, now, orders, lease.token, started, whole) if now else []
        clean = all(entry.exit_code not in (20, 21, 30) for entry in entries)
        return entries
    except _Spoiled:
        clean = True
        raise
    finally:
        lease.release(clean=clean)


def _of_one_gate(waiting: list[Due]) -> list[Due]:
    """The slices that are judged by the same rules as the first: those of a pass have one gate."""
    return [one for one in waiting if one.parts.get("rules") == waiting[0].parts.get("rules")]


def due_now(lake: Lake, table: Table, orders: Orders) -> list[Due]:
    """What is due of a table, and what of it is due since its rejected rows are replayed."""
    due = _due(lake, table, orders)
    if not orders.replay:
        return due
    # No database is asked for them.
    return [replace(one.of_what_is_there(), why=f"{REPLAY}: {one.why}") for one in due]


def _due(lake: Lake, table: Table, orders: Orders) -> list[Due]:
    """What is due of a table; with a waiver, or when it is named, also what a gate held back."""
    layer = layer_of(table)
    due = layer.due(lake, table, orders.named, orders.force)
    due = with_let_in(lake, table, due, orders.named)
    if orders.force or not (orders.waived or orders.named):
        return due
    held = set(lake.history.blocked(table.name)) - {one.window for one in due}
    if orders.named is not None:
        held &= set(slices(lake, table, orders.named))
    why = "waiver" if orders.waived else "named, and blocked before"
    again = layer.due(lake, table, orders.named, True) if held else []
    again = [one.of_what_is_there() for one in again]  # a person means what the gate held back
    return [*due, *(replace(one, why=why) for one in again if one.window in held)]


def _guarded(
    lake: Lake,
    table: Table,
    chosen: list[Due],
    orders: Orders,
    fence: int,
    started: float,
    whole: bool,
) -> list[Entry]:
    """The pass; whatever goes wrong becomes entries with a message."""
    refused: list[Entry] = []
    table = under_policy(lake, table, chosen[0].window)
    waived = orders.waived | waived_by(table)
    try:
        work = layer_of(table).work(lake, table, chosen)
        names = work.slices.names
        if not work.together and len(names) > MOST_APART:
            work, whole = work.only(names[:MOST_APART]), False
        said = waived_by_hand(orders.waived, orders.because) + said_of(table)
        work = replace(
            work,
            through=work.through and whole,
            waived=waived,
            said=said,
            past=past_of(lake, work),
        )
        refused = [_broken(work, one, started) for one in chosen if one.window in work.broken]
        _record(lake, work, refused)
        if not work.slices.names:
            return refused
        return refused + _tried(lake, work, orders, fence)
    except _Spoiled as spoiled:
        raise _Spoiled(refused, parted=spoiled.parted) from None
    except Exception as error:
        if broken_off(error):
            raise KeyboardInterrupt from error
        ended = {entry.window for entry in refused}
        failed = [one for one in chosen if one.window not in ended]
        told = classify(error)
        entries = [_failed(table, one, told, started) for one in failed]
        # Whoever lost its table leaves no record: it would be newer than that of the winner.
        if not isinstance(told, Held):
            _record_failed(lake, table, failed, entries)
        return refused + entries


def refuse_foreign(lake: Lake, table: Table) -> None:
    """A table or files that Headgate did not write are not written over."""
    if lake.history.version(table.name) is not None:
        return
    path = lake.path(table.name)
    if lake.version(table.name) is not None:
        what = "this is a Delta table that Headgate did not write"
    elif any(True for _ in files_for(path, lake.spark).listing("")):
        what = "this folder holds files that Headgate did not write"
    else:
        return
    raise Usage(what, where=path, next=f"move it away, or give {table.name} another name")


def _tried(lake: Lake, work: Work, orders: Orders, fence: int) -> list[Entry]:
    for attempt in range(TRIES):
        try:
            return _published(lake, work, orders, fence)
        except Exception as error:
            told = classify(error)
            conflict = isinstance(told, Infrastructure) and "another writer" in told.what
            if conflict and attempt + 1 < TRIES:
                orders.say("again", table=work.table.name, why=told.what)
                continue
            if isinstance(told, Unreadable) and work.sets_aside(told):
                raise _Spoiled(parted=False) from error
            if isinstance(told, StepFailed | ShapeBroken) and len(work.slices) > 1:
                raise _Spoiled from error
            raise told from error
    raise AssertionError("a try either returns or is the last")


def _published(lake: Lake, work: Work, orders: Orders, fence: int) -> list[Entry]:
    orders.say("pass", table=work.table.name, windows=list(work.slices.names))
    with tracked(lake.spark, f"{work.table.name}") as group:
        hands = Hands(
            spark=lake.spark,
            lake=lake.suite.environment.lake,
            suite=lake.suite.name,
            fence=fence,
            quarantine=lake.quarantine(work.table.name),
            vault=lake.vault(work.table.name),
            say=orders.say,
            retried=lambda: stage_was_retried(lake.spark, group),
        )
        done: Pass = run_pass(work, hands)
    earlier = {w: r for w, r in done.kept.items() if _had_rejected(lake, work.table.name, w)}
    shown = {entry.window for entry in done.entries if entry.status == "published"}
    left(lake, work.table, earlier, published=shown, replays=set(earlier) if orders.replay else ())
    reached("superseded")
    _record(lake, work, done.entries)
    reached("recorded")
    return done.entries


def _had_rejected(lake: Lake, table: str, window: str) -> bool:
    """Whether an earlier run of the window put rows into quarantine that may be open still."""
    return any(
        r.rows.quarantined for r in lake.history.records if r.table == table and r.window == window
    )


def _record(lake: Lake, work: Work, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    now = datetime.now(timezone.utc)
    at = now.isoformat()
    records = [
        RunRecord.of(
            entry,
            suite=lake.suite.name,
            started_at=(now - timedelta(seconds=entry.seconds)).isoformat(),
            finished_at=at,
            fingerprint=work.due[entry.window].fingerprint,
            causes=work.due[entry.window].why + work.said,
            parts=dict(work.due[entry.window].parts),
            inputs=dict(work.inputs),
            through=work.through,
            sequence=time.time_ns(),
        )
        for entry in entries
    ]
    checks = [CheckRecord.of(check, entry, at) for entry in entries for check in entry.checks]
    alerts = note(lake, work.table.name, told_once(lake, work.table, entries), at)
    lake.records.add_runs(records, checks, measured(entries, at), alerts)
    lake.recorded(records)
    for entry in entries:
        log(
            entry.status, run=entry.run, table=entry.table, window=entry.window,
            message=entry.message, **vars(entry.rows),
        )  # fmt: skip


def measured(entries: Sequence[Entry], at: str) -> list[MetricRecord]:
    """What runs measured, for the record."""
    return [
        MetricRecord.of(one, entry.run, entry.table, entry.window, at)
        for entry in entries
        for one in entry.metrics
    ]


def record_idle(lake: Lake, table: Table, entries: Sequence[Entry]) -> None:
    """Put named slices that did not run on record."""
    work = Work.nothing(table, {entry.window: Due(entry.window, "named", "") for entry in entries})
    _record(lake, work, entries)


def _record_failed(
    lake: Lake, table: Table, chosen: Sequence[Due], entries: Sequence[Entry]
) -> None:
    """A failure is put on record too, unless that is what fails."""
    work = Work.nothing(table, {one.window: one for one in chosen})
    try:
        _record(lake, work, entries)
    except Exception as error:
        log("unrecorded", table=table.name, error=type(error).__name__)
        lake.unrecordable |= {entry.run for entry in entries}


def _failed(table: Table, due: Due, error: HeadgateError, started: float) -> Entry:
    return Entry(
        run=_call_id(),
        job=JOB_OF[table.layer],
        table=table.name,
        window=due.window,
        status="blocked" if error.exit_code in (10, 11) else "failed",
        seconds=time.monotonic() - started,
        message=error.sentence,
        exit_code=error.exit_code,
    )


def _broken(work: Work, due: Due, started: float) -> Entry:
    code, sentence = work.broken[due.window]
    return Entry(
        run=_call_id(),
        job=work.job,
        table=work.table.name,
        window=due.window,
        status="blocked" if code in (10, 11) else "failed",
        seconds=time.monotonic() - started,
        message=sentence,
        exit_code=code,
    )


def _call_id() -> str:
    return secrets.token_hex(6)
