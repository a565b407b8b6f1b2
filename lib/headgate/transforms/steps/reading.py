"""What the steps that read values do: none is lost without a word, and none ends the run."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core import steps as S
from headgate.core.locales import signs_of
from headgate.transforms.contract import cast_text, literal, quoted
from headgate.transforms.hidden import column
from headgate.transforms.reasons import Fault
from headgate.transforms.steps.around import Around, read_apart

_MINUS = "\u2212"  # Unicode's own
Reading = tuple[Column, S.Otherwise, str]  # the value, null where unread, and what is said then


def _all_read(df: DataFrame, readings: Mapping[str, Reading]) -> DataFrame:
    """The rows with columns as they were read."""
    tried, made, broken = dict[str, Column](), dict[str, Column](), list[Fault]()
    for place, (name, (value, otherwise, reason)) in enumerate(readings.items()):
        new = f"__tried{place}"
        tried[new], made[name] = value, F.col(new)
        if otherwise == "reject":
            broken.append((column(name).isNotNull() & F.col(new).isNull(), reason))
    return read_apart(df, tried, made, broken)


def cast(step: S.Cast, df: DataFrame, _: Around) -> DataFrame:
    readings: dict[str, Reading] = {}
    for name, kind in step.columns.items():
        was, wanted = df.schema[name].dataType, T._parse_datatype_string(kind)
        forms = step.formats.get(name, (None,)) if isinstance(was, T.StringType) else (None,)
        texts = [cast_text(quoted(name), was, wanted, form) for form in forms]
        value = F.coalesce(*map(F.expr, texts)) if len(texts) > 1 else F.expr(texts[0])
        otherwise = step.otherwise.get(name, "reject")
        readings[name] = (value, otherwise, f"cast: {{{name}: {kind}}}")
    return _all_read(df, readings)


def parse_number(step: S.ParseNumber, df: DataFrame, _: Around) -> DataFrame:
    readings: dict[str, Reading] = {}
    for name, how in step.columns.items():
        reason = f"parse_number {name}: not a {how.type} as {how.locale} writes it"
        readings[name] = (_number(name, how), how.otherwise, reason)
    return _all_read(df, readings)


def _number(name: str, how: S.Number) -> Column:
    """A text as a number, in Java's form first. A minus may be Unicode's, or stand at the end."""
    signs = signs_of(how.locale)
    sign = "[-+" + _MINUS + "]"
    form = rf"^\s*(({sign}\s*)?{signs.regex}|{signs.regex}\s*{sign})\s*$"
    kept = f"[^0-9{signs.fraction}]"
    value = quoted(name)
    minus = f"CASE WHEN {value} RLIKE {literal('[-' + _MINUS + ']')} THEN '-' ELSE '' END"
    bare = f"regexp_replace({value}, {literal(kept)}, '')"
    digits = f"replace({bare}, {literal(signs.fraction)}, '.')"
    plain = f"CASE WHEN {value} RLIKE {literal(form)} THEN concat({minus}, {digits}) END"
    wanted = T._parse_datatype_string(how.type)
    return F.expr(cast_text(f"({plain})", T.StringType(), wanted, None))


def parse_date(step: S.ParseDate, df: DataFrame, _: Around) -> DataFrame:
    readings: dict[str, Reading] = {}
    for name, how in step.columns.items():
        values = [_moment(name, how, form) for form in how.formats]
        value = F.coalesce(*values) if len(values) > 1 else values[0]
        written = " or ".join(how.formats)
        reason = f"parse_date {name}: not a {how.type} written {written}"
        readings[name] = (value, how.otherwise, reason)
    return _all_read(df, readings)


def _moment(name: str, how: S.Moment, form: str) -> Column:
    """By way of JSON: of Spark's functions only its readers know languages and zones."""
    options = {f"{how.type}Format": form, "locale": how.locale.replace("_", "-")}
    if how.zone:
        options["timeZone"] = how.zone
    text = F.to_json(F.struct(F.trim(column(name)).alias("v")))
    return F.from_json(text, f"v {how.type}", options)["v"]


def scale(step: S.Scale, df: DataFrame, _: Around) -> DataFrame:
    readings: dict[str, Reading] = {}
    for name, how in step.columns.items():
        wanted = T._parse_datatype_string(how.type)
        assert isinstance(wanted, T.DecimalType)
        room = 38 - (wanted.precision - wanted.scale)
        wide = f"decimal(38,{min(room, max(18, wanted.scale + 6))})"
        way = "round" if how.rounding == "half_up" else "bround"
        text = f"try_cast({way}(try_cast({quoted(name)} AS {wide}), {wanted.scale}) AS {how.type})"
        readings[name] = (F.expr(text), how.otherwise, f"scale {name}: no room in {how.type}")
    return _all_read(df, readings)


def boolean(step: S.Boolean, df: DataFrame, _: Around) -> DataFrame:
    readings: dict[str, Reading] = {}
    for name, how in step.columns.items():
        word = F.lower(F.trim(column(name)))
        true, false = ([text.strip().lower() for text in each] for each in (how.true, how.false))
        value = F.when(word.isin(true), True).when(word.isin(false), False)
        readings[name] = (value, how.otherwise, f"boolean {name}: neither true nor false")
    return _all_read(df, readings)


def parse_json(step: S.ParseJson, df: DataFrame, _: Around) -> DataFrame:
    """A value in a shell of our own: where it ends too early, the shell's end is not found."""
    tried, made, broken = dict[str, Column](), dict[str, Column](), list[Fault]()
    for place, (name, how) in enumerate(step.columns.items()):
        new = f"__tried{place}"
        shell = F.concat(F.lit('{"v":'), column(name), F.lit(',"end":1}'))
        shape = f"v {how.type}, end int, bad string"
        tried[new] = F.from_json(shell, shape, {"columnNameOfCorruptRecord": "bad"})
        unread = F.col(new)["bad"].isNotNull() | F.col(new)["end"].isNull()
        made[name] = F.when(~unread, F.col(new)["v"])
        if how.otherwise == "reject":
            broken.append(
                (column(name).isNotNull() & unread, f"parse_json {name}: not a {how.type}")
            )
    return read_apart(df, tried, made, broken)
