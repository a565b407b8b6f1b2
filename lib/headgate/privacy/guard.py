"""A table's personal columns as they are written, and sealed records opened again.

What needs a key runs in Python on batches of Arrow. The keys reach the executors as a broadcast:
neither plans nor the functions that are sent along hold them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.keys import MAIN, OWN
from headgate.core.privacy import Privacy, keys_for
from headgate.privacy.coarse import COARSE
from headgate.transforms.contract import as_text
from headgate.transforms.hidden import CLOSED, RECORD, RESCUED, TOKEN, VAULT, column

if TYPE_CHECKING:
    from headgate.privacy.batches import Own

MADE = (TOKEN, CLOSED)
PERSON, NAMED, TOLD = "__person", "__person_name", "__person_told"  # and a number
SEALED = (RECORD, "_record", RESCUED)  # what holds a whole row, as text
Keys = Callable[[Iterable[str]], Mapping[str, Sequence[bytes]]]
Vault = Callable[[], DataFrame | None]  # tokens and people's own keys, each with what it is
NONCE = "nonce "  # no key has such a name


@dataclass(frozen=True)
class Guard:
    """How the rows of one table are protected on their way out."""

    columns: Mapping[str, Privacy] = field(default_factory=dict)
    keys: Keys = lambda _: {}  # asked when rows are protected or opened, and not before
    table: str = ""
    vault: Vault = lambda: None  # asked where people have keys of their own

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
        """Whether the vault is needed: for what tokens stand for, or for people's own keys."""
        return any(one.kind == "tokenise" or one.person for one in self.columns.values())

    def protected(self, rows: DataFrame, *, for_vault: bool = False) -> DataFrame:
        """The rows as the table keeps them. With rows for the vault among them, if it is asked.

        A row for the vault has its window with `VAULT` in front, a token, and what is closed.
        """
        if not self:
            return rows
        rows, work = self._coarse(rows)
        # Rows for the vault are null in most columns, also where the table's own rows never are.
        fields = [f for f in rows.schema.fields if not f.name.startswith(PERSON)]
        schema = T.StructType([T.StructField(f.name, f.dataType) for f in fields])
        if for_vault and self.tokens:
            schema = T.StructType([*schema.fields, *(T.StructField(n, _TEXT) for n in MADE)])
        if not work:
            return rows
        from headgate.privacy.batches import Closing, ForVault

        names = tuple(field.name for field in schema.fields)
        vault = ForVault(VAULT, TOKEN, CLOSED) if TOKEN in names else None
        rows, own = self._with_own_keys(rows)
        work = {name: how for name, how in work.items() if name not in own}
        # What new keys are made of lives as long as this pass: only the vault keeps a key.
        keys = {**self.keys(self.names), NONCE: [secrets.token_bytes(64)]}
        closing = Closing(_sent(rows, keys), work, names, vault, own, NONCE)
        return rows.mapInArrow(closing, schema)

    def _with_own_keys(self, rows: DataFrame) -> tuple[DataFrame, dict[str, Own]]:
        """The rows with what the vault tells of their people's own keys: one join for all."""
        from headgate.privacy.batches import Naming, Own

        pairs = self._people()
        if not pairs:
            return rows, {}
        people = {f"{NAMED}{at}": (f"{PERSON}{at}", key) for at, (_, key) in enumerate(pairs)}
        schema = T.StructType([*rows.schema.fields, *(T.StructField(n, _TEXT) for n in people)])
        naming = Naming(_sent(rows, self.keys(self.names)), self.table, people)
        rows, known = rows.mapInArrow(naming, schema), self.vault()
        for name in people:
            told = name.replace(NAMED, TOLD)
            if known is None:
                rows = rows.withColumn(told, F.lit(None).cast("string"))
                continue
            mine = known.where(F.col("token").startswith(OWN)).select(
                F.substring("token", len(OWN) + 1, 64).alias(f"{told}of"),
                F.col("sealed").alias(told),
            )
            rows = rows.join(mine, F.col(name) == F.col(f"{told}of"), "left").drop(f"{told}of")
        there, own = {name.lower(): name for name in rows.columns}, {}
        for name, how in self.columns.items():
            if how.person:
                at = pairs.index((how.person, how.key))
                own[there[name.lower()]] = Own(how.key, f"{NAMED}{at}", f"{TOLD}{at}")
        return rows, own

    def _people(self) -> list[tuple[str, str]]:
        """The columns that tell whose own key closes, each with the key that closes those."""
        return sorted({(one.person, one.key) for one in self.columns.values() if one.person})

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
        kinds = {field.name.lower(): field for field in rows.schema.fields}
        for at, (name, _) in enumerate(self._people()):
            whose = kinds[name.lower()]
            made.append(as_text(column(whose.name), whose.dataType).alias(f"{PERSON}{at}"))
        return rows.select(*made), work

    def opened(self, rows: DataFrame, *names: str) -> DataFrame:
        """The rows with sealed texts opened; what no key opens is null."""
        from headgate.privacy.batches import Opening

        return rows.mapInArrow(Opening(_sent(rows, self.keys(self.names)), names), rows.schema)

    def opened_own(self, rows: DataFrame, names: Mapping[str, str]) -> DataFrame:
        """The rows with texts opened that people's own keys have closed.

        For each column, one tells what the vault has under the name of the key.
        """
        from headgate.privacy.batches import OpeningOwn

        return rows.mapInArrow(
            OpeningOwn(_sent(rows, self.keys(self.names)), names),
            T.StructType([T.StructField(f.name, f.dataType) for f in rows.schema.fields]),
        )


_TEXT = T.StringType()


def _sent(rows: DataFrame, keys: Mapping[str, Sequence[bytes]]) -> Any:
    """The keys as executors get them: by a broadcast, which is in no plan."""
    plain = {name: list(each) for name, each in keys.items()}
    return rows.sparkSession.sparkContext.broadcast(plain)
