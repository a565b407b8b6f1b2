"""What `drift` measures of a run, as aggregates that one pass can hold, also inside `observe`.

Of private columns only nulls and different values are counted. Categories are never kept by value:
each falls into one of a thousand buckets by its hash, which is what is counted and recorded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import StepFailed
from headgate.core.results import Metric
from headgate.core.rules import USUAL_METRICS
from headgate.core.spec import Drift, Table
from headgate.quality.against_past import QUANTILES
from headgate.quality.categories import FEW
from headgate.transforms.hidden import RESCUED, column, user_columns

BUCKETS = 1024
LARGEST = 1.0e300  # beyond it a sum of doubles may not be a number any more
_NESTED = (T.MapType, T.ArrayType, T.StructType)
Probe = Callable[[Column], Mapping[str, Column]]  # from a column's living values to aggregates


def identifies(name: str, table: Table) -> bool:
    """Whether a column tells rows apart rather than describes them: a key, an id."""
    key: tuple[str, ...] = getattr(table, "key", ()) or getattr(
        getattr(table, "entity", None), "key", ()
    )
    return name in key or name.lower() == "id" or name.lower().endswith("_id")


def probes(table: Table, schema: T.StructType, alive: Column | None = None) -> dict[str, Column]:
    """The aggregates that a table's drift rules need, over the rows that are `alive`."""
    if not table.drift:
        return {}
    rows = alive if alive is not None else F.lit(True)
    found: dict[str, Column] = {"rows": F.count(F.when(rows, F.lit(1)))}
    hidden, kinds = table.private, {field.name: field.dataType for field in schema.fields}
    for rule in table.drift:
        _all_there(rule, kinds, table)
        names = [n for n in user_columns(list(kinds)) if not rule.columns or n in rule.columns]
        for metric in rule.metrics or USUAL_METRICS:
            for name in names if metric in _PROBES else ():
                if not rule.columns and metric != "null_share" and identifies(name, table):
                    continue  # what a number stands for has no mean
                if _fits(metric, kinds[name], private=name in hidden):
                    value = F.when(rows, column(name))
                    made = _PROBES[metric](value)
                    if metric == "null_share":
                        made = {"nulls": F.count(F.when(rows & column(name).isNull(), F.lit(1)))}
                    found.update({f"{part}:{name}": one for part, one in made.items()})
        if "schema" in rule.metrics:
            found |= _schema(kinds, rows)
        if rule.time is not None:
            newest = F.max(F.when(rows, column(rule.time))).cast("timestamp")
            found[f"newest:{rule.time}"] = F.date_format(newest, "yyyy-MM-dd'T'HH:mm:ss")
    return found


def _schema(kinds: Mapping[str, T.DataType], rows: Column) -> dict[str, Column]:
    """Which columns have values, whatever the table has of them: told window by window."""
    names = [*user_columns(list(kinds)), *([RESCUED] if RESCUED in kinds else [])]
    types = json.dumps({name: kinds[name].simpleString() for name in names})
    filled = {f"filled:{n}": F.count(F.when(rows, column(n))) for n in names}
    return {"types": F.max(F.when(rows, F.lit(types))), **filled}


def _all_there(rule: Drift, kinds: Mapping[str, T.DataType], table: Table) -> None:
    """A check that looks at nothing would be believed."""
    named = (*rule.columns, *([rule.time] if rule.time else []))
    missing = [name for name in named if name not in kinds]
    if missing:
        raise StepFailed(
            f"drift names the column {missing[0]}, which {table.name} does not have",
            where=rule.place or table.name,
            next="correct the name under `drift`",
        )
    if rule.time and not isinstance(
        kinds[rule.time], T.DateType | T.TimestampType | T.TimestampNTZType
    ):
        raise StepFailed(
            f"drift takes {rule.time} for the rows' time, but it is no date or timestamp",
            where=rule.place or table.name,
            next="name a column that tells the time, or cast it in a step",
        )


def _fits(metric: str, kind: T.DataType, *, private: bool) -> bool:
    """Whether a metric can be taken of a column, and may be."""
    if metric == "null_share":
        return True
    if metric == "distinct":
        return not isinstance(kind, _NESTED) and kind.typeName() != "variant"
    if private:
        return False
    if metric == "categories":
        return isinstance(kind, T.StringType)
    return isinstance(kind, T.NumericType)


