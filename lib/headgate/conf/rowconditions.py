"""`row_condition` in each form that great-expectations knows, as SQL for Spark.

Neither form says which type a column has, and Spark stops on a text that is no number. The SQL
therefore asks for the type, which is known once the plan is analysed and costs nothing.
"""

from __future__ import annotations

import re

from headgate.conf import words
from headgate.conf.expressions import Expression
from headgate.conf.nodes import Entries, Listing, Node, Plain, Scalar, kind_of
from headgate.conf.shapes import At, Schema, Shape
from headgate.core.moments import is_moment

SQL = Expression("SQL condition")
PARSERS = ("spark", "great_expectations", "great_expectations__experimental__")
_TYPES = ("comparison", "nullity", "and", "or", "pass_through")
_OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
_VALUE = r"""(?P<quote>["'])(?P<text>[^"']+)(?P=quote)"""
_TEXT = re.compile(
    rf"""\s*col\("(?P<column>[^"]+)"\)\s*(?:
        (?P<there>\.not_?null\(\))
        | (?P<operator>==|!=|<=|>=|<|>)\s*(?:
            (?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
            | {_VALUE}
            | date\(\s*{_VALUE.replace("quote", "q").replace("text", "date")}\s*\)
        )
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)


class RowCondition(Shape):
    """Which rows a rule judges: SQL, or a condition as great-expectations writes it."""

    def read(self, node: Node, at: At, parser: str | None = None) -> str:
        if isinstance(node, Entries):
            return _of_object(node, at)
        theirs = isinstance(node, Scalar) and node.said.lstrip().startswith('col("')
        if theirs or (parser or "spark") != "spark":
            return _of_text(node, at)
        return SQL.read(node, at)

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean", "object"]}

    def shown(self) -> str:
        return "SQL condition"


def parser_of(node: Node | None, at: At) -> str | None:
    """The `condition_parser` beside a condition."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return None
    said = node.said if isinstance(node, Scalar) else ""
    if said == "pandas":
        raise at.note(node, "'pandas' reads no Spark rows: write the condition in SQL, and 'spark'")
    if said not in PARSERS:
        hint = words.meant(said, PARSERS)
        raise at.note(node, f"must be spark or great_expectations, not {kind_of(node)}{hint}")
    return said


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return "`" + name.replace("`", "``") + "`"


def compared(name: str, operator: str, value: Plain) -> str:
    """A column held against a value, in SQL that stops on no row.

    >>> compared("n", "==", True)
    'try_cast(CAST(`n` AS STRING) AS BOOLEAN) = true'
    """
    column, operator = quoted(name), "=" if operator == "==" else operator
    text = f"CAST({column} AS STRING)"
    if isinstance(value, bool):
        return f"try_cast({text} AS BOOLEAN) {operator} {str(value).lower()}"
    is_text = f"typeof({column}) LIKE 'string%'"
    if isinstance(value, int | float):
        number = f"try_cast({text} AS DOUBLE) {operator} {value!r}"
        return f"CASE WHEN {is_text} THEN {number} ELSE {column} {operator} {value!r} END"
    literal = _literal(str(value))
    typed = [is_text]
    if is_moment(str(value)):
        typed += [f"typeof({column}) LIKE 'date%'", f"typeof({column}) LIKE 'timestamp%'"]
    other = f"{text} {operator} {literal}"
    if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", str(value)):
        other = f"try_cast({text} AS DOUBLE) {operator} {value}"
    plain = f"{column} {operator} {literal}"
    return f"CASE WHEN {' OR '.join(typed)} THEN {plain} ELSE {other} END"


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _of_text(node: Node, at: At) -> str:
    found = _TEXT.fullmatch(node.said) if isinstance(node, Scalar) else None
    if not found:
        example = "col(\"country\") == 'DE'"
        what = f"is no condition of great-expectations' own form ({example}): {kind_of(node)}"
        raise at.note(node, what)
    if found["there"]:
        return f"{quoted(found['column'])} IS NOT NULL"
    value: Plain = found["text"] or found["date"]
    if found["number"]:
        whole = re.fullmatch(r"[+-]?\d+", found["number"])
        value = int(found["number"]) if whole else float(found["number"])
    return compared(found["column"], found["operator"], value)


def _of_object(node: Entries, at: At) -> str:
    kind = node.get("type")
    said = kind.said if isinstance(kind, Scalar) else ""
    if said not in _TYPES:
        what = f"a condition has a 'type', one of {', '.join(_TYPES)}"
        raise at.note(kind or node, what + words.meant(said, _TYPES) if said else what)
    if said == "pass_through":
        return SQL.read(node.get("pass_through_filter") or node, at.key("pass_through_filter"))
    if said in ("and", "or"):
        listed = node.get("conditions")
        if not isinstance(listed, Listing) or not listed.items:
            raise at.note(node, f"a condition of type '{said}' has a list of 'conditions'")
        inner = at.key("conditions")
        parts = []
        for place, item in enumerate(listed.items):
            if not isinstance(item, Entries):
                raise inner.item(place).note(item, f"must be a condition, not {kind_of(item)}")
            parts.append(_of_object(item, inner.item(place)))
        return "(" + f" {said.upper()} ".join(parts) + ")"
    name = _column(node, at)
    if said == "nullity":
        null = node.get("is_null")
        if not isinstance(null, Scalar) or not isinstance(null.value, bool):
            raise at.note(
                null or node, "a condition of type 'nullity' says 'is_null': true or false"
            )
        return f"{quoted(name)} IS {'' if null.value else 'NOT '}NULL"
    return _comparison(node, name, at)


def _column(node: Entries, at: At) -> str:
    held = node.get("column")
    name = held.get("name") if isinstance(held, Entries) else held
    if not isinstance(name, Scalar) or not name.said:
        raise at.note(node, 'a condition names its column: {"column": {"name": …}}')
    return name.said


def _comparison(node: Entries, name: str, at: At) -> str:
    given, value = node.get("operator"), node.get("parameter")
    operator = given.said if isinstance(given, Scalar) else ""
    if operator in ("IN", "NOT_IN"):
        if not isinstance(value, Listing):
            raise at.note(value or node, f"'{operator}' wants a list as its 'parameter'")
        values = [_plain(item, at) for item in value.items]
        one_of = " OR ".join(compared(name, "==", one) for one in values) or "false"
        return f"({one_of})" if operator == "IN" else f"(NOT ({one_of}))"
    if operator not in _OPERATORS:
        known = (*_OPERATORS, "IN", "NOT_IN")
        raise at.note(given or node, f"a comparison has an 'operator', one of {', '.join(known)}")
    return compared(name, operator, _plain(value or node, at))


def _plain(node: Node, at: At) -> Plain:
    if not isinstance(node, Scalar) or node.value is None:
        raise at.note(node, f"'parameter' must be a value, not {kind_of(node)}")
    return node.value
