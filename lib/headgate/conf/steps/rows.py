"""How the steps on columns, on rows and among rows are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from headgate.conf.expressions import Expression
from headgate.conf.forms import COLUMN, COLUMNS, NEW_COLUMN, STRETCH, WHOLE
from headgate.conf.nodes import Entries
from headgate.conf.records import Key, Record
from headgate.conf.shapes import Anything, At, Either, Flag, Listed, Mapped, Text, Word
from headgate.conf.steps.form import Form
from headgate.conf.steps.own import REASON
from headgate.conf.steps.texts import OrNull
from headgate.core import steps as S
from headgate.core.steps.structure import Measure

_NEW = Listed(NEW_COLUMN, unique=True)
_BY = Key(COLUMNS, "rows that agree in these columns belong together", default="all rows")
_ORDER = Key(COLUMNS, "the order of rows, the lowest first", required=True)


def _deduplicate(values: dict[str, Any], node: Entries, at: At) -> dict[str, Any]:
    if ("by" in values) == ("near" in values):
        raise at.note(node, "takes one of 'by' and 'near'")
    for name in ("within", "distance"):
        if name in values and "near" not in values:
            raise at.key(name).note(node.get(name) or node, "goes with 'near'")
    if "distance" in values and "within" not in values:
        what = "needs 'within': all rows of a window would be held against each other"
        raise at.key("distance").note(node.get("distance") or node, what)
    return {**values, "kind": "by" if "by" in values else "near"}


def _lookup(values: dict[str, Any], node: Entries, at: At) -> dict[str, Any]:
    otherwise, must = values.pop("otherwise", None), values.pop("must_match", False)
    if must and otherwise not in (None, "reject", "drop"):
        what = "is at odds with 'must_match: true': reject, or drop"
        raise at.key("otherwise").note(node.get("otherwise") or node, what)
    instead = otherwise if isinstance(otherwise, Mapping) else {}
    for name in instead:
        if name not in values["take"]:
            what = f"'{name[:60]}' is none of the columns taken: {', '.join(values['take'])}"
            raise at.key("otherwise").note(node.get("otherwise") or node, what)
    on = values["on"]
    return {
        **values,
        "on": on if isinstance(on, Mapping) else {name: name for name in on},
        "otherwise": "null" if instead else otherwise or ("reject" if must else "null"),
        "instead": instead,
    }


def _explode(values: dict[str, Any], node: Entries, at: At) -> dict[str, Any]:
    if len(values["into"]) > 2:
        what = "names more than two columns: an array takes one, a map [key, value]"
        raise at.key("into").note(node.get("into") or node, what)
    if values.get("position") in values["into"]:
        raise at.key("position").note(node.get("position") or node, "is listed in 'into' too")
    return values


def _unpivot(values: dict[str, Any], node: Entries, at: At) -> dict[str, Any]:
    if values["into_name"] == values["into_value"]:
        raise at.key("value").note(node.get("value") or node, "is the same column as 'name'")
    return values


def _pivot(values: dict[str, Any], node: Entries, at: At) -> dict[str, Any]:
    for name in values["values"]:
        if name in values["by"]:
            raise at.key("values").note(node.get("values") or node, f"'{name}' is in 'by' too")
    return values


_WHERE = Record(
    "where",
    {
        "keep": Key(Expression("SQL condition"), "rows for which it is true stay", required=True),
        "because": Key(REASON, "the reason that the others are counted under"),
    },
    short="keep",
)
_DEDUPLICATE = Record(
    "deduplicate",
    {
        "by": Key(COLUMNS, "rows that agree in these columns are duplicates"),
        "near": Key(COLUMNS, "rows whose texts here are near to each other are duplicates"),
        "within": Key(COLUMNS, "near rows are looked for among those that agree in these"),
        "distance": Key(WHOLE, "near: how many letters may differ", default="none"),
        "latest_by": Key(COLUMNS, "which of them stays: the greatest"),
    },
    make=_deduplicate,
)
_INSTEAD = Mapped(Anything("one value", scalar=True, null=False), COLUMN, about="{column: value}")
_LOOKUP = Record(
    "lookup",
    {
        "table": Key(Text("a table, layer.name"), "the other table", required=True),
        "on": Key(
            Either(Mapped(COLUMN, COLUMN, about="{here: there}"), COLUMNS),
            "the columns that are equal here and there",
            required=True,
        ),
        "take": Key(COLUMNS, "the columns taken from the other table", required=True),
        "as_of": Key(
            COLUMN, "of a history table: the version that held at this time, a column here"
        ),
        "must_match": Key(Flag(), "a row that matches nothing is rejected", default="false"),
        "otherwise": Key(
            Either(_INSTEAD, OrNull(("null", "reject", "drop"))),
            "what becomes of a row that matches nothing",
            default="null",
        ),
    },
    make=_lookup,
)
_EXPLODE = Record(
    "explode",
    {
        "column": Key(COLUMN, "the array or map; it goes", required=True),
        "into": Key(_NEW, "the column of the items; of a map [key, value]", required=True),
        "position": Key(NEW_COLUMN, "a column that counts the items from 1"),
    },
    make=_explode,
)
_UNPIVOT = Record(
    "unpivot",
    {
        "columns": Key(COLUMNS, "the columns that become rows", required=True),
        "name": Key(NEW_COLUMN, "the column that holds their names", True, field="into_name"),
        "value": Key(NEW_COLUMN, "the column that holds their values", True, field="into_value"),
    },
    make=_unpivot,
)
_PIVOT = Record(
    "pivot",
    {
        "by": Key(COLUMNS, "rows that agree in these become one", required=True),
        "column": Key(COLUMN, "the column whose values become columns", required=True),
        "values": Key(_NEW, "these values: each gives the name of a column", required=True),
        "value": Key(COLUMN, "the column that fills them", required=True),
        "measure": Key(Word(get_args(Measure)), "what becomes of several rows", required=True),
    },
    make=_pivot,
)
_PREVIOUS = Record(
    "previous",
    {
        "columns": Key(
            Mapped(COLUMN, NEW_COLUMN, about="{new: old}"), "the columns it makes", required=True
        ),
        "by": _BY,
        "order": _ORDER,
        "back": Key(WHOLE, "how many rows it looks back", default="1"),
    },
)
_RUNNING = Record(
    "running",
    {
        "columns": Key(
            Mapped(Expression(aggregate=True), NEW_COLUMN, about="{new: SQL aggregate}"),
            "the columns it makes",
            required=True,
        ),
        "by": _BY,
        "order": _ORDER,
    },
)
_SESSIONIZE = Record(
    "sessionize",
    {
        "by": _BY,
        "time": Key(COLUMN, "when each row was", required=True),
        "gap": Key(STRETCH, "after so long a pause another session begins", required=True),
        "into": Key(NEW_COLUMN, "the column that holds the session's number", required=True),
    },
)
_SURROGATE = Record(
    "surrogate",
    {
        "into": Key(NEW_COLUMN, "the column that holds the key", required=True),
        "of": Key(COLUMNS, "the columns it is made of, in this order", required=True),
        "type": Key(Word(("string", "bigint")), "SHA-256 as text, or 64 bits", default="string"),
    },
)


def _duplicates(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"kind": value}


def _fields(columns: Any) -> dict[str, Any]:
    return {"columns": dict.fromkeys(columns, ()) if isinstance(columns, tuple) else columns}


ROWS = (
    Form(S.Select, COLUMNS),
    Form(S.Drop, COLUMNS),
    Form(S.Rename, Mapped(NEW_COLUMN, COLUMN, about="{old: new}")),
    Form(
        S.Flatten,
        Either(
            Mapped(Listed(Text("a field"), unique=True), COLUMN, about="{column: [fields]}"),
            COLUMNS,
        ),
        _fields,
    ),
    Form(S.Where, _WHERE, dict),
    Form(S.Deduplicate, Either(_DEDUPLICATE, Word(("exact",))), _duplicates),
    Form(S.Explode, _EXPLODE, dict),
    Form(S.Unpivot, _UNPIVOT, dict),
    Form(S.Pivot, _PIVOT, dict),
    Form(S.Lookup, _LOOKUP, dict),
    Form(S.Previous, _PREVIOUS, dict),
    Form(S.Running, _RUNNING, dict),
    Form(S.Sessionize, _SESSIONIZE, dict),
    Form(S.Surrogate, _SURROGATE, dict),
)
