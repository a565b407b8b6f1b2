"""Rules and conditions as a person types them on one line: read by what reads the files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from headgate.conf.documents import read_text
from headgate.conf.expressions import Expression
from headgate.conf.nodes import Entries, Listing, Node, Scalar, from_python
from headgate.conf.quality import Quality
from headgate.conf.shapes import NOTHING, At, tried
from headgate.core.errors import Fault, Misconfigured, Usage
from headgate.core.spec import Rule

FILE = "rule"  # what faults are told of
NEXT = "write it as under `quality:`, as in 'row: {name: condition}', or a bare SQL condition"
_MAP = re.compile(r"\s*(\{|- |\w+\s*:(\s|$))")  # what a SQL condition never begins with


def rule_typed(text: str, conf: str = "conf", severity: str | None = None) -> Rule:
    """The rule that a text says; a severity given beside it goes before its own.

    >>> rule_typed("quantity > 0").written, rule_typed("row: {sold: quantity > 0}").written
    ('quantity > 0', 'sold: quantity > 0')
    >>> rule_typed("expect_column_values_to_be_null: {column: gone}", severity="info").severity
    'info'
    """
    faults: list[Fault] = []
    node = _node(text, faults)
    if isinstance(node, Listing) and len(node.items) == 1:
        node = node.items[0]
    if isinstance(node, Entries) and severity is not None:
        own = tuple(pair for pair in node.entries if pair[0].text != "severity")
        beside = (Scalar(FILE, 0, "severity", "severity"), from_python(severity, FILE))
        node = replace(node, entries=(*own, beside))
    placed = NOTHING
    if node is not None and not faults:
        listed = Listing(FILE, 0, (node,))
        placed = tried(Quality().read, listed, At(faults, conf=Path(conf)))
    if faults or placed is NOTHING:
        raise Misconfigured([_told(fault) for fault in faults], next=NEXT)
    rules = [one.rule for one in placed]
    if len(rules) != 1:
        raise Usage(f"these are {len(rules)} rules", where=FILE, next="try one at a time")
    if not isinstance(rules[0], Rule):
        what = "drift is held against the windows before, as they were measured then"
        raise Usage(what, where=FILE, next="docs/drift.md says how to tune it")
    return rules[0]


def condition_typed(text: str, option: str) -> str:
    """A SQL condition given with an option, as far as it can be judged without Spark.

    >>> condition_typed("order_id = 42 ", "--where")
    'order_id = 42'
    """
    faults: list[Fault] = []
    read = tried(Expression("SQL condition").read, from_python(text, option), At(faults))
    if read is NOTHING:
        raise Misconfigured(faults, next=f'{option} "order_id = 42"')
    return str(read)


def _node(text: str, faults: list[Fault]) -> Node | None:
    """The tree of a rule in YAML, or of one that is a condition alone."""
    if _MAP.match(text):
        return read_text(text, FILE, faults)
    bare = text.strip()
    if re.fullmatch(r"expect\w*", bare):
        return from_python({bare: None}, FILE)
    return from_python({"row": bare}, FILE)


def _told(fault: Fault) -> Fault:
    """A fault without the place in a list that nobody has written."""
    return replace(fault, line=0, path=fault.path.removeprefix("[0]").lstrip("."))
