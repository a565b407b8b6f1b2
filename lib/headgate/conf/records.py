"""Maps with known keys: unknown ones, missing ones and those of other tools are faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headgate.conf import words
from headgate.conf.nodes import Entries, Node, Scalar, kind_of
from headgate.conf.shapes import NOTHING, At, Schema, Shape, UnreadableError, tried


@dataclass(frozen=True)
class Key:
    """One key of a map."""

    shape: Shape
    about: str
    required: bool = False
    default: str = ""  # as the reference shows it
    field: str = ""  # the attribute that holds it, where it is called otherwise


Make = Callable[[dict[str, Any], Entries, At], Any]


def value_of(model: Callable[..., Any]) -> Make:
    """The maker of a record that is a value of a class, key by key."""

    def make(values: dict[str, Any], _: Entries, __: At) -> Any:
        return model(**values)

    return make


_AS_READ = value_of(dict)


@dataclass(frozen=True)
class Record(Shape):
    """A map with known keys. `make` builds the value, and may note faults of its own."""

    what: str
    keys: Mapping[str, Key]
    make: Make = _AS_READ
    refused: Mapping[str, str] = field(default_factory=dict)  # keys, and what to say of them
    short: str = ""  # the key that a value which is no map stands for

    def read(self, node: Node, at: At) -> Any:
        if self.short and not isinstance(node, Entries):
            value = self.keys[self.short].shape.read(node, at)
            held = Entries(node.file, node.line, ())
            return self.make({self._field(self.short): value}, held, at)
        values = self.values(node, at)
        if not isinstance(node, Entries) or values is None:
            raise UnreadableError
        return self.make(values, node, at)

    def values(self, node: Node, at: At) -> dict[str, Any] | None:
        """The values that could be read, by attribute; None where a required one is not there."""
        if not isinstance(node, Entries):
            at.note(node, f"{self.what} must be a map (key: value), not {kind_of(node)}")
            return None
        values: dict[str, Any] = {}
        for name, value in node.entries:
            key, where = self.keys.get(name.text), at.key(name.text)
            if key is None:
                where.note(name, self._unknown(name, value))
                continue
            read = tried(key.shape.read, value, where)
            if read is not NOTHING:
                values[self._field(name.text)] = read
        for wanted, key in self.keys.items():
            if key.required and node.get(wanted) is None:
                at.note(node, f"key '{wanted}' is missing: {key.about}")
        required = (self._field(name) for name, key in self.keys.items() if key.required)
        return values if all(name in values for name in required) else None

    def _unknown(self, name: Scalar, value: Node) -> str:
        """What is wrong with a key that is not known."""
        if name.text in self.refused:
            return self.refused[name.text]
        if " " in name.text and isinstance(value, Scalar) and value.empty:
            return (
                f"'{name.text[:60]}' is no key: if YAML's comma cut it off the text before it,"
                " put the whole text in quotes"
            )
        return words.unknown("key", name.text, self.keys, words.KEYS)

    def _field(self, name: str) -> str:
        return self.keys[name].field or name

    def schema(self) -> Schema:
        properties = {
            name: {**key.shape.schema(), "description": key.about}
            for name, key in self.keys.items()
        }
        whole: Schema = {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }
        required = [name for name, key in self.keys.items() if key.required]
        if required:
            whole["required"] = required
        if not self.short:
            return whole
        return {"anyOf": [self.keys[self.short].shape.schema(), whole]}

    def shown(self) -> str:
        shown = "{" + ", ".join(self.keys) + "}"
        return f"{self.keys[self.short].shape.shown()}, or {shown}" if self.short else shown
