"""Rules: expectations and SQL conditions, checked against what each of them takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from headgate.conf import words
from headgate.conf.expressions import Expression
from headgate.conf.forms import DATE, SHARE
from headgate.conf.nodes import Entries, Node, Scalar, flow, kind_of
from headgate.conf.rowconditions import RowCondition, parser_of
from headgate.conf.ruleshapes import shape_of
from headgate.conf.shapes import NOTHING, At, Shape, UnreadableError, Word, tried
from headgate.core.arguments import Argument
from headgate.core.elsewhere import ELSEWHERE
from headgate.core.rules import RULES
from headgate.core.spec import Drift, Rule

SEVERITIES = ("critical", "warning", "info")
COMMON: Mapping[str, tuple[Shape, str]] = {
    "severity": (Word(SEVERITIES), "what follows when it is broken (default critical)"),
    "row_condition": (RowCondition(), "only rows for which it is true are judged"),
    "since": (DATE, "for windows before this day it warns, and does no more"),
}
MOSTLY: tuple[Shape, str] = (SHARE, "the share of rows that has to fit, or the gate closes")
_CONDITION = Expression("SQL condition")
_SURE = 0.9  # how like a known name one must be, that it is taken for a slip of the pen


# Arguments of great-expectations 0.18 that 1.x no longer has, with what to do instead.
GONE: Mapping[str, str] = {
    "parse_strings_as_datetimes": "cast the column to a date or timestamp in a step, and write "
    "bounds as texts such as '2026-11-20'",
    "allow_cross_type_comparisons": "cast the column to the type that is meant, in a step",
    "output_strftime_format": "leave it out",
    "auto": "write the bounds that it found",
    "profiler_config": "write the bounds that it found",
}


@dataclass(frozen=True)
class Placed:
    """A rule, and where it was written."""

    rule: Rule | Drift
    node: Node
    at: At


def expectation(name: Scalar, node: Node, at: At, given: Mapping[str, Node] | None = None) -> Rule:
    """One rule by great-expectations' name and arguments."""
    if name.text not in RULES or name.text == "row":
        raise at.note(name, unknown(name.text, RULES))
    known = RULES[name.text]
    if not isinstance(node, Entries):
        takes = ", ".join(key for key, argument in known.arguments.items() if argument.required)
        raise at.note(node, f"{name.text} takes a map ({{{takes}, …}}), not {kind_of(node)}")
    common = {**COMMON, **({"mostly": MOSTLY} if known.mostly else {})}
    shapes = {key: shape_of(argument) for key, argument in known.arguments.items()}
    shapes.update({key: shape for key, (shape, _) in common.items()})
    values: dict[str, Any] = {}
    before = len(at.faults)
    parser = parser_of(node.get("condition_parser"), at.key("condition_parser"))
    for key, value in node.entries:
        values[key.text] = tried(_argument, key, value, at, name.text, shapes, parser)
    for beside, value in (given or {}).items():
        key = Scalar(value.file, value.line, beside, beside)
        values[beside] = tried(_argument, key, value, at, name.text, shapes, None)
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


def unknown(name: str, known: Iterable[str]) -> str:
    """What is said of a rule that is not known."""
    if name in ELSEWHERE:
        return f"'{name}' cannot be judged here: {ELSEWHERE[name]}"
    told = words.unknown("rule", name, known, words.RULES)
    if not name.startswith("expect_"):
        return told
    like = max(SequenceMatcher(None, name, other).ratio() for other in RULES)
    if like >= _SURE:
        return told
    return (
        f"{told}: great-expectations has none of that name, and a custom expectation is not "
        "compiled: write it as a SQL condition, `row: {name: condition}`"
    )


def _argument(
    key: Scalar, node: Node, at: At, rule: str, shapes: Mapping[str, Shape], parser: str | None
) -> Any:
    """The value of one argument; None where it is null, as great-expectations saves it."""
    where = at.key(key.text)
    if key.text == "condition_parser":  # great-expectations wants it beside row_condition
        return None
    if key.text in GONE and not (isinstance(node, Scalar) and node.value in (None, False)):
        raise where.note(key, f"great-expectations 1.x has no '{key.text}': {GONE[key.text]}")
    if key.text in GONE:
        return None
    if key.text not in shapes:
        raise where.note(key, _no_argument(key.text, rule, shapes))
    if isinstance(node, Scalar) and node.value is None:
        return None
    if isinstance(node, Entries) and node.get("$PARAMETER") is not None:
        what = "'$PARAMETER' is filled in by great-expectations: write the value, or ${NAME}"
        raise where.note(node, what)
    shape = shapes[key.text]
    return (
        shape.read(node, where, parser)
        if isinstance(shape, RowCondition)
        else shape.read(node, where)
    )


def _no_argument(key: str, rule: str, shapes: Mapping[str, Shape]) -> str:
    if key == "mostly":
        return f"{rule} judges the table as a whole and takes no 'mostly'"
    return words.unknown("argument", key, shapes, words.KEYS) + f" of {rule}"


def _sound(
    values: Mapping[str, Any], arguments: Mapping[str, Argument], node: Node, at: At
) -> bool:
    """Whether the arguments make sense together."""
    before = len(at.faults)
    _bounds(values, arguments, node, at)
    for key in ("value_set", "partition_object"):
        held = values.get(key, ())
        listed = held.get("values", ()) if isinstance(held, dict) else held
        if len({isinstance(value, str) for value in listed}) > 1:
            at.note(node, f"'{key}' mixes texts with other values: put all in quotes, or none")
    if values.get("column_A") is not None and values["column_A"] == values.get("column_B"):
        at.note(node, "'column_A' and 'column_B' are the same column")
    here, there = values.get("column"), values.get("key")
    if isinstance(here, tuple) and there is not None and len(here) != len(there):
        at.note(node, f"'column' and 'key' name {len(here)} and {len(there)} columns: one for each")
    if "multiplier" in arguments and (values.get("multiplier") or 0) < 0:
        at.note(node, "'multiplier' is less than 0")
    if "partition_object" in arguments:
        _partition(values, node, at)
    return len(at.faults) == before


def _bounds(
    values: Mapping[str, Any], arguments: Mapping[str, Argument], node: Node, at: At
) -> None:
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


def _partition(values: Mapping[str, Any], node: Node, at: At) -> None:
    partition = values["partition_object"]
    tail = values.get("tail_weight_holdout")
    bins = partition.get("bins")
    if values["threshold"] < 0:
        at.note(node, "'threshold' is less than 0, and a divergence never is")
    if bins is None and values.get("internal_weight_holdout"):
        at.note(node, "'internal_weight_holdout' is for 'bins', not for 'values'")
    if tail and partition.get("tail_weights"):
        at.note(node, "'tail_weight_holdout' stands beside 'tail_weights': one or the other")
    if tail and bins and all(abs(bins[place]) == float("inf") for place in (0, -1)):
        at.note(node, "'tail_weight_holdout' is for bins that have an end")
    if bins and values.get("bucketize_data") is False:
        at.note(node, "'bins' put numbers into buckets, which 'bucketize_data: false' forbids")


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
