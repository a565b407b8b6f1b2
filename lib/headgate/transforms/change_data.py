"""Change data: what Debezium and DMS write, as rows with `_op` and, in the end, `_sequence`.

`_sequence` is a text whose order is that in which the source made its changes: first the source's
own position, then its clock, then the file and the number of the record in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core import contract
from headgate.transforms.contract import converted
from headgate.transforms.hidden import EVENT, OLD, OP, POSITION, REASONS, SEQUENCE, TEXT
from headgate.transforms.reasons import Fault

OPERATIONS = {"c": "insert", "r": "insert", "u": "update", "d": "delete", "t": "truncate"}
LETTERS = {"I": "insert", "U": "update", "D": "delete"}
MAP = "map<string,string>"
NO_CHANGE = "no change of a row (tombstone, transaction, change of the schema, heartbeat)"


def debezium_rows(records: DataFrame) -> DataFrame:
    """Envelopes as rows: `map` becomes the row after the change, of a deletion the row before it.

    What is no change of a row says so in EVENT. An envelope that is none of these has no `map`.
    """
    kept = [F.col(name) for name in ("__uri", "_row", "value")]
    opened = records.select(*kept, _opened(_opened(F.col("map"))).alias("envelope"))
    parts = opened.select(
        *kept,
        "envelope",
        F.col("envelope")["op"].alias("op"),
        F.from_json(F.col("envelope")["before"], MAP).alias("before"),
        F.from_json(F.col("envelope")["after"], MAP).alias("after"),
        F.from_json(F.col("envelope")["source"], MAP).alias("source"),
    )
    event, operation = _event(), _named(F.col("op"), OPERATIONS)
    row = (
        F.when(event.isNotNull() | (F.col("op") == "t"), F.create_map().cast(MAP))
        .when(F.col("op") == "d", F.col("before"))
        .when(operation.isNotNull(), F.col("after"))
    )
    # The row before an update, where that is a change of a row which is there.
    old = F.when((F.col("op") == "u") & F.col("after").isNotNull(), F.col("before"))
    return parts.select(
        *kept,
        row.alias("map"),
        operation.alias(OP),
        event.alias(EVENT),
        _position().alias(POSITION),
        old.alias(OLD),
    )


def _opened(envelope: Column) -> Column:
    """What a message holds: beside a schema its payload, beside a key its value."""
    inner = F.coalesce(envelope["payload"], envelope["value"])
    opened = F.from_json(inner, MAP)
    return F.when(envelope["op"].isNull() & inner.isNotNull(), opened).otherwise(envelope)


def _event() -> Column:
    """What a message is that changes no row; null for those that do, and for what is neither."""
    envelope = F.col("envelope")

    def has(*names: str) -> Column:
        return F.exists(F.map_keys(envelope), lambda key: key.isin(*names))

    empty = envelope.isNull() & (F.trim("value") == "null")
    hollow = has("payload", "value") & envelope["op"].isNull()
    return (
        F.when(empty | hollow, F.lit("tombstone"))
        .when(F.col("op") == "m", F.lit("message"))
        .when(F.col("op").isNotNull(), F.lit(None))
        .when(has("ddl", "tableChanges"), F.lit("change of the schema"))
        .when(has("status") & has("id"), F.lit("transaction"))
        .when(has("ts_ms") & (F.size(envelope) == 1), F.lit("heartbeat"))
    )


def _named(word: Column, names: Mapping[str, str]) -> Column:
    pairs = [F.lit(text) for pair in names.items() for text in pair]
    return F.create_map(*pairs)[word]


def _position() -> Column:
    """The place of a change in the source's own log, in a form whose texts sort as the changes."""
    source = F.col("source")

    def number(name: str, width: int = 20) -> Column:
        return F.lpad(F.coalesce(source[name], F.lit("0")), width, "0")

    lsn, scn = source["lsn"].isNotNull(), source["scn"].isNotNull()
    log = F.concat_ws(".", source["file"], number("pos"), number("row", 10))
    pages = [source["commit_lsn"], source["change_lsn"], number("event_serial_no", 10)]
    clock = F.coalesce(source["ts_ms"], F.col("envelope")["ts_ms"], F.lit("0"))
    return F.concat_ws(
        "/",
        F.when(lsn, number("lsn"))
        .when(source["commit_lsn"].isNotNull(), F.concat_ws(".", *pages))
        .when(scn, number("scn", 24))
        .when(source["pos"].isNotNull(), log)
        .otherwise(""),
        F.lpad(clock, 16, "0"),
    )


