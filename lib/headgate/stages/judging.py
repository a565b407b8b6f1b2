"""From what was counted and measured to one verdict for each slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from headgate.core.across import FRESH
from headgate.core.labels import DRIFT
from headgate.core.private import Private
from headgate.core.results import Metric, Rows
from headgate.quality import profile_measures
from headgate.quality.compile import is_row_rule, judged
from headgate.quality.drift import drifted, joined
from headgate.quality.gate import Verdict, judge
from headgate.quality.measures import measures
from headgate.quality.passes import found_by_passes, found_in_schema, needs_passes, on_schema
from headgate.quality.past import Past
from headgate.quality.reasons import marks
from headgate.quality.totals import age, found_elsewhere
from headgate.stages.slices import first_day
from headgate.stages.work import Work
from headgate.transforms.hidden import (
    ACCEPTED,
    DELETED,
    DUPLICATE,
    FATE,
    QUARANTINED,
    column,
    without_hidden,
)

KINDS = 3  # fates
_OF_EQUALITY = (  # rules that only ask which values are equal
    "expect_column_values_to_be_unique",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_compound_columns_to_be_unique",
)
PROFILE = -1  # the place of what drift measures, beside the places of the rules


class Readable(Protocol):
    """Rows that would be published, written already or not."""

    def read_back(self) -> DataFrame: ...


class Unwritten:
    """The rows that would be written, where judging looks for those that were."""

    def __init__(self, rows: DataFrame) -> None:
        self._rows = rows

    def read_back(self) -> DataFrame:
        good = self._rows.where(column(FATE) == ACCEPTED)
        kept = without_hidden(good)
        deleted = [column(DELETED)] if DELETED in good.columns else []
        return good.select(*[column(name) for name in kept.columns], *deleted)


@dataclass(frozen=True)
class Tally:
    """The ends of one slice's rows."""

    accepted: int
    quarantined: int
    duplicates: int
    judged: int

    @property
    def total(self) -> int:
        return self.accepted + self.quarantined + self.duplicates


def metrics(work: Work, df: DataFrame) -> tuple[dict[str, Column], dict[str, Column]]:
    """What the last stage counts: codes for each slice, and (one slice alone) plain measures."""
    code = F.expr(work.slices.code(work.slice_text))
    alive = F.lit(True) if DELETED not in df.columns else ~column(DELETED)
    counted = {f"fate{kind}": F.when(column(FATE) == kind, code) for kind in range(KINDS)}
    if DELETED in df.columns:
        counted["judged"] = F.when(alive, code)
    for mark in marks(work.table.quality, work.waived):
        rule, place = mark.rule, mark.place
        counted[f"broken{place}"] = F.when(mark.breaks, code)
        if rule.mostly is not None or rule.row_condition is not None:
            counted[f"judged{place}"] = F.when(alive & judged(rule), code)
    plain: dict[str, Column] = {}
    if len(work.slices) == 1:
        accepted = alive & (column(FATE) == ACCEPTED)
        for place, named in _wanted(work, df.schema, accepted).items():
            plain.update({f"m{place}_{name}": value for name, value in named.items()})
    return counted, plain


def _wanted(
    work: Work, schema: StructType, alive: Column | None = None
) -> dict[int, Mapping[str, Column]]:
    """What table rules and drift measure, by the rule's place."""
    wanted = {place: measures(rule, alive) for place, rule in enumerate(work.table.quality)}
    wanted[PROFILE] = profile_measures.probes(work.table, schema, alive)
    return {place: named for place, named in wanted.items() if named}


def tallies(counts: Mapping[str, Any], code: int) -> Tally:
    """How many rows of a slice met each end."""
    kinds = (ACCEPTED, QUARANTINED, DUPLICATE)
    accepted, quarantined, duplicates = (counts[f"fate{k}"].get(code, 0) for k in kinds)
    total = accepted + quarantined + duplicates
    judged_rows = counts["judged"].get(code, 0) if "judged" in counts else total
    return Tally(accepted, quarantined, duplicates, judged_rows)


def measured(
    work: Work,
    draft: Readable,
    counts: Mapping[str, Any] | None,
    plain: Callable[[], Readable] | None = None,
) -> dict[str, dict[int, dict[str, Any]]]:
    """For each slice, what its table rules measured on the rows that would be published.

    Without counts nothing was measured while the rows flowed. Where the rows of the draft are
    protected, `plain` makes the same rows once more, for rules that need them.
    """
    rules, one = work.table.quality, len(work.slices) == 1 and counts is not None
    in_schema = any(map(on_schema, rules))
    shown = plain() if plain and in_schema else draft
    told = found_in_schema(shown.read_back(), rules) if in_schema else {}
    if plain and asks_for_plain(work, measured_already=one):
        draft = plain()
    found: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in work.slices.names}
    if one and counts is not None:
        for key, value in counts.items():
            place, _, name = key.removeprefix("m").partition("_")
            if key.startswith("m") and name:
                found[work.slices.names[0]].setdefault(int(place), {})[name] = value
    elif work.table.drift or any(measures(rule) for rule in rules):
        _grouped(work, draft, found)
    _held_against_others(work, found)
    for each in found.values():
        each.update(told)
    if any(map(needs_passes, rules)):
        for text, by_rule in found_by_passes(_alive(work, draft), rules, "__slice").items():
            name = work.slices.named(text)
            if name in found:
                found[name].update(by_rule)
    return found


