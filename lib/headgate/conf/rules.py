"""Rules: expectations and SQL conditions, checked against what each of them takes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headgate.conf import words
from headgate.conf.expressions import Expression
from headgate.conf.forms import COLUMN, SHARE
from headgate.conf.nodes import Entries, Node, Scalar, flow, kind_of
from headgate.conf.shapes import (
    FILLED,
    NOTHING,
    At,
    Flag,
    Listed,
    Schema,
    Shape,
    Text,
    UnreadableError,
    Word,
    tried,
)
from headgate.core.rules import RULES, Argument
from headgate.core.spec import Drift, Rule

SEVERITIES = ("critical", "warning", "info")
COMMON: Mapping[str, tuple[Shape, str]] = {
    "severity": (Word(SEVERITIES), "what follows when it is broken (default critical)"),
    "row_condition": (Expression("SQL condition"), "only rows for which it is true are judged"),
}
MOSTLY: tuple[Shape, str] = (SHARE, "the share of rows that has to fit, or the gate closes")
_CONDITION = Expression("SQL condition")
_CONDITION_PARSER = Word(("spark",))


@dataclass(frozen=True)
class Placed:
    """A rule, and where it was written."""

    rule: Rule | Drift
    node: Node
    at: At


class Number(Shape):
    """A number."""

    def __init__(self, *, whole: bool = False, text: bool = False) -> None:
        self.whole, self.text = whole, text

    def read(self, node: Node, at: At) -> int | float | str:
        value = node.value if isinstance(node, Scalar) else None
        if self.text and isinstance(value, str) and value.strip():
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise at.note(node, f"must be {self.shown()}, not {kind_of(node)}")
        if self.whole and (isinstance(value, float) or value < 0):
            raise at.note(node, f"must be {self.shown()}, not {kind_of(node)}")
        if value != value or value in (float("inf"), float("-inf")):
            raise at.note(node, f"must be {self.shown()}, not {kind_of(node)}")
        return value

    def schema(self) -> Schema:
        if self.whole:
            return {"anyOf": [{"type": "integer", "minimum": 0}, FILLED]}
        if self.text:
            return {"type": ["number", "string"]}
        return {"anyOf": [{"type": "number"}, FILLED]}

    def shown(self) -> str:
        if self.whole:
            return "a whole number from 0"
        return "a number, or a date as text" if self.text else "a number"


class Value(Shape):
    """One value of a set."""

    def read(self, node: Node, at: At) -> Any:
        if not isinstance(node, Scalar):
            raise at.note(node, f"must be one value, not {kind_of(node)}")
        if node.value is None:
            raise at.note(node, "null is never judged: leave it out, or write '' for empty text")
        return node.value

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}

    def shown(self) -> str:
        return "value"


class Regex(Text):
    """A regular expression; Java's is Spark's, so Python's can only find what is plainly wrong."""

    def read(self, node: Node, at: At) -> str:
        text = super().read(node, at)
        plain = re.sub(r"\\Q.*?(\\E|$)", "q", text)
        plain = re.sub(r"\\[pP](\{\w[^}]*\}|\w)", r"\\w", plain)
        plain = re.sub(r"\\x\{[0-9a-fA-F]+\}", "x", plain)
        plain = re.sub(r"\\[hHvVRXzZGeCK]", r"\\w", plain)
        plain = re.sub(r"\(\?<(?![=!])\w+>", "(", plain).replace("(?>", "(?:")
        plain = re.sub(r"\\k<\w+>", "k", plain)
        plain = re.sub(r"(?<!\\)([*+?}])\+", r"\1", plain)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                re.compile(plain)
        except re.error as error:
            raise at.note(node, f"is no regular expression: {error.msg}") from None
        return text


ARGUMENTS: Mapping[str, Shape] = {
    "column": COLUMN,
    "columns": Listed(COLUMN, single=False, unique=True),
    "bound": Number(text=True),
    "number": Number(),
    "whole": Number(whole=True),
    "values": Listed(Value(), single=False, unique=True),
    "regex": Regex("a regular expression"),
    "flag": Flag(),
    "text": Text(),
}


def shape_of(argument: Argument) -> Shape:
    """The shape that an argument takes."""
    return Word(argument.words) if argument.takes == "word" else ARGUMENTS[argument.takes]


