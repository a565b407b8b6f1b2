"""Columns, as far as they are known before Spark starts: what names one that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headgate.conf.across import differing, type_before
from headgate.conf.forms import SYSTEM
from headgate.conf.known import check_known_at
from headgate.conf.sparktypes import kind_of_type
from headgate.conf.steps import FORMS
from headgate.conf.tables import Draft
from headgate.conf.words import meant
from headgate.core.identifiers import columns_named
from headgate.core.kinds import WANTED
from headgate.core.private import unkeyable
from headgate.core.rules import NAMES_COLUMNS, RULES
from headgate.core.selects import columns_of
from headgate.core.spec import (
    CHANGE_COLUMNS,
    VERSIONED,
    Clean,
    Drift,
    Features,
    Ingested,
    Mart,
    Table,
)
from headgate.core.steps import Columns, Derive, Drop, Lookup, Pivot, Rename, Step

_KEPT = ("_file", "_row", "_window", "_ingested_at")  # no step may touch them
NO_KEY = "'{0}' is {1}: rows cannot be told apart by it; tokens and hashes can be keys"
UNORDERED = "the rows of this table are in no order: it has neither '_file' nor '_row'"
Path = tuple[str | int, ...]


class Known:
    """The columns of each table; tables have to come in the order of dependencies."""

    def __init__(self, faulty: set[str]) -> None:
        self.of: dict[str, Columns] = {}
        self.faulty = faulty  # tables that read what they cannot
        self.tables: dict[str, Table] = {}
        self.unkeyable: dict[str, Mapping[str, str]] = {}  # by table: columns, and what they are

    def check(self, draft: Draft) -> None:
        """Note names of columns that are not there, and learn the table's columns."""
        table = draft.table
        if table is None or draft.misspelt:
            return
        columns = self._columns(draft, table)
        gone = {name for name, how in table.protection.items() if how.kind == "drop"}
        kept = columns and tuple(name for name in columns if name not in gone)
        self.of[draft.name] = None if draft.name in self.faulty else kept
        self.tables[draft.name] = table
        self._keys(draft, table)
        _rules(draft, columns)
        self._across(draft)
        if not isinstance(table, Ingested):
            self._examples(draft, table, columns)

    def _columns(self, draft: Draft, table: Table) -> Columns:
        if isinstance(table, Clean):
            return self._clean(draft, table)
        if isinstance(table, Features):
            return self._features(draft, table)
        if isinstance(table, Mart):
            return self._mart(draft, table)
        if isinstance(table, Ingested) and table.columns and table.on_change.new_column != "add":
            return (*table.columns, *SYSTEM, *(CHANGE_COLUMNS if table.source.changes else ()))
        return None  # columns that the contract does not name may come in

    def _clean(self, draft: Draft, table: Clean) -> Columns:
        start = columns = self.of.get(next(iter(table.reads.values())))
        seen = Seen(draft, columns, start or ())
        for place, step in enumerate(table.steps):
            here = ("steps", place, step.name)
            seen = seen.after(columns)
            for name in step.needs():
                seen.name(name, *here, *_inside(step, name))
            if isinstance(step, Lookup):
                self._lookup(draft, step, here)
            self._kinds(draft, table, place)
            _expressions(seen, step, here)
            _allowed(draft, step, columns, here)
            columns = step.columns_after(columns)
        seen = seen.after(columns)
        for key in ("key", "latest_by", "untracked"):
            for at, name in enumerate(getattr(table, key)):
                seen.name(name, key, at)
        if table.deletion is not None:
            seen.expression(table.deletion, "deletes")
        for name in table.privacy:
            seen.name(name, "privacy", name)
            if whose := table.privacy[name].person:
                seen.name(whose, "privacy", name)
            if name.startswith("_"):
                draft.note(f"'{name}' is a system column: it stays as it is", "privacy", name)
        return columns if table.write != "history" else _with_versions(draft, columns)

    def _kinds(self, draft: Draft, table: Clean, place: int) -> None:
        """Note columns that hold something else than a step takes, as far as types are known."""
        step = table.steps[place]
        for name, wanted in step.needed_as().items():
            kind = type_before(self.tables, table, table.steps[:place], name)
            if kind and kind_of_type(kind) not in wanted.split(" or "):
                path = ("steps", place, step.name, *_inside(step, name))
                what = f"{step.name} takes {WANTED[wanted]}, and '{name}' is {kind}: cast it before"
                draft.note(what, *path)

    def _keys(self, draft: Draft, table: Table) -> None:
        """Note keys on columns whose protection does not keep rows apart."""
        lost = self.unkeyable[draft.name] = unkeyable(table, self.unkeyable)
        for place, name in enumerate(table.key if isinstance(table, Clean) else ()):
            if name in lost:
                draft.note(NO_KEY.format(name, lost[name]), "key", place)
        for place, name in enumerate(table.entity.key if isinstance(table, Features) else ()):
            for source in table.sources:
                if name in (there := self.unkeyable.get(source, {})):
                    draft.note(NO_KEY.format(name, there[name]), "entity", "key", place)
        for place, step in enumerate(table.steps if isinstance(table, Clean) else ()):
            if not isinstance(step, Lookup):
                continue
            there = self.unkeyable.get(step.table, {})
            for name in step.on.values():
                if name in there:
                    draft.note(NO_KEY.format(name, there[name]), "steps", place, "lookup", "on")

    def _lookup(self, draft: Draft, step: Lookup, here: Path) -> None:
        there = Seen(draft, self.of.get(step.table), of=step.table)
        for name in step.on.values():
            there.name(name, *here, "on")
        for at, name in enumerate(step.take):
            there.name(name, *here, "take", at)
        other = self.tables.get(step.table)
        versioned = isinstance(other, Clean) and other.write == "history"
        if isinstance(other, Clean) and versioned and {*other.key} != {*step.on.values()}:
            key = ", ".join(other.key)
            draft.note(
                f"has to be the key of {step.table}, which holds versions: {key}", *here, "on"
            )
        if other is not None and step.as_of and not versioned:
            draft.note(f"{step.table} holds no versions: 'write: history'", *here, "as_of")

    def _across(self, draft: Draft) -> None:
        """Note what rules name of other tables and is not there, or of another type."""
        for placed in draft.rules:
            rule = placed.rule
            if isinstance(rule, Drift) or rule.other is None:
                continue
            there = Seen(draft, self.of.get(rule.other), of=rule.other)
            faults = [what for name in rule.key if (what := there.fault(name))]
            for what in faults or filter(None, [differing(self.tables, draft.name, rule)]):
                placed.at.note(placed.node, what)

    def _features(self, draft: Draft, table: Features) -> Columns:
        listed = [table.entity.from_] if table.entity.from_ else []
        for source in dict.fromkeys((*listed, *table.reads.values())):
            there = Seen(draft, self.of.get(source), of=source)
            for at, name in enumerate(table.entity.key):
                there.name(name, "entity", "key", at)
        for name, source in table.reads.items():
            path = ("time",) if isinstance(table.time, str) else ("time", name)
            Seen(draft, self.of.get(source), of=source).name(table.time_of(name), *path)
        for key, features in (("features", table.features), ("label", table.label)):
            for name, feature in features.items():
                source = table.reads[feature.of]
                there = Seen(draft, self.of.get(source), of=source)
                if feature.measure != "days_since_last":
                    there.expression(feature.measure, key, name, "measure")
        check_known_at(draft, table, self.tables, self.of)
        return table.format.columns_of(table.entity.key, (*table.features, *table.label))

    def _mart(self, draft: Draft, table: Mart) -> Columns:
        source = table.reads[table.period_input]
        there = Seen(draft, self.of.get(source), of=source)
        there.name(table.period_column, "period", "column")
        if table.sql is not None:
            return columns_of(table.sql, None)
        for at, name in enumerate(table.group_by):
            there.name(name, "group_by", at)
        if table.privacy and table.privacy.of:
            there.name(table.privacy.of, "privacy", "of")
        for name, measure in table.measures.items():
            there.expression(measure, "measures", name)
        return tuple(dict.fromkeys((table.period_column, *table.group_by, *table.measures)))

    def _examples(self, draft: Draft, table: Table, columns: Columns) -> None:
        inputs = _inputs(table)
        for at, example in enumerate(table.examples):
            for name, rows in example.given.items():
                if name not in inputs:
                    known = tuple(name for name in inputs if "." not in name)
                    what = f"unknown input '{name[:60]}'{meant(name, known)}"
                    draft.note(what, "examples", at, "given", name)
                    continue
                there = Seen(draft, self.of.get(inputs[name]), of=inputs[name])
                _rows(there, rows, "examples", at, "given", name)
            _rows(Seen(draft, columns), example.written or (), "examples", at, "written")