def asks_for_plain(work: Work, *, measured_already: bool) -> bool:
    """Whether a rule that looks at rows once written asks what protected ones do not tell.

    Nulls, and which values are equal, are the same among tokens as among what they stand for.
    """
    guarded, blurred = Private(frozenset(work.guard.columns)), Private(work.guard.blurred)
    for rule in work.table.quality:
        later = needs_passes(rule) or (bool(measures(rule)) and not measured_already)
        hidden = blurred if rule.expectation in _OF_EQUALITY else guarded
        texts = (rule.row_condition, rule.arguments.get("condition"))
        named = any(map(hidden.hides, rule.columns))
        if later and (named or any(hidden.in_text(text) for text in texts if text)):
            return True
    watched = [name for rule in work.table.drift for name in rule.columns or work.guard.columns]
    return not measured_already and any(map(blurred.hides, watched))


def _held_against_others(work: Work, found: dict[str, dict[int, dict[str, Any]]]) -> None:
    """What rules across tables expect of each slice."""
    if not work.others:
        return
    rules, grain = work.table.quality, work.slices.grain
    texts = [text for name in found for text in (name, first_day(name, grain))]
    for text, place, total in found_elsewhere(rules, work.others, texts):
        found[work.slices.named(text)].setdefault(place, {})["expected"] = total
    for place, rule in enumerate(rules):
        for name, known in found.items() if rule.expectation == FRESH else ():
            known[place] = {"observed": age(rule, work.others, grain.end(name))}


def _grouped(
    work: Work,
    draft: Readable,
    found: dict[str, dict[int, dict[str, Any]]],
) -> None:
    """One aggregate over the files just written: `observe` has no GROUP BY."""
    rows = _alive(work, draft)
    wanted = _wanted(work, rows.drop("__slice").schema)
    values = [
        value.alias(f"m{place}_{name}") for place, named in wanted.items()
        for name, value in named.items()
    ]  # fmt: skip
    for known in found.values():  # a slice without rows is in no group
        known[PROFILE] = dict.fromkeys(wanted.get(PROFILE, ()))
    for row in rows.groupBy("__slice").agg(*values).collect():
        name = work.slices.named(row["__slice"])
        if name in found:
            for place, named in wanted.items():
                found[name][place] = {name: row[f"m{place}_{name}"] for name in named}


def _alive(work: Work, draft: Readable) -> DataFrame:
    rows = draft.read_back()
    if DELETED in rows.columns:
        rows = rows.where(~column(DELETED))
    return rows.withColumn("__slice", F.expr(work.slice_text))


def verdict(
    work: Work,
    window: str,
    code: int,
    counts: Mapping[str, Any],
    found: Mapping[int, Mapping[str, Any]],
    tally: Tally,
    past: Past | None = None,
    seconds: float | None = None,
) -> tuple[Verdict, tuple[Metric, ...]]:
    """The gate's word on one slice, and what was measured for drift."""
    if window in work.ungated:
        return judge(work.table.model_copy(update={"quality": ()}), {}, {}, 0, 0), ()
    rows = {
        place: (
            counts[f"broken{place}"].get(code, 0),
            counts.get(f"judged{place}", {code: tally.judged}).get(code, 0),
        )
        for place, rule in enumerate(work.table.quality)
        if is_row_rule(rule)
    }
    word = judge(
        work.table, rows, found, tally.judged, tally.quarantined, work.waived, not tally.accepted
    )
    if not work.table.drift:
        return word, ()
    grain = work.slices.grain
    measured_now = (
        *profile_measures.metrics(found.get(PROFILE, {}), grain.end(window)),
        *profile_measures.beside(work.table, work.sizes.get(window), seconds),
    )
    before = work.past if past is None else past
    waived = work.waived | ({DRIFT} if work.table.gate != "close" else set())
    said = drifted(work.table.drift, measured_now, window, grain, before, waived)
    return joined(word, said, tally.judged), said.metrics


def settled(rows: Rows, tally: Tally, *, blocked: bool) -> Rows:
    """The fate of every row, once it is known whether the gate closed."""
    written = 0 if blocked else tally.accepted
    held = tally.accepted if blocked else 0
    return Rows(
        read=rows.read,
        added=rows.added,
        written=written,
        quarantined=tally.quarantined,
        deduplicated=rows.deduplicated + tally.duplicates,
        filtered=rows.filtered,
        withheld=held,
    )
