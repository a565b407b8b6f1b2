"""Databases as sources: the map below `jdbc:`, and files that bring several tables.

What a person wrote of an address or a password is never repeated in a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headgate.conf.folder import NAME
from headgate.conf.forms import COLUMN, COLUMNS, stretch
from headgate.conf.nodes import Entries, Listing, Node, Scalar
from headgate.conf.overlays import filled, merged
from headgate.conf.records import Key, Record, value_of
from headgate.conf.shapes import (
    FILLED,
    Anything,
    At,
    Mapped,
    Parsed,
    Schema,
    Shape,
    Text,
    Word,
    tried,
)
from headgate.core.addresses import FORMS, address_fault
from headgate.core.contract import Database, FileSource, Increment, Partition

EVERY = "*"  # all tables of the database
_NAMED = re.compile(r"(\w+)\.(\w+)")
READS = "_reads"  # below the raw zone: where the reads of databases are kept


@dataclass(frozen=True)
class Concealed(Shape):
    """A text that is shown to nobody, whatever is wrong with it."""

    about: str = "text, best as `${NAME}` or `${secret:name}`"

    def read(self, node: Node, at: At) -> str:
        if isinstance(node, Scalar) and node.value is not None and node.said.strip():
            return self.checked(node, at)
        raise at.note(node, "must be a text that is not empty: ${NAME} or ${secret:name}")

    def checked(self, node: Scalar, at: At) -> str:  # noqa: ARG002 - for its kinds
        """The text, unless something is wrong with it."""
        return node.said

    def schema(self) -> Schema:
        return {"type": ["string", "number"]}

    def shown(self) -> str:
        return self.about


class AddressText(Concealed):
    """Where a database is."""

    def checked(self, node: Scalar, at: At) -> str:
        fault = address_fault(node.said) if "${" not in node.said else None
        if fault:
            raise at.note(node, fault)
        return node.said


def _overlap(text: str) -> str:
    if re.fullmatch(r"\d{1,18}", text):
        return text
    try:
        return stretch(text)
    except ValueError:
        raise ValueError(
            f"must be a stretch of time such as '1 hour', or a number, not '{text[:60]}'"
        ) from None


def _parts(text: str) -> int:
    if re.fullmatch(r"\d{1,4}", text) and 1 <= int(text) <= 1000:
        return int(text)
    raise ValueError(f"must be a number from 1 to 1000, not '{text[:20]}'")


INCREMENT = Record(
    "increment",
    {
        "by": Key(
            COLUMN, "the column that grows: when a row was changed last, or a growing key",
            required=True,
        ),
        "overlap": Key(
            Parsed("a stretch of time, or a number", _overlap, {"type": ["string", "number"]}),
            "how far before the last read rows are read again, for those that were committed late;"
            " what is held already is left out",
            default="`1 hour`, or `1000` of a number",
        ),
    },
    make=value_of(Increment),
    short="by",
)  # fmt: skip
PARTITION = Record(
    "partition",
    {
        "column": Key(
            COLUMN, "a column of numbers, dates or times, with an index at best", required=True
        ),
        "parts": Key(
            Parsed("a number", _parts, {"anyOf": [{"type": "integer", "minimum": 1}, FILLED]}),
            "how many connections read at a time", default="4",
        ),
    },
    make=value_of(Partition),
    short="column",
)  # fmt: skip


def _database(values: dict[str, Any], node: Entries, at: At) -> Database:
    if "table" in values and "query" in values:
        raise at.key("query").note(node.key("query") or node, "stands beside 'table': one of them")
    if "deletes" in values and "increment" not in values:
        raise at.key("deletes").note(
            node.key("deletes") or node,
            "goes with 'increment': of whole snapshots, a clean table with 'deletes: absent' tells"
            " what is gone",
        )
    if "deletes" in values and "key" not in values:
        raise at.key("deletes").note(
            node.key("deletes") or node, "needs 'key': the columns by which rows are compared"
        )
    return Database(**values)


JDBC = Record(
    "jdbc",
    {
        "url": Key(AddressText("an address"), f"where it is: `{FORMS}`", required=True),
        "user": Key(Concealed(), "who reads", default="of the address"),
        "password": Key(Concealed(), "best as `${NAME}` or `${secret:name}`; never shown"),
        "table": Key(Text("a table"), "the table or view, `schema.name` too", default="the file's"),
        "query": Key(Text("SQL"), "a SELECT instead of a table"),
        "increment": Key(
            INCREMENT,
            "each read takes only the rows that are new since the last; without it, each window"
            " is a snapshot of all rows",
        ),
        "partition": Key(PARTITION, "the read is parted by the values of this column"),
        "key": Key(COLUMNS, "the columns that tell rows apart"),
        "deletes": Key(
            Word(("keys",)),
            "`keys`: with every increment all keys are compared, and rows carry `_op` and"
            " `_sequence`; those that are gone come as `delete`",
        ),
        "options": Key(
            Mapped(Anything("value", scalar=True, null=False), empty=True),
            "of the driver, such as `sslmode`",
        ),
    },
    make=_database,
    short="url",
)
EACH = Mapped(Anything(), empty=True, about="{table: keys}")


def kept_in(table: str, database: Database) -> FileSource:
    """The files in which the reads of a table are kept: they are what its windows are made of.

    Where deletions are looked for, they say what happened to each row as the files of DMS do.
    """
    files = f"{READS}/{table}/{{window}}/*/*.parquet"
    if database.deletes is None:
        return FileSource(files=files, format="parquet")
    return FileSource(files=files, format="dms", options={"timestampColumnName": "_read"})


def brings_several(node: Node) -> bool:
    """Whether a file describes several tables."""
    return isinstance(node, Entries) and node.get("tables") is not None


def wants_every(node: Node) -> bool:
    """Whether a file wants all tables of a database."""
    held = node.get("tables") if isinstance(node, Entries) else None
    items = held.items if isinstance(held, Listing) else (held,)
    return any(isinstance(one, Scalar) and one.said == EVERY for one in items)


def named_of(nodes: Iterable[Node], layer: str) -> set[str]:
    """The tables of a layer that files name."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, Entries):
            found |= named_of((value for _, value in node.entries), layer)
        elif isinstance(node, Listing):
            found |= named_of(node.items, layer)
        elif isinstance(node, Scalar) and (name := _NAMED.fullmatch(node.text.lstrip("+"))):
            found |= {name[2]} if name[1] == layer else set()
    return found


