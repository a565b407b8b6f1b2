"""Which of Spark's types can be held against each other without losing anything."""

from __future__ import annotations

_NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "decimal")
_TEXTS = ("string", "char", "varchar")
# What steps take, and what is said of it.
WANTED = {
    "text": "texts", "number": "numbers", "time": "dates and times", "struct": "structs",
    "array or map": "arrays and maps",
}  # fmt: skip


def comparable(one: str, other: str) -> bool:
    """Whether values of two types, as SQL writes them, are equal exactly where they are the same.

    A double is no key for whole numbers: beyond 2^53 it cannot tell them apart.

    >>> comparable("int", "decimal(10,2)"), comparable("bigint", "string")
    (True, False)
    >>> comparable("bigint", "double"), comparable("date", "date")
    (False, True)
    """
    return _family(one) == _family(other)


def unlike(here: str, one: str, there: str, other: str) -> str:
    """What is said of two columns whose types cannot be held against each other."""
    return f"'{here}' is {one} and {there} is {other}: cast one of them in a step"


def _family(kind: str) -> str:
    bare = kind.lower().partition("(")[0].strip()
    if bare in _NUMBERS:
        return "number"
    return "text" if bare in _TEXTS else kind.lower()
