"""Databases by JDBC: what a table holds, and the rows of a read, counted on both sides.

Queries of one value go through a connection of the driver's; rows are read by Spark. PostgreSQL
shares the snapshot of the first with the connections of Spark's tasks, so that counts, bounds and
all parts of a read are of one moment. MariaDB cannot; there a read is of one moment where it is
not parted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import pairwise
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import DataFrame, SparkSession

from headgate.core.addresses import Address
from headgate.core.contract import Database
from headgate.core.errors import HeadgateError, ShapeBroken, Usage
from headgate.core.windows import stretch
from headgate.storage.dialects import DIALECTS, NUMBER, Coming, Dialect, Native
from headgate.storage.drivers import loaded
from headgate.storage.reaching import address_of
from headgate.storage.sqlfaults import told

FETCH = 10_000  # rows that come over at a time: drivers else fetch all of them, or one by one
PATIENCE = 30  # seconds for a connection
PART = "headgate_part"  # the column by which a read is parted, beside the others


@dataclass(frozen=True)
class Bounds:
    """From where to where an increment reads, by the texts of its column's values."""

    by: str
    after: str | None  # none: from the beginning
    upto: str
    overlap: int  # seconds, or a number; what is read again before `after`


@dataclass(frozen=True)
class Pulse:
    """What tells whether an increment has anything to read."""

    upto: str | None  # the greatest value of its column
    tail: int  # rows in the overlap
    all: int  # rows altogether, where deletions are looked for


@dataclass(frozen=True)
class Measured:
    """What is known of the rows that are to be read."""

    rows: int
    tail: int = 0  # rows within the overlap before the upper bound
    unknown: int = 0  # rows without a watermark, which no increment ever reads
    ends: tuple[str, str] | None = None  # of the column by which the read is parted