def dms_rows(rows: DataFrame, columns: Sequence[tuple[str, str]], stamp: str | None) -> DataFrame:
    """Files of DMS as rows: those of a full load, which has no `Op` or says I, come first."""
    raw = {name.strip().lower(): column for column, name in columns}
    operation = F.lit("insert")
    changed = F.lit("0")
    if "op" in raw:
        letter = F.upper(F.trim(F.col(raw["op"]).cast("string")))
        operation = _named(F.coalesce(letter, F.lit("I")), LETTERS)
        load = F.element_at(F.split("__uri", "/"), -1).startswith("LOAD")
        changed = F.when(load, "0").otherwise("1")
    at = raw.get((stamp or "").lower())
    moment = F.col(at).cast("string") if at else F.lit(None).cast("string")
    position = F.concat_ws("/", changed, F.coalesce(moment, F.lit("")))
    return rows.select("*", operation.alias(OP), position.alias(POSITION))


@dataclass(frozen=True)
class Told:
    """What change data tells beside the columns of the contract."""

    rows: DataFrame
    columns: tuple[Column, ...]
    faults: tuple[Fault, ...]


def told_by(raw: DataFrame, columns: Mapping[str, contract.Column], key: Sequence[str]) -> Told:
    """What happened to each row and when; and the row before, where it had another key."""
    number = F.lpad(F.col("_row").cast("string"), 12, "0")
    made = [F.col(OP), F.concat_ws("/", POSITION, "_file", number).alias(SEQUENCE)]
    unknown = F.col(OP).isNull() & F.col(TEXT).isNull()
    if EVENT in raw.columns:
        made.append(F.col(EVENT))
        unknown = unknown & F.col(EVENT).isNull()
    if OLD in raw.columns and key:
        before = {name: f"{OLD}{place}" for place, name in enumerate(columns)}
        values = [F.col(OLD)[columns[n].from_ or n].alias(new) for n, new in before.items()]
        raw = raw.select("*", *values)
        kept = {n: converted(new, T.StringType(), columns[n])[0] for n, new in before.items()}
        made.append(F.when(F.col(OLD).isNotNull(), F.struct(*[
            value.alias(name) for name, value in kept.items()
        ])).alias(OLD))  # fmt: skip
    return Told(raw, tuple(made), ((unknown, "_op: an operation that is not known"),))


def old_rows_apart(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """A row that changed its key as two: its old key deleted, then the new one inserted."""
    own = [name for name in rows.columns if name != OLD]
    kinds = rows.select(f"{OLD}.*").columns

    def row(**others: Column) -> Column:
        made = {name: F.col(f"`{name}`") for name in own} | others
        return F.struct(*[value.alias(name) for name, value in made.items()])

    same = F.lit(True)
    for name in key:
        same = same & F.col(OLD)[name].eqNullSafe(F.col(f"`{name}`"))
    moved = F.col(OLD).isNotNull() & F.col(REASONS).isNull() & ~same
    before = {name: F.col(OLD)[name] for name in kinds}
    gone = {OP: F.lit("delete"), SEQUENCE: F.concat_ws("/", SEQUENCE, F.lit("0"))}
    new = {OP: F.lit("insert"), SEQUENCE: F.concat_ws("/", SEQUENCE, F.lit("1"))}
    pair = F.array(row(**before, **gone), row(**new))
    return rows.select(F.inline(F.when(moved, pair).otherwise(F.array(row()))))
