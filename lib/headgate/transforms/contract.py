"""From what a supplier sent to what the contract says, and why a value does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.contract import Column, OnChange
from headgate.transforms.hidden import AS_JSON, OP, OTHERS, REASONS, RECORD, TEXT
from headgate.transforms.reasons import Fault, joined, reasons_of, said

SYSTEM = ("_file", "_row", "_window", "_ingested_at", "_rescued")
UNREADABLE = "the record cannot be read in the table's format"


def to_contract(
    raw: DataFrame,
    columns: Mapping[str, Column],
    sources: Mapping[str, str | None],
    extras: Mapping[str, str],
    on_change: OnChange,
    *,
    with_record: bool,
    more: Sequence[SparkColumn] = (),
    faults: Sequence[Fault] = (),
) -> DataFrame:
    """The contract's columns with their types, system columns, and what is wrong with each row.

    `sources` names the raw column of each contract column (None: missing in this file);
    `extras` are raw columns the contract does not know, with their names in the file. `more` are
    columns to keep beside the contract's, and `faults` what else may be wrong with a row.
    """
    rescue = on_change.bad_value == "rescue"
    unreadable = F.col(TEXT).isNotNull()
    made: list[SparkColumn] = []
    broken: list[Fault] = [(unreadable, UNREADABLE), *faults]
    saved: list[tuple[str, SparkColumn]] = []
    for name, column in columns.items():
        source = sources[name]
        if source is None:
            made.append(F.lit(None).cast(column.type).alias(name))
            continue
        kind = raw.schema[source].dataType
        value, bad = converted(source, kind, column)
        made.append(F.when(~unreadable, value).alias(name))
        if bad is not None:
            fault = bad & ~unreadable
            if rescue:
                saved.append((name, F.when(fault, as_text(F.col(quoted(source)), kind))))
            else:
                broken.append((fault, not_a(name, column)))
    for source, name in extras.items():
        text = as_text(F.col(f"`{source}`"), raw.schema[source].dataType)
        if on_change.new_column == "add":
            made.append(F.when(~unreadable, text).alias(name))
        elif on_change.new_column == "rescue":
            saved.append((name, F.when(~unreadable, text)))
    record = [raw_record(raw, sources, extras)] if with_record else []
    return raw.select(
        *made,
        "_file",
        "_row",
        "_window",
        "_ingested_at",
        _rescued(raw, saved, on_change).alias("_rescued"),
        *more,
        reasons_of(broken).alias(REASONS),
        *record,
    )


def _rescued(
    raw: DataFrame, saved: Sequence[tuple[str, SparkColumn]], on_change: OnChange
) -> SparkColumn:
    """What the contract has no place for, as one JSON object."""
    named = as_json(saved)
    if OTHERS not in raw.columns or on_change.new_column == "drop":
        return named
    if not saved:
        return F.col(OTHERS)
    kind = "map<string,string>"
    empty = F.create_map().cast(kind)
    both = F.map_concat(
        F.coalesce(F.from_json(F.col(OTHERS), kind), empty),
        F.coalesce(F.from_json(named, kind), empty),
    )
    return F.when(F.col(OTHERS).isNotNull() | named.isNotNull(), F.to_json(both))


_FORMS = {"hour": "yyyy-MM-dd'T'HH", "day": "yyyy-MM-dd", "month": "yyyy-MM"}


def windowed_by(rows: DataFrame, name: str, grain: str) -> DataFrame:
    """Rows in the window that a column tells; where it tells none, rejected in their file's own."""
    moment = F.expr(f"try_cast({quoted(name)} AS timestamp)")
    untold = reasons_of([(moment.isNull(), f"{name}: tells no window")])
    made = {
        "_window": F.coalesce(F.date_format(moment, _FORMS[grain]), F.col("_window")),
        REASONS: joined(F.col(REASONS), untold),
    }
    return rows.select([made.get(one, F.col(quoted(one))).alias(one) for one in rows.columns])


def not_a(name: str, column: Column) -> str:
    """The reason for a value that does not fit: the column and its type, never the value."""
    how = f" written {column.format}" if column.format else ""
    return f"{name}: not a {column.type}{how}"


def garbled(
    columns: Mapping[str, Column], sources: Mapping[str, str | None], encoding: str
) -> list[Fault]:
    """Texts with what decoding leaves of wrong bytes, or with a NUL, which is in no text."""
    texts = {name: F.col(quoted(sources[name] or "")) for name, one in columns.items()
             if one.type == "string" and sources[name]}  # fmt: skip
    return [
        (
            F.coalesce(text.contains("\ufffd") | text.contains("\0"), F.lit(False)),
            not_text(name, encoding),
        )
        for name, text in texts.items()
    ]


