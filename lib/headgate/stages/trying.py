"""What a rule would have done to past windows: judged as the gate judges, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pyspark.sql import functions as F

from headgate.core.errors import HeadgateError, InputMissing
from headgate.core.labels import MAX_REJECTED
from headgate.core.policy import waived_by
from headgate.core.results import Check
from headgate.core.spec import Rule, Table
from headgate.quality.compile import is_row_rule, judged
from headgate.quality.gate import Verdict, judge
from headgate.quality.reasons import marks, rejected
from headgate.stages import judging
from headgate.stages.flow import fated, marked
from headgate.stages.judging import Unwritten
from headgate.stages.lake import Lake
from headgate.stages.layers import layer_of, under_policy
from headgate.stages.preview import Looking, readable, refused
from headgate.stages.runner import MOST_APART, MOST_TOGETHER
from headgate.stages.work import Due, Work
from headgate.storage.faults import classify
from headgate.storage.jobs import tracked
from headgate.transforms.hidden import DELETED, column

USUAL = 14  # windows, where none are named
ROWS = Rule(
    expectation="expect_table_row_count_to_be_between",
    arguments={"min_value": 0},
    severity="info",
    written="rows",
)
Ends = Literal["closes", "warns", "open"]


@dataclass(frozen=True)
class TriedWindow:
    """What the rule comes to on one window."""

    window: str
    then: str | None  # how the window's last run ended; None where it never ran
    rows: int  # that the gate looks at
    check: Check
    rejected: int  # rows that would be rejected, and are not without the rule
    ends: Ends
    because: str = ""  # why it would close: the rule itself, or `max_rejected`

    @property
    def judged(self) -> int:
        """The rows that count in the rule's denominator."""
        return self.rows if self.check.total is None else self.check.total

    @property
    def broken(self) -> int | None:
        """The rows that break it; None where the rule looks at the rows as a whole."""
        return self.check.unexpected


@dataclass(frozen=True)
class Trial:
    """A rule tried on windows of a table."""

    table: Table
    rule: Rule
    windows: tuple[TriedWindow, ...]
    unread: Mapping[str, str]  # windows that cannot be read now, and why

    @property
    def judged(self) -> int:
        return sum(one.judged for one in self.windows)

    @property
    def broken(self) -> int | None:
        counts = [one.broken for one in self.windows if one.broken is not None]
        return sum(counts) if counts else None

    @property
    def rejected(self) -> int:
        return sum(one.rejected for one in self.windows)

    @property
    def closes(self) -> tuple[str, ...]:
        """The windows on which the gate would have closed for this rule."""
        return tuple(one.window for one in self.windows if one.ends == "closes")

    @property
    def fails(self) -> int:
        """On how many windows the rule does not hold."""
        return sum(not one.check.success for one in self.windows)


def tried_on(lake: Lake, table: Table, rule: Rule, windows: Sequence[str] | None) -> Trial:
    """The rule beside the table's own rules of rows, on named windows or on the last ones."""
    looking = Looking.at(lake)
    try:
        names = readable(looking, table, windows) if windows else judged_lately(lake, table)
        work = _work(looking, table, rule, names)
        if work.broken and not work.slices.names:
            raise refused(work)
        with tracked(lake.spark, f"{table.name} rule try"):
            found = [one for part in _parts(work) for one in _tried(lake, part, rule)]
    except HeadgateError:
        raise
    except Exception as error:
        raise classify(error) from error
    unread = {window: sentence for window, (_, sentence) in work.broken.items()}
    return Trial(table, rule, tuple(sorted(found, key=lambda one: one.window)), unread)


def judged_lately(lake: Lake, table: Table) -> list[str]:
    """The last windows on which a gate has spoken."""
    tries = {window: lake.history.last(table.name, window)
             for window in lake.history.windows(table.name)}  # fmt: skip
    spoken = [w for w, one in tries.items() if one and one.status in ("published", "blocked")]
    if not spoken:
        raise InputMissing(
            f"no window of {table.name} was ever published or blocked",
            next=f"headgate run +{table.name}, or name windows that its input has by --window",
        )
    return sorted(spoken)[-USUAL:]


