"""The keys that tables of all layers have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from headgate.conf.forms import DATE, KEPT, SHARE, STRETCH
from headgate.conf.nodes import Entries, Node
from headgate.conf.quality import Quality
from headgate.conf.records import Key, Record
from headgate.conf.shapes import Anything, At, Either, Listed, Mapped, Text, Word
from headgate.core.labels import MAX_REJECTED
from headgate.core.spec import Example, Waiver


def _example(values: dict[str, Any], node: Entries, at: At) -> Example:
    if "written" not in values and "rejected" not in values:
        raise at.note(node, "expects nothing: say what is 'written' or 'rejected'")
    return Example(**values, place=node.place)


def _waiver(values: dict[str, Any], node: Entries, at: At) -> Waiver:
    if "since" in values and values["since"] > values["until"]:
        raise at.note(node, "'until' is before 'since'")
    return Waiver(**values, place=node.place)


class Reads(Either):
    """The tables read: one name, or names for several."""

    def read(self, node: Node, at: At) -> dict[str, str]:
        value = super().read(node, at)
        if isinstance(value, str):
            return {value.rpartition(".")[2]: value}
        reads: dict[str, str] = value
        for name in reads:
            if not name.isidentifier() or name == "input":
                raise at.note(node, f"'{name[:60]}' cannot name an input in SQL: give another name")
        return reads


_ROW = Mapped(Anything())
_ROWS = Listed(_ROW, empty=True, about="list of rows, each {column: value}")
_READS = Reads(
    Mapped(Text("a table, layer.name"), about="{name: table}"), Text("a table, layer.name")
)
READS_KEY = Key(_READS, "the tables it reads, by the names that SQL uses", required=True)

EXAMPLE = Record(
    "an example",
    {
        "given": Key(Mapped(_ROWS), "rows of its inputs, by their names", required=True),
        "written": Key(_ROWS, "the rows that have to be written"),
        "rejected": Key(_ROWS, "the rows that have to be rejected, with `reasons`"),
    },
    make=_example,
)
WAIVER = Record(
    "a waiver",
    {
        "rule": Key(
            Text("the name of a rule"),
            "the rule: as written, in short as messages call it, by great-expectations' name, or"
            " `max_rejected`, `on_empty`, `drift`",
            required=True,
        ),
        "until": Key(DATE, "the last day whose windows it lets pass", required=True),
        "because": Key(Text("a reason"), "why", required=True),
        "owner": Key(Text("a name"), "who answers for it", default="the table's"),
        "since": Key(DATE, "the first day whose windows it lets pass"),
    },
    make=_waiver,
)
COMMON: Mapping[str, Key] = {
    "description": Key(Text(), "what the table holds"),
    "owner": Key(Text(), "who is alerted"),
    "fresh_within": Key(STRETCH, "how old its last good window may be"),
    "since": Key(DATE, "no window before this day is expected"),
    "keep_versions": Key(
        KEPT, "how long `headgate maintain` leaves files of older versions, up to 30 days",
        default="the suite's",
    ),
    "quality": Key(Quality(), "the rules of its gate", default="none"),
    "max_rejected": Key(
        SHARE, "the share of the rows judged that may be rejected before the gate closes",
        default="10%",
    ),
    "gate": Key(
        Word(("close", "warn", "off")),
        "`warn`: what would close the gate is told, and the window is published; `off`: no rule is"
        " judged",
        default="close",
    ),
    "on_empty": Key(
        Word(("publish", "warn", "close")), "a window that would hold no row", default="publish"
    ),
    "waive": Key(
        Listed(WAIVER, Waiver(rule=MAX_REJECTED, until=date.min, because=""),
               about="list of [waivers](#a-waiver), or one"),
        "rules that need not hold for some windows",
    ),
    "examples": Key(
        Listed(EXAMPLE, Example(given={}), single=False,
               about="list of examples {given, written, rejected}"),
        "documentation that `headgate test` runs",
    ),
}  # fmt: skip
_OF_MARTS = {"incomplete": "keeps periods back: it is a key of marts"}
_OF_FILES = {"expects": "tells when a supplier's files come: it is a key of ingested tables"}
# Keys of one layer, by the layers in which they are refused.
NOT_INGESTED: Mapping[str, str] = _OF_MARTS
NOT_MARTS: Mapping[str, str] = _OF_FILES
NEITHER: Mapping[str, str] = {**_OF_MARTS, **_OF_FILES}
