"""Drafts as table files, with the evidence as comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headgate.conf.nodes import flow, from_python
from headgate.guessing.dialect import shown
from headgate.guessing.paths import unclear
from headgate.guessing.samples import Draft, Drafted

_PLAIN = re.compile(r"[A-Za-z0-9_./*?][^#'\"\n]*")
Rule = tuple[str, str]  # what speaks for it, and as it is written


@dataclass(frozen=True)
class Cleaning:
    """What a clean table does to the rows of a draft."""

    trims: tuple[str, ...] = ()
    makes: Mapping[str, str] | None = None  # columns by SQL
    twice: int = 0  # records that come twice
    key: tuple[str, ...] = ()
    latest_by: tuple[str, ...] = ()
    why_key: str = ""


@dataclass(frozen=True)
class Marting:
    """A mart that a table offers itself for."""

    name: str
    column: str
    grain: str
    group_by: tuple[str, ...]
    measures: Mapping[str, str]


def counted(count: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "file"), counted(1200, "record")
    ('1 file', '1,200 records')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def ingested_text(draft: Draft, rules: Sequence[Rule], by: str) -> str:
    """The file of an ingested table."""
    lines = [
        f"# Guessed by `{by}` from {_looked_at(draft)}.",
        "# What stands behind a # is the evidence: correct what is wrong.",
    ]
    if draft.unreadable:
        what = counted(draft.unreadable, "record")
        lines.append(f"# {what} cannot be read in this format: they will go to quarantine.")
    lines += [f"# Not of this table: {_line(f)}: {why}." for f, why in draft.others.items()]
    return "\n".join(
        [*lines, *_source(draft), *_columns(draft), *_on_change(draft), *_quality(rules), ""]
    )


def _looked_at(draft: Draft) -> str:
    files, records = counted(len(draft.samples), "file"), counted(draft.records, "record")
    if draft.total > len(draft.samples):
        files = f"{len(draft.samples):,} of {draft.total:,} files"
    return f"{files}, {records}" if draft.whole else f"the first {records} of {files}"


def _source(draft: Draft) -> list[str]:
    told = "{window} is the date in the path" if draft.windowed else "no date in the path"
    if any(unclear(one.path) for one in draft.samples):
        told = "day or month first? {window:%d-%m-%Y} or {window:%m-%d-%Y} would take the date"
    lines = ["source:", f"  files: {block(draft.files)}  # below the raw zone; {told}"]
    if not draft.windowed and (column := _time(draft)):
        lines[0:0] = [
            "# Rows are of the day on which their file is first seen. To take their own day:",
            f"# window_by: {column}",
        ]
    lines.append(f"  format: {draft.format}{_said(_change_data(draft))}")
    if draft.options:
        said = [one.evidence for one in draft.samples if one.evidence][:1]
        if "sep" in draft.options:
            said.append(f"with {shown(draft.options)} between fields, each record has as many")
        if "encoding" in draft.options:
            said.append("bytes that are not UTF-8")
        lines.append(f"  options: {flow(from_python(dict(draft.options), ''))}{_said(said)}")
    return lines


def _change_data(draft: Draft) -> list[str]:
    """A word on what only looks like rows."""
    names = {one.source for one in draft.columns}
    if draft.format == "jsonl" and ({"before", "after", "op"} <= names or "payload" in names):
        return ["from Debezium? Then format: debezium, and the columns of `after`"]
    return []


def _time(draft: Draft) -> str:
    times = [c.name for c in draft.columns if c.type in ("date", "timestamp") and not c.personal]
    return times[0] if times else ""


def _columns(draft: Draft) -> list[str]:
    longest = max((len(one.name) for one in draft.columns), default=0)
    lines = ["columns:"]
    for one in draft.columns:
        name = f"{one.name}:".ljust(longest + 1)
        lines.append(f"  {name} {column_text(one)}{_said(one.evidence)}")
        if one.personal:
            lines.append(f"  # personal? By {one.personal.by}, {one.personal.what}. If so:")
            lines.append(f"  # {name} {column_text(one, one.personal.privacy)}")
    if any(not name for sample in draft.samples for name in sample.names):
        lines.append("  # A column without a name is not listed: its values are kept in _rescued.")
    return lines


def column_text(one: Drafted, privacy: str = "") -> str:
    """What a column's line says behind its name."""
    held: dict[str, Any] = {"type": one.type}
    if one.source != one.name:
        held["from"] = one.source
    if one.guess.format:
        held["format"] = one.guess.format
    if one.guess.nulls:
        held["nulls"] = list(one.guess.nulls)
    if len(held) == 1 and not privacy:
        return block(one.type)
    text = flow(from_python(held, ""))
    return f"{text[:-1]}, privacy: {privacy}}}" if privacy else text


def _on_change(draft: Draft) -> list[str]:
    if not draft.lacking:
        return []
    said = [f"{name} is not in {_few(files)}" for name, files in draft.lacking.items()]
    return [*(f"# {one}" for one in said), 'on_change: {missing_column: "null"}']


def _few(files: Sequence[str]) -> str:
    more = f" and {len(files) - 2} more" if len(files) > 2 else ""
    return _line(", ".join(files[:2])) + more


def _line(text: str) -> str:
    """A text that no line break ends: names of files may hold one."""
    return " ".join(text.split())


def _quality(rules: Sequence[Rule]) -> list[str]:
    lines = ["quality:"] if rules else []
    for evidence, written in rules:
        lines += [f"  # {evidence}", f"  - {written}"]
    return lines


def _said(evidence: Iterable[str]) -> str:
    """Evidence at the end of a line."""
    said = "; ".join(_line(one) for one in evidence if one)
    return f"  # {said}" if said else ""


def clean_text(draft: Draft, cleaning: Cleaning, rules: Sequence[Rule]) -> str:
    """The file of the clean table that reads a draft."""
    lines = [f"reads: ingested.{draft.name}"]
    steps = []
    if cleaning.trims:
        steps.append(f"  - trim: [{', '.join(cleaning.trims)}]  # blanks at their ends")
    if cleaning.makes:
        steps += ["  - derive:", *(f"      {name}: {sql}" for name, sql in cleaning.makes.items())]
    if cleaning.twice:
        came = counted(cleaning.twice, "record")
        steps.append(f"  - deduplicate: exact  # {came} came twice in the samples")
    lines += ["steps:", *steps] if steps else []
    if cleaning.key:
        lines.append(f"key: [{', '.join(cleaning.key)}]  # {cleaning.why_key}")
    if cleaning.latest_by:
        lines.append(
            f"latest_by: [{', '.join(cleaning.latest_by)}]  # which of two rows with one key wins"
        )
    return "\n".join([*lines, *_quality(rules), ""])


def mart_text(draft: Draft, mart: Marting) -> str:
    """The file of a mart over a clean table."""
    lines = [
        f"reads: {{{draft.name}: clean.{draft.name}}}",
        f"period: {{column: {mart.column}, grain: {mart.grain}}}",
        *([f"group_by: [{', '.join(mart.group_by)}]"] if mart.group_by else []),
        "measures:",
        *(f"  {name}: {sql}" for name, sql in mart.measures.items()),
    ]
    return "\n".join([*lines, ""])


def block(text: str) -> str:
    """A text in YAML's block style.

    >>> block("orders/{window}/*.csv"), block("{window}.csv")
    ('orders/{window}/*.csv', '"{window}.csv"')
    """
    fine = _PLAIN.fullmatch(text) and ": " not in text and not text.endswith((":", " "))
    return text if fine else json.dumps(text, ensure_ascii=False)
