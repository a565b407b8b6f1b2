"""How the steps on values are written."""

from __future__ import annotations

from typing import Any

from headgate.conf import words
from headgate.conf.expressions import Expression
from headgate.conf.forms import COLUMN, COLUMNS, NEW_COLUMN
from headgate.conf.nodes import Entries, Node, Scalar
from headgate.conf.records import Key, Record, value_of
from headgate.conf.ruleshapes import Number
from headgate.conf.shapes import Anything, At, Either, Listed, Mapped, Parsed, Schema, Shape
from headgate.conf.steps.form import Form
from headgate.conf.steps.reading import ROUNDING
from headgate.core import steps as S
from headgate.core.units import UNITS, unlike


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


def _bounds(values: dict[str, Any], node: Entries, at: At) -> S.Bounds:
    bounds = S.Bounds(**values)
    if bounds.min is None and bounds.max is None:
        raise at.note(node, "takes 'min', 'max' or both")
    if bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
        raise at.note(node, "has a 'min' above its 'max'")
    return bounds


def _unit(text: str) -> str:
    if text in UNITS:
        return text
    raise ValueError(words.unknown("unit", text, UNITS))


def _units(values: dict[str, Any], node: Entries, at: At) -> S.Units:
    if what := unlike(values["given"], values["wanted"]):
        raise at.note(node, what)
    return S.Units(**values)


def _placeholders(columns: Any) -> dict[str, Any]:
    return {"columns": dict.fromkeys(columns, ()) if isinstance(columns, tuple) else columns}


_VALUE = Anything("one value", scalar=True, null=False)
_CASES = Mapped(Anything("one value", scalar=True), Case(), about="{from: to}")
_UNIT = Parsed("a unit", _unit)
_CLIP = Record(
    "bounds",
    {
        "min": Key(Number(negative=True), "lower numbers become this one"),
        "max": Key(Number(negative=True), "higher numbers become this one"),
    },
    make=_bounds,
)
_ROUND = Record(
    "digits",
    {
        "digits": Key(
            Number(whole=True, negative=True),
            "how many stay after the point; -2 rounds to hundreds",
            required=True,
        ),
        "rounding": ROUNDING,
    },
    make=value_of(S.Digits),
    short="digits",
)
_CONVERT = Record(
    "units",
    {
        "from": Key(_UNIT, f"the unit that it is in: {', '.join(UNITS)}", True, field="given"),
        "to": Key(_UNIT, "the unit that it comes to be in", True, field="wanted"),
    },
    make=_units,
)

VALUES = (
    Form(
        S.Derive,
        Mapped(Expression(), NEW_COLUMN, about="{column: SQL expression}", stand_in="null"),
    ),
    Form(S.Fill, Mapped(_VALUE, COLUMN, about="{column: value}")),
    Form(S.Map, Mapped(_CASES, COLUMN, about="{column: {from: to}}")),
    Form(
        S.Nullify,
        Either(Mapped(Listed(_VALUE), COLUMN, about="{column: [values]}"), COLUMNS),
        _placeholders,
    ),
    Form(S.Clip, Mapped(_CLIP, COLUMN, about="{column: {min, max}}")),
    Form(S.Round, Mapped(_ROUND, COLUMN, about="{column: digits}")),
    Form(S.Convert, Mapped(_CONVERT, COLUMN, about="{column: {from, to}}")),
)
