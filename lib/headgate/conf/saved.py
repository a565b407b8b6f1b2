"""Suite files as great-expectations saves them: JSON of 1.x, and of 0.18 where it says the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from headgate.conf import rules
from headgate.conf.documents import read_text, text_of
from headgate.conf.nodes import Entries, Listing, Node, Scalar, kind_of
from headgate.conf.rules import SEVERITIES, Placed
from headgate.conf.shapes import NOTHING, At, Text, UnreadableError, tried
from headgate.core.spec import Rule

# Arguments that great-expectations saves and that say how to run, not what to expect.
_RUNNING = {"result_format", "catch_exceptions", "batch_id", "include_config", "meta", "notes"}
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_PARAMETER = "$PARAMETER"
Parameters = Mapping[str, Node]


def saved_suite(node: Node, at: At, parameters: Node | None = None) -> list[Placed]:
    """The rules of a suite file; `parameters` stand beside its name in the table's own file."""
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
    given = {**_named(root), **_beside(parameters, at.key("parameters"))}
    placed: list[Placed] = []
    for place, item in enumerate(listed.items):
        where = inside.key("expectations").item(place)
        rule = tried(_saved, item, where, given)
        if rule is not NOTHING:
            placed.append(Placed(rule, item, where))
    return placed


def _named(root: Node) -> Parameters:
    """The parameters that the suite itself gives, in 1.x and in 0.18."""
    found: dict[str, Node] = {}
    for key in ("suite_parameters", "evaluation_parameters"):
        held = root.get(key) if isinstance(root, Entries) else None
        found.update(_entries(held))
    return found


def _entries(node: Node | None) -> Parameters:
    return {key.said: value for key, value in node.entries} if isinstance(node, Entries) else {}


def _beside(node: Node | None, at: At) -> Parameters:
    if node is not None and not isinstance(node, Entries):
        raise at.note(node, f"must be a map (name: value), not {kind_of(node)}")
    return _entries(node)


def _saved(item: Node, at: At, parameters: Parameters) -> Rule:
    """One rule of a saved suite."""
    kwargs = item.get("kwargs") if isinstance(item, Entries) else None
    kind = (item.get("type") or item.get("expectation_type")) if isinstance(item, Entries) else None
    if not isinstance(item, Entries) or not isinstance(kwargs, Entries):
        raise at.note(item, "an expectation is a map with 'type' and 'kwargs'")
    if not isinstance(kind, Scalar) or not isinstance(kind.value, str):
        raise at.note(item, "an expectation is a map with 'type' and 'kwargs'")
    own = tuple(
        (key, _filled(value, at.key(key.text), parameters))
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


def _filled(node: Node, at: At, parameters: Parameters) -> Node:
    """A value with its $PARAMETERs put in."""
    if isinstance(node, Listing):
        items = (_filled(one, at.item(place), parameters) for place, one in enumerate(node.items))
        return Listing(node.file, node.line, tuple(items))
    if not isinstance(node, Entries):
        return node
    asked = node.get(_PARAMETER)
    if asked is None:
        pairs = ((key, _filled(one, at.key(key.text), parameters)) for key, one in node.entries)
        return Entries(node.file, node.line, tuple(pairs))
    name = asked.said if isinstance(asked, Scalar) else ""
    value = parameters.get(name) or node.get(f"{_PARAMETER}.{name}")
    if value is not None:
        return value
    if name.isidentifier():
        what = (
            f"waits for the parameter '{name}', which nobody gives: write it beside "
            f"'expectations' in the table's file, as `parameters: {{{name}: …}}`"
        )
    else:
        what = f"'{name[:60]}' is a sum that great-expectations does at run time: write its value"
    raise at.note(node, what)
