"""The built-in steps as frozen values: their names, their arguments, what they do to columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from headgate.core.selects import columns_of

Columns = tuple[str, ...] | None  # None: not known before Spark has analysed the step


class Step(BaseModel):
    """One named change of a DataFrame."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    name: ClassVar[str] = ""
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
    def opaque(self) -> bool:
        """Whether only the analysed plan tells what the step does to rows."""
        return False

    def needs(self) -> tuple[str, ...]:
        """The columns it names, which have to exist."""
        return ()

    def columns_after(self, before: Columns) -> Columns:
        """The columns it leaves."""
        return before


class Trim(Step):
    """Cut white space from both ends of texts."""

    name = "trim"
    columns: tuple[str, ...]

    def needs(self) -> tuple[str, ...]:
        return self.columns


class Rename(Step):
    """Give columns other names: `{old: new}`."""

    name = "rename"
    columns: Mapping[str, str]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def columns_after(self, before: Columns) -> Columns:
        return None if before is None else tuple(self.columns.get(c, c) for c in before)


class Cast(Step):
    """Change types; a value that does not fit rejects its row, with the reason."""

    name = "cast"
    columns: Mapping[str, str]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Derive(Step):
    """Add or replace columns by SQL expressions, in order; later ones see earlier ones."""

    name = "derive"
    columns: Mapping[str, str]

    def columns_after(self, before: Columns) -> Columns:
        return None if before is None else tuple(dict.fromkeys((*before, *self.columns)))


class Where(Step):
    """Keep the rows for which a SQL condition is true; NULL is not kept."""

    name = "where"
    keep: str
    because: str = ""

    @property
    def drops(self) -> str | None:
        return self.because or f"where {self.keep}"


class Select(Step):
    """Keep these columns (and those that begin with _)."""

    name = "select"
    columns: tuple[str, ...]

    def needs(self) -> tuple[str, ...]:
        return self.columns

    def columns_after(self, before: Columns) -> Columns:
        own = (name for name in before or () if name.startswith("_"))
        return tuple(dict.fromkeys((*self.columns, *own)))


class Drop(Step):
    """Leave columns out."""

    name = "drop"
    columns: tuple[str, ...]

    def needs(self) -> tuple[str, ...]:
        return self.columns

    def columns_after(self, before: Columns) -> Columns:
        return None if before is None else tuple(c for c in before if c not in self.columns)


class Fill(Step):
    """Put a value where a column is null: `{column: value}`."""

    name = "fill"
    columns: Mapping[str, Any]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Map(Step):
    """Replace values by others: `{column: {from: to}}`; what is not listed stays."""

    name = "map"
    columns: Mapping[str, Mapping[str, Any]]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Deduplicate(Step):
    """Keep one of rows that are equal in all columns but those with _ (null equals null)."""

    name = "deduplicate"
    kind: Literal["exact"] = "exact"

    @property
    def drops(self) -> str | None:
        return "duplicate"


class Lookup(Step):
    """Take columns from another table by key; its rows have to be unique in that key.

    Of a history table, the version that holds now, or the one that held at the time in `as_of`.
    """

    name = "lookup"
    table: str
    on: Mapping[str, str]  # column here -> column there
    take: tuple[str, ...]
    as_of: str | None = None  # a column here

    def needs(self) -> tuple[str, ...]:
        return (*self.on, *([self.as_of] if self.as_of else []))

    def columns_after(self, before: Columns) -> Columns:
        return None if before is None else tuple(dict.fromkeys((*before, *self.take)))


class Sql(Step):
    """A SELECT from `input`; it sees :window_start and :window_end."""

    name = "sql"
    text: str
    drops_because: str | None = None
    adds_because: str | None = None
    rows: Literal["kept", "regrouped"] = "kept"

    @property
    def drops(self) -> str | None:
        return self.drops_because

    @property
    def adds(self) -> str | None:
        return self.adds_because

    @property
    def opaque(self) -> bool:
        return True

    def columns_after(self, before: Columns) -> Columns:
        listed = columns_of(self.text, before)
        if listed is None or self.rows == "regrouped":
            return listed
        own = (name for name in before or () if name.startswith("_"))
        return tuple(dict.fromkeys((*listed, *own)))


class Python(Step):
    """A user's own function: DataFrame -> DataFrame."""

    name = "step"
    function: str  # package.module.function
    drops_because: str | None = None
    adds_because: str | None = None

    @property
    def drops(self) -> str | None:
        return self.drops_because

    @property
    def adds(self) -> str | None:
        return self.adds_because

    @property
    def opaque(self) -> bool:
        return True

    def columns_after(self, before: Columns) -> Columns:
        return None


class Split(Step):
    """Change data: a row that changed its key becomes two. No file names this step."""

    name = "split"
    key: tuple[str, ...]

    @property
    def adds(self) -> str | None:
        return "a changed key: the old row is deleted, the new one inserted"


BUILT_IN: tuple[type[Step], ...] = (
    Trim, Rename, Cast, Derive, Where, Select, Drop, Fill, Map, Deduplicate, Lookup, Sql, Python,
)  # fmt: skip
