"""What the steps on texts do."""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headgate.core import steps as S
from headgate.transforms.hidden import column
from headgate.transforms.reasons import Fault
from headgate.transforms.steps.around import Around, read_apart, replaced

_WHITE = r"[\s\p{Z}\x{85}]+"  # \s alone knows neither a space that does not break nor a thin one
_TRIED = "__tried"


def trim(step: S.Trim, df: DataFrame, _: Around) -> DataFrame:
    return replaced(df, {name: F.trim(column(name)) for name in step.columns})


def collapse(step: S.Collapse, df: DataFrame, _: Around) -> DataFrame:
    made = {name: F.trim(F.regexp_replace(column(name), _WHITE, " ")) for name in step.columns}
    return replaced(df, made)


def change_case(step: S.ChangeCase, df: DataFrame, _: Around) -> DataFrame:
    ways = {"lower": F.lower, "upper": F.upper, "title": F.initcap}
    return replaced(df, {name: ways[way](column(name)) for name, way in step.columns.items()})


def normalise(step: S.Normalise, df: DataFrame, _: Around) -> DataFrame:
    """Texts of ASCII alone are as they are in every form: Python is not asked about them."""
    made = {}
    for name, form in step.columns.items():
        other = F.when(~column(name).rlike(r"^\p{ASCII}*$"), column(name))
        made[name] = F.coalesce(_in_form(form)(other), column(name))
    return replaced(df, made)


def _in_form(form: str) -> Any:
    """Spark has no function for it. What is nested travels to the executors by value."""
    plain = form == "plain"
    canonical: Any = "NFKD" if plain else form

    def normal(text: str | None) -> str | None:
        import unicodedata

        if text is None:
            return None
        made = unicodedata.normalize(canonical, text)
        if not plain:
            return made
        bare = "".join(sign for sign in made if not unicodedata.combining(sign))
        return unicodedata.normalize("NFC", bare)

    # PySpark warns of annotations that are texts; a lambda has none.
    return F.udf(lambda text: normal(text), "string")


def replace(step: S.Replace, df: DataFrame, _: Around) -> DataFrame:
    made = {}
    for name, listed in step.columns.items():
        value = column(name)
        for one in listed:
            value = _with_replaced(value, one)
        made[name] = value
    return replaced(df, made)


def _with_replaced(value: Column, one: S.Replacement) -> Column:
    if one.regex is not None:
        return F.regexp_replace(value, one.regex, one.by)
    return F.replace(value, F.lit(one.text), F.lit(one.by))


def split(step: S.Split, df: DataFrame, _: Around) -> DataFrame:
    few = F.size(F.col(_TRIED)) < len(step.into)
    parts = F.split(column(step.column), "\\Q" + step.by + "\\E", len(step.into))
    made = {name: F.get(F.col(_TRIED), F.lit(at)) for at, name in enumerate(step.into)}
    fault = (F.col(_TRIED).isNotNull() & few, f"split {step.column}: fewer than {len(made)} parts")
    return read_apart(df, {_TRIED: parts}, made, _where_rejecting(step, fault))


def extract(step: S.Extract, df: DataFrame, _: Around) -> DataFrame:
    found = F.when(column(step.column).isNotNull(), column(step.column).rlike(step.regex))
    made = {
        name: F.when(F.col(_TRIED), F.regexp_extract(column(step.column), step.regex, at))
        for at, name in enumerate(step.into, start=1)
    }
    fault = (~F.col(_TRIED), f"extract {step.column}: not of the form")
    return read_apart(df, {_TRIED: found}, made, _where_rejecting(step, fault))


def _where_rejecting(step: S.Split | S.Extract, fault: Fault) -> list[Fault]:
    return [fault] if step.rejects else []
