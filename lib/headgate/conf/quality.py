"""The list under `quality:`, and suite files as great-expectations saves them."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.conf import drift, rules, words
from headgate.conf.nodes import Entries, Listing, Node, kind_of
from headgate.conf.rules import COMMON, MOSTLY, Placed
from headgate.conf.ruleshapes import shape_of
from headgate.conf.saved import saved_suite
from headgate.conf.shapes import NOTHING, At, Schema, Shape, tried
from headgate.core.rules import RULES

_BESIDE = ("severity", "mostly", "row_condition", "since")
_PARAMETERS = "parameters"  # beside `expectations` only
_FORMS = (*(name for name in RULES if name != "row"), "row", "drift", "expectations")


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
        parameters = item.get(_PARAMETERS) if item.get("expectations") is not None else None
        named = [
            (key, value)
            for key, value in item.entries
            if key.text not in _BESIDE and value is not parameters
        ]
        beside = {key.text: value for key, value in item.entries if key.text in _BESIDE}
        if not named:
            raise at.note(item, "names no rule")
        name, value = named[0]
        if name.text not in _FORMS:
            raise at.note(name, rules.unknown(name.text, _FORMS))
        if len(named) > 1:
            other = named[1][0]
            if other.text in RULES:
                both = f"'{name.text}' and '{other.text}'"
                raise at.note(other, f"{both} are two rules: begin each with '- '")
            raise at.note(other, words.unknown("key", other.text, _BESIDE, words.KEYS))
        if name.text == "expectations":
            if beside:
                raise at.note(item, "the file says the severity of each of its rules")
            return saved_suite(value, at, parameters)
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
        properties[_PARAMETERS] = {
            "type": "object",
            "description": "Beside expectations: values of its $PARAMETERs.",
        }
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
        key: {**shape_of(argument).schema(), "description": argument.about}
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
