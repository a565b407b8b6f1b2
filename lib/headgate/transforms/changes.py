"""Two versions of a table's rows, matched and compared column by column."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.transforms.fates import sortable
from headgate.transforms.hidden import AS_JSON, column

NEW, GONE, CHANGED = "new", "gone", "changed"
WHAT = "what"
BEFORE, AFTER = "before", "after"  # each a struct of the row as it is on that side; null: it is not
_NTH = "__nth"


def differences(before: DataFrame, after: DataFrame, identity: Sequence[str]) -> DataFrame:
    """The rows that one side has and the other has not, or has otherwise.

    Rows are the same one where they have the same identity; where none is given, where they are
    equal in all columns that both sides have. Of several with one identity the first is matched
    with the first. `what` says what it is, `before` and `after` hold both versions, and `differs0`,
    `differs1` … say which of the columns in `compared` differ.
    """
    both = compared(before, after)
    keys = list(identity) or both
    old = _matched(before, BEFORE, keys, both, after.schema)
    new = _matched(after, AFTER, keys, both, before.schema)
    named = [*(f"__key{at}" for at in range(len(keys))), _NTH]
    same = [F.col(f"o.{name}").eqNullSafe(F.col(f"n.{name}")) for name in named]
    if not keys:
        same = [F.lit(False)]
    pairs = old.alias("o").join(new.alias("n"), reduce(operator.and_, same), "full_outer")
    there = F.col(f"o.{BEFORE}").isNotNull(), F.col(f"n.{AFTER}").isNotNull()
    differ = [
        there[0] & there[1] & ~F.col(f"o.__form{at}").eqNullSafe(F.col(f"n.__form{at}"))
        for at in range(len(both))
    ]
    what = F.when(~there[0], NEW).when(~there[1], GONE).when(_any(differ), CHANGED)
    flags = [flag.alias(f"differs{at}") for at, flag in enumerate(differ)]
    made = pairs.select(what.alias(WHAT), f"o.{BEFORE}", f"n.{AFTER}", *flags)
    return made.where(F.col(WHAT).isNotNull())


def compared(before: DataFrame, after: DataFrame) -> list[str]:
    """The columns that both sides have, and that are a table's own or what it rescued."""
    theirs = set(before.columns)
    own = [name for name in after.columns if not name.startswith("_") or name == "_rescued"]
    return [name for name in own if name in theirs]


def _matched(
    df: DataFrame, side: str, keys: Sequence[str], both: Sequence[str], other: T.StructType
) -> DataFrame:
    """Rows whole, beside what they are matched and compared by, in forms that both sides have."""
    forms = {name: _form(df, name, other) for name in dict.fromkeys((*keys, *both))}
    # Within one identity the rows are in an order of their own, the same on both sides.
    place = F.row_number().over(
        Window.partitionBy(*[forms[name] for name in keys]).orderBy(*[*forms.values(), F.lit(1)])
    )
    return df.select(
        F.struct(*[column(name) for name in df.columns]).alias(side),
        *[forms[name].alias(f"__key{at}") for at, name in enumerate(keys)],
        *[forms[name].alias(f"__form{at}") for at, name in enumerate(both)],
        place.alias(_NTH),
    )


def _form(df: DataFrame, name: str, other: T.StructType) -> Column:
    """A column as it can be sorted, and held against one of another type on the other side."""
    mine, theirs = df.schema[name].dataType, other[name].dataType
    if isinstance(mine, T.UserDefinedType):
        return column(name).cast("string")
    numbers = isinstance(mine, T.NumericType) and isinstance(theirs, T.NumericType)
    if mine == theirs or numbers:
        return sortable(df, name)
    if isinstance(mine, T.StructType | T.ArrayType | T.MapType):
        return F.to_json(column(name), AS_JSON)
    return column(name).cast("string")


def _any(conditions: Sequence[Column]) -> Column:
    return reduce(operator.or_, conditions) if conditions else F.lit(False)
