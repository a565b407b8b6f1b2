"""Rows that are somebody's: found by a keyed hash, so that no plan holds a value of theirs."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from headgate.privacy.ciphers import each_value, purpose

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from headgate.core.privacy import Privacy

PARTS = "__parts"
BETWEEN = "\x1f"  # the values of a key of several columns


@dataclass(frozen=True)
class Mark:
    """Who is looked for in some columns. It does not show whom."""

    columns: tuple[str, ...]
    secret: bytes
    people: frozenset[str]  # keyed hashes

    def __repr__(self) -> str:
        return f"Mark({', '.join(self.columns)}, {len(self.people)} people)"


def person(secret: bytes, values: Sequence[str]) -> str:
    """What stands for a person: a keyed hash of their key."""
    return _hash(purpose(secret, "person"), BETWEEN.join(values))


def _hash(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def forms(
    values: Sequence[str], hows: Sequence[Sequence[Privacy]], keys: Mapping[str, Sequence[bytes]]
) -> list[tuple[str, ...]]:
    """A key as tables hold it, each column protected in turn; with old keys there are several."""
    from headgate.privacy.batches import MAKERS

    each = []
    for value, ways in zip(values, hows, strict=True):
        texts = [value]
        for how in ways:
            texts = [MAKERS[how.kind](one)(text) for text in texts for one in keys[how.key]]
        each.append(texts)
    return list(product(*each))


def marked(
    rows: DataFrame, marks: Sequence[Mark], into: str, parts: Column | None = None
) -> DataFrame:
    """The rows with a column that says whether one is of somebody who is looked for.

    `parts` are the words of what could not be read: whose key of one column is among them.
    """
    from pyspark.sql import types as T

    from headgate.transforms.contract import as_text
    from headgate.transforms.hidden import column

    names = dict.fromkeys(name for one in marks for name in one.columns)
    texts = {name: f"__person{at}" for at, name in enumerate(names)}
    told_by = [as_text(column(n), rows.schema[n].dataType).alias(t) for n, t in texts.items()]
    wide = rows.select("*", *told_by, *([] if parts is None else [parts.alias(PARTS)]))
    told = [(tuple(texts[n] for n in one.columns), one.secret, one.people) for one in marks]
    schema = T.StructType(
        [*[T.StructField(f.name, f.dataType) for f in rows.schema.fields],
         T.StructField(into, T.BooleanType())]
    )  # fmt: skip
    sent = rows.sparkSession.sparkContext.broadcast(told)
    return wide.mapInArrow(Marking(sent, tuple(rows.columns), into), schema)


@dataclass(frozen=True)
class Marking:
    """Marks batch after batch; runs on executors."""

    told: Any  # a broadcast: columns, secret, hashes
    names: tuple[str, ...]  # the columns that come out, before the mark
    into: str

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        told = [
            (columns, purpose(secret, "person"), pa.array(sorted(people), pa.string()))
            for columns, secret, people in self.told.value
        ]
        for batch in batches:
            mark = pa.array([False] * batch.num_rows)
            for columns, key, people in told:
                mark = pc.or_(mark, _found(batch, columns, key, people))
                if PARTS in batch.schema.names and len(columns) == 1:
                    mark = pc.or_(mark, _among(batch.column(PARTS), key, people))
            arrays = [batch.column(name) for name in self.names]
            yield pa.RecordBatch.from_arrays([*arrays, mark], names=[*self.names, self.into])


def _found(batch: pa.RecordBatch, columns: Sequence[str], key: bytes, people: pa.Array) -> pa.Array:
    texts = [batch.column(name).cast(pa.string()) for name in columns]
    whole = pc.binary_join_element_wise(*texts, BETWEEN) if len(texts) > 1 else texts[0]
    hashes = each_value(whole, lambda text: _hash(key, text))
    return pc.fill_null(pc.is_in(hashes, value_set=people), False)


def _among(lists: pa.Array, key: bytes, people: pa.Array) -> pa.Array:
    """Whether one of the words of each row is somebody's key."""
    hashes = each_value(pc.list_flatten(lists).cast(pa.string()), lambda text: _hash(key, text))
    rows = pc.list_parent_indices(lists).filter(pc.is_in(hashes, value_set=people))
    return pc.is_in(pa.array(range(len(lists)), rows.type), value_set=rows)
