"""How one built-in step is written, and what its docstring tells."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from headgate.conf.documents import read_text
from headgate.conf.nodes import Entries, Listing, flow
from headgate.conf.records import Key, Record
from headgate.conf.shapes import Either, Shape
from headgate.core.steps import Step

_YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Told:
    """What a step's docstring says: its purpose, more about it, and an example."""

    purpose: str
    more: str
    example: str  # YAML

    @property
    def node(self) -> Entries:
        """The example, read."""
        node = read_text(self.example, "example", [])
        assert isinstance(node, Entries), self.example
        return node

    @property
    def first(self) -> str:
        """The first step of the example on one line."""
        steps = self.node.get("steps")
        assert isinstance(steps, Listing), self.example
        return flow(steps.items[0])[1:-1]


@cache
def told(step: type[Step]) -> Told:
    """What the docstring of a step says."""
    text = inspect.getdoc(step) or ""
    example = _YAML.search(text)
    assert example, f"the docstring of {step.__name__} has no example"
    purpose, _, more = text[: example.start()].strip().partition("\n\n")
    return Told(" ".join(purpose.split()), more.strip(), example[1])


@dataclass(frozen=True)
class Form:
    """How one built-in step is written."""

    step: type[Step]
    takes: Shape
    make: Callable[[Any], dict[str, Any]] = lambda columns: {"columns": columns}
    beside: Mapping[str, Key] = field(default_factory=dict)  # keys that stand beside its name

    @property
    def keyed(self) -> bool:
        """Whether it takes keys of Headgate's, and not names of columns alone."""
        map = self.takes.map if isinstance(self.takes, Either) else self.takes
        return isinstance(map, Record)
