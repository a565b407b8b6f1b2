"""The demo's words: what came, what became of it, and what to try. Pure; nothing is printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.core.labels import label
from headgate.core.lines import told
from headgate.core.results import LAYERS, Entry, Result, Rows
from headgate.core.rules import RULES
from headgate.core.spec import Clean, Suite, Table
from headgate.core.steps import Deduplicate
from headgate.doors.tables import Grid

if TYPE_CHECKING:
    from shop.story import Arrival, Fate, Story

COUNTRIES = 10  # so many are shown at the end
FATES = ("read", "written", "quarantined", "deduplicated", "filtered", "withheld")


def opening(story: Story, raw: Path, lake: Path) -> list[str]:
    """What is to come."""
    return [
        f"Headgate's demo: {story.days} days of a retail chain, about {story.rows:,} order lines, "
        f"seed {story.seed}",
        f"     raw files {near(raw)}",
        f"     lake      {near(lake)}",
    ]


def scene(number: int, story: Story, arrivals: Sequence[Arrival]) -> list[str]:
    """What has arrived before a pass."""
    if not arrivals:
        windows = sorted({file.window for file in story.files})
        span = windows[0] if len(windows) == 1 else f"{windows[0]} to {windows[-1]}"
        return [f"{number}  {len(story.files)} files of {span} are there: all jobs catch up"]
    first, *more = [f"{one.name.replace('-', ' ')}: {one.says}" for one in arrivals]
    return [f"{number}  {first}", *[f"   {line}" for line in more]]


def pass_told(result: Result, suite: Suite, seconds: float) -> list[str]:
    """What one pass came to: counts, what was kept back and why, and alerts."""
    entries = result.runs
    tables = {entry.table for entry in entries}
    published = sum(entry.status == "published" for entry in entries)
    read = Rows.together(entry.rows for entry in entries if entry.job == "ingest").read
    lines = [
        f"     published {published} of {len(entries)} slices of {len(tables)} tables, "
        f"{read:,} raw records read, {seconds_told(seconds)}"
    ]
    lines += _kept_back(entries, suite)
    lines += _taken_out(entries, suite)
    lines += _warned(entries)
    for entry in entries:
        if entry.status in ("blocked", "failed"):
            lines.append(f"     GATE      {told(entry)}")
    return lines


def _kept_back(entries: Sequence[Entry], suite: Suite) -> list[str]:
    """Quarantined rows by table, with the rules they broke."""
    lines = []
    for name in _in_order(entries, suite):
        here = [entry for entry in entries if entry.table == name and entry.rows.quarantined]
        if here:
            rows = sum(entry.rows.quarantined for entry in here)
            lines.append(
                f"     kept back {name} {_rows(rows)}: {_causes(here, suite.tables[name])}"
            )
    return lines


def _causes(entries: Iterable[Entry], table: Table) -> str:
    """Which rules rows broke; at ingest, most rejected rows could not be read at all."""
    rejecting = [rule for rule in table.quality if RULES[rule.expectation].kind == "row"]
    labels = {rule.written: label(rule) for rule in rejecting}
    counts: dict[str, int] = {}
    for entry in entries:
        by_rule = 0
        for check in entry.checks:
            if check.severity == "critical" and check.unexpected and check.rule in labels:
                name = labels[check.rule]
                counts[name] = counts.get(name, 0) + check.unexpected
                by_rule += check.unexpected
        unread = max(entry.rows.quarantined - by_rule, 0)
        counts["not readable as declared"] = counts.get("not readable as declared", 0) + unread
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count:,}" for name, count in ranked if count)


def _taken_out(entries: Sequence[Entry], suite: Suite) -> list[str]:
    """Duplicates, and rows that a step leaves out on purpose."""
    rows: Rows = Rows.together(entry.rows for entry in entries)
    if not rows.deduplicated and not rows.filtered:
        return []
    why: dict[str, int] = {}
    for entry in entries:
        filters = _filters(suite.tables[entry.table])
        for reason, count in entry.reasons:
            if reason in filters:
                why[reason] = why.get(reason, 0) + count
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in why.items() if count)
    filtered = f", {_rows(rows.filtered)} left out ({reasons})" if rows.filtered else ""
    return [f"     taken out {rows.deduplicated:,} duplicates{filtered}"]


def _filters(table: Table) -> set[str]:
    """What the table's steps say of rows that they leave out on purpose."""
    steps = table.steps if isinstance(table, Clean) else ()
    return {step.drops for step in steps if step.drops and not isinstance(step, Deduplicate)}


