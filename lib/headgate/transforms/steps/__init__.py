"""The built-in steps: each a small pure function from a DataFrame to a DataFrame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame

from headgate.core import steps as S
from headgate.transforms.change_data import old_rows_apart
from headgate.transforms.steps import among, own, reading, rows, structure, texts, values
from headgate.transforms.steps.around import Around, fitting
from headgate.transforms.steps.own import sql_result

__all__ = ["Around", "applied", "readied", "sql_result"]


def applied(step: S.Step, df: DataFrame, around: Around) -> DataFrame:
    """The rows after a step."""
    fitting(step, df)
    return _STEPS[type(step)](step, df, around)


def readied(step: S.Step, df: DataFrame) -> DataFrame:
    """The rows before a step, without change; those that it has no place for are rejected."""
    if not isinstance(step, S.Pivot):
        return df
    fitting(step, df)
    return structure.listed_only(step, df)


_STEPS: dict[type[S.Step], Callable[[Any, DataFrame, Around], DataFrame]] = {
    S.Trim: texts.trim,
    S.Collapse: texts.collapse,
    S.ChangeCase: texts.change_case,
    S.Normalise: texts.normalise,
    S.Replace: texts.replace,
    S.Split: texts.split,
    S.Extract: texts.extract,
    S.Cast: reading.cast,
    S.ParseNumber: reading.parse_number,
    S.ParseDate: reading.parse_date,
    S.Scale: reading.scale,
    S.Boolean: reading.boolean,
    S.ParseJson: reading.parse_json,
    S.Derive: values.derive,
    S.Fill: values.fill,
    S.Map: values.map_values,
    S.Nullify: values.nullify,
    S.Clip: values.clip,
    S.Round: values.round_,
    S.Convert: values.convert,
    S.Select: structure.select,
    S.Drop: structure.drop,
    S.Rename: structure.rename,
    S.Flatten: structure.flatten,
    S.Where: rows.where,
    S.Deduplicate: among.deduplicate,
    S.Explode: structure.explode,
    S.Unpivot: structure.unpivot,
    S.Pivot: structure.pivot,
    S.Lookup: rows.lookup,
    S.Previous: among.previous,
    S.Running: among.running,
    S.Sessionize: among.sessionize,
    S.Surrogate: rows.surrogate,
    S.Sql: own.sql,
    S.Python: own.python,
    S.ChangedKeys: lambda step, df, _: old_rows_apart(df, step.key),
}
