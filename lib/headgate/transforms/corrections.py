"""What a person repaired, read in the place of what came: only the cells that they changed.

A correction belongs to a record of a file, and to what that record held. Where other content stands
there now, or a value does not fit its column any more, the row is read as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core import contract
from headgate.transforms.contract import UNREADABLE, converted
from headgate.transforms.hidden import AS_JSON, REASONS, RECORD, column, user_columns

MAP = "map<string,string>"
PLACE = ("_file", "_row")  # where a record stands
FILE, ROW = "__file", "__row"  # the same, of a correction
REPAIRS = "__repairs"  # by what the record held: the changed cells, as texts
CELLS = "__cells"
CORRECTS = "__corrects"  # what a row held before it was corrected; null where it came like this
ORIGINAL = "_corrects"  # in a record: what the row held before it was corrected


def content_of(record: Column) -> Column:
    """A name for what a record holds, whatever the order of its keys, and whichever are null."""
    values = F.map_filter(
        F.from_json(record, MAP), lambda name, value: ~name.startswith("_") & value.isNotNull()
    )
    own = F.to_json(F.array_sort(F.map_entries(values)))
    return F.sha2(F.coalesce(own, record), 256)


def with_corrections(
    rows: DataFrame, repairs: DataFrame, kinds: Mapping[str, str], came: Column
) -> DataFrame:
    """The rows with corrected cells; CORRECTS names what a corrected row held before.

    `repairs` has FILE, ROW and REPAIRS, `kinds` the types of the columns that may be corrected, and
    `came` is the record as it came.
    """
    same = (F.col("_file") == F.col(FILE)) & (F.col("_row") == F.col(ROW))
    held = F.when(column(REPAIRS).isNotNull(), content_of(came))  # of few rows: it costs
    found = rows.join(repairs, same, "left").select(
        *map(column, rows.columns), held.alias(CORRECTS), column(REPAIRS)
    )
    cells = found.select(
        *map(column, rows.columns), column(CORRECTS), column(REPAIRS)[column(CORRECTS)].alias(CELLS)
    )
    return _changed(cells, rows.columns, kinds)


def _changed(rows: DataFrame, names: list[str], kinds: Mapping[str, str]) -> DataFrame:
    """The rows with their cells put in, where all of these fit."""
    texts = {name: f"{CELLS}{place}" for place, name in enumerate(kinds) if name in names}
    wide = rows.select("*", *[column(CELLS)[name].alias(text) for name, text in texts.items()])
    values, misfits = {}, [F.lit(False)]
    for name, text in texts.items():
        value, bad = converted(text, T.StringType(), a_column(kinds[name]))
        values[name] = value
        misfits += [] if bad is None else [bad]
    fits = column(CELLS).isNotNull() & ~reduce(or_, misfits)
    made = [
        F.when(fits & F.map_contains_key(CELLS, name), values[name])
        .otherwise(column(name)).alias(name)
        if name in values else column(name)
        for name in names
    ]  # fmt: skip
    kept = F.when(fits, column(CELLS)).alias(CELLS)
    return wide.select(*made, F.when(fits, column(CORRECTS)).alias(CORRECTS), kept)


def of_file(rows: DataFrame) -> DataFrame:
    """Corrected rows of a supplier's file: less what was wrong with the cells that were changed.

    Their record is what it was, with these cells, and says what it was.
    """
    is_changed = column(CELLS).isNotNull()
    left = F.filter(
        REASONS,
        lambda why: (
            (why != UNREADABLE)
            & ~F.exists(F.map_keys(CELLS), lambda name: why.startswith(F.concat(name, F.lit(": "))))
        ),
    )
    said = F.when(F.size(left) > 0, left)
    empty = F.create_map().cast(MAP)
    before = F.coalesce(F.from_json(column(RECORD), MAP), empty)
    others = F.map_filter(before, lambda name, _: ~F.map_contains_key(CELLS, name))
    origin = F.create_map(F.lit(ORIGINAL), column(CORRECTS))
    record = F.to_json(F.map_concat(others, column(CELLS), origin))
    made = {
        REASONS: F.when(is_changed, said).otherwise(column(REASONS)),
        RECORD: F.when(is_changed, record).otherwise(column(RECORD)),
    }
    kept = [name for name in rows.columns if name != CELLS]
    return rows.select([made.get(name, column(name)).alias(name) for name in kept])


def of_table(rows: DataFrame, repairs: DataFrame, kinds: Mapping[str, str]) -> DataFrame:
    """Rows of a table with corrected cells; RECORD is each as text, and says what it was."""
    names = rows.columns
    fixed = with_corrections(rows, repairs, kinds, record_of(names))
    corrected = record_of(names, column(CORRECTS).alias(ORIGINAL))
    record = F.when(column(CORRECTS).isNull(), record_of(names)).otherwise(corrected)
    return fixed.select(*map(column, names), column(CORRECTS), record.alias(RECORD))


def a_column(kind: str) -> contract.Column:
    """A column of a type, its cells written as Spark writes them."""
    return contract.Column.model_validate({"type": kind})


def cell_kinds(schema: T.StructType) -> dict[str, str]:
    """The columns of a table that a person may correct, and their types as SQL writes them."""
    return {name: schema[name].dataType.simpleString() for name in user_columns(schema.names)}


def record_of(names: list[str], *more: Column) -> Column:
    """A row as quarantine writes it down."""
    return F.to_json(F.struct(*map(column, names), *more), AS_JSON)


def typed_cell(text: str, one: contract.Column) -> tuple[Column, Column]:
    """A person's cell in its column's type, and whether it does not fit; `text` is its column.

    As an export writes it, or else as the supplier does.
    """
    as_exported, _ = converted(text, T.StringType(), a_column(one.type))
    as_sent, _ = converted(text, T.StringType(), one)
    null = column(text).isin(list(one.nulls)) if one.nulls else F.lit(False)
    value = F.when(~null, F.coalesce(as_exported, as_sent))
    return value, column(text).isNotNull() & ~null & value.isNull()