class Connected:
    """A database with a connection, and the table or query that is read."""

    def __init__(self, spark: SparkSession, database: Database, where: Address, table: str) -> None:
        self.spark, self.database, self.address, self.table = spark, database, where, table
        self.dialect: Dialect = DIALECTS[where.kind]
        self._driver = loaded(spark, where.kind)
        self._snapshot: str | None = None
        self._jdbc: Any = self._connection()

    @property
    def shown(self) -> str:
        return f"{self.database.shown} in {self.address.shown}"

    @property
    def _source(self) -> str:
        if self.database.query is not None:
            return f"({self.database.query.strip().rstrip(';')}) AS headgate_query"
        return self.dialect.table(self.database.table)

    def _options(self, init: str) -> dict[str, str]:
        seconds = {"mysql": f"{PATIENCE}000", "postgresql": str(PATIENCE)}[self.address.kind]
        return {
            "url": self.address.jdbc,
            "driver": self._driver,
            "dbtable": "headgate",
            "connectTimeout": seconds,
            "fetchsize": str(FETCH),
            "sessionInitStatement": init,
            **({"user": self.address.user} if self.address.user else {}),
            **({"password": self.address.password} if self.address.password else {}),
        }

    def _connection(self) -> Any:
        """A connection by Spark's own way, which finds drivers that came after its start."""
        jvm: Any = self.spark._jvm
        options = self._options("")
        scala = jvm.org.apache.spark.api.python.PythonUtils.toScalaMap(options)
        made = jvm.org.apache.spark.sql.execution.datasources.jdbc.JDBCOptions(scala)
        dialect = jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(options["url"])
        jdbc = dialect.createConnectionFactory(made).apply(-1)
        jdbc.setAutoCommit(not self.dialect.consistent)
        statement = jdbc.createStatement()
        statement.execute(self.dialect.session(None))
        if self.dialect.consistent:
            rows = statement.executeQuery("SELECT pg_is_in_recovery(), pg_export_snapshot()")
            rows.next()
            self._snapshot = rows.getString(2)
        statement.close()
        return jdbc

    def close(self) -> None:
        self._jdbc.close()

    def ask(self, query: str) -> tuple[str | None, ...]:
        """The first row of a query, as texts."""
        return self._rows(query, 1)[0]

    def names(self) -> list[str]:
        """The tables of the database."""
        return [row[0] or "" for row in self._rows(self.dialect.tables_query)]

    def _rows(self, query: str, most: int = 10_000) -> list[tuple[str | None, ...]]:
        statement = self._jdbc.createStatement()
        found = statement.executeQuery(query)
        count, rows = found.getMetaData().getColumnCount(), list[tuple[str | None, ...]]()
        while len(rows) < most and found.next():
            rows.append(tuple(found.getString(place + 1) for place in range(count)))
        statement.close()
        return rows

    @cached_property
    def natives(self) -> dict[str, Native]:
        """The columns by name, as the driver describes them."""
        statement = self._jdbc.createStatement()
        about = statement.executeQuery(f"SELECT * FROM {self._source} WHERE 1 = 0").getMetaData()
        found = [
            Native(
                str(about.getColumnLabel(place)),
                str(about.getColumnTypeName(place)).lower(),
                int(about.getPrecision(place)),
                int(about.getScale(place)),
            )
            for place in range(1, about.getColumnCount() + 1)
        ]
        statement.close()
        return {one.name: one for one in found}

    @cached_property
    def columns(self) -> dict[str, Coming]:
        """The columns by name, as they come over."""
        return {name: self.dialect.coming(one) for name, one in self.natives.items()}

    def native(self, name: str) -> Native:
        """A column that the configuration names."""
        alike = [one for one in self.natives.values() if one.name.lower() == name.lower()]
        if not alike:
            raise ShapeBroken(
                f"column '{name}' is not in {self.database.shown}",
                where=self.address.shown,
                next=f"it has {', '.join(list(self.natives)[:20])}",
            )
        return self.natives.get(name, alike[0])

    def overlap(self, by: str) -> int:
        """How much is read again: seconds where the column tells moments, else a number."""
        native, said = self.native(by), getattr(self.database.increment, "overlap", None)
        if self.dialect.moment(native) and not (said or "1 hour").isdigit():
            return int(stretch(said or "1 hour").total_seconds())
        if self.dialect.numeric(native) and (said or "1000").isdigit():
            return int(said or "1000")
        if said is None:
            return 0  # texts: only the very last value is read again
        raise Usage(
            f"'{by}' is a column of {native.kind}, which an overlap of {said} does not fit",
            where=self.shown,
            next="overlap: 1 hour for dates and times, 1000 for numbers, none for texts",
        )

    def pulse(self, by: str, after: str | None) -> Pulse:
        """How far a column goes, and how many rows stand in the overlap before `after`."""
        native = self.native(by)
        name = self.dialect.name(native.name)
        lower = self._lower(native, after, self.overlap(by))
        where = f" WHERE {name} >= {lower}" if lower else ""
        upto, count = self.ask(
            f"SELECT {self.dialect.text(f'MAX({name})')}, COUNT({name}) FROM {self._source}{where}"
        )
        return Pulse(upto if upto is not None else after, int(count or 0), self.everything())

    def nulls(self, by: str) -> int:
        """How many rows have nothing in a column."""
        name = self.dialect.name(self.native(by).name)
        return int(self.ask(f"SELECT COUNT(*) FROM {self._source} WHERE {name} IS NULL")[0] or 0)

    def everything(self) -> int:
        """How many rows there are, where deletions are looked for."""
        if self.database.deletes is None:
            return 0
        return int(self.ask(f"SELECT COUNT(*) FROM {self._source}")[0] or 0)

    def _lower(self, native: Native, after: str | None, overlap: int) -> str | None:
        """SQL for where the overlap before a value begins."""
        if after is None:
            return None
        literal = self.dialect.literal(after, native)
        if self.dialect.moment(native):
            return self.dialect.less(literal, overlap)
        return f"{literal} - {overlap}" if self.dialect.numeric(native) else literal

    def _within(self, bounds: Bounds | None) -> str:
        if bounds is None:
            return ""
        native = self.native(bounds.by)
        name = self.dialect.name(native.name)
        below = f"{name} <= {self.dialect.literal(bounds.upto, native)}"
        lower = self._lower(native, bounds.after, bounds.overlap)
        return f" WHERE {below}" + (f" AND {name} >= {lower}" if lower else "")

    def measured(self, bounds: Bounds | None) -> Measured:
        """What has to be known of a read before it begins: its rows and its ends by one query."""
        asked, part = ["COUNT(*)"], self.database.partition
        if part is not None:
            name = self.dialect.name(self.native(part.column).name)
            asked += [self.dialect.text(f"{end}({name})") for end in ("MIN", "MAX")]
        if bounds is not None:
            native = self.native(bounds.by)
            name = self.dialect.name(native.name)
            tail = self._lower(native, bounds.upto, bounds.overlap)
            asked.append(f"SUM(CASE WHEN {name} >= {tail} THEN 1 ELSE 0 END)")
        row = self.ask(f"SELECT {', '.join(asked)} FROM {self._source}{self._within(bounds)}")
        ends = (row[1], row[2]) if part is not None else (None, None)
        tail_rows = int(float(row[-1] or 0)) if bounds is not None else 0
        unknown = self.nulls(bounds.by) if bounds is not None else 0
        found = (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None
        return Measured(int(row[0] or 0), tail_rows, unknown, found)

    def reaches(self, by: str, upto: str, lower: str | None) -> bool:
        """Whether values up to one may lie in the overlap; in doubt they do."""
        native = self.native(by)
        if lower is None:
            return True
        if self.dialect.numeric(native) and NUMBER.fullmatch(upto) and NUMBER.fullmatch(lower):
            return Decimal(upto) >= Decimal(lower)
        if not self.dialect.moment(native):
            return True  # texts: only the database knows their order
        told = min(len(upto), 19)  # a date is its whole day
        return upto[:told] >= lower[:told]

    def lower_text(self, bounds: Bounds) -> str | None:
        """Where an increment's overlap begins, as the column's values come over."""
        native = self.native(bounds.by)
        lower = self._lower(native, bounds.after, bounds.overlap)
        if lower is None:
            return None
        return self.ask(f"SELECT {self.dialect.text(self.dialect.comes(native, lower))}")[0]

    def read(
        self, measured: Measured, bounds: Bounds | None, only: Sequence[str] = ()
    ) -> DataFrame:
        """The rows, as Spark is going to read them; `only` some of their columns."""
        coming = [one for one in self.columns.values() if not only or one.name in only]
        asked = [f"{one.sql} AS {self.dialect.name(one.name)}" for one in coming]
        parts = self._parts(measured) if not only else []
        if parts and self.database.partition is not None:
            native = self.native(self.database.partition.column)
            asked.append(f"{self.dialect.name(native.name)} AS {self.dialect.name(PART)}")
        rows = f"SELECT {', '.join(asked)} FROM {self._source}{self._within(bounds)}"
        options = self._options(self.dialect.session(self._snapshot)) | {
            "customSchema": ", ".join(
                f"`{one.name.replace('`', '``')}` {one.read}" for one in coming
            ),
            "dbtable": f"({rows}) AS headgate_rows",
        }
        reader = self.spark.read
        if not parts:
            found = reader.format("jdbc").options(**options).load()
        else:
            url, table = options.pop("url"), options.pop("dbtable")
            found = reader.jdbc(url, table, predicates=parts, properties=options)
        return found.select([found[f"`{one.name.replace('`', '``')}`"] for one in coming])

    def _parts(self, measured: Measured) -> list[str]:
        """Conditions that part the rows; each row meets one of them."""
        part = self.database.partition
        if part is None or measured.ends is None or part.parts < 2:
            return []
        native = self.native(part.column)
        cuts = cut(*measured.ends, part.parts)
        if not cuts:
            raise Usage(
                f"the values of '{part.column}' cannot be parted: numbers, dates and times can",
                where=self.shown, next="name another column under partition",
            )  # fmt: skip
        name, sql = self.dialect.name(PART), [self.dialect.literal(one, native) for one in cuts]
        middle = [f"{name} >= {low} AND {name} < {high}" for low, high in pairwise(sql)]
        return [f"{name} < {sql[0]} OR {name} IS NULL", *middle, f"{name} >= {sql[-1]}"]


def cut(low: str, high: str, parts: int) -> list[str]:
    """Where a range is cut into parts of one width.

    >>> cut("1", "100", 4), cut("2026-01-01", "2026-01-03", 2), cut("7", "7", 4), cut("a", "b", 2)
    (['25', '50', '75'], ['2026-01-02'], ['7'], [])
    """
    try:
        first, last = int(Decimal(low)), int(Decimal(high))
        return sorted({str(first + (last - first) * n // parts) for n in range(1, parts)}, key=int)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    try:
        if len(low) == 10:
            day, end = date.fromisoformat(low), date.fromisoformat(high)
            days = (end - day).days
            return sorted({str(day + timedelta(days * n // parts)) for n in range(1, parts)})
        at, until = (datetime.fromisoformat(one[:19]) for one in (low, high))
        zone = "+00" if low.endswith("+00") else ""
        step = (until - at) / parts
        found = ((at + step * n).replace(microsecond=0) for n in range(1, parts))
        return sorted({f"{one:%Y-%m-%d %H:%M:%S}{zone}" for one in found})
    except ValueError:
        return []


@contextmanager
def connected(spark: SparkSession, database: Database, where: str) -> Iterator[Connected]:
    """A connection while a block runs. Faults of the database are told without values."""
    place = address_of(database, where)
    made: Connected | None = None
    try:
        made = Connected(spark, database, place, where)
        yield made
    except HeadgateError:
        raise
    except Exception as error:
        raise told(error, database.shown, place, where) from None
    finally:
        if made is not None:
            with suppress(Py4JError):
                made.close()


def contract_of(columns: Mapping[str, Coming]) -> dict[str, str]:
    """The types of a contract that is left to the database."""
    return {name: one.type for name, one in columns.items()}
