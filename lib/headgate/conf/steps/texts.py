"""How the steps on texts are written."""

from __future__ import annotations

import re
from typing import Any

from headgate.conf.forms import COLUMN, COLUMNS, NEW_COLUMN
from headgate.conf.nodes import Entries, Node, Scalar
from headgate.conf.records import Key, Record
from headgate.conf.regexes import Regex, groups
from headgate.conf.shapes import At, Listed, Mapped, Schema, Text, Word
from headgate.conf.steps.form import Form
from headgate.core import steps as S


class OrNull(Word):
    """One of some words, where YAML's own null is one of them."""

    def read(self, node: Node, at: At) -> str:
        if isinstance(node, Scalar) and node.value is None and not node.empty:
            return "null"
        return super().read(node, at)

    def schema(self) -> Schema:
        return {"anyOf": [super().schema(), {"type": "null"}]}


UNREAD = Key(
    OrNull(("reject", "null")),
    "what becomes of a value that cannot be read: its row is rejected, or it is null",
    default="reject",
)
_INTO = Key(
    Listed(NEW_COLUMN, single=False, unique=True), "the columns that the parts become", True
)


def _replacement(values: dict[str, Any], node: Entries, at: At) -> S.Replacement:
    if (node.get("text") is None) == (node.get("regex") is None):
        raise at.note(node, "takes one of 'text' and 'regex'")
    if "regex" in values:
        bare = re.sub(r"\\.", "", values["by"])
        named = re.findall(r"\$(\d+|\{\w+\})?", bare)
        there = groups(values["regex"])
        for one in named:
            if not one or (one.isdigit() and int(one) > there):
                what = f"'${one}' is no group of the expression, which has {there}"
                raise at.key("by").note(node.get("by") or node, f"{what}: write '\\$' for a dollar")
    return S.Replacement(**values)


_REPLACEMENT = Record(
    "a replacement",
    {
        "text": Key(Text("a text", empty=True), "the text that is replaced, as it is"),
        "regex": Key(Regex("a regular expression"), "or what this regular expression finds"),
        "by": Key(
            Text("a text", empty=True), "what stands in its place; '' leaves it out", required=True
        ),
    },
    make=_replacement,
)


def _split(values: dict[str, Any], node: Entries, at: At) -> dict[str, Any]:
    if not values["by"]:
        raise at.key("by").note(node.get("by") or node, "is empty")
    if "\\E" in values["by"]:
        raise at.key("by").note(node.get("by") or node, "cannot hold '\\E'")
    if len(values["into"]) < 2:
        raise at.key("into").note(node.get("into") or node, "names one column: two are wanted")
    return values


def _extract(values: dict[str, Any], node: Entries, at: At) -> dict[str, Any]:
    there, wanted = groups(values["regex"]), len(values["into"])
    if there != wanted:
        what = f"names {wanted} column{'s' * (wanted > 1)}, and the expression has {there} groups"
        raise at.key("into").note(node.get("into") or node, f"{what}: '(?:…)' is none")
    return values


_SPLIT = Record(
    "split",
    {
        "column": Key(COLUMN, "the text that is cut", required=True),
        "by": Key(Text("a text", empty=True), "the sign at which it is cut", required=True),
        "into": _INTO,
        "otherwise": UNREAD,
    },
    make=_split,
)
_EXTRACT = Record(
    "extract",
    {
        "column": Key(COLUMN, "the text", required=True),
        "regex": Key(Regex("a regular expression"), "its groups are the parts", required=True),
        "into": _INTO,
        "otherwise": UNREAD,
    },
    make=_extract,
)
_CASES = Word(("lower", "upper", "title"))
_FORMS = Word(("NFC", "NFD", "NFKC", "NFKD", "plain"))

TEXTS = (
    Form(S.Trim, COLUMNS),
    Form(S.Collapse, COLUMNS),
    Form(S.ChangeCase, Mapped(_CASES, COLUMN, about="{column: lower, upper or title}")),
    Form(
        S.Normalise,
        Mapped(_FORMS, COLUMN, about="{column: NFC, NFD, NFKC, NFKD or plain}"),
    ),
    Form(S.Replace, Mapped(Listed(_REPLACEMENT), COLUMN, about="{column: replacements}")),
    Form(S.Split, _SPLIT, dict),
    Form(S.Extract, _EXTRACT, dict),
)
