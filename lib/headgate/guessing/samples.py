"""The records of a sample, and the table that several samples are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
    there: bool = False  # whether its files lie in the raw zone already

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

    def rows(self) -> Iterator[tuple[str, Record]]:
        """All records, by the names of the columns in the table, each with its window."""
        for sample in self.samples:
            found = dated(sample.path) if self.windowed else None
            window = str(found.moment) if found else ""
            for _, record in sample.records:
                yield window, {one.name: record.get(one.source) for one in self.columns}


def drafted(
    name: str, samples: Sequence[Sample], grain: Grain, total: int = 0, there: bool = False
) -> Draft:
    """The table that these samples are of; those that are written otherwise are left out."""
    kept, others = _alike(samples)
    first = kept[0]
    path, windowed = pattern([one.path for one in kept], grain)
    sources = list(dict.fromkeys(n for one in kept for n in one.names))
    names = column_names(sources)
    lacking = {
        names[n]: tuple(one.file for one in kept if n not in one.names)
        for n in names if any(n not in one.names for one in kept)
    }  # fmt: skip
    options = {k: v for k, v in first.options.items() if k != CODED}
    codes = {str(one.options.get(CODED, "UTF-8")) for one in kept if not one.ascii}
    if codes - {"UTF-8"}:
        options[CODED] = next(iter(codes))
    return Draft(
        identifier(name) or "samples", path, windowed, kept,
        tuple(_column(new, old, kept) for old, new in names.items()),
        first.format, options, lacking, others, max(total - len(others), len(kept)), there,
    )  # fmt: skip


def _alike(samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], dict[str, str]]:
    """The samples that one `source` can read, and why it could not read the others."""
    usual = _most(
        samples,
        lambda one: (
            one.format,
            repr(sorted(one.options.items(), key=str))
            if one.format == "csv" and not one.ascii
            else repr(sorted((k, v) for k, v in one.options.items() if k != CODED)),
        ),
    )
    kept: list[Sample] = []
    others: dict[str, str] = {}
    names = Counter(n for one in samples for n in one.names)
    common = {n for n, count in names.items() if 2 * count >= len(samples)}
    for one in samples:
        if one.format != usual.format:
            others[one.file] = f"it is {one.format}, the others {usual.format}"
        elif one.written != usual.written:
            others[one.file] = "its columns are parted or quoted in another way than in the others"
        elif not (one.ascii or usual.ascii) and one.options.get(CODED) != usual.options.get(CODED):
            others[one.file] = "its encoding is another one than that of the others"
        elif one.names and not common & set(one.names):
            others[one.file] = "it has none of the columns of the others"
        else:
            kept.append(one)
    return tuple(kept), others


def _most(samples: Sequence[Sample], of: object) -> Sample:
    """A sample of the kind that most are of."""
    assert callable(of)
    counts = Counter(of(one) for one in samples)
    usual = counts.most_common(1)[0][0]
    return next(one for one in samples if of(one) == usual)


def _column(name: str, source: str, samples: Sequence[Sample]) -> Drafted:
    held = [one for one in samples if source in one.names]
    counts: Counter[str] = Counter()
    for one in held:
        counts.update(v for _, r in one.records if (v := r.get(source)) is not None)
    said = {one.types[source] for one in held if source in one.types}
    if said:
        differ = ("its type differs from file to file, so a string",)
        found = Guess(said.pop() if len(said) == 1 else "string")
        evidence: tuple[str, ...] = differ if said else ()
    else:
        numeric = not any(source in one.texts for one in held)
        found = guess(counts, source, numeric=numeric)
        evidence = (*found.notes, *_almost(found, source, held, sum(counts.values())))
        evidence = (
            *evidence,
            *{f"{one.nested[source]}, as JSON text" for one in held if source in one.nested},
        )
        if not numeric and guess(counts, source).type not in ("string", found.type):
            evidence = (*evidence, "numbers between quotes, so a string")
    # Spark takes nothing at all for null, but not nothing between quotes.
    gaps = any(one.blank and not r.get(source) for one in held for _, r in one.records)
    nulls = [text for text in found.nulls if text.strip()]
    if found.type != "string":
        found = replace(found, nulls=("", *nulls) if gaps else tuple(nulls))
    return Drafted(name, source, found, evidence, suspicion(source, counts, found.type))


def _almost(found: Guess, source: str, samples: Sequence[Sample], total: int) -> Iterator[str]:
    """How many values keep a column from a narrower type, and where the first of them is."""
    if not found.almost:
        return
    places = [
        (one.file, number)
        for one in samples
        for number, record in one.records
        if (record.get(source) or "").strip() in found.misfits
    ]
    file, number = places[0]
    verb = "is" if len(places) == 1 else "are"
    what = f"{len(places):,} of {total:,} values {verb} no {found.almost}"
    yield f"{what} (the first: record {number} of {file}): left as string"
