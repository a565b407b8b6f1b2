"""Shapes of values: each reads a node into a value, and describes itself to editors and readers.

One description of the files serves the reader, the JSON Schema and the reference. A reader notes
what is wrong and goes on with the rest, so that all faults come to light at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from headgate.conf import words
from headgate.conf.nodes import Entries, Listing, Node, Scalar, kind_of, to_python
from headgate.core.errors import Fault

Schema = dict[str, Any]
FILLED: Schema = {"type": "string", "pattern": r"\$\{"}  # a ${NAME} may stand for any scalar


class UnreadableError(Exception):
    """A value could not be read; the fault is noted already."""


NOTHING: Any = object()


def tried(read: Callable[..., Any], *given: Any) -> Any:
    """What a reader makes of a value; NOTHING where it could not be read."""
    try:
        return read(*given)
    except UnreadableError:
        return NOTHING


@dataclass(frozen=True)
class At:
    """Where the reader stands, and where faults are noted."""

    faults: list[Fault]
    path: str = ""
    prefix: str = ""  # of all paths: which table, where the file does not say it
    conf: Path = Path("conf")  # the folder that other files are named from
    home: str = ""  # the file that paths are told of
    elsewhere: str = ""  # where its keys stand in a file that lies over it

    def key(self, name: str) -> At:
        """One key further in."""
        name = name if len(name) <= 60 else name[:59] + "…"
        return replace(self, path=f"{self.path}.{name}" if self.path else name)

    def item(self, place: int) -> At:
        """One item further in."""
        return replace(self, path=f"{self.path}[{place}]")

    def note(self, node: Node, what: str) -> UnreadableError:
        """Note a fault; what is returned can be raised."""
        prefix = self.prefix
        if self.home and node.file != self.home:
            prefix = self.elsewhere
        path = f"{prefix}.{self.path}".strip(".") if prefix else self.path
        if node.file.startswith("--set"):
            path = ""  # its name is the path
        self.faults.append(Fault(node.file, node.line, path, what))
        return UnreadableError(what)


class Shape:
    """What a value looks like."""

    def read(self, node: Node, at: At) -> Any:
        """The value of a node, or of what is right in it; UnreadableError where there is none."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """As JSON Schema."""
        raise NotImplementedError

    def shown(self) -> str:
        """In a few words, for the reference."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Shape):
    """A text; not a number that YAML took for one."""

    about: str = "text"
    empty: bool = False  # whether an empty text will do

    def read(self, node: Node, at: At) -> str:
        if isinstance(node, Scalar) and (isinstance(node.value, str) or node.filled is not None):
            if node.said.strip() or (self.empty and node.quoted):
                return node.said
            raise at.note(node, "is empty")
        fix = ": put it in quotes" if isinstance(node, Scalar) and node.value is not None else ""
        raise at.note(node, f"must be {self.about}, not {kind_of(node)}{fix}")

    def schema(self) -> Schema:
        return {"type": "string"}

    def shown(self) -> str:
        return self.about


@dataclass(frozen=True)
class Parsed(Shape):
    """A scalar in a form of its own; the function raises ValueError with what is wrong."""

    about: str
    parse: Callable[[str], Any]
    form: Schema = field(default_factory=lambda: {"type": "string"})

    def read(self, node: Node, at: At) -> Any:
        if not isinstance(node, Scalar) or node.value is None:
            raise at.note(node, f"must be {self.about}, not {kind_of(node)}")
        try:
            return self.parse(node.said.strip())
        except ValueError as error:
            # What came from the environment may be a secret: only its name is shown.
            what = str(error) if node.filled is None else ""
            raise at.note(node, what or f"must be {self.about}, not {kind_of(node)}") from None

    def schema(self) -> Schema:
        return self.form

    def shown(self) -> str:
        return self.about


