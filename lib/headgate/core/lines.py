"""How a run ended, in one line that can be acted on."""

from __future__ import annotations

from headgate.core.results import Entry

NEXT = " Next: "


def told(entry: Entry) -> str:
    """One slice in one line.

    >>> told(Entry("7f3a", "clean", "clean.orders", "2026-11-11", "unchanged"))
    'clean.orders 2026-11-11 unchanged'
    """
    head = f"{entry.table} {entry.window} "
    rows = entry.rows
    if entry.status == "published":
        parts = [f"{rows.written:,} rows"]
        parts += [
            f"{count:,} {name}"
            for name, count in (
                ("quarantined", rows.quarantined),
                ("deduplicated", rows.deduplicated),
                ("filtered", rows.filtered),
                ("added", rows.added),
            )
            if count
        ]
        said = [f"warning: {text}" for text in entry.warnings]
        said += [entry.message] if entry.message else []
        return "; ".join([f"{head}published: {', '.join(parts)}", *said])
    if entry.status == "unchanged":
        return f"{head}unchanged"
    what, then = parted(entry.message or "")
    parts = [f"{head}{entry.status.upper()} {what.removeprefix(f'{head.strip()}: ')}"]
    parts += [f"{rows.withheld:,} rows withheld"] if rows.withheld else []
    parts += ["readers still see what was there before"] if entry.status == "blocked" else []
    return followed("; ".join(parts), then or (f"headgate show {entry.run}" if entry.run else ""))


def followed(what: str, then: str) -> str:
    """A line with what to type next.

    >>> followed("the disk is full", "make room")
    'the disk is full. Next: make room'
    """
    return f"{what.rstrip('.;: ')}.{NEXT}{then}" if then else what


def parted(line: str) -> tuple[str, str]:
    """A line without what to type next, and that.

    >>> parted("the disk is full Next: make room")
    ('the disk is full', 'make room')
    """
    what, found, then = line.rpartition(NEXT)
    return (what, then) if found else (line, "")
