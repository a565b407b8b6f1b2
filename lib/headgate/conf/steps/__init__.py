"""Steps: how each built-in is written, and what is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headgate.conf import words
from headgate.conf.nodes import Entries, Node, Scalar, flow, kind_of
from headgate.conf.records import Key
from headgate.conf.shapes import At, Listed, Schema, Shape
from headgate.conf.steps.form import Form, Told, told
from headgate.conf.steps.own import OWN, SQL, select_file
from headgate.conf.steps.reading import READING
from headgate.conf.steps.rows import ROWS
from headgate.conf.steps.texts import TEXTS
from headgate.conf.steps.values import VALUES
from headgate.core import steps as S

__all__ = ["FORMS", "SQL", "STEPS", "UNKNOWN", "Form", "Told", "select_file", "told"]

_MADE = {form.step: form for form in (*TEXTS, *READING, *VALUES, *ROWS, *OWN)}
FORMS: Mapping[str, Form] = {step.name: _MADE[step] for step in S.BUILT_IN}
_SPELT = {"normalize": "normalise"}
_BESIDE: Mapping[str, Key] = {n: key for form in OWN for n, key in form.beside.items()}


@dataclass(frozen=True)
class StepShape(Shape):
    """One step: its name and what it takes."""

    def read(self, node: Node, at: At) -> S.Step:
        if not isinstance(node, Entries) or not node.entries:
            bare = isinstance(node, Scalar) and node.said in FORMS
            fix = (
                f": {told(FORMS[node.text].step).first}"
                if bare and isinstance(node, Scalar)
                else ""
            )
            raise at.note(node, f"a step is a name and what it takes, not {kind_of(node)}{fix}")
        name, value = self._named(node, at)
        form = FORMS[_SPELT.get(name.text, name.text)]
        made = form.make(form.takes.read(value, at.key(name.text)))
        made.update(self._beside(node, form, made, at))
        return form.step(**made, place=node.place, written=flow(node)[1:-1])

    def _named(self, node: Entries, at: At) -> tuple[Scalar, Node]:
        """The key that names the step, and its value."""
        names = (*FORMS, *_SPELT)
        named = [entry for entry in node.entries if entry[0].text in names]
        others = [key for key, _ in node.entries if key.text not in (*names, *_BESIDE)]
        if others:
            if named:
                first = named[0][0].text
                keys = (*FORMS[_SPELT.get(first, first)].step.model_fields, *_BESIDE)
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

    def _beside(self, node: Entries, form: Form, made: dict[str, Any], at: At) -> dict[str, Any]:
        """The values of the keys that stand beside the step's name."""
        found: dict[str, Any] = {}
        for name, value in node.entries:
            if name.text not in _BESIDE:
                continue
            if name.text not in form.beside:
                raise at.note(
                    name, f"'{name.text}' has no place here: {_why(form.step, name.text)}"
                )
            key = form.beside[name.text]
            if made.get(key.field or name.text):
                raise at.note(name, f"'{name.text}' is said twice")
            found[key.field or name.text] = key.shape.read(value, at.key(name.text))
        return found

    def schema(self) -> Schema:
        properties = {
            name: {**FORMS[_SPELT.get(name, name)].takes.schema(), "description": _about(name)}
            for name in (*FORMS, *_SPELT)
        }
        beside = {
            name: {**key.shape.schema(), "description": key.about} for name, key in _BESIDE.items()
        }
        return {
            "type": "object",
            "properties": {**properties, **beside},
            "additionalProperties": False,
            "oneOf": [{"required": [name]} for name in properties],
        }

    def shown(self) -> str:
        return "a step"


def _about(name: str) -> str:
    return told(FORMS[_SPELT.get(name, name)].step).purpose


def _why(step: type[S.Step], key: str) -> str:
    """Why a key does not stand beside a step."""
    if key not in ("drops", "adds"):
        return "it belongs to a step of Python"
    counted = step in (S.Where, S.Deduplicate, S.Explode, S.Unpivot, S.Pivot, S.Lookup)
    return f"{step.name} {'counts its rows itself' if counted else 'keeps all rows'}"


# A step that cannot be read stands for one of which nothing is known.
UNKNOWN = S.Python(function="")
STEPS = Listed(StepShape(), UNKNOWN, single=False, empty=True, about="list of [steps](#steps)")
