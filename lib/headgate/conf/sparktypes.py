"""Spark's type names, checked without Spark."""

from __future__ import annotations

import re

from headgate.conf import words

SIMPLE = (
    "string", "boolean", "tinyint", "smallint", "int", "integer", "bigint", "float", "double",
    "date", "timestamp", "timestamp_ntz", "binary",
)  # fmt: skip
FORMS = (*SIMPLE, "decimal(p,s)", "array<…>", "map<…,…>", "struct<name:type,…>")
_WORDS = (*SIMPLE, "decimal(18,2)", "array", "map", "struct")
_DECIMAL = re.compile(r"(decimal|dec|numeric)\((\d+)(?:,(\d+))?\)")
_MOST_DIGITS = 38
TIMES = ("date", "timestamp", "timestamp_ntz")
_NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "float", "double", "decimal")
_KINDS = {"string": "text", **dict.fromkeys(_NUMBERS, "number")}


def checked(text: str) -> str:
    """The type in its plain spelling; ValueError says what is wrong.

    >>> checked("DECIMAL(10, 2)"), checked("array<struct<Id: bigint>>")
    ('decimal(10,2)', 'array<struct<Id:bigint>>')
    """
    kind = re.sub(r"\s*([<>,:()])\s*", r"\1", text.strip())
    lowered = kind.lower()
    if lowered in SIMPLE:
        return lowered
    if lowered in ("decimal", "dec", "numeric"):
        raise ValueError(f"'{lowered}' needs its digits: decimal(18,2)")
    if _DECIMAL.fullmatch(lowered):
        return _decimal(lowered)
    outer, bracket, inner = kind.partition("<")
    if bracket and not inner.endswith(">"):
        raise ValueError(f"'{text}' has a '<' that is not closed by '>'")
    parts = _parts(inner[:-1]) if bracket else []
    if bracket and outer.lower() == "array" and len(parts) == 1:
        return f"array<{checked(parts[0])}>"
    if bracket and outer.lower() == "map" and len(parts) == 2:
        return f"map<{checked(parts[0])},{checked(parts[1])}>"
    if bracket and outer.lower() == "struct" and parts:
        return f"struct<{','.join(_field(part, text) for part in parts)}>"
    if outer.lower() in ("array", "map", "struct"):
        wanted = {"array": "array<type>", "map": "map<type,type>", "struct": "struct<name:type,…>"}
        raise ValueError(f"'{text}' is not written {wanted[outer.lower()]}")
    bare = re.sub(r"[(<].*", "", kind)
    hint = words.meant(bare, _WORDS, words.TYPES)
    raise ValueError(f"unknown type '{text[:60]}'" + hint)


def kind_of_type(text: str) -> str:
    """What values of a type are to a step: text, number, time, struct, array, map, or the type.

    >>> kind_of_type("decimal(10,2)"), kind_of_type("array<int>"), kind_of_type("boolean")
    ('number', 'array', 'boolean')
    """
    bare = re.split("[(<]", text)[0]
    return "time" if bare in TIMES else _KINDS.get(bare, bare)


def _decimal(lowered: str) -> str:
    match = _DECIMAL.fullmatch(lowered)
    digits, scale = (int(match[2]), int(match[3] or 0)) if match else (0, 0)
    if not 1 <= digits <= _MOST_DIGITS:
        raise ValueError(f"'{lowered}': a decimal has 1 to {_MOST_DIGITS} digits")
    if scale > digits:
        raise ValueError(f"'{lowered}': {scale} digits after the point do not fit into {digits}")
    return f"decimal({digits},{scale})"


def _field(part: str, whole: str) -> str:
    name, colon, kind = part.partition(":")
    if not colon:  # also written `name type`
        name, colon, kind = part.partition(" ")
    if not name or not kind:
        raise ValueError(f"'{whole}' is not written struct<name:type,…>")
    return f"{name}:{checked(kind)}"


def _parts(inner: str) -> list[str]:
    """What stands between the commas of one level."""
    parts, depth = [""], 0
    for letter in inner:
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts if all(parts) else []
