"""How the steps that read values are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headgate.conf import sparktypes, words
from headgate.conf.forms import COLUMN, COLUMNS, PATTERN, TYPE
from headgate.conf.nodes import Entries
from headgate.conf.records import Key, Record, value_of
from headgate.conf.shapes import At, Either, Listed, Mapped, Parsed, Word
from headgate.conf.steps.form import Form
from headgate.conf.steps.texts import UNREAD
from headgate.core import steps as S
from headgate.core.locales import LANGUAGES, known_as

_HOURS = re.compile(r"[HhKkmsS]")
ROUNDING = Key(Word(("half_up", "half_even")), "how a half is rounded", default="half_up")


def _number_type(text: str) -> str:
    kind = sparktypes.checked(text)
    if sparktypes.kind_of_type(kind) == "number":
        return kind
    raise ValueError(f"must be a type of numbers such as decimal(10,2), not '{kind[:60]}'")


def _decimal_type(text: str) -> str:
    kind = sparktypes.checked(text)
    if kind.startswith("decimal("):
        return kind
    raise ValueError(f"must be a decimal type such as decimal(10,2), not '{kind[:60]}'")


def _number_locale(text: str) -> str:
    if known_as(text):
        return text
    raise ValueError(words.unknown("locale", text, LANGUAGES) + ": a language such as de or de_CH")


def _locale(text: str) -> str:
    if re.fullmatch(r"[a-z]{2,3}([_-][A-Za-z]{2,4})?", text):
        return text
    raise ValueError(f"must be a language such as de or pt_BR, not '{text[:60]}'")


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        what = f"must be a time zone such as Europe/Berlin, not '{text[:60]}'"
        raise ValueError(what) from None
    return text


def _cast(values: dict[str, Any], node: Entries, at: At) -> dict[str, Any]:
    form = node.get("format")
    if form is not None and values["type"] not in sparktypes.TIMES:
        raise at.key("format").note(form, f"{values['type']} takes no format: dates and times do")
    return values


def _moment(values: dict[str, Any], node: Entries, at: At) -> S.Moment:
    bare = [re.sub(r"'[^']*'", "", form) for form in values["formats"]]
    timed = any(_HOURS.search(form) for form in bare)
    values.setdefault("type", "timestamp" if timed else "date")
    if values["type"] == "date" and "zone" in values:
        what = "is of no use to a date, which is the same in every zone"
        raise at.key("zone").note(node.get("zone") or node, what)
    return S.Moment(**values)


def _words(values: dict[str, Any], node: Entries, at: At) -> S.Words:
    if ("true" in values) != ("false" in values):
        missing = "false" if "true" in values else "true"
        raise at.note(node, f"key '{missing}' is missing: the texts that mean {missing}")
    true, false = ({t.strip().lower() for t in values.get(n, ())} for n in ("true", "false"))
    if both := sorted(true & false):
        raise at.note(node, f"'{both[0]}' cannot be both true and false")
    return S.Words(**values)


_CAST = Record(
    "a cast",
    {
        "type": Key(TYPE, "its type in Spark", required=True),
        "format": Key(
            Listed(PATTERN), "how dates or times are written, in the order in which it is tried",
            field="formats",
        ),
        "otherwise": UNREAD,
    },
    make=_cast,
)  # fmt: skip
_NUMBER = Record(
    "a number",
    {
        "type": Key(Parsed("a type of numbers", _number_type), "its type in Spark", required=True),
        "locale": Key(
            Parsed("a language", _number_locale), "the language it is written in", required=True
        ),
        "otherwise": UNREAD,
    },
    make=value_of(S.Number),
)
_MOMENT = Record(
    "a date or time",
    {
        "format": Key(
            Listed(PATTERN), "how it is written, in the order in which it is tried", required=True,
            field="formats",
        ),
        "locale": Key(Parsed("a language", _locale), "the language of its names", default="en"),
        "zone": Key(Parsed("a time zone", _zone), "the zone of its clock", default="the suite's"),
        "type": Key(
            Word(("date", "timestamp")), "its type in Spark",
            default="timestamp where the format has hours, else date",
        ),
        "otherwise": UNREAD,
    },
    make=_moment,
)  # fmt: skip
_DECIMAL = Parsed("a decimal type", _decimal_type)
_SCALED = Record(
    "a decimal",
    {
        "type": Key(_DECIMAL, "its type in Spark", required=True),
        "rounding": ROUNDING,
        "otherwise": UNREAD,
    },
    make=value_of(S.Scaled),
    short="type",
)
_TEXTS = Listed(Parsed("a text", str))
_BOOLEAN = Record(
    "words",
    {
        "true": Key(_TEXTS, "the texts that mean true", default="true, t, yes, y, on, 1"),
        "false": Key(_TEXTS, "the texts that mean false", default="false, f, no, n, off, 0"),
        "otherwise": UNREAD,
    },
    make=_words,
)
_JSON = Record(
    "a value of JSON",
    {"type": Key(TYPE, "its type in Spark", required=True), "otherwise": UNREAD},
    make=value_of(S.Read),
    short="type",
)


def _casts(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Types alone, and beside them what only some columns say."""
    whole = {name: {"type": one} if isinstance(one, str) else one for name, one in columns.items()}
    return {
        "columns": {name: one["type"] for name, one in whole.items()},
        "formats": {name: one["formats"] for name, one in whole.items() if "formats" in one},
        "otherwise": {name: one["otherwise"] for name, one in whole.items() if "otherwise" in one},
    }


def _all_usual(columns: Any) -> dict[str, Any]:
    usual = isinstance(columns, tuple)
    return {"columns": dict.fromkeys(columns, S.Words()) if usual else columns}


READING = (
    Form(S.Cast, Mapped(Either(_CAST, TYPE), COLUMN, about="{column: type}"), _casts),
    Form(S.ParseNumber, Mapped(_NUMBER, COLUMN, about="{column: {type, locale, otherwise}}")),
    Form(
        S.ParseDate,
        Mapped(_MOMENT, COLUMN, about="{column: {format, locale, zone, type, otherwise}}"),
    ),
    Form(S.Scale, Mapped(_SCALED, COLUMN, about="{column: decimal type}")),
    Form(
        S.Boolean,
        Either(Mapped(_BOOLEAN, COLUMN, about="{column: {true, false, otherwise}}"), COLUMNS),
        _all_usual,
    ),
    Form(S.ParseJson, Mapped(_JSON, COLUMN, about="{column: type}")),
)
