"""The files of the layers that measure: features and marts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.conf.expressions import Expression
from headgate.conf.formats import FORMAT
from headgate.conf.forms import COLUMN, COLUMNS, DAYS, NEW_COLUMN, PERIODS
from headgate.conf.nodes import Entries
from headgate.conf.privacy import SMALL
from headgate.conf.records import Key, Record, value_of
from headgate.conf.shapes import Anything, At, Either, Mapped, Text, Word
from headgate.conf.tablekeys import COMMON, NEITHER, NOT_MARTS, READS_KEY
from headgate.core.spec import KNOWN_AT, PERIOD_GRAINS, Entity, Feature, Over, Period

_MEASURE = Expression("SQL aggregate", aggregate=True, words=("days_since_last",))
_FEATURE_KEYS = {
    "of": Key(
        Text("a name in reads"), "the input that it measures; may be left out with one input"
    ),
    "measure": Key(_MEASURE, "what is measured", required=True),
    "else": Key(
        Anything("one value", scalar=True, null=False), "the value where there is no event"
    ),
}
# A feature that cannot be read stands for one of which only the name is known.
UNKNOWN_FEATURE: Mapping[str, Any] = {"of": "", "measure": "count(*)"}
FEATURE = Record(
    "a feature",
    {**_FEATURE_KEYS, "last": Key(DAYS, "the days before `as_of` that count", default="all")},
    refused={"next": "only a label looks ahead: a feature would see what is to be foretold"},
)
LABEL = Record(
    "a label",
    {**_FEATURE_KEYS, "next": Key(DAYS, "the days from `as_of` on that count", required=True)},
    refused={"last": "a label looks ahead: write 'next'"},
)
_ENTITY = Record(
    "entity",
    {
        "key": Key(COLUMNS, "the columns that name an entity", required=True),
        "from": Key(
            Text("a table, layer.name"),
            "the table that lists all entities",
            default="whoever has an event before `as_of`",
        ),
    },
    make=value_of(Entity),
)


def _over(values: dict[str, Any], node: Entries, at: At) -> Over:
    if sum(node.get(key) is not None for key in ("last", "to_date")) != 1:
        raise at.note(node, "takes one of 'last' and 'to_date'")
    return Over(**values)


def _every(every: str = "day") -> str:
    return every


_AS_OF = Record(
    "as_of",
    {"every": Key(Word(("day", "month")), "how often", default="day")},
    make=value_of(_every),
)
FEATURES = Record(
    "a feature table",
    {
        **COMMON,
        "entity": Key(_ENTITY, "who gets a row", required=True),
        "as_of": Key(_AS_OF, "when: at the end of each window, or of each month", field="every"),
        "reads": READS_KEY,
        "time": Key(
            Either(Mapped(COLUMN, about="{input: column}"), COLUMN),
            "the column that tells when an event was; only events before `as_of` count",
            required=True,
        ),
        "known_at": Key(
            Word((KNOWN_AT,)),
            "only rows that had arrived by `as_of` count: the column that tells when that was; its"
            " inputs have to keep what was known (`replace` or `history`)",
        ),
        "features": Key(
            Mapped(
                FEATURE, NEW_COLUMN, about="{name: [feature](#a-feature)}", stand_in=UNKNOWN_FEATURE
            ),
            "what is measured",
            required=True,
        ),
        "label": Key(
            Mapped(LABEL, NEW_COLUMN, about="{name: [label](#a-label)}", stand_in=UNKNOWN_FEATURE),
            "what is to be foretold",
        ),
        "format": Key(FORMAT, "how the rows are laid out"),
    },
    refused=NEITHER,
)
_PERIOD = Record(
    "period",
    {
        "column": Key(COLUMN, "the date or time, as `input.column` with several inputs",
                      required=True),
        "grain": Key(Word(PERIOD_GRAINS), "how long a period is; a week is that of ISO 8601",
                     default="day"),
    },
    make=value_of(Period),
)  # fmt: skip
_OVER = Record(
    "over",
    {
        "last": Key(PERIODS, "the rows of so many periods count, its own among them"),
        "to_date": Key(
            Word(("week", "month", "year")), "all rows count since the last turn of the year, …"
        ),
    },
    make=_over,
)
_MART_SQL = Record(
    "sql",
    {
        "text": Key(Text(), "the SELECT"),
        "file": Key(Text(), "the file below the conf folder that holds it"),
    },
)
MARTS = Record(
    "a mart",
    {
        **COMMON,
        "reads": READS_KEY,
        "period": Key(_PERIOD, "the slices in which it is computed", required=True),
        "group_by": Key(COLUMNS, "the columns that rows are grouped by, beside the period"),
        "over": Key(
            _OVER,
            "rolling measures, or to date: how far back each period looks",
            default="its own rows",
        ),
        "measures": Key(
            Mapped(
                Expression(aggregate=True),
                NEW_COLUMN,
                about="{name: SQL aggregate}",
                stand_in="count(*)",
            ),
            "what is measured for each group",
        ),
        "sql": Key(
            Either(_MART_SQL, Text("a SELECT")),
            "a SELECT with GROUP BY instead of `group_by` and `measures`: text, or {file}",
        ),
        "incomplete": Key(
            Word(("publish", "hold")),
            "a period of which an input window is blocked: made without it, or kept back",
            default="publish",
        ),
        "privacy": Key(SMALL, "small groups are withheld"),
    },
    refused=NOT_MARTS,
)


def feature(values: Mapping[str, Any], reads: tuple[str, ...]) -> Feature:
    """A feature or label; the first input stands in where it names none that is there."""
    of = values.get("of")
    return Feature(**{**values, "of": of if of in reads else reads[0]})
