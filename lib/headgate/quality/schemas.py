"""Rules on names and types of columns: judged from the schema, without reading a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyspark.sql import types as T

from headgate.core.spec import Rule
from headgate.transforms.hidden import user_columns

Found = Mapping[str, Any]
Judge = Callable[[Mapping[str, Any], list[str], T.StructType], Found]


def schema_found(rule: Rule, schema: T.StructType) -> Found:
    """What a rule finds in a schema: `success`, and `observed` or `said`; empty for other rules.

    Headgate's own columns are left out. Fields of structs count as columns, as they do in
    great-expectations.
    """
    judge = SCHEMA_RULES.get(rule.expectation)
    if judge is None:
        return {}
    own = T.StructType([schema[name] for name in user_columns(schema.names)])
    return judge(rule.arguments, list(_names(own)), own)


def _names(schema: T.StructType, front: str = "") -> Iterator[str]:
    for field in schema.fields:
        name = f"`{field.name}`" if "." in field.name else field.name
        yield front + name
        if isinstance(field.dataType, T.StructType):
            yield from _names(field.dataType, f"{front}{field.name}.")


def _exists(arguments: Mapping[str, Any], names: list[str], _: T.StructType) -> Found:
    wanted, place = arguments["column"], arguments.get("column_index")
    if not place:  # 0 is taken for none, as there
        there = wanted in names
        return {"success": there, "said": "is there" if there else "is not there"}
    there = -len(names) <= place < len(names) and names[place] == wanted
    found = names.index(wanted) if wanted in names else None
    said = "is not there" if found is None else f"is at place {found}"
    return {"success": there, "said": said}


def _is_of(names: list[str], kind: T.DataType | None) -> Found:
    known = [getattr(T, name, None) for name in names]
    classes = tuple(one for one in known if isinstance(one, type) and issubclass(one, T.DataType))
    said = "is not there" if kind is None else f"is {type(kind).__name__}"
    return {"success": kind is not None and isinstance(kind, classes), "said": said}


def _kind(arguments: Mapping[str, Any], schema: T.StructType) -> T.DataType | None:
    name = arguments["column"]
    if name in schema.names:
        return schema[name].dataType
    kind: T.DataType | None = schema
    for part in name.split("."):
        inner = isinstance(kind, T.StructType) and part in kind.names
        kind = kind[part].dataType if inner else None  # type: ignore[index]
    return kind


def _of_type(arguments: Mapping[str, Any], _: list[str], schema: T.StructType) -> Found:
    return _is_of([arguments["type_"]], _kind(arguments, schema))


def _of_types(arguments: Mapping[str, Any], _: list[str], schema: T.StructType) -> Found:
    return _is_of(list(arguments["type_list"]), _kind(arguments, schema))


def _count(_arguments: Mapping[str, Any], names: list[str], _: T.StructType) -> Found:
    return {"observed": len(names)}


def _match_list(arguments: Mapping[str, Any], names: list[str], _: T.StructType) -> Found:
    wanted = list(arguments["column_list"])
    apart = [place for place, pair in enumerate(zip(wanted, names)) if pair[0] != pair[1]]  # noqa: B905
    place = apart[0] if apart else min(len(wanted), len(names))
    if wanted == names:
        return {"success": True, "said": f"has the {len(names)} columns"}
    found = f"'{names[place]}'" if place < len(names) else "nothing"
    meant = f"'{wanted[place]}'" if place < len(wanted) else "nothing"
    return {"success": False, "said": f"has {found} at place {place}, expected {meant}"}


def _match_set(arguments: Mapping[str, Any], names: list[str], _: T.StructType) -> Found:
    wanted = set(arguments["column_set"])
    missing, more = sorted(wanted - {*names}), sorted({*names} - wanted)
    exact = arguments.get("exact_match", True)
    parts = [f"lacks {', '.join(missing)}"] if missing else []
    parts += [f"has {', '.join(more)} beside"] if more and exact else []
    said = " and ".join(parts) or "has these columns"
    return {"success": not missing and not (more and exact), "said": said}


SCHEMA_RULES: Mapping[str, Judge] = {
    "expect_column_to_exist": _exists,
    "expect_column_type_to_be": _of_type,
    "expect_column_values_to_be_of_type": _of_type,
    "expect_column_values_to_be_in_type_list": _of_types,
    "expect_table_column_count_to_equal": _count,
    "expect_table_column_count_to_be_between": _count,
    "expect_table_columns_to_match_ordered_list": _match_list,
    "expect_table_columns_to_match_set": _match_set,
}
