"""Where people are: in tables, in what was kept and rejected, and in raw files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headgate.core.erasure import Spot
from headgate.core.errors import Unreadable
from headgate.core.keys import MAIN, OWN
from headgate.core.people import People, as_kept
from headgate.core.spec import Clean, Ingested, Table
from headgate.core.traces import Traces
from headgate.privacy.ciphers import own_name
from headgate.privacy.people import Mark, forms, marked, person
from headgate.stages.clean import main_input
from headgate.stages.corrections import CHANGED, OF, WRITTEN, repairs_for
from headgate.stages.ingest import batch_of, groups_of, rows_of
from headgate.stages.lake import Lake
from headgate.stages.preview import Looking
from headgate.stages.reads import known
from headgate.stages.rejected import typed_with
from headgate.storage.ids import Ids
from headgate.storage.tables import DeltaTable
from headgate.transforms.contract import words_of_unread
from headgate.transforms.corrections import content_of
from headgate.transforms.hidden import REASONS, RECORD, THEIRS, column

AT = ("_window", "_file", "_row")


@dataclass
class Trail:
    """People, and the columns by which each table knows them."""

    lake: Lake
    people: People
    unread: dict[str, str] = field(default_factory=dict)  # raw files that cannot be looked into

    @cached_property
    def traces(self) -> Traces:
        return Traces.of(self.lake.suite.tables)

    @cached_property
    def ring(self) -> Mapping[str, Sequence[bytes]]:
        """The keys that any table needs, and the main one."""
        tables = self.lake.suite.tables.values()
        return self.lake.keys({MAIN, *(how.key for t in tables for how in t.protection.values())})

    @property
    def secret(self) -> bytes:
        return self.ring[MAIN][0]

    def columns(self, table: str) -> list[tuple[str, ...]]:
        """The columns of a table that hold the key: of a single one, each that means the same."""
        traces = self.traces
        like = [
            [n for n in traces.like((self.people.table, one), table)
             if traces.hidden((table, n)) is None]
            for one in self.people.columns
        ]  # fmt: skip
        if len(like) == 1:
            return [(name,) for name in like[0]]
        return [tuple(names[0] for names in like)] if all(like) else []

    def lost(self) -> dict[str, str]:
        """Tables in which the key is made so that nobody is found by it, and how."""
        found = {}
        for name in self.lake.suite.tables:
            for one in self.people.columns:
                for like in self.traces.like((self.people.table, one), name):
                    if how := self.traces.hidden((name, like)):
                        found[f"{name}.{like}"] = how
        return found

    def written(self, values: Sequence[str], table: str, names: Sequence[str]) -> tuple[str, ...]:
        """The values as a contract's columns write them; as they are where there is none."""
        spec = self.lake.suite.tables[table]
        kinds = {n: c.type for n, c in spec.columns.items()} if isinstance(spec, Ingested) else {}
        return tuple(as_kept(v, kinds.get(n, "")) for v, n in zip(values, names, strict=True))

    def texts(self, table: str, names: Sequence[str], kinds: Mapping[str, str]) -> set[Any]:
        """The key of everybody as these columns of a table hold it."""
        hows = [self.traces.hows.get((table, name), ()) for name in names]
        origin = self._origin(table, names)
        found = set()
        for values in self.people.values:
            plain = self.written(values, *origin) if origin else tuple(values)
            typed = tuple(
                value if how else as_kept(value, kinds.get(name, ""))
                for value, how, name in zip(plain, hows, names, strict=True)
            )
            found |= set(forms(typed, hows, self.ring))
        return found

    def _origin(self, table: str, names: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
        """The contract that first named these columns: it says how their values are written."""
        spec = self.lake.suite.tables[table]
        while not isinstance(spec, Ingested):
            reads = [self.lake.suite.tables[one] for one in spec.sources]
            above = [one for one in reads if self.columns(one.name)]
            if not above:
                return None
            spec = above[0]
        own = table == spec.name
        return spec.name, tuple(names) if own else self.columns(spec.name)[0]

    def mark(self, table: str, names: Sequence[str], kinds: Mapping[str, str]) -> Mark:
        """Who is looked for in these columns of a table."""
        texts = self.texts(table, names, kinds)
        return Mark(tuple(names), self.secret, frozenset(person(self.secret, t) for t in texts))

    def marks(self, table: str, rows: DataFrame) -> list[Mark]:
        """Who is looked for in the columns that these rows of a table have."""
        have = {name.lower(): name for name in rows.columns}
        kinds = dict(rows.dtypes)
        found = []
        for names in self.columns(table):
            if all(name.lower() in have for name in names):
                told = self.mark(table, names, {n: kinds[have[n.lower()]] for n in names})
                found.append(Mark(tuple(have[n.lower()] for n in names), told.secret, told.people))
        return found

    def plain_marks(self, table: Ingested) -> list[Mark]:
        """Who is looked for in a contract's columns before they are protected."""
        return [
            Mark(names, self.secret, frozenset(
                person(self.secret, self.written(v, table.name, names)) for v in self.people.values
            ))
            for names in self.columns(table.name)
        ]  # fmt: skip

    def own_keys(self, table: Table) -> Mark:
        """Their own keys in the vault of a table."""
        found = set()
        for how in table.protection.values():
            if not how.person or (how.person,) not in self.columns(table.name):
                continue
            ways = self.traces.hows.get((table.name, how.person), ())
            before = ways[:-1] if how.person in table.protection else ways
            for values in self.people.values:
                origin = self._origin(table.name, (how.person,))
                plain = self.written(values, *origin) if origin else values
                for (text,) in forms(plain, [before], self.ring):
                    found |= {own_name(one, table.name)(text) for one in self.ring[how.key]}
        told = frozenset(person(self.secret, (OWN + name,)) for name in found)
        return Mark(("token",), self.secret, told)

    def tables(self) -> list[Table]:
        """The tables that know people by this key."""
        return [one for name, one in self.lake.suite.tables.items() if self.columns(name)]

    # -- rows ------------------------------------------------------------------------------

    def in_table(self, name: str, rows: DataFrame | None = None) -> DataFrame | None:
        """The rows of a table, marked; None where it cannot hold them."""
        if rows is None and self.lake.version(name) is None:
            return None
        rows = self.lake.delta(name).read() if rows is None else rows
        marks = self.marks(name, rows)
        return marked(rows, marks, THEIRS) if marks else None

    def in_store(self, name: str, rows: DataFrame | None = None) -> DataFrame | None:
        """The accepted rows of a table by key, marked."""
        store = DeltaTable(self.lake.spark, self.lake.store(name))
        if rows is None and store.latest() is None:
            return None
        return self.in_table(name, store.read() if rows is None else rows)

    def in_ids(self, table: Table) -> Iterator[tuple[Ids, DataFrame]]:
        """The ids that the values of a table's columns were given, marked."""
        for ids in self.lake.ids_of(table):
            rows = ids.rows()
            found = None if rows is None else self.in_table(table.name, rows)
            if found is not None:
                yield ids, found

    def in_quarantine(self, table: Table, rows: DataFrame | None = None) -> DataFrame | None:
        """A table's rejected rows as they are kept, marked."""
        rows = self.lake.quarantine(table.name).rows() if rows is None else rows
        if rows is None or not isinstance(table, Ingested | Clean):
            return None
        sealed = rows.withColumn("__sealed", F.col("_record"))
        if isinstance(table, Ingested):
            spec: Ingested = known(self.lake, table)
            shown = typed_with(self.lake, spec, sealed, "__sealed")
            marks = [
                one for one in self.plain_marks(spec) if set(one.columns) <= set(shown.columns)
            ]
        else:
            shown = typed_with(self.lake, table, sealed, "__sealed")
            marks = self.marks(main_input(table), shown)
        if not marks:
            return None
        unread = words_of_unread(F.col("_record"), F.col("_reasons"))
        found = self._with_repaired(marked(shown, marks, THEIRS, unread))
        kept = [name for name in rows.columns if name != "_record"]
        return found.select(*kept, F.col("__sealed").alias("_record"), THEIRS)

    def in_corrections(self, table: Table, rows: DataFrame | None = None) -> DataFrame | None:
        """What people repaired of a table as it is kept, marked; OF names what each corrects."""
        rows = self.lake.corrections(table.name).rows() if rows is None else rows
        if rows is None or not isinstance(table, Ingested | Clean):
            return None
        sealed = rows.withColumn("__sealed", F.col("_record"))
        opened = self.lake.guard(table).opened(sealed, "_record") if table.private else sealed
        told = opened.withColumn("__told", F.from_json("_record", WRITTEN))
        if isinstance(table, Ingested):
            spec: Ingested = known(self.lake, table)
            kinds = {name: one.type for name, one in spec.columns.items()}
            wanted = self.plain_marks(spec)
        else:
            schema = self.lake.delta(main_input(table)).schema()
            kinds = {one.name: one.dataType.simpleString() for one in schema.fields}
            shown = self.lake.spark.createDataFrame([], schema)
            wanted = self.marks(main_input(table), shown)
        names = dict.fromkeys(n for one in wanted for n in one.columns if n in kinds)
        texts = {name: f"__cell{place}" for place, name in enumerate(names)}
        cells = told.select("*", *[F.col("__told")[CHANGED][n].alias(t) for n, t in texts.items()])
        wide = cells.select(
            "*", *[F.expr(f"try_cast({t} AS {kinds[n]})").alias(n) for n, t in texts.items()]
        )
        found = marked(wide, wanted, THEIRS) if wanted else wide.withColumn(THEIRS, F.lit(False))
        kept = [name for name in rows.columns if name != "_record"]
        of = F.col(f"__told.{OF}").alias(OF)
        return found.select(*kept, F.col("__sealed").alias("_record"), of, THEIRS)

    @cached_property
    def repaired(self) -> frozenset[tuple[str, int, str]]:
        """The records that are theirs since somebody repaired them: file, row, what they held.

        They may not hold the key themselves. Asked before the corrections go.
        """
        found: set[tuple[str, int, str]] = set()
        for table in self.lake.suite.tables.values():
            told = self.in_corrections(table)
            if told is not None:
                mine = told.where(F.col(THEIRS)).select("_file", "_row", OF).collect()
                found |= {(row["_file"], row["_row"], row[OF]) for row in mine}
        return frozenset(found)

    def _with_repaired(self, rejected: DataFrame) -> DataFrame:
        """Rejected rows with a mark on those that were repaired to be theirs, too."""
        if not self.repaired:
            return rejected
        told = sorted({(file, of) for file, _, of in self.repaired})
        known = self.lake.spark.createDataFrame(told, "__of_file string, __of string")
        same = (F.col("_file") == F.col("__of_file")) & (
            content_of(F.col("_record")) == F.col("__of")
        )
        both = rejected.join(F.broadcast(known), same, "left")
        mine = F.col(THEIRS) | F.col("__of").isNotNull()
        return both.withColumn(THEIRS, mine).drop("__of_file", "__of")

    def in_raw(self, table: Ingested, *, repaired: bool = True) -> Iterator[DataFrame]:
        """The records of a table's raw files, marked; those that cannot be read are noted.

        As people repaired them, or as they came.
        """
        looking = Looking.at(self.lake)
        table = known(looking, table)
        marks = self.plain_marks(table)
        if not marks:
            return
        batch = batch_of(looking, table, None)
        repairs = repairs_for(looking, table, sorted(batch.windows)) if repaired else None
        broken: dict[str, Any] = {}
        aside: dict[str, Unreadable] = {}
        for group in groups_of(looking, table, batch, sorted(batch.windows), broken, aside):
            rows = rows_of(looking, table, group, list(group.files), True, repairs)
            unread = words_of_unread(F.col(RECORD), F.col(REASONS))
            yield marked(rows, marks, THEIRS, unread)
        self.unread |= {path: error.what for path, error in aside.items()}
        for window in broken:
            self.unread |= dict.fromkeys((f.path for f in batch.windows[window]), broken[window][1])

    def found(self, *, tables: bool = True) -> list[Spot]:
        """All places in which they are, in one query; without tables, raw files alone."""
        frames: list[DataFrame] = []

        def look(kind: str, table: str, rows: DataFrame | None) -> None:
            if rows is not None:
                have = set(rows.columns)
                kinds = dict(zip(AT, ("string", "string", "bigint"), strict=True))
                at = [(column(n) if n in have else F.lit(None)).cast(kinds[n]).alias(n) for n in AT]
                mine = rows.where(F.col(THEIRS))
                frames.append(
                    mine.select(F.lit(kind).alias("kind"), F.lit(table).alias("table"), *at)
                )

        for table in self.lake.suite.tables.values():
            if tables:
                look("table", table.name, self.in_table(table.name))
                look("store", table.name, self.in_store(table.name))
                look("quarantine", table.name, self.in_quarantine(table))
                look("corrections", table.name, self.in_corrections(table))
                for _, marked_ids in self.in_ids(table):
                    look("ids", table.name, marked_ids)
            for rows in self.in_raw(table) if isinstance(table, Ingested) else ():
                look("raw", table.name, rows)
        return _spots(frames)


def _spots(frames: Sequence[DataFrame]) -> list[Spot]:
    if not frames:
        return []
    every = reduce(DataFrame.unionByName, frames)
    found: dict[tuple[str, str], list[Any]] = {}
    for row in every.collect():
        found.setdefault((row["kind"], row["table"]), []).append(row)
    spots = []
    for (kind, table), rows in found.items():
        records: dict[str, set[int]] = {}
        for row in rows if kind == "raw" else ():
            records.setdefault(row["_file"], set()).add(int(row["_row"] or 0))
        spots.append(
            Spot(
                kind, table, len(rows), tuple(sorted({r["_window"] for r in rows if r["_window"]})),
                {file: tuple(sorted(each)) for file, each in sorted(records.items())},
            )
        )  # fmt: skip
    return spots


def windows_of(spots: Sequence[Spot], table: str) -> tuple[str, ...]:
    """The windows in which people are found in a table, its rejected rows and its files."""
    return tuple(sorted({w for one in spots if one.table == table for w in one.windows}))
