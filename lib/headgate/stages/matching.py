"""Columns of a source held against a contract: found by name, lacking, new, or renamed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from headgate.core.errors import ShapeBroken, Unreadable
from headgate.core.spec import Ingested
from headgate.storage.heads import OPERATION, Shape


def matched(
    table: Ingested, shape: Shape, path: str
) -> tuple[dict[str, str | None], dict[str, str]]:
    """Contract columns and what they are called in a file. Raises `ShapeBroken`, with a guess."""
    sources = {
        name: _source(table, column.from_ or name, shape, path)
        for name, column in table.columns.items()
    }
    used = {raw for raw in sources.values() if raw}
    if not used:
        raise Unreadable(
            "it has none of the contract's columns: no header, or another table's file",
            where=path,
            next=f"put it elsewhere, or correct {table.file or table.name}",
        )
    extras = {raw: name for raw, name in shape.columns if raw not in used and is_extra(table, name)}
    lacking = [table.columns[name].from_ or name for name, raw in sources.items() if raw is None]
    if lacking and table.on_change.missing_column == "block":
        raise ShapeBroken(
            f"column '{lacking[0]}' is missing{_renamed(lacking[0], list(extras.values()))}",
            where=f"{table.name} {path}",
            next=f"correct the file, or the contract in {table.file}",
        )
    if extras and table.on_change.new_column == "block":
        raise ShapeBroken(
            f"column '{next(iter(extras.values()))}' is not in the contract",
            where=f"{table.name} {path}",
            next=f"add it to {table.file}, or set on_change: {{new_column: rescue}}",
        )
    if extras and table.on_change.new_column == "add" and table.private:
        raise ShapeBroken(
            f"column '{next(iter(extras.values()))}' is new, and this table holds personal data",
            where=f"{table.name} {path}",
            next=f"declare it in {table.file or table.name}, with `privacy` where it is personal",
        )
    return sources, extras


def is_extra(table: Ingested, name: str) -> bool:
    """Whether a column that the contract does not know is more than what DMS adds to each row."""
    own = (OPERATION, (table.source.stamp or "").lower())
    return table.source.format != "dms" or name.strip().lower() not in own


def _source(table: Ingested, wanted: str, shape: Shape, path: str) -> str | None:
    """The raw column of a name, whatever its case where that leaves no doubt."""
    folded = wanted.strip().lower()
    alike = {name: raw for raw, name in shape.columns if name.strip().lower() == folded}
    unclear = wanted not in alike or table.on_change.new_column == "add"
    if len(alike) > 1 and unclear:  # a table cannot hold both
        one, other = list(alike)[:2]
        raise Unreadable(
            f"its columns '{one}' and '{other}' differ only in case",
            where=path,
            next=f"say which is meant in {table.file or table.name} (from: …), or rename one",
        )
    return alike.get(wanted) or next(iter(alike.values()), None)


def _renamed(name: str, extras: list[str]) -> str:
    close = get_close_matches(name.lower(), [e.lower() for e in extras], 1, 0.5)
    if not close and len(extras) != 1:
        return ""
    guess = next((e for e in extras if close and e.lower() == close[0]), extras[0])
    return f" and '{guess}' is new: was it renamed?"


def check_columns(table: Ingested, names: Sequence[str]) -> None:
    """Raise `ShapeBroken` where the columns of a database break the contract."""
    assert table.database is not None
    if table.left_to_database:
        return
    try:
        matched(table, Shape.of(names), table.database.shown)
    except Unreadable as error:
        shown = ", ".join(names[:20])
        raise ShapeBroken(
            f"{table.database.shown} has none of the contract's columns: it has {shown}",
            where=table.name,
            next=f"correct {table.file or table.name}, or source.jdbc in it",
        ) from error
