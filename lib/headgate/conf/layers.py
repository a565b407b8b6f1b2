"""The files of each layer: their keys, and the tables made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.conf.databases import EACH
from headgate.conf.expressions import Expression
from headgate.conf.forms import CLOCK, COLUMN, COLUMNS, CONTRACT_COLUMN, TYPE
from headgate.conf.measured import FEATURES, MARTS
from headgate.conf.nodes import Entries
from headgate.conf.privacy import PRIVACIES, PRIVACY, unfit
from headgate.conf.records import Key, Record, value_of
from headgate.conf.shapes import At, Listed, Mapped, Text, Word
from headgate.conf.sources import SOURCE
from headgate.conf.sparktypes import TIMES
from headgate.conf.steps import STEPS
from headgate.conf.tablekeys import COMMON, NEITHER, NOT_INGESTED, READS_KEY
from headgate.core.contract import Column, OnChange
from headgate.core.expects import WEEKDAYS, Expects
from headgate.core.spec import Clean, Features, Ingested, Mart, Table


def _column(values: dict[str, Any], node: Entries, at: At) -> Column:
    form = node.get("format")
    if form is not None and values["type"] not in TIMES:
        raise at.key("format").note(form, f"{values['type']} takes no format: dates and times do")
    how = values.get("privacy")
    if how is not None and (what := unfit(how, values["type"])):
        raise at.key("privacy").note(node.get("privacy") or node, what)
    return Column(**values)


COLUMN_RECORD = Record(
    "a column",
    {
        "type": Key(TYPE, "its type in Spark", required=True),
        "from": Key(Text("a name"), "its name in the file, where it is another"),
        "format": Key(Text("a pattern"), "how dates or times are written, as Spark's patterns say"),
        "nulls": Key(Listed(Text("a text", empty=True)), "texts that mean null"),
        "privacy": Key(PRIVACY, "it holds personal data: how it is written"),
        "description": Key(Text(), "what it holds"),
    },
    make=_column,
    short="type",
)
ON_CHANGE = Record(
    "on_change",
    {
        "new_column": Key(
            Word(("rescue", "add", "drop", "block")),
            "a column that the contract does not know: kept as JSON in `_rescued`, added, left"
            " out, or the window is blocked",
            default="rescue",
        ),
        "missing_column": Key(
            Word(("block", "null")), "a column that the file does not have", default="block"
        ),
        "bad_value": Key(
            Word(("quarantine", "rescue")), "a value that does not fit its type",
            default="quarantine",
        ),
    },
    make=value_of(OnChange),
)  # fmt: skip
EXPECTS = Record(
    "expects",
    {
        "every": Key(
            Word(("window", "weekday", *WEEKDAYS), others={"day": "window"}),
            "which windows come: all, or those that begin on such a day",
            default="window",
        ),
        "by": Key(
            CLOCK, "the time of day, after the window has ended, from which on it is late",
            default="00:00",
        ),
    },
    make=value_of(Expects),
)  # fmt: skip
INGESTED = Record(
    "an ingested table",
    {
        **COMMON,
        "source": Key(SOURCE, "where its rows come from", required=True),
        "columns": Key(
            Mapped(
                COLUMN_RECORD,
                CONTRACT_COLUMN,
                about="{name: [column](#a-column)}",
                stand_in=Column.model_validate({"type": "string"}),
            ),
            "the contract with the supplier: names and types, in order",
            default="**required**, but of a database: its own",
        ),
        "on_change": Key(ON_CHANGE, "what happens when the files leave the contract"),
        "resent": Key(
            Word(("take", "skip")),
            "a file whose content came under another name before: taken in again, or left out;"
            " either way it is told",
            default="take",
        ),
        "window_by": Key(
            COLUMN, "the column that tells a row's window, where the path has no `{window}`"
        ),
        "expects": Key(EXPECTS, "which windows come, and by when: what lacks is told"),
        "tables": Key(
            Listed(Text("a table"), about='list of tables, or `"*"`'),
            "several tables of one database: each is a table of this layer, by its own name",
        ),
        "each": Key(EACH, "what differs from table to table, where there are several"),
    },
    refused=NOT_INGESTED,
)
CLEAN = Record(
    "a clean table",
    {
        **COMMON,
        "reads": READS_KEY,
        "steps": Key(STEPS, "what is done to the rows, in order", default="none"),
        "key": Key(COLUMNS, "the columns that tell rows apart; one row of each key is kept"),
        "latest_by": Key(COLUMNS, "which of two rows with one key wins: the greatest"),
        "write": Key(
            Word(("replace", "upsert", "history")),
            "`replace` the window, `upsert` by key, or `history`: every version of a key",
            default="replace",
        ),
        "deletes": Key(
            Expression("SQL condition"),
            "upsert, history: which rows are deletions; `absent` where each window is a whole dump,"
            " and what the last one lacks is gone",
        ),
        "untracked": Key(COLUMNS, "history: columns whose change makes no new version"),
        "privacy": Key(
            PRIVACIES, "columns in which personal data comes up here: how it is written"
        ),
    },
    refused=NEITHER,
)


RECORDS: Mapping[str, Record] = {
    "ingested": INGESTED,
    "clean": CLEAN,
    "features": FEATURES,
    "marts": MARTS,
}
MODELS: Mapping[str, type[Table]] = {
    "ingested": Ingested,
    "clean": Clean,
    "features": Features,
    "marts": Mart,
}
