"""From sample files to table files: which tables there are, their contracts, rules and marts."""

from __future__ import annotations

import os.path
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import types as T

from headgate.conf.documents import read_text
from headgate.conf.nodes import to_python
from headgate.conf.reading import suite_from
from headgate.core.errors import Fault, Misconfigured, Unreadable
from headgate.core.spec import Suite, Table
from headgate.core.windows import Grain
from headgate.guessing.paths import family, grain_of, identifier, table_name
from headgate.guessing.samples import Draft, Drafted, Sample, drafted
from headgate.guessing.shapes import cleaning_of, is_id, mart_of
from headgate.guessing.values import Guess
from headgate.guessing.written import Cleaning, Rule, clean_text, ingested_text, mart_text
from headgate.quality.portrait import FEW, Proposal, Seen, form_of, proposals, runs_of
from headgate.quality.profile_measures import LARGEST, identifies
from headgate.storage.samples import EVERY, FILES, RECORDS, found, sampled

_KINDS: Mapping[str, T.DataType] = {
    "int": T.IntegerType(), "bigint": T.LongType(), "smallint": T.ShortType(),
    "tinyint": T.ByteType(), "double": T.DoubleType(), "float": T.FloatType(),
    "string": T.StringType(), "date": T.DateType(), "timestamp": T.TimestampType(),
    "boolean": T.BooleanType(),
}  # fmt: skip
_REGEX = "expect_column_values_to_match_regex"
Named = tuple[str, str]  # a file as it was named, and its path


@dataclass(frozen=True)
class Unread:
    """A file that no table was made of."""

    file: str
    why: str
    next: str = ""


@dataclass(frozen=True)
class Family:
    """The files that are taken for one table's."""

    name: str
    files: tuple[Named, ...]
    samples: tuple[Sample, ...]


def families(names: Sequence[str]) -> tuple[list[Family], list[Unread]]:
    """The files that are meant, by table, and those that cannot be read.

    Raises where nothing can: the first fault then stands for all.
    """
    files = found(names)
    groups: dict[tuple[str, str], list[Named]] = {}
    for file, path in files:
        groups.setdefault(family(path), []).append((file, path))
    unread: list[Unread] = []
    first: Unreadable | None = None
    made: list[Family] = []
    for group in groups.values():
        samples = []
        for file, path in _some(group):
            try:
                samples.append(sampled(file, path, _most(len(files))))
            except Unreadable as error:
                first = first or error
                unread.append(Unread(file, error.what, error.next))
        if samples:
            lost = {one.file for one in unread}
            kept = tuple(one for one in group if one[0] not in lost)
            made.append(Family(table_name(kept[0][1], _above(kept[0])), kept, tuple(samples)))
    if first is not None and not made:
        raise first
    return _named_apart(_joined(made)), unread


def _above(named: Named) -> str:
    """The folder above all, for a name where the path tells none."""
    whole = os.path.abspath(named[0])  # noqa: PTH100 - a link keeps its name
    return whole.removesuffix(named[1]).rstrip("/").rpartition("/")[2]


def _some(files: Sequence[Named]) -> Sequence[Named]:
    """Not more files than are read: evenly chosen, the first and the last among them."""
    if len(files) <= FILES:
        return files
    step = (len(files) - 1) / (FILES - 1)
    return [files[round(place * step)] for place in range(FILES)]