def asked_for(node: Node, at: At, environ: Mapping[str, str]) -> Database | None:
    """The database of which a file wants all tables; None where its address cannot be read."""
    source = node.get("source") if isinstance(node, Entries) else None
    jdbc = source.get("jdbc") if isinstance(source, Entries) else None
    found = tried(JDBC.read, filled(jdbc, at, environ), at) if jdbc is not None else None
    return found if isinstance(found, Database) else None


def brought(node: Node, at: At, listed: Sequence[str] | None) -> Mapping[str, Node]:
    """The tables of a file with `tables:`, by their names: what all share, and what differs.

    `listed` are the tables of the database, where somebody has asked it.
    """
    assert isinstance(node, Entries)
    each = node.get("each")
    own = {key.text: value for key, value in each.entries} if isinstance(each, Entries) else {}
    shared = replace(
        node, entries=tuple(pair for pair in node.entries if pair[0].text not in ("tables", "each"))
    )
    made: dict[str, Node] = {}
    known = []
    for table, place in _named(node, at, listed, own):
        short = re.sub(r"\W", "_", table.rpartition(".")[2])
        known += [table, short]
        if not NAME.fullmatch(short):
            what = f"'{table[:60]}' cannot name a table here: give it a file of its own"
            at.key("tables").note(place, what)
            continue
        over = own.get(table, own.get(short))
        tree = merged(_reading(shared, table, place), over) if over is not None else None
        made[short] = tree or _reading(shared, table, place)
    for name in own:
        if name not in known and isinstance(each, Entries):
            at.key("each").key(name).note(each.key(name) or each, "is not among 'tables'")
    return made


def _named(
    node: Entries, at: At, listed: Sequence[str] | None, own: Mapping[str, Node]
) -> Iterator[tuple[str, Node]]:
    """The tables that are named, and where."""
    held = node.get("tables")
    items = held.items if isinstance(held, Listing) else (held,)
    for item in items:
        if not isinstance(item, Scalar) or not isinstance(item.value, str) or not item.said:
            at.key("tables").note(item or node, 'must be names of tables, or "*" for all')
        elif item.said == EVERY:
            yield from ((name, item) for name in (listed if listed is not None else own))
        else:
            yield item.said, item


def _reading(shared: Entries, table: str, place: Node) -> Entries:
    """The shared keys, with the table that is read."""

    def named(key: str, value: Node) -> Entries:
        return Entries(place.file, place.line, ((_key(key, place), value),))

    source = shared.get("source")
    jdbc = source.get("jdbc") if isinstance(source, Entries) else None
    over = named("table", Scalar(place.file, place.line, table, table, quoted=True))
    if isinstance(jdbc, Scalar):
        over = replace(over, entries=((_key("url", jdbc), jdbc), *over.entries))
    if jdbc is None:
        return shared
    found = merged(shared, named("source", named("jdbc", over)))
    assert isinstance(found, Entries)
    return found


def _key(text: str, place: Node) -> Scalar:
    return Scalar(place.file, place.line, text, text, quoted=True)
