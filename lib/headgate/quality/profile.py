"""What each column of a table looks like: one aggregate over its rows, and what it came to.

What `suggest` looks at and what `drift` measures is measured here by the same functions. Of private
columns only nulls and different values are counted: no value of them is looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.spec import Table
from headgate.quality.against_past import QUANTILES
from headgate.quality.portrait import first_pass, own_columns
from headgate.quality.profile_measures import finite, mean_of, quantiles_of
from headgate.transforms.contract import quoted
from headgate.transforms.hidden import column

TOP = 10  # values that come most often
TRACKED = 10_000  # different values that are counted one by one, before counts are about right
LONGEST = 120  # signs of a value that is shown
BARS = 16  # of a histogram
_FINE = 64  # what Spark gathers to draw them from
_MOMENTS = (T.DateType, T.TimestampType, T.TimestampNTZType)


@dataclass(frozen=True)
class Bars:
    """Rows by equal stretches from the least value to the most."""

    rows: tuple[int, ...]

    @property
    def drawn(self) -> str:
        """The bars as a person sees them on one line.

        >>> Bars((0, 1, 4, 8)).drawn
        ' ▁▄█'
        """
        most = max(self.rows, default=0) or 1
        return "".join(" ▁▂▃▄▅▆▇█"[math.ceil(8 * one / most)] for one in self.rows)


@dataclass(frozen=True)
class Face:
    """One column. Values are texts, as Spark writes them; none of a private column."""

    name: str
    type: str
    nulls: int
    distinct: int | None  # about; None where values cannot be compared
    private: bool = False
    least: str | None = None  # of texts: the length
    most: str | None = None
    mean: float | None = None
    sd: float | None = None
    quantiles: tuple[str, ...] = ()  # at QUANTILES
    top: tuple[tuple[str, int], ...] = ()
    bars: Bars | None = None

    @property
    def median(self) -> str | None:
        return self.quantiles[len(self.quantiles) // 2] if self.quantiles else None


@dataclass(frozen=True)
class Profile:
    """The columns of some rows of a table."""

    table: str
    of: str  # which rows: empty for all
    rows: int
    columns: tuple[Face, ...]
    counts_top: bool  # whether this Spark counts the values that come most often


def aggregates(
    table: Table, schema: T.StructType, hidden: frozenset[str], *, counts_top: bool
) -> dict[str, Column]:
    """All that is measured, by part and column, as aggregates of one pass."""
    made = first_pass(table, schema, hidden)
    for name, kind in own_columns(schema).items():
        if name in hidden or f"distinct:{name}" not in made:
            continue
        value = column(name)
        if isinstance(kind, T.StringType | T.BinaryType):
            made |= _ends(name, F.length(value))
        else:
            made |= _ends(name, value)
        if isinstance(kind, T.NumericType):
            found = {**mean_of(value), **quantiles_of(value)}
            made |= {f"{part}:{name}": one for part, one in found.items()}
            made[f"bars:{name}"] = F.histogram_numeric(finite(value), F.lit(_FINE))
            made |= {f"from:{name}": F.min(finite(value)), f"upto:{name}": F.max(finite(value))}
        elif isinstance(kind, _MOMENTS):
            moment = value.cast("timestamp").cast("double")
            middle = F.percentile_approx(value, list(QUANTILES), 1000)
            made[f"moments:{name}"] = middle.cast("array<string>")
            made[f"bars:{name}"] = F.histogram_numeric(moment, F.lit(_FINE))
            made |= {f"from:{name}": F.min(moment), f"upto:{name}": F.max(moment)}
        if counts_top and not isinstance(kind, T.BinaryType):
            text = f"left(cast({quoted(name)} AS STRING), {LONGEST})"
            made[f"top:{name}"] = F.expr(f"approx_top_k({text}, {TOP + 1}, {TRACKED})")
    return made


def _ends(name: str, value: Column) -> dict[str, Column]:
    return {
        f"least:{name}": F.min(value).cast("string"),
        f"most:{name}": F.max(value).cast("string"),
    }


def faces(
    schema: T.StructType, hidden: frozenset[str], found: Mapping[str, Any]
) -> tuple[Face, ...]:
    """What the aggregates came to, column by column."""
    return tuple(
        _face(name, kind, name in hidden, found) for name, kind in own_columns(schema).items()
    )


def _face(name: str, kind: T.DataType, private: bool, found: Mapping[str, Any]) -> Face:
    def part(of: str) -> Any:
        return found.get(f"{of}:{name}")

    moments, numbers = part("moments"), part("quantiles")
    listed = moments or [f"{one:.12g}" for one in json.loads(numbers or "[]")]
    return Face(
        name=name,
        type=kind.simpleString(),
        nulls=int(part("nulls") or 0),
        distinct=part("distinct"),
        private=private,
        least=part("least"),
        most=part("most"),
        mean=_finite(part("mean")),
        sd=_finite(part("sd")),
        quantiles=tuple(listed),
        top=_top(part("top") or ()),
        bars=_bars(part("bars") or (), part("from"), part("upto")),
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.12g}")


def _top(counted: Iterable[Any]) -> tuple[tuple[str, int], ...]:
    """Values that come more than once, the most frequent first."""
    pairs = [(one["item"], int(one["count"])) for one in counted if one["item"] is not None]
    repeated = [pair for pair in pairs if pair[1] > 1]
    return tuple(sorted(repeated, key=lambda pair: (-pair[1], pair[0]))[:TOP])


def _bars(points: Sequence[Any], low: float | None, high: float | None) -> Bars | None:
    """Spark's points, which lie where the values do, laid out on equal stretches."""
    if not points or low is None or high is None:
        return None
    rows = [0.0] * BARS
    for one in points:
        share = (one["x"] - low) / (high - low) if high > low else 0.0
        rows[min(max(int(share * BARS), 0), BARS - 1)] += one["y"]
    return Bars(tuple(round(one) for one in rows))
