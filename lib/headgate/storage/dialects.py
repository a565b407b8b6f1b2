"""How each kind of database writes names, values and moments, and how its types come over.

Whatever Spark's JDBC would change in silence is asked for as text: moments (of which MariaDB's
zero dates become null, and zones are mixed up), numbers without a scale (which are rounded), JSON,
arrays, and all types that Spark has no like of. The contract then casts the texts as it does those
of files, and what does not fit is rejected, with its reason.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

NUMBER = re.compile(r"-?\d+(\.\d+)?")
MOST_DIGITS = 38  # of a decimal in Spark


@dataclass(frozen=True)
class Native:
    """A column as the driver describes it."""

    name: str
    kind: str  # the database's own word, in lower case
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True)
class Coming:
    """How a column comes over: the SQL that asks for it, and what Spark makes of it."""

    name: str
    sql: str
    read: str  # the type with which it is read
    type: str  # the type of the contract, where that is left to the database


class Dialect(ABC):
    """One kind of database."""

    kind: str
    quote: str
    consistent = False  # whether several connections can share one snapshot

    def name(self, text: str) -> str:
        """A name as SQL writes it; the parts of `schema.table` each by itself."""
        return self.quote + text.replace(self.quote, self.quote * 2) + self.quote

    def table(self, text: str) -> str:
        return ".".join(self.name(part) for part in text.split("."))

    @abstractmethod
    def coming(self, native: Native) -> Coming:
        """How a column of a type comes over."""

    def comes(self, native: Native, sql: str) -> str:
        """A value of a column's type in the form in which those of the column come over."""
        return self.coming(native).sql.replace(self.name(native.name), f"({sql})")

    @abstractmethod
    def text(self, sql: str) -> str:
        """A value as text."""

    @abstractmethod
    def literal(self, value: str, native: Native) -> str:
        """A value of a column, from its text."""

    @abstractmethod
    def less(self, literal: str, seconds: int) -> str:
        """A moment so many seconds earlier."""

    @abstractmethod
    def numeric(self, native: Native) -> bool:
        """Whether a column holds numbers."""

    @abstractmethod
    def moment(self, native: Native) -> bool:
        """Whether a column holds dates or times of dates."""

    @abstractmethod
    def session(self, snapshot: str | None) -> str:
        """What a connection says first: moments are told in UTC."""

    tables_query: str  # the names of the tables of the database


class MySql(Dialect):
    """MariaDB and MySQL, both by MariaDB's driver."""

    kind, quote = "mysql", "`"
    tables_query = (
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY 1"
    )
    _INTEGERS: ClassVar = {
        "tinyint": "tinyint", "smallint": "smallint", "mediumint": "int", "integer": "int",
        "int": "int", "bigint": "bigint",
    }  # fmt: skip
    _WIDER: ClassVar = {
        "tinyint": "smallint", "smallint": "int", "mediumint": "int", "integer": "bigint",
        "int": "bigint",
    }  # fmt: skip
    _BINARY = ("binary", "varbinary", "blob", "tinyblob", "mediumblob", "longblob")

    def coming(self, native: Native) -> Coming:
        name, sql = native.name, self.name(native.name)
        kind, _, sign = native.kind.partition(" ")
        if sign and kind in self._WIDER:
            return Coming(name, sql, "BIGINT", self._WIDER[kind])
        if kind == "bigint" and sign:
            return Coming(name, self.text(sql), "STRING", "decimal(20,0)")
        if kind in self._INTEGERS:
            return Coming(name, sql, "BIGINT", self._INTEGERS[kind])
        if kind == "decimal" and 0 < native.precision <= MOST_DIGITS:
            exact = f"decimal({native.precision},{native.scale})"
            return Coming(name, sql, exact.upper(), exact)
        if kind in ("float", "double"):
            return Coming(name, sql, "DOUBLE", kind)
        if kind == "bit":
            whole = "boolean" if native.precision == 1 else "decimal(20,0)"
            return Coming(name, self.text(f"{sql} + 0"), "STRING", whole)
        if kind == "year":
            return Coming(name, f"{sql} + 0", "BIGINT", "int")
        if kind == "timestamp":  # an instant: told in UTC, and said so
            return Coming(name, f"CONCAT({self.text(sql)}, '+00:00')", "STRING", "timestamp")
        if kind in ("date", "datetime"):
            return Coming(name, self.text(sql), "STRING", {"date": "date"}.get(kind, "timestamp"))
        if kind in self._BINARY:
            return Coming(name, sql, "BINARY", "binary")
        if kind in ("varchar", "text", "tinytext", "mediumtext", "longtext"):
            return Coming(name, sql, "STRING", "string")
        # Also char, which Spark would fill up with spaces, and enum, which is called so.
        return Coming(name, self.text(sql), "STRING", "string")

    def text(self, sql: str) -> str:
        return f"CAST({sql} AS CHAR)"

    def literal(self, value: str, native: Native) -> str:
        if self.numeric(native) and NUMBER.fullmatch(value):
            return value
        escaped = value.replace("\\", "\\\\").replace("'", "''")
        return f"TIMESTAMP '{escaped}'" if self.moment(native) and " " in value else f"'{escaped}'"

    def less(self, literal: str, seconds: int) -> str:
        return f"CAST({literal} AS DATETIME(6)) - INTERVAL {seconds} SECOND"

    def numeric(self, native: Native) -> bool:
        kind = native.kind.partition(" ")[0]
        return kind in self._INTEGERS or kind in ("decimal", "float", "double", "year")

    def moment(self, native: Native) -> bool:
        return native.kind in ("date", "datetime", "timestamp")

    def session(self, snapshot: str | None) -> str:  # noqa: ARG002 - it shares none
        return "SET time_zone = '+00:00'"


