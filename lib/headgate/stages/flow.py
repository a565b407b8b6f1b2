"""The one flow, the same for every layer:

read the windows -> apply steps -> mark broken rules -> part accepted from rejected ->
count as it flows -> judge -> keep the rejected -> publish -> record
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.errors import GateClosed, StepFailed
from headgate.core.results import Entry, Metric, Rows
from headgate.quality.existence import with_found, without_found
from headgate.quality.gate import Verdict
from headgate.quality.past import Past
from headgate.quality.reasons import marks, masks, reasons, rejected, rejecting
from headgate.stages import judging
from headgate.stages.corrections import CORRECTED, stale
from headgate.stages.counting import Counter
from headgate.stages.shape import Shaped, fates, shape
from headgate.stages.work import SMALL, Hands, Work
from headgate.storage.points import reached
from headgate.storage.targets import Publication
from headgate.storage.transaction import Draft
from headgate.transforms.fates import with_fates, with_marks, with_record_of_rejected
from headgate.transforms.hidden import (
    ACCEPTED,
    ASIDE,
    CLOSED,
    DELETED,
    FATE,
    QUARANTINED,
    REASONS,
    RECORD,
    RESCUED,
    TOKEN,
    VAULT,
    column,
    without_hidden,
)

APART = (RECORD, REASONS)  # what only rejected rows carry to the end
FOR_VAULT = (TOKEN, CLOSED)


@dataclass(frozen=True)
class Judged:
    """One slice after the gate: nothing of it is visible yet."""

    window: str
    run: str
    rows: Rows
    verdict: Verdict
    reasons: tuple[tuple[str, int], ...] = ()
    metrics: tuple[Metric, ...] = ()
    said: str | None = None  # what is told of a slice that is published

    @property
    def closed(self) -> bool:
        return self.verdict.closed


@dataclass
class Pass:
    """What one pass came to, before it is put on record."""

    entries: list[Entry] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)  # window -> run, where a gate decided
    id: str = field(default_factory=lambda: secrets.token_hex(6))


def run_pass(work: Work, hands: Hands) -> Pass:
    """Run slices of one table, whole: all are judged before one is visible."""
    started, done = time.monotonic(), Pass()
    kept: dict[str, str] = {}  # window -> run, of those whose rejected rows may be written down
    counter = Counter(work.slices)
    in_one = work.records and bool(rejecting(work.table.quality, work.waived) or work.may_reject)
    rows, shaped = marked(work, counter, with_record=in_one)
    rows = fated(work, rows, counter)
    reached("read")
    draft = work.target.draft(hands.fence)
    try:
        draft.write(outgoing(work, rows, draft), apart(work, in_one))
        reached("files-written")
        judged = judged_slices(work, shaped, counter, draft, hands)
        reached("judged")
        closed = [one.window for one in judged if one.closed]
        if closed and not work.target.by_window and len(closed) < len(judged):
            draft.abandon()  # its files mix slices: the good ones are made again without the others
            rest = work.only([one.window for one in judged if not one.closed])
            again = run_pass(rest, hands)
            shut = [one for one in judged if one.closed]
            return Pass(entries(work, shut, None, started) + again.entries, again.kept, again.id)
        keep_tokens(work, judged, draft, hands)
        if not all(one.closed for one in judged):
            work.keeps(draft, hands.fence)
        kept = {one.window: one.run for one in judged if one.rows.quarantined}
        keep_rejected(work, judged, kept, draft if in_one else None, hands)
        reached("kept")
        version = published(work, judged, draft, hands, done, started)
    except BaseException:
        draft.abandon()
        hands.quarantine.withdraw([*kept.values()])
        raise
    done.entries = entries(work, judged, version, started)
    done.kept = {one.window: one.run for one in judged}
    return done


def marked(
    work: Work, counter: Counter | None, *, with_record: bool = False
) -> tuple[DataFrame, list[Shaped]]:
    """All rows with the rules that they break, counted where their number may change.

    With their record: what a rejected row came as, and in words why it is rejected.
    """
    groups = [work.slices.names] if work.together else [(one,) for one in work.slices.names]
    shaped = []
    for windows in groups:
        alone = windows[0] if len(windows) == 1 else None
        rows = work.read(windows, with_record=with_record, counter=counter)
        counts = None if work.regroups else counter  # its reader has counted what went in
        shaped.append(shape(rows, work.steps, work.around(alone), counts, alone))
    df = shaped[0].df
    for more in shaped[1:]:
        df = df.unionByName(more.df, allowMissingColumns=True)
    bits = marks(work.table.quality, work.waived)
    found = with_found(df, work.table.quality, work.others)
    marked_rows = with_marks(found, masks(bits), work.deletes)
    df = marked_rows if found is df else without_found(marked_rows)
    if with_record:
        df = df.withColumn(REASONS, reasons(bits, df.columns))
        df = with_record_of_rejected(df)
    return df, shaped


def fated(work: Work, df: DataFrame, counter: Counter | None) -> DataFrame:
    """The rows with their fates; counted there, once for all."""
    if work.key and len(work.slices) > 8:
        # One shuffle serves the windows' files and the keys in them.
        df = df.repartition("_window")
    bits = marks(work.table.quality, work.waived)
    df = with_fates(df, work.key, work.latest_by, rejected(bits, df.columns))
    if counter is None:
        return df
    codes, plain = judging.metrics(work, df)
    return counter.point(df, "ends", codes, plain=plain)


def outgoing(work: Work, rows: DataFrame, draft: Draft) -> DataFrame:
    """The rows to write, as the target keeps them; the rejected ones that are set aside too."""
    carried = [name for name in APART if name in rows.columns]
    if len(carried) == len(APART):
        thrown = column(FATE) == QUARANTINED
        rows = rows.where(thrown | (column(FATE) == ACCEPTED)).withColumn(
            "_window", F.when(thrown, F.concat(F.lit(ASIDE), "_window")).otherwise(F.col("_window"))
        )
    else:
        rows, carried = rows.where(column(FATE) == ACCEPTED), []
    own = [DELETED] if DELETED in rows.columns else []
    kept = [*without_hidden(rows).columns, *own, *carried]
    if not work.keeps_rescued:
        kept = [name for name in kept if name != RESCUED]
    # The last act: rules have seen what is plain, files never do.
    rows = work.guard.protected(rows.select(*map(column, kept)), for_vault=True)
    return work.target.prepared(rows, draft, work.slices.names)


def apart(work: Work, in_one: bool) -> tuple[str, ...]:
    """The columns of rows that the write sets aside: no table has them."""
    return (*(APART if in_one else ()), *(FOR_VAULT if work.guard.tokens else ()))


def judged_slices(
    work: Work, shaped: list[Shaped], counter: Counter, draft: Draft, hands: Hands
) -> list[Judged]:
    """Count, reconcile, measure, judge."""
    trusted = not hands.retried()
    counts = counter.counted(trusted=trusted)
    if trusted and not _agrees(work, draft, counts["ends"]):
        counts = counter.counted(trusted=False)
    if not _agrees(work, draft, counts["ends"]):
        raise StepFailed(
            "the rows written are not as many as the rows accepted: a step does not give the "
            "same rows twice; nothing was published",
            where=work.table.name,
            next="make the table's steps deterministic (no rand, no clock, no LIMIT)",
        )
    found = judging.measured(
        work, draft, counts["ends"], partial(plain, work) if work.guard else None
    )
    past, judged = work.past, dict[str, Judged]()
    # Windows of one pass share its time: none of them tells how long one takes.
    seconds = time.monotonic() - hands.since if len(work.slices) == 1 else None
    places = {name: 0 if work.together else at for at, name in enumerate(work.slices.names)}
    for name in sorted(work.slices.names, key=work.slices.grain.index):
        one = _judged(work, shaped[places[name]], name, counts, found[name], past, seconds)
        judged[name] = one
        # What this pass publishes is past for its later windows, as when they run one by one.
        past = past if one.closed else past.plus(name, one.metrics)
    return [judged[name] for name in work.slices.names]


def _judged(
    work: Work,
    shaped: Shaped,
    window: str,
    counts: Mapping[str, Mapping[str, Any]],
    found: Mapping[int, Mapping[str, Any]],
    past: Past,
    seconds: float | None,
) -> Judged:
    code = work.slices.grain.index(window) - work.slices.base
    tally = judging.tallies(counts["ends"], code)
    name = work.table.name
    rows, why, said = Rows(), tuple[tuple[str, int], ...](), None
    if work.regroups:
        rows = Rows(read=counts["inputs"]["rows"].get(code, 0))
        if withheld := counts.get(SMALL, {"rows": {}})["rows"].get(code, 0):
            why = (("small groups withheld", withheld),)
            said = f"{withheld:,} small group{'' if withheld == 1 else 's'} withheld"
    else:
        rows, why = fates(shaped, counts, code, tally.total, name, window)
    if repaired := work.corrections.get(window):
        fitted = counts.get(CORRECTED, {"rows": {}})["rows"].get(code, 0)
        said = stale(repaired.records, fitted)
    word, metrics = judging.verdict(work, window, code, counts["ends"], found, tally, past, seconds)
    settled = judging.settled(rows, tally, blocked=word.closed)
    if not (work.regroups or settled.balanced):
        raise StepFailed(
            f"the rows do not add up: {settled}; nothing was published",
            where=f"{name} {window}",
            next="report this: Headgate lost count of its own rows",
        )
    return Judged(window, secrets.token_hex(6), settled, word, why, metrics, said)


def _agrees(work: Work, draft: Draft, ends: Mapping[str, Mapping[int, int]]) -> bool:
    """Whether as many rows were written as were accepted, slice by slice where files tell."""
    if not work.target.by_window:
        return True  # its files hold rows of other slices too
    written: dict[str | None, int] = {}
    for file in draft.written():
        written[file.window] = written.get(file.window, 0) + file.rows
    index, base = work.slices.grain.index, work.slices.base
    return all(
        written.get(name, 0) == ends[f"fate{ACCEPTED}"].get(index(name) - base, 0)
        for name in work.slices.names
    )


def plain(work: Work) -> judging.Readable:
    """The accepted rows before they are protected, made once more."""
    return judging.Unwritten(fated(work, marked(work, None)[0], None))


def keep_tokens(work: Work, judged: list[Judged], draft: Draft, hands: Hands) -> None:
    """Write down what new tokens stand for, before anybody sees them."""
    good = [one.window for one in judged if not one.closed]
    if work.guard.tokens and good:
        told = draft.aside(VAULT).where(column("_window").isin(good))
        hands.vault.keep(told.select(column(TOKEN).alias("token"), column(CLOSED).alias("sealed")))


def keep_rejected(
    work: Work, judged: list[Judged], runs: Mapping[str, str], draft: Draft | None, hands: Hands
) -> None:
    """Write the rejected rows down before anything is visible.

    They were set aside by the write itself, or else the windows are read once more for them.
    """
    if not runs:
        return
    if draft is not None:
        thrown = draft.aside()
    else:
        rows, _ = marked(work.only(list(runs)), None, with_record=True)
        thrown = work.guard.protected(rows.where(column(REASONS).isNotNull()))
    kinds = {"_file": "string", "_row": "bigint"}
    origin = [
        column(name) if name in thrown.columns else F.lit(None).cast(kind).alias(name)
        for name, kind in kinds.items()
    ]
    window = column("_window") if "_window" in thrown.columns else F.expr(work.slice_name())
    shown = thrown.select(
        column(RECORD).alias("_record"),
        column(REASONS).alias("_reasons"),
        window.alias("_window"),
        *origin,
    )
    hands.quarantine.keep(shown, sum(one.rows.quarantined for one in judged), runs)


def published(
    work: Work,
    judged: list[Judged],
    draft: Draft,
    hands: Hands,
    done: Pass,
    started: float,
) -> int | None:
    """One commit for all slices whose gate is open; none where all are closed."""
    good = [one for one in judged if not one.closed]
    if not good:
        draft.abandon()
        return None
    metadata = {
        "pass": done.id,
        "suite": hands.suite,
        "windows": [one.window for one in good],
        "records": [record_seed(work, entry) for entry in entries(work, good, None, started)],
    }
    closed = frozenset(one.window for one in judged if one.closed)
    windows = tuple(one.window for one in good)
    publication = Publication(windows, closed, metadata, hands.fence)
    version = work.target.publish(draft, publication)
    reached("committed")
    return version


def record_seed(work: Work, entry: Entry) -> dict[str, Any]:
    """What a commit says of a run, so that a lost record can be written again from it."""
    due = work.due[entry.window]
    return {
        "run": entry.run,
        "job": entry.job,
        "table": entry.table,
        "window": entry.window,
        "rows": dict(vars(entry.rows)),
        "gate": dict(vars(entry.gate)),
        "seconds": round(entry.seconds, 3),
        "message": entry.message,
        "fingerprint": due.fingerprint,
        "parts": dict(due.parts),
        "causes": due.why,
        "inputs": dict(work.inputs),
        "through": work.through,
        **({"warnings": list(entry.warnings)} if entry.warnings else {}),
        **({"metrics": [one.plain() for one in entry.metrics]} if entry.metrics else {}),
    }


def entries(work: Work, judged: list[Judged], version: int | None, started: float) -> list[Entry]:
    """The result's entries."""
    seconds = (time.monotonic() - started) / max(len(judged), 1)
    return [
        Entry(
            run=one.run,
            job=work.job,
            table=work.table.name,
            window=one.window,
            status="blocked" if one.closed else "published",
            rows=one.rows,
            gate=one.verdict.gate,
            version=None if one.closed else version,
            seconds=seconds,
            message=one.verdict.message or one.said,
            warnings=(*work.warnings.get(one.window, ()), *one.verdict.warnings),
            exit_code=GateClosed.exit_code if one.closed else 0,
            checks=one.verdict.checks,
            reasons=one.reasons,
            metrics=one.metrics,
        )
        for one in judged
    ]