def not_text(name: str, encoding: str) -> str:
    """The reason for bytes that are no text."""
    return f"{name}: holds bytes that are not {encoding}"


def converted(
    name: str, kind: T.DataType, column: Column
) -> tuple[SparkColumn, SparkColumn | None]:
    """A raw column in the contract's type, and whether it did not fit (None: it always does).

    Written as SQL text, since `try_cast` has no form in Python before Spark 4.
    """
    wanted = T._parse_datatype_string(column.type)
    raw = quoted(name)
    if column.nulls and isinstance(kind, T.StringType):
        texts = ", ".join(literal(text) for text in column.nulls)
        raw = f"CASE WHEN {raw} IN ({texts}) THEN NULL ELSE {raw} END"
    if kind == wanted and not (column.format and isinstance(kind, T.StringType)):
        return F.expr(raw), None
    cast = cast_text(raw, kind, wanted, column.format)
    if isinstance(wanted, T.StringType):
        return F.expr(cast), None
    return F.expr(cast), F.expr(f"({raw}) IS NOT NULL AND ({cast}) IS NULL")


def cast_text(raw: str, kind: T.DataType, wanted: T.DataType, form: str | None) -> str:
    """SQL that brings a value to a type, null where it does not fit."""
    text, type_text = isinstance(kind, T.StringType), wanted.simpleString()
    nested = T.ArrayType | T.MapType | T.StructType
    if text and isinstance(wanted, T.TimestampType | T.DateType) and form:
        return f"CAST(try_to_timestamp(trim({raw}), {literal(form)}) AS {type_text})"
    if text and isinstance(wanted, nested):
        return f"from_json({raw}, {literal(type_text)})"
    if isinstance(wanted, T.StringType):
        return f"to_json({raw})" if isinstance(kind, nested) else f"CAST({raw} AS STRING)"
    if text and not isinstance(wanted, T.BinaryType):
        raw = f"trim({raw})"
    if not isinstance(wanted, T.DecimalType):
        return f"try_cast({raw} AS {type_text})"
    # Spark's cast rounds in silence, and money that was rounded is money that is wrong:
    # 1.999 does not fit decimal(10,2). By way of the wide form, which Spark then makes only once.
    room = 38 - (wanted.precision - wanted.scale)
    wide = f"decimal(38,{min(room, max(18, wanted.scale + 6))})"
    whole = f"try_cast({raw} AS {wide})"
    cast = f"try_cast({whole} AS {type_text})"
    return f"CASE WHEN {whole} <=> CAST({cast} AS {wide}) THEN {cast} END"


def quoted(name: str) -> str:
    """A column's name as SQL writes it."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A text as SQL writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def as_text(value: SparkColumn, kind: T.DataType) -> SparkColumn:
    """A value as text: JSON where it is nested."""
    if isinstance(kind, T.StringType):
        return value
    if isinstance(kind, T.ArrayType | T.MapType | T.StructType):
        return F.to_json(value)
    return value.cast("string")


def as_json(named: Sequence[tuple[str, SparkColumn]]) -> SparkColumn:
    """Named values as one JSON object, without the nulls; null where all are."""
    if not named:
        return F.lit(None).cast("string")
    values = [value for _, value in named]
    struct = F.struct(*[value.alias(name) for name, value in named])
    return F.when(F.coalesce(*values).isNotNull(), F.to_json(struct))


def words_of_unread(record: SparkColumn, reasons: SparkColumn) -> SparkColumn:
    """The words of a record that could not be read at all; null for every other."""
    words = F.split(record, r"""[\s,;|"'{}\[\]:]+""")
    return F.when(F.array_contains(reasons, said(UNREADABLE)), words)


def raw_record(
    raw: DataFrame, sources: Mapping[str, str | None], extras: Mapping[str, str]
) -> SparkColumn:
    """The row as it came: its raw text where it could not be read, else as JSON."""
    names = {source: name for name, source in sources.items() if source} | dict(extras)
    values = [F.col(quoted(source)).alias(name) for source, name in names.items()]
    values += [F.col(name) for name in (OTHERS, OP) if name in raw.columns]
    struct = F.to_json(F.struct(*values), AS_JSON)
    return F.coalesce(F.col(TEXT), struct).alias(RECORD)
