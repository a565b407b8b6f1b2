"""What one expectation is: what it judges, how, and by which arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headgate.core.arguments import Argument

How = Literal["row", "aggregate", "grouped", "statistic", "order", "schema", "across"]
HOW: Mapping[How, str] = {
    "row": "each row by itself, while it is written",
    "aggregate": "counted and added up while rows are written",
    "grouped": "rows grouped by their values: one pass for all rules over one set of columns",
    "statistic": "over the sorted values: one pass for all such rules, one more for rows that "
    "are held against a statistic",
    "order": "each row against the one before it: one pass for all such rules",
    "schema": "from names and types of columns, without reading a row",
    "across": "held against another table: one query of it for all such rules that name it",
}


@dataclass(frozen=True)
class Expectation:
    """What a rule judges, how, and by which arguments."""

    how: How
    about: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    mostly: bool = False  # whether it takes a share of rows that have to fit
    differs: str = ""  # where it does not do what great-expectations does, and why

    @property
    def kind(self) -> Literal["row", "table"]:
        """Whether it rejects rows, or closes the gate."""
        return "row" if self.how == "row" else "table"


def rule(
    how: How,
    about: str,
    *arguments: Mapping[str, Argument],
    mostly: bool | None = None,
    differs: str = "",
) -> Expectation:
    """An expectation; a rule on rows takes `mostly` unless told otherwise."""
    named = {name: argument for some in arguments for name, argument in some.items()}
    return Expectation(how, about, named, how == "row" if mostly is None else mostly, differs)