def _warned(entries: Sequence[Entry]) -> list[str]:
    """The newest warning of each table; the others are as many lines in the report."""
    lines = []
    for name in dict.fromkeys(entry.table for entry in entries):
        here = [e for e in entries if e.table == name and e.gate.warned and e.status == "published"]
        if here:
            newest = max(here, key=lambda entry: entry.window)
            more = f" (and {len(here) - 1} more windows)" if len(here) > 1 else ""
            lines.append(
                f"     warned    {name} {newest.window} {'; '.join(newest.warnings)}{more}"
            )
    return lines


def _in_order(entries: Sequence[Entry], suite: Suite) -> list[str]:
    present = {entry.table for entry in entries}
    return sorted((n for n in suite.tables if n in present),
                  key=lambda n: LAYERS.index(suite.tables[n].layer))  # fmt: skip


def expected_faults(fates: Iterable[Fate], entries: Mapping[tuple[str, str], Entry]) -> list[str]:
    """Where runs differ from what was planted in the raw files."""
    faults = []
    for fate in fates:
        entry = entries.get((fate.table, fate.window))
        place = f"{fate.table} {fate.window}"
        if entry is None:
            faults.append(f"{place} never ran")
            continue
        if (entry.status == "blocked") != fate.blocked:
            faults.append(f"{place} is {entry.status}")
        for name in FATES:
            have, want = getattr(entry.rows, name), getattr(fate, name)
            if have != want:
                faults.append(f"{place}: {have:,} rows {name}, {want:,} were planted")
    return faults


def ending(
    sales: Sequence[tuple[str | None, object, int]], report: Path, closed: Entry | None, flags: str
) -> list[str]:
    """Sales by country, the report, and three commands."""
    ranked = sorted(sales, key=lambda row: -float(str(row[1] or 0)))
    shown = [(c or "not known", f"{float(str(r or 0)):,.2f}", f"{n:,}") for c, r, n in ranked]
    wide = max([len(revenue) for _, revenue, _ in shown] or [0])
    rows = tuple((c, r.rjust(wide), n.rjust(6)) for c, r, n in shown[:COUNTRIES])
    more = len(shown) - len(rows)
    grid = Grid(("country", "revenue", "orders"), rows, empty="no sales")
    command = _command()
    first = (
        (f"show {closed.run}", "the run whose gate closed")
        if closed
        else ("runs", "what ran, and how it ended")
    )
    tries = (
        first,
        ("quarantine show clean.order_lines", "rows that were kept back, with reasons"),
        ("status", "every table, and the next command"),
    )
    typed = [(f"{command} {words}{flags}", what) for words, what in tries]
    room = max(len(words) for words, _ in typed)
    return [
        "", "Sales by country", *[f"  {line}" for line in str(grid).splitlines()],
        *([f"  and {more} more"] if more > 0 else []),
        "", f"Report: {near(report)}   (open it in a browser; it needs no network)",
        "", "Try next:", *[f"  {words.ljust(room)}   {what}" for words, what in typed], "",
    ]  # fmt: skip


def seconds_told(seconds: float) -> str:
    """A duration for people.

    >>> seconds_told(4.25), seconds_told(136.2)
    ('4.2 s', '2 min 16 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def near(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _command() -> str:
    """Headgate's command as it can be typed here."""
    if shutil.which("headgate"):
        return "headgate"
    here = Path(sys.argv[0])
    return near(here) if here.name == "headgate" else "python -m headgate"
