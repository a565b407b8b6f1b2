"""Where raw files lie and how they are written: the `source:` of an ingested table."""

from __future__ import annotations

import codecs
import re
from typing import Any

from headgate.conf import words
from headgate.conf.databases import JDBC
from headgate.conf.forms import COLUMNS
from headgate.conf.nodes import Entries
from headgate.conf.records import Key, Record
from headgate.conf.shapes import Anything, At, Mapped, Parsed, Text, UnreadableError, Word
from headgate.core.contract import Database, FileSource

_WORD = re.compile(r"\w+")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# What tells a year, a month, a day and an hour apart; %j is the day of the year.
DIRECTIVES = {"Y": "year", "y": "year", "m": "month", "b": "month", "d": "day", "H": "hour",
              "j": "month day", "M": "", "S": ""}  # fmt: skip
_TOLD = {"month": ("year", "month"), "day": ("year", "month", "day")}
_TOLD["hour"] = (*_TOLD["day"], "hour")
_COMMON = _WORD.findall(
    """compression encoding charset dateFormat lineSep locale maxCharsPerColumn
    multiLine timestampFormat timestampNTZFormat pathGlobFilter recursiveFileLookup modifiedAfter
    modifiedBefore samplingRatio enableDateTimeParsingFallback"""
)
_CSV = _WORD.findall(
    """sep delimiter quote escape comment header ignoreLeadingWhiteSpace
    ignoreTrailingWhiteSpace nullValue nanValue positiveInf negativeInf maxColumns
    charToEscapeQuoteEscaping emptyValue unescapedQuoteHandling preferDate"""
)
_JSON = _WORD.findall(
    """primitivesAsString prefersDecimal allowComments allowUnquotedFieldNames
    allowSingleQuotes allowNumericLeadingZeros allowNumericLeadingZero
    allowBackslashEscapingAnyCharacter allowUnquotedControlChars allowNonNumericNumbers
    dropFieldIfAllNull ignoreNullFields"""
)
_PARQUET = ("mergeSchema", "datetimeRebaseMode", "int96RebaseMode")
_DMS = ("timestampColumnName",)  # Headgate's own: AWS' name for the column with the time
OPTIONS = {
    "csv": (*_CSV, *_COMMON),
    "json": (*_JSON, *_COMMON),
    "jsonl": (*_JSON, *_COMMON),
    "parquet": (*_PARQUET, "pathGlobFilter", "recursiveFileLookup"),
    "orc": ("mergeSchema", "pathGlobFilter", "recursiveFileLookup"),
    "avro": (),
    "debezium": ("encoding", "charset"),
    "dms": (*_CSV, *_COMMON, *_DMS),
}
# Options by which Spark would lose rows or guess types.
_OURS = {
    "mode": "what cannot be read goes to quarantine",
    "inferschema": "the types stand under 'columns'",
    "enforceschema": "columns are found by their names in the header",
    "columnnameofcorruptrecord": "what cannot be read goes to quarantine",
    "ignorecorruptfiles": "a file that cannot be read is set aside, and told",
    "ignoremissingfiles": "a file that went away is told",
}


def pattern(text: str) -> str:
    """A path below the raw zone; ValueError says what is wrong."""
    if re.match(r"([A-Za-z][A-Za-z0-9+.-]*:)?/", text):
        raise ValueError("must lie below the raw zone: leave out what 'raw' of the env file says")
    if ".." in text.split("/"):
        raise ValueError("must lie below the raw zone: '..' leads out of it")
    for inner in _PLACEHOLDER.findall(text):
        name, colon, form = inner.partition(":")
        if name != "window":
            raise ValueError(f"unknown placeholder '{{{inner[:40]}}}' (did you mean '{{window}}'?)")
        for letter in re.findall(r"%(.)", form):
            if letter not in DIRECTIVES and letter != "%":
                known = " ".join(f"%{each}" for each in DIRECTIVES)
                raise ValueError(f"unknown '%{letter}' in '{{{inner[:40]}}}' (known: {known})")
        if colon and "%" not in form:
            raise ValueError(f"'{{{inner[:40]}}}' has no format such as %Y/%m/%d")
    rest = _PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        raise ValueError("has a '{' or '}' alone: only {window} and {window:%Y/%m/%d} are known")
    if "[" in rest:
        raise ValueError("has a '[', which is no wildcard here: *, ? and ** are")
    return text


