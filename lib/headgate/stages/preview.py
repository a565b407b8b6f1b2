"""What a run would write and reject: the flow up to its judgement, and nothing after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame

from headgate.conf.nodes import from_python
from headgate.conf.quality import Quality
from headgate.conf.rules import gate_rules
from headgate.conf.shapes import NOTHING, At, tried
from headgate.core.errors import (
    Fault,
    HeadgateError,
    InputMissing,
    Misconfigured,
    ShapeBroken,
    Unreadable,
    Usage,
)
from headgate.core.policy import rules_by_window, waived_by
from headgate.core.results import Rows
from headgate.core.spec import Clean, Drift, Ingested, Rule, Table
from headgate.core.steps import Python, Step
from headgate.privacy.guard import Guard
from headgate.quality.gate import Verdict
from headgate.stages import clean, ingest, judging
from headgate.stages.counting import Counter
from headgate.stages.flow import fated, marked
from headgate.stages.idle import slices
from headgate.stages.judging import Unwritten
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of, under_policy
from headgate.stages.ledger import found_files
from headgate.stages.past import past_of
from headgate.stages.shape import Shaped, fates
from headgate.stages.work import Due, Work
from headgate.storage.faults import classify
from headgate.storage.jobs import stage_was_retried, tracked
from headgate.transforms.hidden import (
    ACCEPTED,
    FATE,
    REASONS,
    RECORD,
    column,
    without_hidden,
)

Counts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Foreseen:
    """One slice of a preview."""

    window: str
    rows: Rows
    verdict: Verdict
    reasons: tuple[tuple[str, int], ...] = ()  # why steps dropped or added rows, with counts

    @property
    def status(self) -> str:
        return "blocked" if self.verdict.closed else "published"


@dataclass(frozen=True, repr=False)
class Preview:
    """What would be written and rejected. The frames are read again whenever they are used."""

    table: str
    slices: tuple[Foreseen, ...]
    accepted: DataFrame
    rejected: DataFrame  # with `_reasons`, and `_record`: the row as it entered the table

    @property
    def rows(self) -> Rows:
        """The fate of every row of all slices together."""
        return Rows.together(one.rows for one in self.slices)

    @property
    def status(self) -> str:
        """How a run would end."""
        return "blocked" if any(one.verdict.closed for one in self.slices) else "published"

    @property
    def message(self) -> str | None:
        """What the gate would say."""
        said = [one.verdict.message or "; ".join(one.verdict.warnings) for one in self.slices]
        return "; ".join(filter(None, said)) or None

    def __repr__(self) -> str:
        rows = {name: count for name, count in vars(self.rows).items() if count}
        return f"Preview({self.table}, {self.status}, {rows}, {self.message!r})"


class Looking(Lake):
    """A lake that is only looked at: the files that a preview reads are not put on record."""

    only_looks = True

    @staticmethod
    def at(lake: Lake) -> Looking:
        return Looking(**{field.name: getattr(lake, field.name) for field in fields(lake)})

    def pin(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Nothing is taken in."""


def previewed(
    lake: Lake,
    table: Table,
    windows: Sequence[str],
    *,
    quality: Sequence[Any] | None = None,
    upto: str | None = None,
) -> Preview:
    """The flow without its effects. `quality` stands in for the table's rules; after `upto`, the
    last step of that name, neither later steps nor the key nor the table's own rules apply."""
    rules = rules_of(quality, lake.suite.conf) if quality is not None else ()
    if quality is None and upto is None:
        rules = (*table.quality, *table.drift)
    elif table.gate == "off":  # whoever names rules wants their word, and closes nothing by them
        table = table.model_copy(update={"gate": "warn"})
    if upto is not None:
        table = cut_after(table, upto)
    table = table.model_copy(update=gate_rules(rules))
    looking = Looking.at(lake)
    try:
        parts = _of_one_gate(looking, table, readable(looking, table, windows))
        return _together([_foreseen(lake, looking, table, names) for names in parts])
    except HeadgateError:
        raise
    except Exception as error:
        raise classify(error) from error


def _of_one_gate(lake: Lake, table: Table, names: Sequence[str]) -> list[list[str]]:
    """The slices parted as a run parts them: those that are judged by the same rules."""
    rules = rules_by_window(table, lake.grain(table))
    parts: dict[str, list[str]] = {}
    for name in names:
        parts.setdefault(rules(name), []).append(name)
    return list(parts.values())


def _foreseen(lake: Lake, looking: Lake, table: Table, names: Sequence[str]) -> Preview:
    """The preview of one pass, without the files that it stumbles over."""
    while True:
        work = _work(looking, table, names)
        try:
            return _shown(foreseen(lake, work), work.guard)
        except Exception as error:
            told = classify(error)
            if not (isinstance(told, Unreadable) and work.sets_aside(told)):
                raise told from error


def _shown(seen: Preview, guard: Guard) -> Preview:
    """The preview with its rows as a run would leave them: what is personal is protected."""
    return replace(
        seen, accepted=guard.protected(seen.accepted), rejected=guard.protected(seen.rejected)
    )


def _work(lake: Lake, table: Table, names: Sequence[str]) -> Work:
    """One pass over slices, under the rules that are in force for them."""
    now = under_policy(lake, table, names[0])
    work = layer_of(now).work(lake, now, [Due(one, "preview", "") for one in names])
    if work.broken:
        raise refused(work)
    return replace(work, past=past_of(lake, work), waived=waived_by(now))


