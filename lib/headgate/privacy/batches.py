"""Batches of Arrow with their personal columns closed, or opened. Runs on executors.

What is sent there is one of these two values: it refers to the keys, which come as a broadcast, and
holds none of them. Little is imported: each Python worker pays for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from headgate.core.keys import MAIN
from headgate.privacy.ciphers import each_value, hashed, opened_by, sealed, token

MOST_SEEN = 200_000  # tokens that a task remembers, to hand each over once
MAKERS = {"hash": hashed, "tokenise": token, "encrypt": sealed}
WINDOW = "_window"


@dataclass(frozen=True)
class ForVault:
    """How a row for the vault looks: what stands before its window, and its columns."""

    mark: str
    token: str
    closed: str


@dataclass(frozen=True)
class Closing:
    """Protects batch after batch."""

    keys: Any  # a broadcast: the keys of each name, the one in use first
    work: Mapping[str, tuple[str, str]]  # by column: how, and by which key
    names: tuple[str, ...]  # the columns that come out
    vault: ForVault | None  # rows that say what tokens stand for come after each batch

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        keys = self.keys.value
        made = {name: MAKERS[kind](keys[key][0]) for name, (kind, key) in self.work.items()}
        tokens = [name for name, (kind, _) in self.work.items() if kind == "tokenise"]
        seal, seen = sealed(keys[MAIN][0]), set[tuple[str, str]]()
        for batch in batches:
            columns = {name: batch.column(name) for name in batch.schema.names}
            plain = {name: columns[name] for name in tokens}
            for name, maker in made.items():
                columns[name] = each_value(columns[name], maker)
            yield self._batch(columns, batch.num_rows, {})
            if self.vault is None:
                continue
            kinds = {name: column.type for name, column in columns.items()}
            for window, found in _new(plain, columns, seen).items():
                told = {
                    WINDOW: pa.array([self.vault.mark + window] * len(found), pa.string()),
                    self.vault.token: pa.array(list(found), pa.string()),
                    self.vault.closed: pa.array([seal(one) for one in found.values()], pa.string()),
                }
                yield self._batch(told, len(found), kinds)

    def _batch(
        self, columns: Mapping[str, pa.Array], rows: int, kinds: Mapping[str, pa.DataType]
    ) -> pa.RecordBatch:
        """A batch of all columns; those that are not there are null."""
        arrays = [
            columns[name] if name in columns else pa.nulls(rows, kinds.get(name, pa.string()))
            for name in self.names
        ]
        return pa.RecordBatch.from_arrays(arrays, names=list(self.names))


def _new(
    plain: Mapping[str, pa.Array], columns: Mapping[str, pa.Array], seen: set[tuple[str, str]]
) -> dict[str, dict[str, str]]:
    """What tokens stand for, by window, where the task has not told it before."""
    found: dict[str, dict[str, str]] = {}
    if len(seen) > MOST_SEEN:
        seen.clear()
    for name, texts in plain.items():
        pairs = pa.table([columns[WINDOW], columns[name], texts], names=["w", "t", "p"])
        groups = pairs.group_by(["w", "t"]).aggregate([("p", "min")])
        each = (groups.column(part).to_pylist() for part in ("w", "t", "p_min"))
        for window, made, text in zip(*each, strict=True):
            if made is not None and (window, made) not in seen:
                seen.add((window, made))
                found.setdefault(window, {})[made] = text
    return found


@dataclass(frozen=True)
class Opening:
    """Opens the sealed texts of some columns, batch after batch."""

    keys: Any
    names: tuple[str, ...]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        open_ = opened_by([secret for each in self.keys.value.values() for secret in each])
        for batch in batches:
            columns = {name: batch.column(name) for name in batch.schema.names}
            columns |= {name: each_value(columns[name], open_) for name in self.names}
            yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
