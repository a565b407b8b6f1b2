"""Batches of Arrow with their personal columns closed, or opened. Runs on executors.

What is sent there is one of these two values: it refers to the keys, which come as a broadcast, and
holds none of them. Little is imported: each Python worker pays for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from headgate.core.keys import MAIN, OWN, OWNED, SEALED
from headgate.privacy.ciphers import (
    each_value,
    hashed,
    opened_by,
    own_key,
    own_name,
    own_opened,
    own_sealed,
    sealed,
    token,
)

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
class Own:
    """A column of which each person's values are closed by a key of their own."""

    key: str  # that closes those keys
    name: str  # the column that names a row's own key
    told: str  # and the one with what the vault tells of it; null where it is new


@dataclass(frozen=True)
class Naming:
    """Names the own key of each row's person, batch after batch."""

    keys: Any
    table: str
    people: Mapping[str, tuple[str, str]]  # by new column: the person's column, and the key

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        keys = self.keys.value
        makers = {
            new: (of, own_name(keys[key][0], self.table)) for new, (of, key) in self.people.items()
        }
        for batch in batches:
            columns = {name: batch.column(name) for name in batch.schema.names}
            columns |= {new: each_value(columns[of], maker) for new, (of, maker) in makers.items()}
            yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


@dataclass(frozen=True)
class Closing:
    """Protects batch after batch."""

    keys: Any  # a broadcast: the keys of each name, the one in use first
    work: Mapping[str, tuple[str, str]]  # by column: how, and by which key
    names: tuple[str, ...]  # the columns that come out
    vault: ForVault | None  # rows that say what tokens stand for come after each batch
    own: Mapping[str, Own] = field(default_factory=dict)
    nonce: str = ""  # under which the broadcast has what new keys are made of

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        keys = self.keys.value
        made = {name: MAKERS[kind](keys[key][0]) for name, (kind, key) in self.work.items()}
        tokens = [name for name, (kind, _) in self.work.items() if kind == "tokenise"]
        seal, seen = sealed(keys[MAIN][0]), set[tuple[str, str]]()
        owned: dict[str, dict[str | None, Any]] = {}
        for batch in batches:
            columns = {name: batch.column(name) for name in batch.schema.names}
            plain = {name: columns[name] for name in tokens}
            for name, maker in made.items():
                columns[name] = each_value(columns[name], maker)
            fresh = self._owned(columns, keys, seen, owned)
            yield self._batch(columns, batch.num_rows, {})
            if self.vault is None:
                continue
            kinds = {name: column.type for name, column in columns.items()}
            for window, found in _new(plain, columns, seen).items():
                closed = {name: seal(one) for name, one in found.items()}
                fresh[window] = closed | fresh.get(window, {})
            for window, closed in fresh.items():
                told = {
                    WINDOW: pa.array([self.vault.mark + window] * len(closed), pa.string()),
                    self.vault.token: pa.array(list(closed), pa.string()),
                    self.vault.closed: pa.array(list(closed.values()), pa.string()),
                }
                yield self._batch(told, len(closed), kinds)

    def _owned(
        self,
        columns: dict[str, pa.Array],
        keys: Mapping[str, Any],
        seen: set[tuple[str, str]],
        owned: dict[str, dict[str | None, Any]],
    ) -> dict[str, dict[str, str]]:
        """Close what has keys of its own; by window the new ones among these, for the vault.

        `owned` are the keys that the task has met: each is opened once.
        """
        fresh: dict[str, dict[str, str]] = {}
        for column, own in self.own.items():
            outer, opened = sealed(keys[own.key][0]), opened_by(keys[own.key])
            makers = owned.setdefault(f"{own.key} {own.name}", {})
            if len(makers) > MOST_SEEN:
                makers.clear()
            makers[None] = outer  # whoever has no name has no own key
            made: dict[tuple[str | None, str], str] = {}
            out: list[str | None] = []
            parts = (columns[one].to_pylist() for one in (column, own.name, own.told, WINDOW))
            for text, name, told, window in zip(*parts, strict=True):
                if name is not None and name not in makers:
                    key = opened(told) if told else None
                    data = bytes.fromhex(key) if key else own_key(keys[self.nonce][0], name)
                    makers[name] = own_sealed(data, name)
                if name is not None and told is None and (window, OWN + name) not in seen:
                    seen.add((window, OWN + name))
                    key = own_key(keys[self.nonce][0], name).hex()
                    fresh.setdefault(window, {})[OWN + name] = outer(key)
                if text is not None and (name, text) not in made:
                    made[name, text] = makers[name](text)
                out.append(None if text is None else made[name, text])
            columns[column] = pa.array(out, pa.string())
        return fresh

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


@dataclass(frozen=True)
class OpeningOwn:
    """Opens what people's own keys have closed, by what the vault tells of these."""

    keys: Any
    names: Mapping[str, str]  # by column, the one with what the vault tells

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        opened = opened_by([secret for each in self.keys.value.values() for secret in each])
        known: dict[str | None, Any] = {}
        for batch in batches:
            columns = {name: batch.column(name) for name in batch.schema.names}
            for name, told in self.names.items():
                out = []
                pairs = zip(columns[name].to_pylist(), columns[told].to_pylist(), strict=True)
                for text, key in pairs:
                    if text is None or not text.startswith(SEALED + OWNED):
                        out.append(text)
                        continue
                    if key not in known:
                        known[key] = own_opened(key, opened)
                    out.append(known[key](text))
                columns[name] = pa.array(out, pa.string())
            yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