def _most(files: int) -> int:
    return max(200, min(RECORDS, EVERY // min(files, FILES)))


def _joined(made: Sequence[Family]) -> list[Family]:
    """Files of one folder with the same columns are of one table, whatever they are called."""
    joined: dict[Any, Family] = {}
    for one in made:
        folder = family(one.files[0][1])[0]
        first = one.samples[0]
        named = first.options.get("header", True)  # else columns of all tables are called alike
        alike = (folder, first.format, frozenset(first.names), None if named else one.name)
        if alike in joined:
            before = joined[alike]
            name = before.name if before.name == one.name else _both(before.name, one.name)
            one = Family(name, before.files + one.files, before.samples + one.samples)
        joined[alike] = one
    return list(joined.values())


def _both(one: str, other: str) -> str:
    """What two names begin with, where that is a name.

    >>> _both("orders_eu", "orders_us"), _both("a", "b")
    ('orders', 'a')
    """
    words = []
    for left, right in zip(one.split("_"), other.split("_"), strict=False):
        if left != right:
            break
        words.append(left)
    return "_".join(words) or one


def _named_apart(made: Sequence[Family]) -> list[Family]:
    names: Counter[str] = Counter()
    apart = []
    for one in made:
        names[one.name] += 1
        name = one.name if names[one.name] == 1 else f"{one.name}_{names[one.name]}"
        apart.append(Family(name, one.files, one.samples))
    return apart


def window_of(made: Sequence[Family]) -> Grain:
    """The window of a suite of these tables."""
    return grain_of({one.name: [path for _, path in one.files] for one in made})


def below(one: Family) -> str:
    """The folder of the raw zone in which the files of a table are to lie."""
    firsts = {path.partition("/")[0] if "/" in path else "" for _, path in one.files}
    return "" if {identifier(first) for first in firsts} == {one.name} else one.name


def draft_of(one: Family, grain: Grain, below: str) -> Draft:
    """The table of some files, which lie below a folder of the raw zone."""
    before = f"{below}/" if below else ""
    placed = [replace(sample, path=f"{before}{sample.path}") for sample in one.samples]
    read = {sample.file for sample in one.samples}
    more = [f"{before}{path}" for file, path in one.files if file not in read]
    return drafted(one.name, placed, grain, more)


def inferred(draft: Draft, grain: Grain, by: str) -> str:
    """The file of one ingested table, with the rules that its samples speak for."""
    bare = ingested_text(draft, (), by)
    table = _read({f"ingested.{draft.name}": bare}, grain).tables[f"ingested.{draft.name}"]
    text = ingested_text(draft, [*_forms(draft), *_rules(table, draft, draft.columns)], by)
    _read({f"ingested.{draft.name}": text}, grain)
    return text


def suite_texts(drafts: Sequence[Draft], grain: Grain, by: str) -> dict[str, str]:
    """The table files of a suite, by layer.name: of each draft two, and a mart where it may be."""
    texts: dict[str, str] = {}
    cleanings: dict[str, Cleaning] = {}
    for draft in drafts:
        cleanings[draft.name] = cleaning = cleaning_of(draft)
        texts[f"ingested.{draft.name}"] = ingested_text(draft, list(_forms(draft)), by)
        texts[f"clean.{draft.name}"] = clean_text(draft, cleaning, ())
        if mart := mart_of(draft, cleaning):
            texts[f"marts.{mart.name}"] = mart_text(draft, mart)
    tables = _read(texts, grain).tables
    for draft in drafts:
        table, cleaning = tables[f"clean.{draft.name}"], cleanings[draft.name]
        columns = [_numbers(one) for one in draft.columns]
        rules = _rules(table, draft, columns, cleaning.trims)
        texts[table.name] = clean_text(draft, cleaning, rules)
    _read(texts, grain)
    return texts


def _numbers(one: Drafted) -> Drafted:
    """A column as its clean table has it."""
    if not one.guess.number:
        return one
    guess = Guess(type=one.guess.number, sign=one.guess.sign)
    return Drafted(one.name, one.source, guess, one.evidence, one.personal)


def _forms(draft: Draft) -> Iterator[Rule]:
    """Rules that keep back what a clean table could not make a number of."""
    for one in draft.columns:
        if one.guess.regex:
            arguments = {"column": one.name, "regex": one.guess.regex}
            rule = Proposal(_REGEX, arguments, f"only such texts can be made a {one.guess.number}")
            yield rule.evidence, rule.written


def _read(texts: Mapping[str, str], grain: Grain) -> Suite:
    """The tables as the reader of a suite takes them: what was written has to be understood."""
    faults: list[Fault] = []
    nodes = {name: read_text(text, name, faults) for name, text in texts.items()}
    if faults:
        raise Misconfigured(faults)
    tables = {name: to_python(node) for name, node in nodes.items() if node is not None}
    return suite_from(tables, raw="raw", lake="lake", window=grain.value)


def _rules(
    table: Table, draft: Draft, columns: Sequence[Drafted], trims: Sequence[str] = ()
) -> list[Rule]:
    """What `suggest` would propose, had these records been published."""
    seen = _seen(table, draft, columns, trims)
    return [(one.evidence, one.written) for one in proposals(table, seen, draft.private)]


def _seen(table: Table, draft: Draft, columns: Sequence[Drafted], trims: Sequence[str]) -> Seen:
    rows = draft.rows
    kinds = {one.name: kind for one in columns if (kind := _kind(one.type)) is not None}
    counts = Counter(window for window, _ in rows)
    made: dict[str, Any] = {"rows": len(rows)}
    key = tuple(getattr(table, "key", ()))
    for one in columns:
        if one.name not in kinds:
            continue
        absent = {*one.guess.nulls, ""} if one.type != "string" else set(one.guess.nulls)
        values = [(w, v) for w, row in rows if (v := row[one.name]) is not None]
        values = [(w, v) for w, v in values if v not in absent]
        if one.name in trims:
            values = [(w, v.strip(" ")) for w, v in values]
        made |= {f"nulls:{one.name}": len(rows) - len(values)}
        made |= _measured(
            one, [v for _, v in values], is_id(one.name) or identifies(one.name, table)
        )
        if identifies(one.name, table) and key != (one.name,):
            made[f"unique:{one.name}"] = len(set(values))
    if key:
        made["key:"] = len({(w, *(row[name] for name in key)) for w, row in rows})
    # Of files that were not read to their end, the numbers of rows say nothing.
    windows = tuple(counts.values()) if draft.windowed and draft.whole else ()
    return Seen(kinds, made, made, windows)


def _measured(one: Drafted, values: Sequence[str], identity: bool) -> dict[str, Any]:
    made: dict[str, Any] = {f"distinct:{one.name}": len(set(values))}
    kind = _kind(one.type)
    if isinstance(kind, T.NumericType) and not identity and values:
        every = (float(_plain(value.strip(), one.guess.sign)) for value in values)
        numbers = [number for number in every if abs(number) < LARGEST]
        made |= {f"low:{one.name}": min(numbers, default=None)}
        made |= {f"high:{one.name}": max(numbers, default=None)}
    if isinstance(kind, T.StringType) and values and not one.guess.number:
        forms = [form_of(value) for value in values]
        runs = [runs_of(form) for form in forms]
        made |= {f"form:{one.name}": min(forms), f"forms:{one.name}": max(forms)}
        made |= {f"runs:{one.name}": min(runs), f"all_runs:{one.name}": max(runs)}
        if len(set(values)) <= FEW:
            made[f"set:{one.name}"] = sorted(set(values))
    return made


def _plain(text: str, sign: str) -> str:
    """A number as Python reads it, by what stands before its decimals."""
    return text.replace(".", "").replace(",", ".") if sign == "," else text.replace(",", "")


def _kind(text: str) -> T.DataType | None:
    if text.startswith("decimal("):
        digits, scale = text[8:-1].split(",")
        return T.DecimalType(int(digits), int(scale))
    return _KINDS.get(text)
