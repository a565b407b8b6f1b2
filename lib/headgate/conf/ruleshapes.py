"""What the arguments of rules look like."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from headgate.conf import words
from headgate.conf.forms import COLUMN, COLUMNS, SHARE, STRETCH
from headgate.conf.nodes import Entries, Listing, Node, Scalar, kind_of, to_python
from headgate.conf.regexes import Regex
from headgate.conf.shapes import FILLED, At, Flag, Listed, Schema, Shape, Text, Word
from headgate.core.arguments import Argument

# The types of pyspark.sql.types, and those that stand for several.
TYPES = (
    "ArrayType", "AtomicType", "BinaryType", "BooleanType", "ByteType", "CharType", "DataType",
    "DateType", "DayTimeIntervalType", "DecimalType", "DoubleType", "FloatType", "FractionalType",
    "IntegerType", "IntegralType", "LongType", "MapType", "NullType", "NumericType", "ShortType",
    "StringType", "StructType", "TimestampNTZType", "TimestampType", "VarcharType", "VariantType",
    "YearMonthIntervalType",
)  # fmt: skip
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "StringType": ("string", "str", "text", "varchar", "char", "object", "object_", "TEXT"),
    "LongType": ("bigint", "long", "int64"),
    "IntegerType": ("int", "integer", "int32", "number"),
    "ShortType": ("smallint", "short", "int16"),
    "ByteType": ("tinyint", "byte", "int8"),
    "DoubleType": ("double", "float64"),
    "FloatType": ("float", "real", "float32"),
    "DecimalType": ("decimal", "numeric"),
    "BooleanType": ("boolean", "bool", "bool_"),
    "TimestampType": ("timestamp", "datetime", "datetime64", "datetime64[ns]"),
    "TimestampNTZType": ("timestamp_ntz",),
    "DateType": ("date",),
    "BinaryType": ("binary", "bytes"),
}


class Number(Shape):
    """A number."""

    def __init__(self, *, whole: bool = False, text: bool = False, negative: bool = False) -> None:
        self.whole, self.text, self.negative = whole, text, negative

    def read(self, node: Node, at: At) -> int | float | str:
        value = node.value if isinstance(node, Scalar) else None
        if self.text and isinstance(value, str) and value.strip():
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise at.note(node, f"must be {self.shown()}, not {kind_of(node)}")
        if self.whole and (isinstance(value, float) or (value < 0 and not self.negative)):
            raise at.note(node, f"must be {self.shown()}, not {kind_of(node)}")
        if not math.isfinite(value):
            raise at.note(node, f"must be {self.shown()}, not {kind_of(node)}")
        return value

    def schema(self) -> Schema:
        if self.whole:
            least = {} if self.negative else {"minimum": 0}
            return {"anyOf": [{"type": "integer", **least}, FILLED]}
        if self.text:
            return {"type": ["number", "string"]}
        return {"anyOf": [{"type": "number"}, FILLED]}

    def shown(self) -> str:
        if self.whole:
            return "a whole number" + ("" if self.negative else " from 0")
        return "a number, or a date as text" if self.text else "a number"


class Value(Shape):
    """One value of a set."""

    def read(self, node: Node, at: At) -> Any:
        if not isinstance(node, Scalar):
            raise at.note(node, f"must be one value, not {kind_of(node)}")
        if node.value is None:
            raise at.note(node, "null is never judged: leave it out, or write '' for empty text")
        return node.value

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}

    def shown(self) -> str:
        return "value"


class Pair(Shape):
    """Two values; null stands for a missing one."""

    def read(self, node: Node, at: At) -> tuple[Any, Any]:
        items = node.items if isinstance(node, Listing) else ()
        if len(items) != 2 or not all(isinstance(item, Scalar) for item in items):
            raise at.note(node, f"must be two values, as [DE, EUR], not {kind_of(node)}")
        one, two = (item.value if isinstance(item, Scalar) else None for item in items)
        return one, two

    def schema(self) -> Schema:
        value = {"type": ["string", "number", "boolean", "null"]}
        return {"type": "array", "items": value, "minItems": 2, "maxItems": 2}

    def shown(self) -> str:
        return "pairs of values"


class Strftime(Text):
    """A format that Python both writes and reads."""

    def read(self, node: Node, at: At) -> str:
        text = super().read(node, at)
        try:
            now = datetime.now(tz=timezone.utc)
            datetime.strptime(now.strftime(text), text)  # noqa: DTZ007
        except (ValueError, UnicodeError) as error:
            what = "is no format that Python's strptime reads: " + str(error).partition("\n")[0]
            raise at.note(node, what[:200]) from None
        return text


class JsonSchema(Shape):
    """A JSON Schema, as a map."""

    def read(self, node: Node, at: At) -> Any:
        if not isinstance(node, Entries):
            raise at.note(node, f"must be a JSON Schema as a map, not {kind_of(node)}")
        if importlib.util.find_spec("jsonschema") is None:
            what = "needs the Python package 'jsonschema': pip install jsonschema"
            raise at.note(node, what)
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import validator_for

        schema = _listed(to_python(node))
        try:
            validator_for(schema).check_schema(schema)
        except SchemaError as error:
            raise at.note(node, f"is no JSON Schema: {error.message[:120]}") from None
        return schema

    def schema(self) -> Schema:
        return {"type": "object"}

    def shown(self) -> str:
        return "a map"


def _listed(value: Any) -> Any:
    """Tuples as lists, which is what JSON Schema knows."""
    if isinstance(value, tuple):
        return [_listed(item) for item in value]
    return {key: _listed(item) for key, item in value.items()} if isinstance(value, dict) else value


class Type(Text):
    """A type of Spark, by its name in Python."""

    def read(self, node: Node, at: At) -> str:
        name = super().read(node, at)
        if name not in TYPES:
            raise at.note(node, words.unknown("type", name, TYPES, _OTHERS))
        return name


class Types(Listed):
    """A list of types, some of which may be those of other engines."""

    def read(self, node: Node, at: At) -> tuple[Any, ...]:
        names = super().read(node, at)
        if not any(name in TYPES for name in names):
            hint = words.meant(names[0], TYPES, _OTHERS)
            raise at.note(node, f"names no type of Spark, such as StringType{hint}")
        return names


class Fraction(Shape):
    """A share, or false for none."""

    def read(self, node: Node, at: At) -> Any:
        if isinstance(node, Scalar) and node.value is False:
            return 0.0
        return SHARE.read(node, at)

    def schema(self) -> Schema:
        return {"anyOf": [SHARE.schema(), {"const": False}]}

    def shown(self) -> str:
        return SHARE.shown()


class Quantiles(Shape):
    """Quantiles, and a range for each."""

    def read(self, node: Node, at: At) -> dict[str, Any]:
        given = to_python(node) if isinstance(node, Entries) else {}
        wanted, ranges = given.get("quantiles"), given.get("value_ranges")
        if not isinstance(wanted, tuple) or not isinstance(ranges, tuple) or len(given) != 2:
            example = "{quantiles: [0.5], value_ranges: [[1, 5]]}"
            raise at.note(node, f"must be quantiles and their ranges, as {example}")
        if len(wanted) != len(ranges):
            what = f"has {len(wanted)} quantiles and {len(ranges)} value_ranges: one for each"
            raise at.note(node, what)
        for place, quantile in enumerate(wanted):
            if not _is_number(quantile) or not 0 <= quantile <= 1:
                where = at.key("quantiles").item(place)
                raise where.note(node, f"must be a number from 0 to 1, not '{quantile}'")
        for place, one in enumerate(ranges):
            self._range(one, node, at.key("value_ranges").item(place))
        return given

    def _range(self, one: Any, node: Node, at: At) -> None:
        ends = one if isinstance(one, tuple) else ()
        if len(ends) != 2 or not all(end is None or _is_number(end) for end in ends):
            raise at.note(node, "must be [least, greatest], with null for an open end")
        if None not in ends and ends[0] > ends[1]:
            raise at.note(node, "begins above its end")

    def schema(self) -> Schema:
        end = {"type": ["number", "null"]}
        ranges = {"type": "array", "items": end, "minItems": 2, "maxItems": 2}
        quantile = {"type": "number", "minimum": 0, "maximum": 1}
        return {
            "type": "object",
            "properties": {
                "quantiles": {"type": "array", "items": quantile, "minItems": 1},
                "value_ranges": {"type": "array", "items": ranges, "minItems": 1},
            },
            "required": ["quantiles", "value_ranges"],
            "additionalProperties": False,
        }

    def shown(self) -> str:
        return "`quantiles` and `value_ranges`"


class Partition(Shape):
    """Expected weights of values, or of numbers in bins."""

    def read(self, node: Node, at: At) -> dict[str, Any]:
        given = to_python(node) if isinstance(node, Entries) else {}
        what = self._fault(given)
        if what:
            raise at.note(node, what)
        return dict(given)

    def _fault(self, given: Mapping[str, Any]) -> str | None:
        weights, tails = given.get("weights"), given.get("tail_weights") or ()
        of_values = "values" in given
        cells = given.get("values" if of_values else "bins")
        if not isinstance(cells, tuple) or not isinstance(weights, tuple):
            return "must have 'weights', and 'values' or 'bins'"
        if len(weights) != len(cells) - (0 if of_values else 1) or not weights:
            wanted = "as many weights as values" if of_values else "one weight fewer than bins"
            return f"wants {wanted}: {len(cells)} and {len(weights)} are there"
        if not all(_is_number(one) and one >= 0 for one in (*weights, *tails)):
            return "'weights' are numbers from 0 to 1"
        if abs(math.fsum((*weights, *tails)) - 1) > 1e-5:
            return f"'weights' add up to {math.fsum((*weights, *tails)):g}, not to 1"
        if of_values:
            return None
        if len(tails) not in (0, 2):
            return "'tail_weights' are two: below all bins, and above"
        if not all(_is_number(one) for one in cells) or list(cells) != sorted(set(cells)):
            return "'bins' are numbers, each greater than the one before"
        if tails and any(math.isinf(one) for one in cells):
            return "has 'tail_weights', and bins without an end: one or the other"
        return None

    def schema(self) -> Schema:
        numbers = {"type": "array", "items": {"type": "number"}}
        listed = ("values", "bins", "weights", "tail_weights")
        properties = {name: {"type": "array"} if name == "values" else numbers for name in listed}
        return {
            "type": "object",
            "properties": properties,
            "required": ["weights"],
            "additionalProperties": False,
        }

    def shown(self) -> str:
        return "`weights` with `values` or `bins`"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_NAME = Text("the name of a column")
ARGUMENTS: Mapping[str, Shape] = {
    "bound": Number(text=True),
    "column": COLUMN,
    "columns": Listed(COLUMN, single=False, unique=True),
    "flag": Flag(),
    "json_schema": JsonSchema(),
    "keys": COLUMNS,
    "new_columns": Listed(_NAME, single=False, unique=True, about="list of names"),
    "number": Number(),
    "pairs": Listed(Pair(), single=False, about="list of pairs"),
    "partition": Partition(),
    "position": Number(whole=True, negative=True),
    "quantiles": Quantiles(),
    "regex": Regex("a regular expression"),
    "regexes": Listed(Regex("a regular expression"), single=False),
    "share": Fraction(),
    "some_columns": Listed(_NAME, single=False, unique=True, about="list of names"),
    "stretch": STRETCH,
    "strftime": Strftime("a format"),
    "table": Text("a table, layer.name"),
    "text": Text(),
    "type": Type("a type of Spark"),
    "types": Types(Text("a type"), single=False),
    "values": Listed(Value(), single=False, unique=True),
    "whole": Number(whole=True),
}


def shape_of(argument: Argument) -> Shape:
    """The shape that an argument takes."""
    return Word(argument.words) if argument.takes == "word" else ARGUMENTS[argument.takes]
