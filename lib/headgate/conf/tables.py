"""From the tree of a table's file to the table, with the checks that need no other file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from headgate.conf.databases import kept_in
from headgate.conf.expressions import statement
from headgate.conf.formats import formatted
from headgate.conf.layers import MODELS, RECORDS
from headgate.conf.measured import feature
from headgate.conf.nodes import Entries, Listing, Node, Scalar
from headgate.conf.rules import Placed, gate_rules
from headgate.conf.shapes import At, UnreadableError
from headgate.conf.sources import untold
from headgate.conf.steps import select_file
from headgate.conf.words import unknown
from headgate.core.contract import Database, OnChange
from headgate.core.labels import known_names, shown_names
from headgate.core.spec import Drift, Ingested, Table

Values = dict[str, Any]
# The keys that say which columns a table has.
_SHAPING = ("columns", "features", "group_by", "label", "measures", "new_column", "on_change",
            "reads", "source", "sql", "steps")  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """One table's file, as far as it could be read."""

    name: str
    node: Node
    at: At
    table: Table | None = None
    rules: tuple[Placed, ...] = ()
    reads: Mapping[str, str] = field(default_factory=dict)  # also where the table is faulty

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def misspelt(self) -> bool:
        """Whether a key that says which columns there are was likely misspelt."""
        said = (fault.what for fault in self.at.faults if fault.what.startswith("unknown key"))
        return any(f"did you mean '{key}'" in what for what in said for key in _SHAPING)

    def note(self, what: str, *parts: str | int) -> UnreadableError:
        """Note a fault at a path, or as near to it as the file goes."""
        node, at = self.node, self.at
        for part in parts:
            at = at.key(part) if isinstance(part, str) else at.item(part)
            inner: Node | None = None
            if isinstance(node, Entries) and isinstance(part, str):
                inner = node.get(part)
            elif isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
                inner = node.items[part]
            elif isinstance(part, int):
                at = replace(at, path=at.path.rpartition("[")[0])
            node = inner or node
        return at.note(node, what)


def check_window(draft: Draft, grain: str) -> None:
    """Note a path whose format does not tell the suite's windows."""
    if isinstance(draft.table, Ingested):
        what = untold(draft.table.source.files, grain)
        if what:
            draft.note(f"{what}, and this suite's window is the {grain}", "source", "files")


def draft(name: str, node: Node, at: At) -> Draft:
    """What can be made of one table's tree; `at` notes the faults of this table only."""
    layer = name.partition(".")[0]
    values = RECORDS[layer].values(node, at)
    reads = _reads(node)
    made = Draft(name, node, at, reads=reads)
    if isinstance(node, Entries):
        values = _CHECKS[layer](made, values)
    if values is None:
        return made
    rules: tuple[Placed, ...] = values.pop("quality", ())
    values |= gate_rules(placed.rule for placed in rules)
    sized = layer == "ingested" and "window_by" not in values
    for placed in rules:
        if isinstance(placed.rule, Drift) and "bytes" in placed.rule.metrics and not sized:
            what = "bytes are those of raw files: of ingested tables whose path tells the window"
            placed.at.note(placed.node, what)
    table = MODELS[layer](name=name, file=node.file, **values)
    for place, waiver in enumerate(table.waive):
        if waiver.rule not in known_names(table):
            made.note(unknown("rule", waiver.rule, shown_names(table)), "waive", place, "rule")
    return replace(made, table=table, rules=rules)


def _reads(node: Node) -> dict[str, str]:
    """The tables read, as far as they can be told."""
    held = node.get("reads") if isinstance(node, Entries) else None
    if isinstance(held, Scalar) and isinstance(held.value, str):
        return {held.said.rpartition(".")[2]: held.said}
    if isinstance(held, Entries):
        named = ((key.text, value) for key, value in held.entries if isinstance(value, Scalar))
        return {key: value.said for key, value in named if value.value is not None}
    return {}


def _has(draft: Draft, key: str) -> bool:
    return isinstance(draft.node, Entries) and draft.node.get(key) is not None


