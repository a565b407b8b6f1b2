"""A table in plain again, for whoever has the vault and the keys."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.keys import OWN, OWNED, SEALED
from headgate.core.private import private_in
from headgate.core.spec import Table
from headgate.privacy.guard import Guard
from headgate.stages.lake import Lake
from headgate.transforms.contract import quoted
from headgate.transforms.hidden import column


def revealed(lake: Lake, table: Table) -> DataFrame:
    """A table's rows with tokens and what is encrypted as they were, as text."""
    return revealed_rows(lake, table, lake.delta(table.name).read())


def revealed_rows(lake: Lake, table: Table, rows: DataFrame) -> DataFrame:
    """Rows of a table in plain."""
    tables = lake.suite.tables
    private = private_in(table, tables)
    texts = [one.name for one in rows.schema.fields if isinstance(one.dataType, T.StringType)]
    names = [name for name in texts if private.hides(name)]
    protection = {
        f"{name}.{of}": how for name, one in tables.items() for of, how in one.protection.items()
    }
    vaults = [lake.vault(name).rows() for name, one in tables.items() if lake.guard(one).tokens]
    told = [vault for vault in vaults if vault is not None]
    if told:
        known = reduce(DataFrame.unionByName, told).dropDuplicates(["token"])
        for place, name in enumerate(names):
            meant = known.select(*[F.col(one).alias(f"__{one}{place}") for one in known.columns])
            rows = rows.join(meant, _asked(name) == F.col(f"__token{place}"), "left")
        given = {
            name: F.when(_owned(name), column(name)).otherwise(
                F.coalesce(f"__sealed{at}", column(name))
            )
            for at, name in enumerate(names)
        }
        kept = [name for name in rows.columns if not name.startswith(("__token", "__sealed"))]
        own = [F.col(f"__sealed{at}") for at in range(len(names))]
        rows = rows.select(*[given.get(name, column(name)).alias(name) for name in kept], *own)
        guard = Guard(protection, lake.keys)
        rows = guard.opened_own(rows, {name: f"__sealed{at}" for at, name in enumerate(names)})
        rows = rows.select(*map(column, kept))
    return Guard(protection, lake.keys).opened(rows, *names)


def _owned(name: str) -> Column:
    """Whether a text was closed by a person's own key."""
    return column(name).startswith(SEALED + OWNED)


def _asked(name: str) -> Column:
    """What the vault is asked for: a token, or the name of a person's own key."""
    start = len(SEALED + OWNED) + 1
    named = F.concat(
        F.lit(OWN), F.substring_index(F.expr(f"substring({quoted(name)}, {start})"), "_", 1)
    )
    return F.when(_owned(name), named).otherwise(column(name))