def _with_versions(draft: Draft, columns: Columns) -> Columns:
    """The columns of a history table, which makes some itself."""
    for name in columns or ():
        if name.lower() in VERSIONED:
            draft.note(f"its rows have a column '{name}', which a history table makes", "write")
    return columns and (*columns, *VERSIONED)


class Seen:
    """The columns that one place of a file can see."""

    def __init__(
        self, draft: Draft, columns: Columns, start: tuple[str, ...] = (), of: str = ""
    ) -> None:
        self.draft, self.columns, self.start, self.of = draft, columns, start, of

    def after(self, columns: Columns) -> Seen:
        """What the next step sees."""
        return Seen(self.draft, columns, self.start, self.of)

    def name(self, name: str, *path: str | int) -> None:
        """Note a column that is not there."""
        what = self.fault(name)
        if what:
            self.draft.note(what, *path)

    def expression(self, text: str, *path: str | int) -> None:
        """Note columns of a SQL expression that are not there."""
        what = self.expression_fault(text)
        if what:
            self.draft.note(what, *path)

    def expression_fault(self, text: str) -> str | None:
        """What is wrong with the first such column. SQL does not mind upper and lower case."""
        if self.columns is None:
            return None
        there = {column.lower() for column in self.columns}
        missing = [name for name in columns_named(text) if name.lower() not in there]
        return self.fault(missing[0]) if missing else None

    def fault(self, name: str) -> str | None:
        """What is wrong with a name; None where it is there or cannot be known."""
        columns = self.columns
        if columns is None or name in columns or name in SYSTEM:
            return None
        where = f" of {self.of}" if self.of else ""
        same = [column for column in columns if column.lower() == name.lower()]
        if same:
            return f"unknown column '{name[:60]}'{where}: it is written '{same[0]}'"
        if name.lower() in (column.lower() for column in self.start):
            return f"unknown column '{name[:60]}': an earlier step renamed it or left it out"
        own = tuple(column for column in columns if not column.startswith("_"))
        return f"unknown column '{name[:60]}'{where}{meant(name, own)}"