def _ingested(draft: Draft, values: Values | None) -> Values | None:
    if not (_has(draft, "columns") or _reads_database(draft)):
        about = RECORDS["ingested"].keys["columns"].about
        draft.at.note(draft.node, f"key 'columns' is missing: {about}")
        return None
    if values is None:
        return None
    values = _of_database(draft, values)
    if "columns" not in values:
        values |= {"columns": {}, "left_to_database": True}
        # What the database has is the contract: a column that goes away is empty from then on.
        if not _has(draft, "on_change"):
            values["on_change"] = OnChange(missing_column="null")
    for name, one in values["columns"].items():
        whose = one.privacy.person if one.privacy else None
        if whose is not None and whose not in values["columns"]:
            draft.note(unknown("column", whose, values["columns"]), "columns", name, "privacy")
    if "window_by" in values:
        if "database" in values:
            draft.note("the window of rows of a database is when they were read", "window_by")
        elif "{window" in values["source"].files:
            draft.note("the path tells the window already ({window}): leave one out", "window_by")
        elif values["window_by"] not in values["columns"]:
            draft.note(unknown("column", values["window_by"], values["columns"]), "window_by")
        elif values["columns"][values["window_by"]].type not in ("date", "timestamp", "string"):
            kind = values["columns"][values["window_by"]].type
            draft.note(f"a {kind} tells no window: a date or timestamp does", "window_by")
        elif values["columns"][values["window_by"]].privacy:
            draft.note("holds personal data, and windows are shown to everybody", "window_by")
    for place, name in enumerate(values["source"].key):
        if name not in values["columns"]:
            draft.note(unknown("column", name, values["columns"]), "source", "key", place)
    by_case: dict[str, str] = {}
    for name in values["columns"]:
        if name.lower() in by_case:
            other = by_case[name.lower()]
            draft.note(f"'{name}' and '{other}' differ only in case", "columns", name)
        by_case[name.lower()] = name
    return values


def _reads_database(draft: Draft) -> bool:
    source = draft.node.get("source") if isinstance(draft.node, Entries) else None
    return isinstance(source, Entries) and source.get("jdbc") is not None


def _of_database(draft: Draft, values: Values) -> Values:
    """The values with the files in which the reads of a database are kept."""
    database = values["source"]
    if not isinstance(database, Database):
        return values
    short = draft.name.partition(".")[2]
    if database.query is None and not database.table:
        database = database.model_copy(update={"table": short})
    columns = values.get("columns", {})
    by = database.increment.by if database.increment else None
    private = [n for n, one in columns.items() if one.privacy and by in (n, one.from_)]
    if private:
        what = f"'{private[0]}' is private, and how far an increment came is written down"
        draft.note(what, "source", "jdbc", "increment")
    return {**values, "database": database, "source": kept_in(short, database)}


def _clean(draft: Draft, values: Values | None) -> Values | None:
    node = draft.node
    write = node.get("write") if isinstance(node, Entries) else None
    said = write.said if isinstance(write, Scalar) else "replace"
    if said != "replace" and not _has(draft, "key"):
        draft.note(f"'write: {said}' needs a 'key'", "write")
    if _has(draft, "latest_by") and not _has(draft, "key"):
        draft.note("'latest_by' needs a 'key': which rows are the same one", "latest_by")
    if _has(draft, "deletes") and said == "replace":
        draft.note("'deletes' needs 'write: upsert' or 'write: history'", "deletes")
    if _has(draft, "untracked"):
        if said != "history":
            draft.note("'untracked' needs 'write: history'", "untracked")
        for place, name in enumerate(values["untracked"] if values else ()):
            if name in (values or {}).get("key", ()):
                draft.note(f"'{name}' is in the key: it tells rows apart", "untracked", place)
    return values


