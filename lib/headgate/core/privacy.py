"""What becomes of a personal value when the table that declares it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from headgate.core.keys import MAIN

Kind = Literal["drop", "mask", "hash", "tokenise", "encrypt", "generalise", "grid"]
KINDS: tuple[Kind, ...] = ("drop", "mask", "hash", "tokenise", "encrypt", "generalise", "grid")
KEYED = ("hash", "tokenise", "encrypt")  # what a key makes of a value

_WORDS = {
    "drop": "dropped", "mask": "masked", "hash": "hashed", "encrypt": "encrypted",
    "grid": "on a grid",
}  # fmt: skip


class Privacy(BaseModel):
    """How one column is protected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    key: str = MAIN  # hash, tokenise, encrypt: the name of the key
    person: str | None = None  # encrypt: the column whose every value has a key of its own
    keep_first: int | None = None  # mask: so many letters are kept
    keep_last: int | None = None
    keep_domain: bool = False  # mask: what stands after the @ is kept
    band: int | None = None  # generalise: numbers, into bands of so many
    prefix: int | None = None  # generalise: texts, to their first letters
    to: Literal["month", "quarter", "year"] | None = None  # generalise: dates, to their first day
    size: float | None = None  # grid: numbers, down to a multiple of it

    @model_validator(mode="before")
    @classmethod
    def _of_kind(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @property
    def keyed(self) -> bool:
        """Whether equal values stay equal and different ones different, so that rows can be keyed.

        >>> Privacy(kind="tokenise").keyed, Privacy(kind="encrypt").keyed
        (True, False)
        """
        return self.kind in ("hash", "tokenise")

    @property
    def word(self) -> str:
        """What a protected value is, in messages."""
        return _WORDS.get(self.kind, f"{self.kind}d")

    @property
    def one_to_one(self) -> bool:
        """Whether different values stay different within the table."""
        return self.kind in KEYED and self.person is None

    def type_after(self, kind: str) -> str:
        """The type of what is written, by the name of the type that was.

        >>> Privacy(kind="encrypt").type_after("date"), Privacy(kind="drop").type_after("int")
        ('string', 'int')
        """
        same = self.kind in ("drop", "grid") or self.to is not None
        return kind if same else "string"


def keys_for(protection: Mapping[str, Privacy]) -> tuple[str, ...]:
    """The names of the keys that these columns need; whole records are closed by the main one.

    >>> keys_for({"email": Privacy(kind="hash", key="ads")}), keys_for({})
    (('ads', 'main'), ())
    """
    named = {one.key for one in protection.values() if one.kind in KEYED}
    return tuple(sorted(named | {MAIN})) if protection else ()
