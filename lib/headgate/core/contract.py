"""The contract with a supplier: which columns come, how, and what happens when others do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from headgate.core.privacy import Privacy


class Value(BaseModel):
    """A frozen value; a key that it does not know is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Column(Value):
    """One column of the contract with a supplier."""

    type: str
    from_: str | None = Field(None, alias="from")  # its name in the file
    format: str | None = None
    nulls: tuple[str, ...] = ()
    privacy: Privacy | None = None
    description: str | None = None

    @property
    def kept(self) -> str | None:
        """Its type once it is written; None where it is not."""
        if self.privacy is None:
            return self.type
        return None if self.privacy.kind == "drop" else self.privacy.type_after(self.type)


class OnChange(Value):
    """What happens when the source's shape or values leave the contract."""

    new_column: Literal["rescue", "add", "drop", "block"] = "rescue"
    missing_column: Literal["block", "null"] = "block"
    bad_value: Literal["quarantine", "rescue"] = "quarantine"


class FileSource(Value):
    """Files below the raw zone."""

    files: str
    format: Literal["csv", "json", "jsonl", "parquet", "avro", "orc", "debezium", "dms"] = "csv"
    options: Mapping[str, bool | int | str] = {}
    reader: str | None = None  # package.function: the bytes of a file -> its records
    key: tuple[str, ...] = ()  # debezium: an update that changes it is a deletion and an insert

    @property
    def changes(self) -> bool:
        """Whether its rows say what happened to a row: they carry `CHANGE_COLUMNS`."""
        return not self.reader and self.format in ("debezium", "dms")

    @property
    def stamp(self) -> str | None:
        """The column in which DMS writes the time of a change."""
        written = self.options.get("timestampColumnName") if self.format == "dms" else None
        return str(written) if written else None


class Increment(Value):
    """How new and changed rows of a database are told: by a column that only grows."""

    by: str
    overlap: str | None = None  # "1 hour" or "1000": what is read again, for late commits and ties


class Partition(Value):
    """A column by whose values a read is parted, and into how many parts."""

    column: str
    parts: int = 4


class Database(Value):
    """A table or a query of a database. The address may hold secrets: it is never shown."""

    url: str = Field(repr=False)  # as written: it may hold `${secret:name}`
    user: str | None = Field(default=None, repr=False)
    password: str | None = Field(default=None, repr=False)
    table: str = ""  # none: the query
    query: str | None = None
    increment: Increment | None = None  # none: each window is a snapshot of all rows
    partition: Partition | None = None
    key: tuple[str, ...] = ()
    deletes: Literal["keys"] | None = None  # keys that are there no more become deletions
    options: Mapping[str, bool | int | str] = Field(default={}, repr=False)  # of its driver

    @property
    def shown(self) -> str:
        """What is read, for messages."""
        return self.table or "the query"