class PostgreSql(Dialect):
    """PostgreSQL, and what speaks its language."""

    kind, quote, consistent = "postgresql", '"', True
    tables_query = (
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1"
    )
    _PLAIN: ClassVar = {
        "int2": ("BIGINT", "smallint"), "int4": ("BIGINT", "int"), "int8": ("BIGINT", "bigint"),
        "serial": ("BIGINT", "int"), "bigserial": ("BIGINT", "bigint"),
        "smallserial": ("BIGINT", "smallint"), "oid": ("BIGINT", "bigint"),
        "float4": ("DOUBLE", "float"), "float8": ("DOUBLE", "double"),
        "bool": ("BOOLEAN", "boolean"), "text": ("STRING", "string"),
        "varchar": ("STRING", "string"), "bytea": ("BINARY", "binary"),
    }  # fmt: skip
    _MOMENTS: ClassVar = {"date": "date", "timestamp": "timestamp", "timestamptz": "timestamp"}
    _NUMBERS = ("int2", "int4", "int8", "serial", "bigserial", "smallserial", "numeric", "float4",
                "float8", "oid")  # fmt: skip

    def coming(self, native: Native) -> Coming:
        name, sql, kind = native.name, self.name(native.name), native.kind
        if kind in self._PLAIN:
            return Coming(name, sql, *self._PLAIN[kind])
        if kind == "numeric":
            if 0 < native.precision <= MOST_DIGITS and 0 <= native.scale <= native.precision:
                exact = f"decimal({native.precision},{native.scale})"
                return Coming(name, sql, exact.upper(), exact)
            return Coming(name, self.text(sql), "STRING", "decimal(38,18)")
        if kind == "timestamptz":  # the session tells it in UTC, as 2026-01-02 03:04:05.6+00
            return Coming(name, f"{self.text(sql)} || ':00'", "STRING", "timestamp")
        if kind in self._MOMENTS:
            return Coming(name, self.text(sql), "STRING", self._MOMENTS[kind])
        if kind == "money":
            return Coming(name, self.text(f"{sql}::numeric"), "STRING", "decimal(20,2)")
        if kind.startswith("_"):
            inner = self.coming(Native(native.name, kind[1:]))
            return Coming(name, f"to_json({sql})::text", "STRING", f"array<{inner.type}>")
        return Coming(name, self.text(sql), "STRING", "string")

    def text(self, sql: str) -> str:
        return f"({sql})::text"

    def literal(self, value: str, native: Native) -> str:
        if self.numeric(native) and NUMBER.fullmatch(value):
            return value
        escaped = value.replace("'", "''")
        return f"'{escaped}'::{native.kind if self.moment(native) else 'text'}"

    def less(self, literal: str, seconds: int) -> str:
        return f"{literal} - interval '{seconds} seconds'"

    def numeric(self, native: Native) -> bool:
        return native.kind in self._NUMBERS

    def moment(self, native: Native) -> bool:
        return native.kind in self._MOMENTS

    def session(self, snapshot: str | None) -> str:
        # One transaction: what it reads is of one moment. With `snapshot`, of that of another.
        shared = f"SET TRANSACTION SNAPSHOT '{snapshot}'; " if snapshot else ""
        begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
        return f"{begin}{shared}SET TIME ZONE 'UTC'; SET datestyle = 'ISO'"


DIALECTS: dict[str, Dialect] = {one.kind: one for one in (MySql(), PostgreSql())}
