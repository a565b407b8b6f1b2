"""Feature rows in the shape that their table's `format` asks for, with the ids that it keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import InputMissing, Usage
from headgate.core.spec import Features, Table
from headgate.stages.lake import Lake
from headgate.storage.ids import Ids
from headgate.storage.records import literal_rows
from headgate.storage.transaction import Draft
from headgate.storage.vectors import vectors
from headgate.transforms.formats import baskets, edges, part_of, ratings, vertices, weighted
from headgate.transforms.hidden import column
from headgate.transforms.ids import (
    ID,
    SINCE,
    first_categories,
    first_seen,
    given,
    without_known,
)


@dataclass(frozen=True)
class Names:
    """The ids by which the rows of one pass are known."""

    lake: Lake
    table: Features
    others: Collection[str] = ()  # published windows that keep the ids which they have
    new: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # categories, by column

    def ids(self, name: str) -> Ids:
        return self.lake.ids(self.table.name, name)

    def of(self, name: str, rows: DataFrame) -> DataFrame:
        """The ids of all values of a column: those that are kept, and after them the new ones."""
        known = self.known(name)
        new = given(first_seen(rows, name), known, name)
        return new if known is None else known.unionByName(new)

    def known(self, name: str) -> DataFrame | None:
        """The ids that are kept; published rows that have ids need them."""
        ids = self.ids(name)
        known = ids.rows()
        if known is None and self.others:
            encodes = name in self.table.format.encode
            word, are = ("the encoding", "is") if encodes else ("the ids", "are")
            raise InputMissing(
                f"{word} of '{name}' {are} gone, and published windows use them:"
                f" {len(self.others):,}",
                where=ids.path,
                next=f"put the folder back; or begin anew for all rows:"
                f" headgate run {self.table.name} --force",
            )
        return known

    def categories(self, rows: DataFrame) -> dict[str, dict[str | None, int]]:
        """For each column that is encoded, the ids of its categories: kept ones, then new ones.

        A new one was seen in these rows, so nobody knows a category before its time.
        """
        how = self.table.format.encode
        found: dict[str, dict[str | None, int]] = {}
        for name in how:
            known = self.known(name)
            kept = [] if known is None else known.where(F.col(ID) <= how[name].most).collect()
            found[name] = {row[name]: row[ID] for row in kept}
        room = {name: how[name].most - len(found[name]) for name in how}
        wanted = [name for name in how if room[name] > 0]
        self.new.update({name: [] for name in how})
        if not wanted:
            return found
        seen = first_categories(rows, wanted, found, max(room.values()))
        for row in seen.select("name", "value", F.col(SINCE).cast("string")).collect():
            name, ids = row["name"], found[row["name"]]
            if len(ids) < how[name].most:
                ids[row["value"]] = len(ids) + 1
                told = {name: row["value"], ID: str(len(ids)), SINCE: row[SINCE]}
                self.new[name].append(told)
        return found

    def keep(self, draft: Draft, fence: int) -> None:
        """Write down the ids that the rows just written are the first to have."""
        for name, made in self.table.format.numbered.items():
            ids = self.ids(name)
            rows = draft.read_back().select(column(name), column(made).alias(ID), "as_of")
            told = rows.groupBy(column(name), ID).agg(F.min("as_of").alias(SINCE))
            ids.keep(without_known(told, ids.rows(), name), fence)
        for name, new in self.new.items():
            told = literal_rows(
                self.lake.spark, new, f"`{name}` string, {ID} string, {SINCE} string"
            )
            since = F.col(SINCE).cast("timestamp").alias(SINCE)
            self.ids(name).keep(told.select(column(name), ID, since), fence)


def shaped(
    rows: DataFrame, table: Features, names: Names, fit: Callable[[Collection[str]], DataFrame]
) -> DataFrame:
    """The rows as the table's `format` asks; `fit` gives some features of them, to look at once."""
    form = table.format
    made = _of_kind(rows, table, names, fit)
    if form.weights:
        made = weighted(made)
    if form.split:
        label = table.label.get(form.label or "")
        ahead = (label.next or 0) if label else 0
        made = made.withColumn("split", part_of(form.split, table.entity.key, ahead))
    return made


def _of_kind(
    rows: DataFrame, table: Features, names: Names, fit: Callable[[Collection[str]], DataFrame]
) -> DataFrame:
    form, keys = table.format, table.entity.key
    if form.kind == "table":
        return rows
    if form.kind == "ratings":
        # A pair without a rating is none: it gives no id.
        rows = rows.where(column(str(form.rating)).isNotNull())
        ids = {name: names.of(name, rows) for name in form.numbered}
        return ratings(rows, form, keys, ids)
    if form.kind == "graph":
        _one_kind(rows, table)
        return edges(rows, form, keys)
    if form.kind == "baskets":
        return baskets(rows, form, keys)
    held = form.columns or tuple(table.features)
    _numbers(rows, table, [name for name in held if name not in form.encode])
    places = names.categories(fit(form.encode)) if form.encode else {}
    return vectors(rows, form, keys, held, places)


def _numbers(rows: DataFrame, table: Features, names: Collection[str]) -> None:
    """A vector holds numbers; of what is none it has to be said how it becomes some."""
    for name in names:
        kind = rows.schema[name].dataType
        if not isinstance(kind, T.NumericType | T.BooleanType):
            raise Usage(
                f"'{name}' is {kind.simpleString()}, and a vector holds numbers",
                where=table.file or table.name,
                next=f"format: {{encode: {{{name}: onehot}}}}, or other columns",
            )


def _one_kind(rows: DataFrame, table: Features) -> None:
    """Both ends of an edge are vertices: values of one type."""
    ends = [str(name) for name in (table.format.src, table.format.dst)]
    one, other = (rows.schema[name].dataType.simpleString() for name in ends)
    if one != other:
        raise Usage(
            f"{ends[0]} is {one} and {ends[1]} is {other}: the ends of an edge are of one type",
            where=table.file or table.name,
            next=f"cast one of them in {next(iter(table.reads.values()))}",
        )


def graph(lake: Lake, table: Table, window: str | None) -> tuple[DataFrame, DataFrame]:
    """The vertices and edges as of the end of a window, or as of the newest."""
    if not isinstance(table, Features) or table.format.kind != "graph":
        raise Usage(f"{table.name} is no graph", next="format: {kind: graph, src: …, dst: …}")
    newest = max(lake.history.published(table.name), default=None)
    if newest is None:
        raise Usage(f"{table.name} has never been published", next=f"headgate run +{table.name}")
    grain = lake.grain(table)
    name = newest if window is None else grain.of(lake.suite.window.start(window))
    end = F.lit(str(grain.end(name))).cast("timestamp")
    rows = lake.delta(table.name).read().where(F.col("as_of") == end)
    return vertices(rows), rows.select("src", "dst", "weight")