def finite(value: Column) -> Column:
    """Numbers as doubles that can be added up: no NaN, nothing endless."""
    number = value.cast("double")
    return F.when(F.abs(number) < LARGEST, number)


def mean_of(value: Column) -> Mapping[str, Column]:
    number = finite(value)
    return {"n": F.count(number), "mean": F.avg(number), "sd": F.stddev_samp(number)}


def quantiles_of(value: Column) -> Mapping[str, Column]:
    found = F.percentile_approx(finite(value), list(QUANTILES), 1000)
    return {"quantiles": F.to_json(found)}  # Spark 3.5 hands over an observed array otherwise


def _categories(value: Column) -> Mapping[str, Column]:
    # A bin for every possible bucket makes the histogram an exact grouped count in one aggregate.
    bucket = F.when(value.isNotNull(), F.pmod(F.xxhash64(value), F.lit(BUCKETS)).cast("double"))
    return {"buckets": F.to_json(F.histogram_numeric(bucket, F.lit(BUCKETS)))}


_PROBES: Mapping[str, Probe] = {
    "null_share": lambda _: {},
    "mean": mean_of,
    "quantiles": quantiles_of,
    "distinct": lambda value: {"distinct": F.approx_count_distinct(value)},
    "categories": _categories,
}


def metrics(found: Mapping[str, Any], end: datetime) -> tuple[Metric, ...]:
    """What the aggregates came to; `end` is the window's exclusive end, by the suite's clock."""
    rows = int(found.get("rows") or 0)
    made = [Metric(None, "row_count", float(rows))]
    for key, value in found.items():
        part, _, name = key.partition(":")
        if part == "nulls":
            made.append(Metric(name, "null_share", _number(value / rows) if rows else None))
        elif part == "mean":
            detail = {"rows": int(found[f"n:{name}"] or 0), "sd": _number(found[f"sd:{name}"])}
            made.append(Metric(name, "mean", _number(value), detail))
        elif part == "quantiles":
            listed = [_number(one) for one in json.loads(value)] if value else []
            middle = listed[len(listed) // 2] if listed else None
            made.append(Metric(name, "quantiles", middle, {"quantiles": listed}))
        elif part == "distinct":
            made.append(Metric(name, "distinct", float(value or 0)))
        elif part == "buckets":
            made.append(_counted(name, value))
        elif part == "newest":
            made.append(Metric(name, "freshness", _age(value, end)))
        elif part == "types":
            made.append(_columns(found, value, rows))
    return tuple(made)


def _columns(found: Mapping[str, Any], types: str | None, rows: int) -> Metric:
    """The columns that have values, with how many; none where there is no row to have any."""
    if not types:
        return Metric(None, "schema", None)
    filled = {
        key.partition(":")[2]: int(value or 0)
        for key, value in found.items() if key.startswith("filled:")
    }  # fmt: skip
    detail = {"types": json.loads(types), "filled": filled, "rows": rows}
    return Metric(None, "schema", float(sum(count > 0 for count in filled.values())), detail)


def beside(table: Table, size: int | None, seconds: float | None) -> Iterator[Metric]:
    """What is known of a run besides its rows, where a rule asks for it."""
    wanted = {metric for rule in table.drift for metric in rule.metrics}
    if "bytes" in wanted and size is not None:
        yield Metric(None, "bytes", float(size))
    if "seconds" in wanted and seconds is not None:
        yield Metric(None, "seconds", round(seconds, 3))


def _number(value: Any) -> float | None:
    """A number with twelve digits: sums of doubles differ in the last ones with every order."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.12g}")


def _counted(name: str, text: str | None) -> Metric:
    """Rows by bucket; the rarest of many are told as one."""
    counts: dict[str, int] = {}
    for one in json.loads(text) if text else ():
        bucket = str(round(one["x"]))
        counts[bucket] = counts.get(bucket, 0) + round(one["y"])
    ranked: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ranked[:FEW])
    if len(ranked) > FEW:
        kept["rest"] = sum(count for _, count in ranked[FEW:])
    return Metric(name, "categories", float(len(ranked)) if ranked else None, {"counts": kept})


def _age(text: str | None, end: datetime) -> float | None:
    """Hours from the newest moment to the window's end."""
    try:
        newest = datetime.fromisoformat(text) if text else None
    except ValueError:  # a year with five digits
        return None
    return None if newest is None else round((end - newest).total_seconds() / 3600, 4)
