"""Steps: how each built-in is written, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headgate.conf import words
from headgate.conf.documents import text_of
from headgate.conf.expressions import Expression, statement
from headgate.conf.forms import COLUMN, COLUMNS, NEW_COLUMN, TYPE
from headgate.conf.nodes import Entries, Node, Scalar, flow, kind_of
from headgate.conf.records import Key, Record
from headgate.conf.shapes import (
    Anything,
    At,
    Either,
    Listed,
    Mapped,
    Parsed,
    Schema,
    Shape,
    Text,
    UnreadableError,
    Word,
)
from headgate.core import steps as built_in

_BESIDE = ("drops", "adds")
REASON = Text("a reason in a few words")


@dataclass(frozen=True)
class Form:
    """How one built-in step is written."""

    step: type[built_in.Step]
    takes: Shape
    example: str
    make: Callable[[Any], dict[str, Any]] = lambda columns: {"columns": columns}
    beside: bool = False  # whether `drops` and `adds` may stand beside its name


def select_text(text: Node, at: At, names: tuple[str, ...]) -> str:
    """A SELECT that stands in the file itself."""
    return statement(Text("a SELECT").read(text, at), text, at, names)


def select_file(file: Node, at: At, names: tuple[str, ...]) -> str:
    """A SELECT that stands in a file of its own, below the conf folder."""
    name = Text("a file below the conf folder").read(file, at)
    path = at.conf / name
    if not path.is_file():
        raise at.note(file, f"there is no file '{name}' below {at.conf}")
    text = text_of(path, path.as_posix(), at.faults)
    if text is None:
        raise UnreadableError
    return statement(text, file, at, names)


@dataclass(frozen=True)
class Select(Shape):
    """A SELECT of a step: its text, or a map with text or file."""

    def read(self, node: Node, at: At) -> dict[str, Any]:
        if not isinstance(node, Entries):
            return {"text": select_text(node, at, ("input",))}
        values = SQL.values(node, at)
        text, file = node.get("text"), node.get("file")
        if (text is None) == (file is None):
            raise at.note(node, "a sql step takes one of 'text' and 'file'")
        made = (
            select_text(text, at.key("text"), ("input",))
            if text is not None
            else select_file(file or node, at.key("file"), ("input",))
        )
        if values is None:
            raise UnreadableError
        return {**{key: value for key, value in values.items() if key != "file"}, "text": made}

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string"}, SQL.schema()]}

    def shown(self) -> str:
        return "a SELECT from `input`, or {text or file, drops, adds, rows}"


SQL = Record(
    "a sql step",
    {
        "text": Key(Text(), "the SELECT"),
        "file": Key(Text(), "the file below the conf folder that holds the SELECT"),
        "drops": Key(REASON, "why it may drop rows", field="drops_because"),
        "adds": Key(REASON, "why it may add rows", field="adds_because"),
        "rows": Key(
            Word(("kept", "regrouped")),
            "`regrouped` where a GROUP BY ends one count of rows and begins another",
            default="kept",
        ),
    },
)
_WHERE = Record(
    "where",
    {
        "keep": Key(Expression("SQL condition"), "rows for which it is true stay", required=True),
        "because": Key(REASON, "the reason that the others are counted under"),
    },
    short="keep",
)
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
    },
)


class Case(Shape):
    """A value that is replaced: the text of any scalar, also an empty one."""

    def read(self, node: Node, at: At) -> str:
        if not isinstance(node, Scalar) or node.value is None:
            raise at.note(node, "null is replaced by 'fill', not by 'map'")
        return node.said

    def schema(self) -> Schema:
        return {"type": "string"}

    def shown(self) -> str:
        return "value"


def _on(value: dict[str, Any]) -> dict[str, Any]:
    on = value["on"]
    return {**value, "on": on if isinstance(on, Mapping) else {name: name for name in on}}


def _function(text: str) -> str:
    parts = text.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ValueError(f"must be a function written package.module.function, not '{text[:60]}'")
    return text


_VALUE = Anything("one value", scalar=True, null=False)
_CASES = Mapped(Anything("one value", scalar=True), Case(), about="{from: to}")
_FUNCTION = Parsed("a function written package.module.function", _function)

FORMS: Mapping[str, Form] = {
    form.step.name: form
    for form in (
        Form(built_in.Trim, COLUMNS, "trim: [country]"),
        Form(
            built_in.Rename,
            Mapped(NEW_COLUMN, COLUMN, about="{old: new}"),
            "rename: {id: order_id}",
        ),
        Form(built_in.Cast, Mapped(TYPE, COLUMN, about="{column: type}"), "cast: {quantity: int}"),
        Form(
            built_in.Derive,
            Mapped(Expression(), NEW_COLUMN, about="{column: SQL expression}", stand_in="null"),
            "derive: {revenue: quantity * unit_price}",
        ),
        Form(built_in.Where, _WHERE, 'where: {keep: "quantity <> 0", because: empty line}', dict),
        Form(built_in.Select, COLUMNS, "select: [order_id, line]"),
        Form(built_in.Drop, COLUMNS, "drop: [remark]"),
        Form(built_in.Fill, Mapped(_VALUE, COLUMN, about="{column: value}"), "fill: {discount: 0}"),
        Form(
            built_in.Map,
            Mapped(_CASES, COLUMN, about="{column: {from: to}}"),
            "map: {country: {UK: GB}}",
        ),
        Form(
            built_in.Deduplicate,
            Word(("exact",)),
            "deduplicate: exact",
            lambda kind: {"kind": kind},
        ),
        Form(
            built_in.Lookup,
            _LOOKUP,
            "lookup: {table: clean.countries, on: country, take: [continent]}",
            _on,
        ),
        Form(
            built_in.Sql,
            Select(),
            "sql: SELECT *, revenue * 0.2 AS vat FROM input",
            dict,
            beside=True,
        ),
        Form(
            built_in.Python,
            _FUNCTION,
            "step: shop.steps.known_country",
            lambda function: {"function": function},
            beside=True,
        ),
    )
}


@dataclass(frozen=True)
class StepShape(Shape):
    """One step: its name and what it takes."""

    def read(self, node: Node, at: At) -> built_in.Step:
        if not isinstance(node, Entries) or not node.entries:
            bare = isinstance(node, Scalar) and node.said in FORMS
            fix = f": {FORMS[node.text].example}" if bare and isinstance(node, Scalar) else ""
            raise at.note(node, f"a step is a name and what it takes, not {kind_of(node)}{fix}")
        name, value = self._named(node, at)
        form = FORMS[name.text]
        made = form.make(form.takes.read(value, at.key(name.text)))
        made.update(self._beside(node, form, made, at))
        return form.step(**made, place=node.place, written=flow(node)[1:-1])

    def _named(self, node: Entries, at: At) -> tuple[Scalar, Node]:
        """The key that names the step, and its value."""
        named = [entry for entry in node.entries if entry[0].text in FORMS]
        others = [key for key, _ in node.entries if key.text not in (*FORMS, *_BESIDE)]
        if others:
            if named:
                keys = (*FORMS[named[0][0].text].step.model_fields, *_BESIDE)
                hint = words.meant(others[0].text, _BESIDE, words.KEYS)
                fix = " (is it indented too little?)" if others[0].text in keys else hint
                raise at.note(others[0], f"unknown key '{others[0].text[:60]}' beside a step{fix}")
            raise at.note(others[0], words.unknown("step", others[0].text, FORMS, words.STEPS))
        if len(named) > 1:
            both = "' and '".join(key.text for key, _ in named[:2])
            raise at.note(named[1][0], f"'{both}' are two steps: begin each with '- '")
        if not named:
            raise at.note(node, "names no step")
        return named[0]

    def _beside(self, node: Entries, form: Form, made: dict[str, Any], at: At) -> dict[str, str]:
        reasons: dict[str, str] = {}
        for key, value in node.entries:
            if key.text not in _BESIDE:
                continue
            if not form.beside:
                why = "counts its rows itself" if form.step is built_in.Where else "keeps all rows"
                if form.step is built_in.Deduplicate:
                    why = "counts its rows itself"
                raise at.note(key, f"'{key.text}' has no place here: {form.step.name} {why}")
            if made.get(f"{key.text}_because"):
                raise at.note(key, f"'{key.text}' is said twice")
            reasons[f"{key.text}_because"] = REASON.read(value, at.key(key.text))
        return reasons

    def schema(self) -> Schema:
        properties = {
            name: {**form.takes.schema(), "description": (form.step.__doc__ or "").strip()}
            for name, form in FORMS.items()
        }
        beside = {
            "drops": {"type": "string", "description": "why a step or sql may drop rows"},
            "adds": {"type": "string", "description": "why a step or sql may add rows"},
        }
        return {
            "type": "object",
            "properties": {**properties, **beside},
            "additionalProperties": False,
            "oneOf": [{"required": [name]} for name in FORMS],
        }

    def shown(self) -> str:
        return "a step"


# A step that cannot be read stands for one of which nothing is known.
UNKNOWN = built_in.Python(function="")
STEPS = Listed(StepShape(), UNKNOWN, single=False, empty=True, about="list of [steps](#steps)")