def expectation(name: Scalar, node: Node, at: At, given: Mapping[str, Node] | None = None) -> Rule:
    """One rule by great-expectations' name and arguments."""
    if name.text not in RULES or name.text == "row":
        raise at.note(name, words.unknown("rule", name.text, RULES, words.RULES))
    known = RULES[name.text]
    if not isinstance(node, Entries):
        takes = ", ".join(key for key, argument in known.arguments.items() if argument.required)
        raise at.note(node, f"{name.text} takes a map ({{{takes}, …}}), not {kind_of(node)}")
    common = {**COMMON, **({"mostly": MOSTLY} if known.mostly else {})}
    shapes = {key: shape_of(argument) for key, argument in known.arguments.items()}
    shapes.update({key: shape for key, (shape, _) in common.items()})
    values: dict[str, Any] = {}
    before = len(at.faults)
    for key, value in node.entries:
        values[key.text] = tried(_argument, key, value, at, name.text, shapes)
    for beside, value in (given or {}).items():
        key = Scalar(value.file, value.line, beside, beside)
        values[beside] = tried(_argument, key, value, at, name.text, shapes)
    values = {key: value for key, value in values.items() if value is not None}
    for wanted, argument in known.arguments.items():
        if argument.required and wanted not in values:
            at.note(node, f"{name.text} needs '{wanted}': {argument.about}")
    if len(at.faults) > before or not _sound(values, known.arguments, node, at):
        raise UnreadableError
    return Rule(
        expectation=name.text,
        arguments={key: value for key, value in values.items() if key not in common},
        **{key: value for key, value in values.items() if key in common},
        written=f"{name.text}: {flow(node)}",
        place=name.place,
    )


def _argument(key: Scalar, node: Node, at: At, rule: str, shapes: Mapping[str, Shape]) -> Any:
    """The value of one argument; None where it is null, as great-expectations saves it."""
    where = at.key(key.text)
    if key.text == "condition_parser":  # great-expectations wants it beside row_condition
        _CONDITION_PARSER.read(node, where)
        return None
    if key.text not in shapes:
        raise where.note(key, _no_argument(key.text, rule, shapes))
    if isinstance(node, Scalar) and node.value is None:
        return None
    return shapes[key.text].read(node, where)


def _no_argument(key: str, rule: str, shapes: Mapping[str, Shape]) -> str:
    if key == "mostly":
        return f"{rule} judges the table as a whole and takes no 'mostly'"
    return words.unknown("argument", key, shapes, words.KEYS) + f" of {rule}"


def _sound(
    values: Mapping[str, Any], arguments: Mapping[str, Argument], node: Node, at: At
) -> bool:
    """Whether the arguments make sense together."""
    before = len(at.faults)
    low, high = values.get("min_value"), values.get("max_value")
    if "min_value" in arguments and low is None and high is None:
        at.note(node, "neither 'min_value' nor 'max_value' is given: one of them is wanted")
    if low is not None and high is not None:
        if isinstance(low, str) != isinstance(high, str):
            at.note(node, "'min_value' and 'max_value' are not of one kind")
        elif low > high:
            at.note(node, "'min_value' is greater than 'max_value'")
        elif low == high and (values.get("strict_min") or values.get("strict_max")):
            at.note(node, "nothing fits: both bounds are equal, and strict")
    kinds = {isinstance(value, str) for value in values.get("value_set", ())}
    if len(kinds) > 1:
        at.note(node, "'value_set' mixes texts with other values: put all in quotes, or none")
    if values.get("column_A") is not None and values["column_A"] == values.get("column_B"):
        at.note(node, "'column_A' and 'column_B' are the same column")
    return len(at.faults) == before


def conditions(node: Node, at: At, beside: Mapping[str, Node]) -> list[Placed]:
    """The rules of `row:`, one for each named condition."""
    common: dict[str, Any] = {}
    for name, value in beside.items():
        shape = MOSTLY[0] if name == "mostly" else COMMON[name][0]
        common[name] = shape.read(value, at.key(name))
    inner = at.key("row")
    if isinstance(node, Scalar):
        return [_condition(node.text, node, node, inner, common)]
    if not isinstance(node, Entries) or not node.entries:
        raise at.note(node, f"row takes a map (name: SQL condition), not {kind_of(node)}")
    made = [
        tried(_condition, key.text, key, value, inner.key(key.text), common)
        for key, value in node.entries
    ]
    return [placed for placed in made if placed is not NOTHING]


def _condition(name: str, key: Scalar, node: Node, at: At, common: Mapping[str, Any]) -> Placed:
    """One condition, with or without a name of its own."""
    if name in (*COMMON, "mostly"):
        raise at.note(key, f"write '{name}' beside 'row', not in it")
    text = _CONDITION.read(node, at)
    said = node.text if isinstance(node, Scalar) else ""
    rule = Rule(
        expectation="row",
        arguments={"name": name, "condition": text},
        **common,
        written=" ".join((said if key is node else f"{name}: {said}").split()),
        place=key.place,
    )
    return Placed(rule, key, at)


def gate_rules(listed: Iterable[Rule | Drift]) -> dict[str, Any]:
    """What a table keeps of its list of rules: those of one window, and those of its history."""
    every = tuple(listed)
    return {
        "quality": tuple(one for one in every if isinstance(one, Rule)),
        "drift": tuple(one for one in every if isinstance(one, Drift)),
    }
