"""The shapes in which a feature table is written, and the columns that each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from pydantic import Field

from headgate.core.contract import Value

KINDS = ("table", "vector", "labelled", "ratings", "graph", "baskets")
# The keys of `format` that a kind takes, beside those that all take.
TAKES: Mapping[str, tuple[str, ...]] = {
    "table": (),
    "vector": ("columns", "encode"),
    "labelled": ("label", "columns", "encode", "weights"),
    "ratings": ("user", "item", "rating"),
    "graph": ("src", "dst", "weight"),
    "baskets": ("items",),
}
NEEDS: Mapping[str, tuple[str, ...]] = {
    "ratings": ("user", "item", "rating"),
    "graph": ("src", "dst", "weight"),
    "baskets": ("items",),
}
OF_KEY = ("user", "item", "src", "dst")  # what names columns of the entity's key
PAIRS: Mapping[str, tuple[str, str]] = {"ratings": ("user", "item"), "graph": ("src", "dst")}
_MADE: Mapping[str, tuple[str, ...]] = {
    "vector": ("features",),
    "labelled": ("label", "features"),
    "ratings": ("user", "item", "rating"),
    "graph": ("src", "dst", "weight"),
    "baskets": ("items",),
}
OTHER, MISSING, FIRST = 0, 1, 2  # places of an encoding: unseen, null, and the first category
MOST = 30  # categories: with the two places before them, as many as Spark's trees take unasked


class Encode(Value):
    """How a category becomes numbers."""

    as_: Literal["onehot", "index"] = Field("onehot", alias="as")
    most: int = MOST  # categories that have a place of their own

    @property
    def places(self) -> int:
        """How many places there are, those of what is unseen and of null among them."""
        return self.most + FIRST


class Split(Value):
    """Which rows train, which validate, which test."""

    by: Literal["entity", "time"]
    validation: float | date | None = None  # by entity a share; by time the first day
    test: float | date | None = None


class Format(Value):
    """The shape in which a feature table is written."""

    kind: Literal["table", "vector", "labelled", "ratings", "graph", "baskets"] = "table"
    label: str | None = None
    columns: tuple[str, ...] = ()
    user: str | None = None  # ratings: a column of the key, as are `item`, `src` and `dst`
    item: str | None = None
    rating: str | None = None  # a feature, as are `weight` and `items`
    src: str | None = None
    dst: str | None = None
    weight: str | None = None
    items: str | None = None
    encode: Mapping[str, Encode] = {}  # features that are categories
    weights: Literal["balanced"] | None = None
    split: Split | None = None

    @property
    def made(self) -> tuple[str, ...]:
        """The columns that the rows have beside their entity and `as_of`.

        >>> Format(kind="labelled", label="gone").made, Format().made
        (('label', 'features'), ())
        """
        more = [("weight", self.weights), ("split", self.split)]
        return (*_MADE.get(self.kind, ()), *(name for name, asked in more if asked))

    @property
    def numbered(self) -> Mapping[str, str]:
        """The columns of the key whose values are given whole numbers, and the columns of these."""
        if self.kind != "ratings" or self.user is None or self.item is None:
            return {}
        return {self.user: "user", self.item: "item"}

    @property
    def listed(self) -> tuple[str, ...]:
        """The columns whose values have ids that are kept."""
        return (*self.numbered, *self.encode)

    def columns_of(self, keys: Sequence[str], measured: Sequence[str]) -> tuple[str, ...]:
        """All columns of a table of these keys, features and labels."""
        own = measured if self.kind == "table" else ()
        return tuple(dict.fromkeys((*keys, "as_of", *own, *self.made)))
