"""How SQL and Python steps are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headgate.conf.documents import text_of
from headgate.conf.expressions import statement
from headgate.conf.forms import NEW_COLUMN
from headgate.conf.nodes import Entries, Node
from headgate.conf.records import Key, Record
from headgate.conf.shapes import (
    At,
    Flag,
    Listed,
    Parsed,
    Schema,
    Shape,
    Text,
    UnreadableError,
    Word,
)
from headgate.conf.steps.form import Form
from headgate.core import steps as S

REASON = Text("a reason in a few words")
_DROPS = Key(REASON, "why a step or sql may drop rows", field="drops_because")
_ADDS = Key(REASON, "why a step or sql may add rows", field="adds_because")


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


def _function(text: str) -> str:
    parts = text.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ValueError(f"must be a function written package.module.function, not '{text[:60]}'")
    return text


OWN = (
    Form(S.Sql, Select(), dict, beside={"drops": _DROPS, "adds": _ADDS}),
    Form(
        S.Python,
        Parsed("a function written package.module.function", _function),
        lambda function: {"function": function},
        beside={
            "drops": _DROPS,
            "adds": _ADDS,
            "leaves": Key(
                Listed(NEW_COLUMN, unique=True), "the columns that a Python step promises to leave"
            ),
            "twice": Key(
                Flag(), "whether a Python step is run twice on a sample, and has to give the same"
            ),
        },
    ),
)
