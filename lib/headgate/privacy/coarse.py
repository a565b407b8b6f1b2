"""Values made coarser by Spark itself: masked, in bands, to their month, on a grid."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.privacy import Privacy
from headgate.transforms.contract import as_text

MASK = "***"  # of one length, whatever it stands for


def masked(how: Privacy, value: Column, kind: T.DataType) -> Column:
    """A text of which only a part is kept; one that the part would give away is masked whole."""
    text = as_text(value, kind)
    made: Column = F.lit(MASK)
    if how.keep_domain:
        at = F.substring_index(text, "@", -1)
        made = F.when(text.contains("@"), F.concat(F.lit(f"{MASK}@"), at)).otherwise(F.lit(MASK))
    elif how.keep_first or how.keep_last:
        first, last = how.keep_first or 0, how.keep_last or 0
        parts = [F.substring(text, 1, first)] if first else []
        parts.append(F.lit(MASK))
        parts += [F.right(text, F.lit(last))] if last else []
        long = F.length(text) > first + last
        made = F.when(long, F.concat(*parts)).otherwise(F.lit(MASK))
    return F.when(value.isNotNull(), made)


def generalised(how: Privacy, value: Column, kind: T.DataType) -> Column:
    """A band of numbers, the beginning of a text, the first day of a month."""
    if how.band is not None:
        low = F.floor(value.cast("double") / how.band) * how.band
        text = F.concat(low.cast("string"), F.lit("-"), (low + how.band - 1).cast("string"))
        return F.when(value.isNotNull(), text)
    if how.to is not None:
        return F.date_trunc(how.to, value).cast(kind)
    return F.substring(as_text(value, kind), 1, how.prefix or 1)


def on_grid(how: Privacy, value: Column, kind: T.DataType) -> Column:
    """A number, down to the next multiple of the grid's size."""
    size = F.lit(str(how.size)).cast("decimal(20,10)")
    steps = F.floor(value.cast("decimal(28,10)") / size)
    return (steps * size).cast(kind)


COARSE = {"mask": masked, "generalise": generalised, "grid": on_grid}