def _marts(draft: Draft, values: Values | None) -> Values | None:
    measures, sql = _has(draft, "measures"), _has(draft, "sql")
    if not measures and not sql:
        draft.at.note(draft.node, "has neither 'measures' nor 'sql'")
    if measures and sql:
        draft.note("stands beside 'measures': a mart has one of them", "sql")
    if sql and _has(draft, "group_by"):
        draft.note("stands beside 'sql', which has its own GROUP BY", "group_by")
    if measures and len(draft.reads) > 1:
        draft.note("are taken of one input: with several, use 'sql'", "measures")
    if values is None:
        return None
    if sql:
        values["sql"] = _mart_sql(draft)
        if "privacy" in values:
            draft.note("counts the rows of groups: it needs 'measures' instead of 'sql'", "privacy")
    _looks_back(draft, values, sql)
    column = values["period"].column
    name, dot, _ = column.partition(".")
    if dot and name not in values["reads"]:
        draft.note(unknown("input", name, values["reads"]), "period", "column")
        return None
    if not dot and len(values["reads"]) > 1:
        first = next(iter(values["reads"]))
        what = f"say of which input '{column}' is a column: {first}.{column}"
        draft.note(what, "period", "column")
    _apart(draft, (column.rpartition(".")[2], *values.get("group_by", ())), "measures",
           values.get("measures", {}))  # fmt: skip
    return values


def _looks_back(draft: Draft, values: Values, sql: bool) -> None:
    over, grain = values.get("over"), values["period"].grain
    if over is None:
        return
    if sql:
        draft.note("is of 'measures': SQL says itself how far it looks", "over")
    elif over.to_date and grain not in _BEFORE_A_TURN[over.to_date]:
        what = f"a period is a {grain}, and a {over.to_date} does not begin with one"
        draft.note(what, "over", "to_date")


def _mart_sql(draft: Draft) -> str | None:
    node = draft.node.get("sql") if isinstance(draft.node, Entries) else None
    at, names = draft.at.key("sql"), tuple(draft.reads)
    try:
        if isinstance(node, Scalar):
            return statement(node.said, node, at, names)
        if isinstance(node, Entries):
            text, file = node.get("text"), node.get("file")
            if (text is None) == (file is None):
                raise at.note(node, "takes one of 'text' and 'file'")
            if isinstance(text, Scalar):
                return statement(text.said, text, at.key("text"), names)
            if file is not None:
                return select_file(file, at.key("file"), names)
    except UnreadableError:
        pass
    return None


def _apart(draft: Draft, taken: tuple[str, ...], key: str, names: Mapping[str, Any]) -> None:
    """Columns of a table that would have one name."""
    lowered = {name.lower() for name in taken}
    for name in names:
        if name.lower() in lowered:
            draft.note(f"there is a column '{name}' already: give another name", key, name)
        lowered.add(name.lower())


def _features(draft: Draft, values: Values | None) -> Values | None:
    if values is None:
        return None
    reads = tuple(values["reads"])
    for key in ("features", "label"):
        for name, feature_ in values.get(key, {}).items():
            if feature_.get("of") == "":
                continue
            if "of" in feature_ and feature_["of"] not in reads:
                draft.note(unknown("input", feature_["of"], reads), key, name, "of")
            elif "of" not in feature_ and len(reads) != 1:
                draft.note("key 'of' is missing: which input is measured", key, name)
    timed = _times(draft, values, reads)
    entity = values["entity"].key
    _apart(draft, (*entity, "as_of"), "features", values["features"])
    _apart(draft, (*entity, "as_of", *values["features"]), "label", values.get("label", {}))
    if "format" in values:
        values["format"] = formatted(
            values["format"], entity, values["features"], tuple(values.get("label", {})), draft.note
        )
    if not timed or not reads:
        return None
    for key in ("features", "label"):
        made = {name: feature(each, reads) for name, each in values.get(key, {}).items()}
        values[key] = made
    return values


def _times(draft: Draft, values: Values, reads: tuple[str, ...]) -> bool:
    """Whether each input has a column that tells the time."""
    time = values["time"]
    if isinstance(time, str):
        return True
    for name in time:
        if name not in reads:
            draft.note(unknown("input", name, reads), "time", name)
    for name in reads:
        if name not in time:
            draft.note(f"says no column of the input '{name}'", "time")
    return all(name in time for name in reads)


_BEFORE_A_TURN = {
    "week": ("hour", "day"), "month": ("hour", "day"), "year": ("hour", "day", "month"),
}  # fmt: skip
_CHECKS: Mapping[str, Callable[[Draft, Values | None], Values | None]] = {
    "ingested": _ingested,
    "clean": _clean,
    "features": _features,
    "marts": _marts,
}