def _together(parts: Sequence[Preview]) -> Preview:
    """The previews of all parts as one."""
    seen = sorted((one for part in parts for one in part.slices), key=lambda one: one.window)
    accepted, rejected = (
        reduce(lambda one, more: one.unionByName(more, allowMissingColumns=True), frames)
        for frames in ([part.accepted for part in parts], [part.rejected for part in parts])
    )
    return Preview(parts[0].table, tuple(seen), accepted, rejected)


def refused(work: Work) -> HeadgateError:
    """The error for the first slice that cannot be read."""
    code, sentence = next(iter(work.broken.values()))
    return next(kind for kind in (ShapeBroken, InputMissing) if kind.exit_code == code)(sentence)


def rules_of(listed: Sequence[Any], conf: str = "conf") -> tuple[Rule | Drift, ...]:
    """Rules from Python values, written as under `quality:` in a table's file."""
    if all(isinstance(one, Rule | Drift) for one in listed):
        return tuple(listed)
    faults: list[Fault] = []
    at = At(faults, path="quality", conf=Path(conf))
    placed = tried(Quality().read, from_python(listed, "preview"), at)
    if faults or placed is NOTHING:
        raise Misconfigured(faults, next="write the rules as under `quality:` in a table's file")
    return tuple(one.rule for one in placed)


def cut_after(table: Table, step: str) -> Table:
    """The table up to the last step of a name, without its key."""
    steps: tuple[Step, ...] = getattr(table, "steps", ())
    places = [place for place, one in enumerate(steps) if step in _names(one)]
    if not isinstance(table, Clean) or not places:
        known = ", ".join(dict.fromkeys(_names(one)[-1] for one in steps)) or "none"
        raise Usage(f"{table.name} has no step '{step}'", next=f"its steps: {known}")
    kept = steps[: places[-1] + 1]
    return table.model_copy(
        update={
            "steps": kept,
            "key": (),
            "latest_by": (),
            "deletes": None,
            "untracked": (),
            "write": "replace",
        }
    )


def _names(step: Step) -> tuple[str, ...]:
    """What a step may be called."""
    if isinstance(step, Python):
        return step.name, step.function, step.function.rpartition(".")[2]
    return (step.name,)


def readable(lake: Lake, table: Table, windows: Sequence[str]) -> list[str]:
    """The slices that these windows mean and that can be read; none is an error."""
    if isinstance(table, Ingested):
        there = [w for w in windows if w in found_files(lake, table, windows).windows]
        if not there:
            raise ingest.missing(lake, table, windows[0])
        return there
    known_tables = (name for name in table.inputs if name in lake.suite.tables)  # a rule may err
    never = [name for name in known_tables if lake.version(name) is None]
    if never:
        raise InputMissing(
            f"{never[0]} has never been published",
            where=f"{table.name} {windows[0]}",
            next=f"headgate run +{table.name}",
        )
    if not isinstance(table, Clean):
        return slices(lake, table, windows)
    known = clean.input_windows(lake, table)
    there = [window for window in windows if window in known]
    if not there:
        name = clean.main_input(table)
        newest = max(known, default=None)
        raise InputMissing(
            f"{name} has not published this window",
            where=f"{table.name} {windows[0]}",
            next=f"--window {newest}" if newest else f"headgate run +{table.name}",
        )
    return there


def foreseen(lake: Lake, work: Work) -> Preview:
    """Run the flow over the rows once, for the counts, and judge them."""
    counter = Counter(work.slices)
    counting, shaped = ended(work, counter)
    rows, _ = ended(work, None)
    with tracked(lake.spark, f"{work.table.name} preview") as group:
        counting.drop(RECORD).write.format("noop").mode("overwrite").save()
        counts = counter.counted(trusted=not stage_was_retried(lake.spark, group))
        found = judging.measured(work, Unwritten(rows), counts["ends"])
    seen = []
    for place, name in enumerate(work.slices.names):
        code = work.slices.grain.index(name) - work.slices.base
        tally = judging.tallies(counts["ends"], code)
        verdict, _ = judging.verdict(work, name, code, counts["ends"], found[name], tally)
        kept = shaped[0 if work.together else place]
        flowed, why = flowed_rows(work, kept, counts, name)
        settled = judging.settled(flowed, tally, blocked=verdict.closed)
        seen.append(Foreseen(name, settled, verdict, why))
    return Preview(work.table.name, tuple(seen), accepted_rows(rows), rejected_rows(rows))


def ended(work: Work, counter: Counter | None) -> tuple[DataFrame, list[Shaped]]:
    """All rows at the end of the flow: with their fates, their reasons, and what they came as."""
    rows, shaped = marked(work, counter, with_record=True)
    return fated(work, rows, counter), shaped


def flowed_rows(
    work: Work, shaped: Shaped, counts: Counts, name: str
) -> tuple[Rows, tuple[tuple[str, int], ...]]:
    """What went in and what the steps did to it, as far as it is known before the gate."""
    code = work.slices.grain.index(name) - work.slices.base
    if work.regroups:
        return Rows(read=counts["inputs"]["rows"].get(code, 0)), ()
    tally = judging.tallies(counts["ends"], code)
    return fates(shaped, counts, code, tally.total, work.table.name, name)


def accepted_rows(rows: DataFrame) -> DataFrame:
    """The rows that would be handed to the publish."""
    return without_hidden(rows.where(column(FATE) == ACCEPTED))


def rejected_rows(rows: DataFrame) -> DataFrame:
    """The rows that would go to quarantine, as they ended, with why and what they came as."""
    rejected = rows.where(column(REASONS).isNotNull())
    kept = [column(name) for name in without_hidden(rows).columns]
    record = [column(RECORD).alias("_record")] if RECORD in rows.columns else []
    return rejected.select(*kept, column(REASONS).alias("_reasons"), *record)