def _expressions(seen: Seen, step: Step, here: Path) -> None:
    """Note columns that a step's SQL names and that are not there."""
    for path, text in step.conditions().items():
        seen.expression(text, *here, *path)
    if isinstance(step, Derive) and seen.columns is not None:
        for name, text in step.columns.items():
            seen.expression(text, *here, name)
            seen = seen.after((*(seen.columns or ()), name))


def _allowed(draft: Draft, step: Step, columns: Columns, here: Path) -> None:
    """Note what a step may not do to columns that are there."""
    for name in step.touches():
        if name in _KEPT:
            draft.note(f"'{name}' is a system column: it stays as it is", *here)
    if isinstance(step, Rename):
        there = {name.lower() for name in columns or () if name not in step.columns}
        for old, new in step.columns.items():
            if new.lower() in there:
                draft.note(f"there is a column '{new}' already", *here, old)
            there.add(new.lower())
    elif not isinstance(step, Derive | Pivot):
        there = {name.lower() for name in columns or () if name not in step.needs()}
        for new in (*step.made(), *step.computed()):
            if new.lower() in there:
                draft.note(f"there is a column '{new}' already", *here)
    if isinstance(step, Drop) and columns is not None:
        left = step.columns_after(columns) or ()
        if all(name.startswith("_") for name in left):
            draft.note("leaves no column", *here)


def _rules(draft: Draft, columns: Columns) -> None:
    """Note columns that rules name and that are not there."""
    seen = Seen(draft, columns)
    for placed in draft.rules:
        rule = placed.rule
        if isinstance(rule, Drift):
            for name in (*rule.columns, *([rule.time] if rule.time else [])):
                if what := seen.fault(name):
                    placed.at.note(placed.node, what)
            if draft.table is not None and rule.time in draft.table.private:
                what = f"'{rule.time}' holds personal data, and the newest time is shown"
                placed.at.note(placed.node, what)
            continue
        condition = rule.arguments.get("condition")
        texts = [text for text in (condition, rule.row_condition) if isinstance(text, str)]
        # That a column is missing is what some rules are there to find.
        named = () if rule.expectation in NAMES_COLUMNS else rule.columns
        faults = [seen.fault(name) for name in named]
        if rule.expectation in RULES and RULES[rule.expectation].how == "order":
            faults.append(None if columns is None or "_row" in columns else UNORDERED)
        for what in (*faults, *(seen.expression_fault(text) for text in texts)):
            if what:
                placed.at.note(placed.node, what)


def _inputs(table: Table) -> dict[str, str]:
    """The tables that an example may give rows of, by every name they have."""
    named: dict[str, str] = dict(getattr(table, "reads", {}))
    for full in table.inputs:
        named.setdefault(full.partition(".")[2], full)
        named.setdefault(full, full)
    return named


def _rows(seen: Seen, rows: Iterable[Mapping[str, Any]], *path: str | int) -> None:
    for at, row in enumerate(rows):
        for name in row:
            if not name.startswith("_"):
                seen.name(name, *path, at, name)


def _inside(step: Step, name: str) -> Path:
    """Where in its step a column is named."""
    if isinstance(step, Lookup):
        return ("on",) if name in step.on else ("as_of",)
    if not FORMS[step.name].keyed:
        held = getattr(step, "columns", ())
        return (name,) if isinstance(held, Mapping) else (list(held).index(name),)
    for key in type(step).model_fields:
        held = getattr(step, key)
        if held == name:
            return (key,)
        if isinstance(held, tuple) and name in held:
            return (key, held.index(name))
        if isinstance(held, Mapping) and name in held.values():
            return (key, next(new for new, old in held.items() if old == name))
    return ()
