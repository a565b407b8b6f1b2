"""Why a row is rejected, as an array of texts; null where it is not.

Looked at for every row and told for few: whether anything is wrong is one cheap condition, and the
texts are made only where it holds. An array of nulls that is then compacted costs five times as
much for ten reasons, as Spark interprets its lambda functions.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

BETWEEN = "\x1f"  # ASCII's unit separator, which nobody writes into a rule
Fault = tuple[Column, str]  # whether it is there, and what is said of it


def no_reasons() -> Column:
    """Nothing against a row."""
    return F.lit(None).cast("array<string>")


def reasons_of(faults: Sequence[Fault]) -> Column:
    """The reasons that apply; null where none does."""
    if not faults:
        return no_reasons()
    wrong = reduce(operator.or_, (condition for condition, _ in faults))
    told = [F.when(condition, F.lit(said(text))) for condition, text in faults]
    return F.when(F.coalesce(wrong, F.lit(False)), F.split(F.concat_ws(BETWEEN, *told), BETWEEN))


def said(text: str) -> str:
    """A reason as it is written down."""
    return text.replace(BETWEEN, " ")


def joined(before: Column, now: Column) -> Column:
    """Both lists as one; null where neither holds a reason."""
    return F.when(before.isNull(), now).when(now.isNull(), before).otherwise(F.concat(before, now))
