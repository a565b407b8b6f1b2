"""A table in plain again, for whoever has the vault and the keys."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.private import private_in
from headgate.core.spec import Table
from headgate.privacy.guard import Guard
from headgate.stages.lake import Lake
from headgate.transforms.hidden import column


def revealed(lake: Lake, table: Table) -> DataFrame:
    """A table's rows with tokens and what is encrypted as they were, as text."""
    tables = lake.suite.tables
    rows, private = lake.delta(table.name).read(), private_in(table, tables)
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
            rows = rows.join(meant, column(name) == F.col(f"__token{place}"), "left")
        given = {name: F.coalesce(f"__sealed{at}", column(name)) for at, name in enumerate(names)}
        kept = [name for name in rows.columns if not name.startswith(("__token", "__sealed"))]
        rows = rows.select(*[given.get(name, column(name)).alias(name) for name in kept])
    return Guard(protection, lake.keys).opened(rows, *names)
