"""A table's personal columns as they are written, and sealed records opened again.

What needs a key runs in Python on batches of Arrow. The keys reach the executors as a broadcast:
neither plans nor the functions that are sent along hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import types as T

from headgate.core.keys import MAIN
from headgate.core.privacy import Privacy, keys_for
from headgate.privacy.coarse import COARSE
from headgate.transforms.contract import as_text
from headgate.transforms.hidden import CLOSED, RECORD, RESCUED, TOKEN, VAULT, column

MADE = (TOKEN, CLOSED)
SEALED = (RECORD, "_record", RESCUED)  # what holds a whole row, as text
Keys = Callable[[Iterable[str]], Mapping[str, Sequence[bytes]]]


@dataclass(frozen=True)
class Guard:
    """How the rows of one table are protected on their way out."""

    columns: Mapping[str, Privacy] = field(default_factory=dict)
    keys: Keys = lambda _: {}  # asked when rows are protected or opened, and not before

    def __bool__(self) -> bool:
        return bool(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that are needed."""
        return keys_for(self.columns)

    @property
    def blurred(self) -> frozenset[str]:
        """The columns in which different values may look equal, or are gone."""
        return frozenset(name for name, one in self.columns.items() if not one.one_to_one)

    @property
    def tokens(self) -> bool:
        """Whether tokens are made, which only the vault can turn back."""
        return any(one.kind == "tokenise" for one in self.columns.values())

    def protected(self, rows: DataFrame, *, for_vault: bool = False) -> DataFrame:
        """The rows as the table keeps them. With rows for the vault among them, if it is asked.

        A row for the vault has its window with `VAULT` in front, a token, and what is closed.
        """
        if not self:
            return rows
        rows, work = self._coarse(rows)
        # Rows for the vault are null in most columns, also where the table's own rows never are.
        schema = T.StructType([T.StructField(f.name, f.dataType) for f in rows.schema.fields])
        if for_vault and self.tokens:
            schema = T.StructType([*schema.fields, *(T.StructField(n, _TEXT) for n in MADE)])
        if not work:
            return rows
        from headgate.privacy.batches import Closing, ForVault

        names = tuple(field.name for field in schema.fields)
        vault = ForVault(VAULT, TOKEN, CLOSED) if TOKEN in names else None
        closing = Closing(_sent(rows, self.keys(self.names)), work, names, vault)
        return rows.mapInArrow(closing, schema)

    def _coarse(self, rows: DataFrame) -> tuple[DataFrame, dict[str, tuple[str, str]]]:
        """The rows with what Spark itself can do done, and what is left for Python: how, by key."""
        there = {name.lower(): one for name, one in self.columns.items()}
        made: list[Column] = []
        work: dict[str, tuple[str, str]] = {}
        for place in rows.schema.fields:
            how, value = there.get(place.name.lower()), column(place.name)
            if place.name in SEALED:
                work[place.name] = ("encrypt", MAIN)
            elif how is not None and how.kind == "drop":
                continue
            elif how is not None and how.kind in COARSE:
                value = COARSE[how.kind](how, value, place.dataType).alias(place.name)
            elif how is not None:
                value = as_text(value, place.dataType).alias(place.name)
                work[place.name] = (how.kind, how.key)
            made.append(value)
        return rows.select(*made), work

    def opened(self, rows: DataFrame, *names: str) -> DataFrame:
        """The rows with sealed texts opened; what no key opens is null."""
        from headgate.privacy.batches import Opening

        return rows.mapInArrow(Opening(_sent(rows, self.keys(self.names)), names), rows.schema)


_TEXT = T.StringType()


def _sent(rows: DataFrame, keys: Mapping[str, Sequence[bytes]]) -> Any:
    """The keys as executors get them: by a broadcast, which is in no plan."""
    plain = {name: list(each) for name, each in keys.items()}
    return rows.sparkSession.sparkContext.broadcast(plain)
