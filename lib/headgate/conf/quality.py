"""The list under `quality:`, and suite files as great-expectations saves them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from headgate.conf import drift, rules, words
from headgate.conf.documents import read_text, text_of
from headgate.conf.nodes import Entries, Listing, Node, Scalar, kind_of
from headgate.conf.rules import COMMON, MOSTLY, SEVERITIES, Placed
from headgate.conf.shapes import NOTHING, At, Schema, Shape, Text, UnreadableError, tried
from headgate.core.rules import RULES
from headgate.core.spec import Rule

_BESIDE = ("severity", "mostly", "row_condition")
_FORMS = (*(name for name in RULES if name != "row"), "row", "drift", "expectations")
# Arguments that great-expectations saves and that say how to run, not what to expect.
_RUNNING = {"result_format", "catch_exceptions", "batch_id", "include_config"}
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


@dataclass(frozen=True)
class Quality(Shape):
    """The rules of a table."""

    def read(self, node: Node, at: At) -> tuple[Placed, ...]:
        if not isinstance(node, Listing):
            raise at.note(
                node, f"must be a list of rules, not {kind_of(node)}: begin each with '- '"
            )
        placed: list[Placed] = []
        for place, item in enumerate(node.items):
            made = tried(self._item, item, at.item(place))
            placed.extend(made if made is not NOTHING else ())
        first: dict[tuple[str, str], Placed] = {}
        for each in placed:
            key = (getattr(each.rule, "expectation", "drift"), each.rule.written)
            if key in first:
                where = first[key].rule.place
                what = f"this rule is written twice (first at {where})"
                each.at.note(each.node, what)
            first.setdefault(key, each)
        return tuple(placed)

    def _item(self, item: Node, at: At) -> list[Placed]:
        """The rules that one item of the list stands for."""
        if not isinstance(item, Entries) or not item.entries:
            example = "expect_column_values_to_not_be_null: {column: order_id}"
            what = f"a rule is a name and its arguments ({example}), not {kind_of(item)}"
            raise at.note(item, what)
        named = [(key, value) for key, value in item.entries if key.text not in _BESIDE]
        beside = {key.text: value for key, value in item.entries if key.text in _BESIDE}
        if not named:
            raise at.note(item, "names no rule")
        name, value = named[0]
        if name.text not in _FORMS:
            raise at.note(name, words.unknown("rule", name.text, _FORMS, words.RULES))
        if len(named) > 1:
            other = named[1][0]
            if other.text in RULES:
                both = f"'{name.text}' and '{other.text}'"
                raise at.note(other, f"{both} are two rules: begin each with '- '")
            raise at.note(other, words.unknown("key", other.text, _BESIDE, words.KEYS))
        if name.text == "expectations":
            if beside:
                raise at.note(item, "the file says the severity of each of its rules")
            return saved_suite(value, at)
        if name.text == "row":
            return rules.conditions(value, at, beside)
        if name.text == "drift":
            return [Placed(drift.drift(name, value, at, beside), item, at)]
        return [Placed(rules.expectation(name, value, at, beside), item, at)]

    def schema(self) -> Schema:
        properties: Schema = {name: _rule_schema(name) for name in RULES if name != "row"}
        named = {"type": "object", "additionalProperties": {"type": ["string", "boolean"]}}
        properties["row"] = {
            "anyOf": [{"type": "string"}, named],
            "description": "Name: SQL condition. NULL breaks it.",
        }
        properties["drift"] = {**drift.DRIFT.schema(), "description": drift.ABOUT}
        properties["expectations"] = {
            "type": "string",
            "description": "A suite file as great-expectations saves it, below the conf folder.",
        }
        forms = list(properties)
        for key in _BESIDE:
            shape, about = MOSTLY if key == "mostly" else COMMON[key]
            properties[key] = {**shape.schema(), "description": about}
        item = {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "oneOf": [{"required": [name]} for name in forms],
        }
        return {"type": "array", "items": item}

    def shown(self) -> str:
        return "list of [rules](#rules)"


def _rule_schema(name: str) -> Schema:
    known = RULES[name]
    properties = {
        key: {**rules.shape_of(argument).schema(), "description": argument.about}
        for key, argument in known.arguments.items()
    }
    for key, (shape, about) in {**COMMON, **({"mostly": MOSTLY} if known.mostly else {})}.items():
        properties[key] = {**shape.schema(), "description": about}
    return {
        "type": "object",
        "description": known.about,
        "properties": properties,
        "required": [key for key, argument in known.arguments.items() if argument.required],
        "additionalProperties": False,
    }


def saved_suite(node: Node, at: At) -> list[Placed]:
    """The rules of a suite file as great-expectations saves it."""
    name = Text("a file below the conf folder").read(node, at)
    path = at.conf / name
    if not path.is_file():
        raise at.note(node, f"there is no file '{name}' below {at.conf}")
    text = text_of(path, path.as_posix(), at.faults)
    if text is None:
        raise UnreadableError
    # JSON writes letters beyond U+FFFF in two halves, which YAML does not know.
    whole = _SURROGATES.sub(lambda pair: str(json.loads(f'"{pair.group()}"')), text)
    root = read_text(whole, path.as_posix(), at.faults)
    if root is None:
        raise UnreadableError
    inside = At(at.faults, "", conf=at.conf)
    listed = root.get("expectations") if isinstance(root, Entries) else None
    if not isinstance(listed, Listing):
        raise inside.note(
            root, "is no suite of great-expectations: the list 'expectations' is missing"
        )
    placed: list[Placed] = []
    for place, item in enumerate(listed.items):
        where = inside.key("expectations").item(place)
        rule = tried(_saved, item, where)
        if rule is not NOTHING:
            placed.append(Placed(rule, item, where))
    return placed


def _saved(item: Node, at: At) -> Rule:
    """One rule of a saved suite."""
    kwargs = item.get("kwargs") if isinstance(item, Entries) else None
    kind = (item.get("type") or item.get("expectation_type")) if isinstance(item, Entries) else None
    if not isinstance(item, Entries) or not isinstance(kwargs, Entries):
        raise at.note(item, "an expectation is a map with 'type' and 'kwargs'")
    if not isinstance(kind, Scalar) or not isinstance(kind.value, str):
        raise at.note(item, "an expectation is a map with 'type' and 'kwargs'")
    own = tuple(
        (key, value)
        for key, value in kwargs.entries
        if key.text not in _RUNNING and not (isinstance(value, Scalar) and value.value is None)
    )
    arguments = Entries(kwargs.file, kwargs.line, own)
    given: dict[str, Node] = {}
    severity = item.get("severity")
    if severity is None and isinstance(meta := item.get("meta"), Entries):
        severity = meta.get("severity")
    if isinstance(severity, Scalar) and severity.value in SEVERITIES:
        given["severity"] = severity
    elif severity is not None and not (isinstance(severity, Scalar) and severity.value is None):
        raise at.note(severity, f"severity must be one of {', '.join(SEVERITIES)}")
    if arguments.get("severity") is not None:
        given.pop("severity", None)
    return rules.expectation(kind, arguments, at, given)