@dataclass(frozen=True)
class Flag(Shape):
    """true or false."""

    def read(self, node: Node, at: At) -> bool:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        fix = ""
        if isinstance(node, Scalar) and node.text.lower() in ("yes", "on", "y"):
            fix = " (did you mean 'true'?)"
        elif isinstance(node, Scalar) and node.text.lower() in ("no", "off", "n"):
            fix = " (did you mean 'false'?)"
        raise at.note(node, f"must be true or false, not {kind_of(node)}{fix}")

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, FILLED]}

    def shown(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class Word(Shape):
    """One of some words."""

    words: tuple[str, ...]
    others: Mapping[str, str] = field(default_factory=dict)  # other spellings

    def read(self, node: Node, at: At) -> str:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            said = self.others.get(node.said, node.said)
            if said in self.words:
                return said
        hint = words.meant(node.text, self.words) if isinstance(node, Scalar) else ""
        hint = hint if "did you mean" in hint else ""
        one_of = "one of " if len(self.words) > 1 else ""
        what = f"must be {one_of}{', '.join(self.words)}, not {kind_of(node)}{hint}"
        raise at.note(node, what)

    def schema(self) -> Schema:
        return {"anyOf": [{"enum": [*self.words, *self.others]}, FILLED]}

    def shown(self) -> str:
        return " · ".join(f"`{word}`" for word in self.words)


@dataclass(frozen=True)
class Anything(Shape):
    """Any scalar, list or map."""

    about: str = "any value"
    scalar: bool = False
    null: bool = True

    def read(self, node: Node, at: At) -> Any:
        if self.scalar and not isinstance(node, Scalar):
            raise at.note(node, f"must be one value, not {kind_of(node)}")
        if not self.null and isinstance(node, Scalar) and node.value is None:
            raise at.note(node, f"is {kind_of(node)}")
        return to_python(node)

    def schema(self) -> Schema:
        if self.scalar:
            kinds = ["string", "number", "boolean"] + (["null"] if self.null else [])
            return {"type": kinds}
        return {}

    def shown(self) -> str:
        return self.about


@dataclass(frozen=True)
class Listed(Shape):
    """A list; one item may stand for a list of one."""

    of: Shape
    stand_in: Any = None  # in the place of items that cannot be read; None: they are left out
    single: bool = True
    empty: bool = False
    unique: bool = False
    about: str = ""

    def read(self, node: Node, at: At) -> tuple[Any, ...]:
        if isinstance(node, Listing):
            items = [(item, at.item(place)) for place, item in enumerate(node.items)]
        elif self.single and not (isinstance(node, Scalar) and node.value is None):
            items = [(node, at)]
        else:
            raise at.note(node, f"must be a list, not {kind_of(node)}: begin each item with '- '")
        if not items and not self.empty:
            raise at.note(node, "is an empty list")
        values: list[Any] = []
        for item, where in items:
            value = tried(self.of.read, item, where)
            if value is NOTHING:
                values.extend(() if self.stand_in is None else (self.stand_in,))
            elif self.unique and value in values:
                where.note(item, f"{kind_of(item)} is listed twice")
            else:
                values.append(value)
        if not values and not self.empty:
            raise UnreadableError
        return tuple(values)

    def schema(self) -> Schema:
        items = self.of.schema()
        listed: Schema = {"type": "array", "items": items}
        if not self.empty:
            listed["minItems"] = 1
        return {"anyOf": [listed, items]} if self.single else listed

    def shown(self) -> str:
        if self.about:
            return self.about
        return f"list of {self.of.shown()}" + (", or one" if self.single else "")


@dataclass(frozen=True)
class Mapped(Shape):
    """A map from names of the user's to values."""

    of: Shape
    names: Shape = Text("name")
    empty: bool = False
    about: str = ""
    stand_in: Any = None  # in the place of values that cannot be read; None: they are left out

    def read(self, node: Node, at: At) -> dict[str, Any]:
        if not isinstance(node, Entries):
            raise at.note(node, f"must be a map (name: value), not {kind_of(node)}")
        if not node.entries and not self.empty:
            raise at.note(node, "is an empty map")
        values: dict[str, Any] = {}
        for key, value in node.entries:
            where = at.key(key.text)
            name, read = tried(self.names.read, key, where), tried(self.of.read, value, where)
            if read is not NOTHING or self.stand_in is not None:
                values[key.text if name is NOTHING else name] = (
                    self.stand_in if read is NOTHING else read
                )
        if not values and not self.empty:
            raise UnreadableError
        return values

    def schema(self) -> Schema:
        mapped: Schema = {"type": "object", "additionalProperties": self.of.schema()}
        return mapped if self.empty else {**mapped, "minProperties": 1}

    def shown(self) -> str:
        return self.about or f"map of names to {self.of.shown()}"


@dataclass(frozen=True)
class Either(Shape):
    """One shape for maps, another for all else."""

    map: Shape
    other: Shape

    def read(self, node: Node, at: At) -> Any:
        return (self.map if isinstance(node, Entries) else self.other).read(node, at)

    def schema(self) -> Schema:
        return {"anyOf": [self.other.schema(), self.map.schema()]}

    def shown(self) -> str:
        return f"{self.other.shown()}, or {self.map.shown()}"
