"""The records of a sample, and the table that several samples are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from headgate.core.windows import Grain
from headgate.guessing.paths import column_names, dated, identifier, pattern
from headgate.guessing.personal import Suspicion, suspicion
from headgate.guessing.values import Guess, guess

Options = Mapping[str, bool | int | str]
Record = Mapping[str, str | None]
CODED = "encoding"


@dataclass(frozen=True)
class Sample:
    """One file, as far as it was read."""

    file: str  # as it was named
    path: str  # as it would lie below the raw zone
    format: str
    names: tuple[str, ...]
    records: Sequence[tuple[int, Record]]  # with their numbers in the file
    options: Options = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)  # where the file says them
    texts: frozenset[str] = frozenset()  # JSON: what is written between quotes
    nested: Mapping[str, str] = field(default_factory=dict)  # JSON: what is a list or an object
    unreadable: tuple[int, ...] = ()  # numbers of records
    whole: bool = True
    ascii: bool = True
    blank: bool = False  # whether empty texts are written between quotes
    evidence: str = ""

    @property
    def written(self) -> tuple[str, Options]:
        """How it is written, but for its encoding."""
        return self.format, {k: v for k, v in self.options.items() if k != CODED}


@dataclass(frozen=True)
class Drafted:
    """A column of the draft."""

    name: str
    source: str  # its name in the files
    guess: Guess
    evidence: tuple[str, ...] = ()
    personal: Suspicion | None = None

    @property
    def type(self) -> str:
        return self.guess.type


@dataclass(frozen=True)
class Draft:
    """An ingested table as samples tell it."""

    name: str
    files: str  # below the raw zone
    windowed: bool
    samples: tuple[Sample, ...]
    columns: tuple[Drafted, ...]
    format: str
    options: Options
    lacking: Mapping[str, tuple[str, ...]]  # columns that some files do not have
    others: Mapping[str, str] = field(default_factory=dict)  # files that are not of it, and why
    total: int = 0  # files of it, also those that were not read

    @property
    def records(self) -> int:
        return sum(len(one.records) + len(one.unreadable) for one in self.samples)

    @property
    def unreadable(self) -> int:
        return sum(len(one.unreadable) for one in self.samples)

    @property
    def whole(self) -> bool:
        return all(one.whole for one in self.samples) and self.total <= len(self.samples)

    @property
    def private(self) -> frozenset[str]:
        return frozenset(one.name for one in self.columns if one.personal)

    @cached_property
    def rows(self) -> Sequence[tuple[str, Record]]:
        """All records, by the names of the columns in the table, each with its window."""
        made = []
        for sample in self.samples:
            found = dated(sample.path) if self.windowed else None
            window = str(found.moment) if found else ""
            for _, record in sample.records:
                made.append((window, {one.name: record.get(one.source) for one in self.columns}))
        return made


def drafted(name: str, samples: Sequence[Sample], grain: Grain, more: Sequence[str] = ()) -> Draft:
    """The table that these samples are of; those that are written otherwise are left out.

    `more` are the paths of files of it that were not read.
    """
    kept, others = _alike(_one_case(samples))
    path, windowed = pattern([*(one.path for one in kept), *more], grain)
    names = column_names(dict.fromkeys(n for one in kept for n in one.names))
    lacking = {
        new: files
        for old, new in names.items()
        if (files := tuple(one.file for one in kept if old not in one.names))
    }
    return Draft(
        name=identifier(name) or "samples",
        files=path,
        windowed=windowed,
        samples=kept,
        columns=tuple(_column(new, old, kept) for old, new in names.items()),
        format=kept[0].format,
        options={**kept[0].written[1], **_encoding(kept)},
        lacking=lacking,
        others=others,
        total=len(kept) + len(more),
    )


def _one_case(samples: Sequence[Sample]) -> list[Sample]:
    """The samples with names of columns written as in the first: their case does not matter.

    In JSON it does.
    """
    first: dict[str, str] = {}
    made = []
    for one in samples:
        if one.format in ("json", "jsonl", "avro"):
            made.append(one)
            continue
        new = {old: first.setdefault(old.lower(), old) for old in one.names}
        if any(old != name for old, name in new.items()):
            rows = [(n, {new[k]: v for k, v in record.items()}) for n, record in one.records]
            types = {new[k]: v for k, v in one.types.items()}
            one = replace(one, names=tuple(new.values()), records=rows, types=types)
        made.append(one)
    return made


def _encoding(samples: Sequence[Sample]) -> Options:
    """How the texts are encoded, as those say that have more than ASCII."""
    codes = [one.options for one in samples if not one.ascii and CODED in one.options]
    return {CODED: codes[0][CODED]} if codes else {}


def _alike(samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], dict[str, str]]:
    """The samples that one `source` can read, and why it could not read the others."""
    usual = Counter(repr(one.written) for one in samples).most_common(1)[0][0]
    like = [one for one in samples if repr(one.written) == usual]
    codes = Counter(str(one.options.get(CODED)) for one in like if not one.ascii)
    code = codes.most_common(1)[0][0] if codes else ""
    columns = set(Counter(one.names for one in like).most_common(1)[0][0])
    kept: list[Sample] = []
    others: dict[str, str] = {}
    for one in samples:
        if one.format != like[0].format:
            others[one.file] = f"it is {one.format}, the others {like[0].format}"
        elif repr(one.written) != usual:
            others[one.file] = "its columns are parted or quoted in another way than in the others"
        elif not one.ascii and str(one.options.get(CODED)) != code:
            others[one.file] = "its encoding is another one than that of the others"
        elif one.names and not columns & set(one.names):
            others[one.file] = "it has none of the columns of the others"
        else:
            kept.append(one)
    return tuple(kept), others


def _column(name: str, source: str, samples: Sequence[Sample]) -> Drafted:
    held = [one for one in samples if source in one.names]
    counts: Counter[str] = Counter()
    for one in held:
        counts.update(v for _, r in one.records if (v := r.get(source)) is not None)
    found, evidence = _typed(source, held, counts)
    # Spark takes nothing at all for null, but not nothing between quotes.
    gaps = any(one.blank and not r.get(source) for one in held for _, r in one.records)
    nulls = [text for text in found.nulls if text.strip()]
    if found.type != "string":
        found = replace(found, nulls=("", *nulls) if gaps else tuple(nulls))
    return Drafted(name, source, found, evidence, suspicion(source, counts, found.type))


def _typed(
    source: str, held: Sequence[Sample], counts: Mapping[str, int]
) -> tuple[Guess, tuple[str, ...]]:
    """The type of a column, as its files say it or its values have it, and what speaks for it."""
    said = {one.types[source] for one in held if source in one.types}
    if len(said) > 1:
        return Guess(), ("its type differs from file to file, so a string",)
    if said:
        return Guess(said.pop()), ()
    numeric = not any(source in one.texts for one in held)
    found = guess(counts, source, numeric=numeric)
    evidence = [*found.notes, *_almost(found, source, held, sum(counts.values()))]
    evidence += sorted(
        {f"{one.nested[source]}, as JSON text" for one in held if source in one.nested}
    )
    if not numeric and guess(counts, source).type not in ("string", found.type):
        evidence.append("numbers between quotes, so a string")
    return found, tuple(evidence)


def _almost(found: Guess, source: str, samples: Sequence[Sample], total: int) -> Iterator[str]:
    """How many values keep a column from a narrower type, and where the first of them is."""
    if not found.almost:
        return
    places = [
        (one.file, number)
        for one in samples
        for number, record in one.records
        if (record.get(source) or "").strip(" ") in found.misfits
    ]
    file, number = places[0]
    verb = "is" if len(places) == 1 else "are"
    what = f"{len(places):,} of {total:,} values {verb} no {found.almost}"
    yield f"{what} (the first: record {number} of {file}): left as string"
