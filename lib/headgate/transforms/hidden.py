"""The columns that a row carries through a pass and that no table keeps."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core.spec import CHANGE_COLUMNS

TEXT = "__text"  # the raw text of a record that could not be read
REASONS = "__reasons"  # why the row is rejected; null where it is not
RECORD = "__record"  # the row as it entered the table
OTHERS = "__others"  # keys of a JSON record that the contract does not name
EVENT = "__event"  # change data: what a record is that changes no row
OLD = "__old"  # change data: the row before a change of its key
POSITION = "__position"  # change data: where in the source's log a change stands
FATE = "__fate"
DELETED = "__deleted"  # the row says that its key is gone
SIZE = "__size"  # a mart: how many rows or people a group has
TOKEN, CLOSED = "__token", "__closed"  # a token, and sealed what it stands for: for the vault
THEIRS = "__theirs"  # the row is of a person who is looked for, or was erased
BROKEN = "__broken"  # and a number: the rules that a row breaks, as bits
FOUND = "__found"  # and what it is about: whether another table has the row's key
HIDDEN = (TEXT, REASONS, RECORD, OTHERS, EVENT, OLD, POSITION, FATE, DELETED, TOKEN, CLOSED, SIZE,
          THEIRS)  # fmt: skip
ASIDE = "rejected-"  # in front of the window of rows that are set aside, and not to be seen
VAULT = "vault-"  # and of rows that say what tokens stand for
RESCUED = "_rescued"  # what an ingested row's contract does not name, as JSON
OP, SEQUENCE = CHANGE_COLUMNS
SYSTEM = ("_window", "_ingested_at", "_file", "_row")

# Rows as JSON: whole, and with every digit of a moment. Spark's own form cuts it to milliseconds.
AS_JSON = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}

ACCEPTED, QUARANTINED, DUPLICATE = 0, 1, 2  # values of FATE


def user_columns(names: list[str]) -> list[str]:
    """The columns that are not Headgate's own.

    >>> user_columns(["a", "_row", "__reasons"])
    ['a']
    """
    return [name for name in names if not name.startswith("_")]


def column(name: str) -> Column:
    """A column by its exact name, also where the name holds dots."""
    return F.col("`" + name.replace("`", "``") + "`")


def is_hidden(name: str) -> bool:
    """Whether a column only travels through a pass.

    >>> is_hidden("__broken0"), is_hidden("_row")
    (True, False)
    """
    return name in HIDDEN or name.startswith(BROKEN)


def without_hidden(df: DataFrame) -> DataFrame:
    """The rows as a table keeps them."""
    return df.select([column(name) for name in df.columns if not is_hidden(name)])
