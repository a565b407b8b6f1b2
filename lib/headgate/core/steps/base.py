"""What every step tells of itself: its rows, its columns, and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

Columns = tuple[str, ...] | None  # None: not known before Spark has analysed the step
Otherwise = Literal["reject", "null"]  # what becomes of a value that cannot be read
AS_BEFORE = ""  # in the place of a type: the step leaves it


class Step(BaseModel):
    """One named change of a DataFrame."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    name: ClassVar[str] = ""
    by_row: ClassVar[bool] = True  # whether what becomes of a row is told by that row alone
    takes: ClassVar[str] = ""  # what the columns it names have to hold: text, number, …
    place: str = ""  # file:line
    written: str = ""  # the step as a person wrote it: what messages show

    @property
    def drops(self) -> str | None:
        """Why this step may drop rows; None where it may not."""
        return None

    @property
    def adds(self) -> str | None:
        """Why this step may add rows; None where it may not."""
        return None

    @property
    def regroups(self) -> bool:
        """Whether one count of rows ends here, and another begins."""
        return False

    @property
    def opaque(self) -> bool:
        """Whether only the analysed plan tells what the step does to rows."""
        return False

    @property
    def changes_rows(self) -> bool:
        """Whether rows have to be counted after it."""
        return self.opaque or self.regroups or self.drops is not None or self.adds is not None

    @property
    def rejects(self) -> bool:
        """Whether it may reject rows, with a reason."""
        return False

    def needs(self) -> tuple[str, ...]:
        """The columns it names, which have to exist."""
        return ()

    def needed_as(self) -> Mapping[str, str]:
        """Of these, the ones that have to hold something of a kind: text, number, time, …"""
        return dict.fromkeys(self.needs(), self.takes) if self.takes else {}

    def touches(self) -> tuple[str, ...]:
        """Of these, the ones that do not stay as they are."""
        return self.needs()

    def columns_after(self, before: Columns) -> Columns:
        """The columns it leaves."""
        return before

    def made(self) -> Mapping[str, tuple[str, ...]]:
        """The columns it makes, each with those that have a part in its values."""
        return {}

    def computed(self) -> Mapping[str, str]:
        """The columns it makes by SQL, each with the text that names what has a part in it."""
        return {}

    def conditions(self) -> Mapping[tuple[str, ...], str]:
        """SQL over the columns before the step, by where it stands in the step."""
        return {}

    def type_after(self, column: str) -> str | None:
        """The type of one of its columns after it; None where only Spark can tell."""
        return None if column in self.made() or column in self.computed() else AS_BEFORE


def followed_by(before: Columns, more: tuple[str, ...]) -> Columns:
    """Columns with others replaced, or added at the end.

    >>> followed_by(("a", "b"), ("b", "c"))
    ('a', 'b', 'c')
    """
    return None if before is None else tuple(dict.fromkeys((*before, *more)))
