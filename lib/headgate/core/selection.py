"""What a person names: tables, jobs, layers, with + for what they read or what depends on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from headgate.core.errors import Usage
from headgate.core.results import JOB_OF, JOBS, LAYERS
from headgate.core.spec import Ingested, Table
from headgate.core.windows import Grain, parse_ends


def selected(
    tables: Mapping[str, Table], what: Sequence[str], layer: str | None = None
) -> list[str]:
    """The names of the chosen tables, dependencies first; all (of a layer) where none is named."""
    chosen: set[str] = set()
    for word in what:
        chosen |= _named(tables, word, layer)
    if not what:
        chosen = {n for n in tables if layer is None or n.startswith(f"{layer}.")}
    return [name for name in tables if name in chosen]


def _named(tables: Mapping[str, Table], word: str, layer: str | None) -> set[str]:
    name = word.strip("+")
    if name in JOBS:
        name = JOBS[name]
    found = {t for t in tables if t == name or (name in LAYERS and t.startswith(f"{name}."))}
    if not found and layer and f"{layer}.{name}" in tables:
        found = {f"{layer}.{name}"}
    if not found:
        raise _unknown(tables, word, name, layer)
    if layer and not any(t.startswith(f"{layer}.") for t in found):
        other = sorted(found)[0].partition(".")[0]
        raise Usage(
            f"the job {JOB_OF[layer]} writes no table of {other}, such as '{word}'",
            next=f"headgate {JOB_OF[other]} {word}",
        )
    if word.startswith("+"):
        found |= ancestors(tables, found)
    if word.endswith("+"):
        found |= descendants(tables, found)
    return found


def _unknown(tables: Mapping[str, Table], word: str, name: str, layer: str | None) -> Usage:
    known = [*tables, *JOBS, *LAYERS, *(t.partition(".")[2] for t in tables)]
    close = get_close_matches(name, known, 1, 0.5)
    guess = close[0] if close else None
    if guess and guess not in tables and guess not in JOBS and guess not in LAYERS:
        named = [t for t in tables if t.endswith(f".{guess}")]
        guess = next((t for t in named if layer and t.startswith(f"{layer}.")), named[0])
    hint = f" (did you mean '{guess}'?)" if guess else ""
    return Usage(
        f"there is no table, job or layer '{word}'{hint}",
        next=f"one of {', '.join(list(tables)[:12])}",
    )


def ancestors(tables: Mapping[str, Table], names: Iterable[str]) -> set[str]:
    """All tables that these read, at any distance."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        for other in tables[waiting.pop()].inputs:
            if other in tables and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def descendants(tables: Mapping[str, Table], names: Iterable[str]) -> set[str]:
    """All tables that depend on these, at any distance."""
    roots = set(names)
    return {name for name in tables if ancestors(tables, [name]) & roots} - roots


def refuse_before_since(
    tables: Mapping[str, Table], names: Sequence[str], windows: str | None, grain: Grain
) -> None:
    """A range that begins before anything is expected is a slip of the pen."""
    if not windows or ".." not in windows:
        return
    read = {*names, *ancestors(tables, names)}
    firsts = {
        name: tables[name].since for name in sorted(read) if isinstance(tables[name], Ingested)
    }
    known = {name: since for name, since in firsts.items() if since is not None}
    if not known or len(known) < len(firsts):
        return
    name = min(known, key=lambda one: known[one])
    begin = grain.covering(known[name], known[name])[0]
    first, last = parse_ends(windows, grain)
    if first < begin:
        then = f"--window {begin}..{last}" if begin <= last else f"--window {begin}"
        raise Usage(
            f"the range begins at {first}, and nothing is expected before {begin} "
            f"(since in {tables[name].file or name})",
            next=then,
        )


def named_windows(text: str, grain: Grain, today: str, timezone: str) -> tuple[str, ...]:
    """The windows that a call names; none of them may be in the future.

    >>> named_windows("2026-11-01..2026-11-02", Grain.day, "2026-11-20", "UTC")
    ('2026-11-01', '2026-11-02')
    """
    first, last = parse_ends(text, grain)
    if last > today:
        late = max(first, grain.shift(today, 1))
        raise Usage(
            f"the window {late} is in the future (it is {today} in {timezone})",
            next=f"--window {today}",
        )
    return grain.between(first, last)