def untold(text: str, grain: str) -> str | None:
    """What is wrong where a path's formats do not tell the window; None where they do.

    >>> untold("orders/{window:%Y/%m}/*.csv", "day")
    "'{window:%Y/%m}' does not tell the day"
    """
    for inner in _PLACEHOLDER.findall(text):
        form = inner.partition(":")[2]
        told = " ".join(DIRECTIVES.get(letter, "") for letter in re.findall(r"%(.)", form)).split()
        missing = [part for part in _TOLD[grain] if form and part not in told]
        if missing:
            return f"'{{{inner[:40]}}}' does not tell the {' and the '.join(missing)}"
    return None


def _source(values: dict[str, Any], node: Entries, at: At) -> FileSource:
    """The source, with options that its format knows."""
    form = values.get("format", "csv")
    _apart(values, node, at)
    known = {name.lower(): name for name in OPTIONS[form]}
    options: dict[str, bool | int | str] = {}
    good = True
    held = node.get("options")
    for name, value in values.get("options", {}).items():
        key = held.key(name) if isinstance(held, Entries) else None
        where = at.key("options").key(name)
        if name.lower() in _OURS:
            where.note(key or node, f"option '{name}' is Headgate's own: {_OURS[name.lower()]}")
            good = False
        elif name.lower() not in known:
            hint = words.meant(name, OPTIONS[form])
            where.note(key or node, f"unknown option '{name[:60]}' of format {form}{hint}")
            good = False
        else:
            options[known[name.lower()]] = str(value) if isinstance(value, float) else value
    if not good:
        raise UnreadableError
    return FileSource(**{**values, "options": options})


def _read(values: dict[str, Any], node: Entries, at: At) -> FileSource | Database:
    """Files, or a database; one of the two."""
    if "jdbc" not in values:
        if "files" not in values:
            if node.get("files") is None and node.get("jdbc") is None:
                at.note(node, "key 'files' is missing, or 'jdbc': where its rows come from")
            raise UnreadableError
        return _source(values, node, at)
    for name in values:
        if name != "jdbc":
            raise at.key(name).note(node.key(name) or node, "is for files: 'jdbc' needs none of it")
    database: Database = values["jdbc"]
    return database


def _apart(values: dict[str, Any], node: Entries, at: At) -> None:
    """Keys that do not go together."""
    if "reader" in values and "format" in values:
        at.key("reader").note(node, "stands beside 'format': a table has one of them")
        raise UnreadableError
    if "reader" in values and "." not in values["reader"]:
        at.key("reader").note(node, "must be package.function")
        raise UnreadableError
    if "key" in values and values.get("format") != "debezium":
        at.key("key").note(node, "is for 'format: debezium' only")
        raise UnreadableError
    options = values.get("options", {})
    encoding = str(options.get("encoding", options.get("charset", "UTF-8")))
    try:
        codecs.lookup(encoding)
    except LookupError:
        at.key("options").note(node, f"unknown encoding '{encoding[:60]}'")
        raise UnreadableError from None


SOURCE = Record(
    "source",
    {
        "files": Key(
            Parsed("a path below the raw zone", pattern),
            "path below the raw zone; `{window}` stands for the window and may carry a format:"
            " `{window:%Y/%m/%d}`",
        ),
        "jdbc": Key(
            JDBC, "a table or a query of a database instead of files ([databases.md](databases.md))"
        ),
        "format": Key(
            Word(("csv", "json", "jsonl", "parquet", "avro", "orc", "debezium", "dms")),
            "how the files are written; `jsonl` is one JSON object a line, `debezium` and `dms` are"
            " change data",
            default="csv",
        ),
        "options": Key(
            Mapped(Anything("value", scalar=True, null=False), empty=True),
            "Spark's options for this format; `encoding` for texts; `timestampColumnName` for"
            " `dms`",
            default="{}",
        ),
        "reader": Key(
            Text("package.function"),
            "a function of your own from the bytes and the name of a file to its records, instead"
            " of `format`",
        ),
        "key": Key(
            COLUMNS, "`debezium`: an update that changes these columns is a deletion and an insert"
        ),
    },
    make=_read,
    refused={
        name: f"belongs below jdbc: jdbc: {{{name}: …}}" for name in ("table", "query", "url")
    },
)