def _work(lake: Lake, table: Table, rule: Rule, names: Sequence[str]) -> Work:
    """The table's own rules of rows decide which rows reach the rule, those of tables do not."""
    now = under_policy(lake, table, max(names))
    same = (rule.expectation, rule.arguments, rule.row_condition)
    others = tuple(
        one for one in now.quality
        if is_row_rule(one) and (one.expectation, one.arguments, one.row_condition) != same
    )  # fmt: skip
    given = now.model_copy(update={"quality": (*others, rule, ROWS), "drift": ()})
    work = layer_of(given).work(lake, given, [Due(name, "tried", "") for name in names])
    return replace(work, waived=waived_by(now))


def _parts(work: Work) -> Iterator[Work]:
    """As many windows at once as a pass takes."""
    names = work.slices.names
    most = MOST_TOGETHER if work.together else MOST_APART
    for at in range(0, len(names), most):
        yield work.only(names[at : at + most])


def _tried(lake: Lake, work: Work, rule: Rule) -> Iterator[TriedWindow]:
    counted = _row_rule(work, rule) if is_row_rule(rule) else _table_rule(work, rule)
    for name in work.slices.names:
        last = lake.history.last(work.table.name, name)
        yield _judged(work, rule, name, last.status if last else None, counted.get(name, {}))


def _row_rule(work: Work, rule: Rule) -> dict[str, dict[str, Any]]:
    """Rows counted for each window: one aggregate over what the steps leave."""
    rows, _ = marked(work, None)
    bits = marks(work.table.quality, work.waived)
    mine = next(mark for mark in bits if mark.rule is rule)
    others = tuple(mark for mark in bits if mark is not mine)
    alive = ~column(DELETED) if DELETED in rows.columns else F.lit(True)
    counts = {
        "rows": alive,
        "judged": alive & judged(rule),
        "broken": mine.breaks,
        "without": rejected(others, rows.columns),
        "with": rejected(bits, rows.columns),
    }
    values = [F.count_if(condition).alias(name) for name, condition in counts.items()]
    groups = rows.groupBy(F.expr(work.slice_text).alias("__slice")).agg(*values).collect()
    return {work.slices.named(group["__slice"]): group.asDict() for group in groups}


def _table_rule(work: Work, rule: Rule) -> dict[str, dict[str, Any]]:
    """What the rule measures for each window, on the rows that would be published."""
    rows = fated(work, marked(work, None)[0], None)
    found = judging.measured(work, Unwritten(rows), None)
    places = {id(one): place for place, one in enumerate(work.table.quality)}
    return {
        window: {
            "rows": int(by_place.get(places[id(ROWS)], {}).get("observed") or 0),
            "found": by_place.get(places[id(rule)], {}),
        }
        for window, by_place in found.items()
    }


def _judged(
    work: Work, rule: Rule, window: str, then: str | None, counted: Mapping[str, Any]
) -> TriedWindow:
    """The gate's word on one window, with the rule and without it."""
    alone = work.table.model_copy(update={"quality": (rule,)})
    rows, after, before = (counted.get(name, 0) for name in ("rows", "with", "without"))
    broken = {0: (counted.get("broken", 0), counted.get("judged", 0))}
    word = judge(alone, broken, {0: counted.get("found", {})}, rows, after, work.waived)
    anyway = judge(work.table.model_copy(update={"quality": ()}), {}, {}, rows, before, work.waived)
    check = word.checks[0]
    if check.closed:
        return TriedWindow(window, then, rows, check, after - before, "closes", "the rule")
    if word.closed and not anyway.closed:
        return TriedWindow(window, then, rows, check, after - before, "closes", MAX_REJECTED)
    return TriedWindow(window, then, rows, check, after - before, _milder(word))


def _milder(word: Verdict) -> Ends:
    return "warns" if word.gate.warned else "open"
