"""Why a slice is due: from what its last try was made of to what it would be made of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headgate.core.fingerprint import differing, whole
from headgate.core.lines import followed
from headgate.core.records import ERASED, KEYS, History, RunRecord
from headgate.stages.corrections import CORRECTED
from headgate.stages.work import Due

# And a table: the parts that rules across tables are judged by.
KEYS_OF, TOTALS_OF, FRESHNESS_OF = "keys of ", "totals of ", "freshness of "
HELD = "held"  # the part that tells what keeps a period back
WORDS = {
    "rules": "changed rule",
    "steps": "changed step",
    "contract": "changed contract",
    "code": "changed code",
    "waiver": "waiver",
    "input": "new input",
    "files": "new files",
    CORRECTED: "corrected rows",
    ERASED: "a person was erased",
    KEYS: "changed key",
    HELD: "what held it back",
}
CONFIGURED = ("rules", "steps", "contract", "code")  # the parts that a person writes
HAPPENED = ("input", "files", CORRECTED, ERASED, HELD)  # the parts that come and go by themselves
WAITS = "waits for --rebuild"


def due_if_changed(
    history: History,
    table: str,
    window: str,
    parts: Mapping[str, str],
    *,
    detail: str | None = None,
    force: bool = False,
) -> Due | None:
    """The slice with the reason why it is due, or None where its last try was the same."""
    last = history.last(table, window)
    if parts.get(KEYS) == "" and last is not None:  # not at hand: nothing says that they changed
        parts = {**parts, KEYS: last.parts.get(KEYS, "")}
    fingerprint = whole(parts)
    why = reason(last, parts, detail)
    if why is None and force:
        why = "forced"
    return Due(window, why, fingerprint, dict(parts), waits(last, parts)) if why else None


def waits(last: RunRecord | None, parts: Mapping[str, str]) -> bool:
    """Whether a slice is published, and nothing but the configuration differs since.

    A part that was not there before, or is no more, has come with the configuration.
    """
    if last is None or last.status != "published" or not last.fingerprint:
        return False
    changed = differing(last.parts, parts)
    return bool(changed) and all(_configured(one, last.parts, parts) for one in changed)


def _configured(part: str, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    if part in HAPPENED:
        return False
    return part in CONFIGURED or part not in before or part not in now


def rebuilds(table: str) -> str:
    """The command that makes what waits anew."""
    return f"headgate run {table} --rebuild"


def left_as_they_are(table: str, whys: Sequence[str]) -> str:
    """What is said of slices that wait, in one line.

    >>> left_as_they_are("clean.a", ["changed rule"]).partition(" Next: ")[0]
    'clean.a: 1 window is left as it was published (changed rule).'
    """
    many = "windows are left as they were" if len(whys) > 1 else "window is left as it was"
    why = ", ".join(dict.fromkeys(whys))
    return followed(f"{table}: {len(whys):,} {many} published ({why})", rebuilds(table))


def reason(
    last: RunRecord | None, parts: Mapping[str, str], detail: str | None = None
) -> str | None:
    """Why a slice with this last try and these parts is due; None where it is not."""
    if last is None:
        return detail or "new input"
    if last.status == "failed":
        return f"earlier failure: {(last.message or 'unknown')[:120]}"
    changed = differing(last.parts, parts)
    if not changed:
        return None
    own = [name for name in changed if name in ("input", "files")]
    said = [detail or WORDS[name] for name in own[:1]]
    said += [_word(name) for name in changed if name not in own]
    return ", ".join(dict.fromkeys(said))


def _word(part: str) -> str:
    """Why a part that differs makes a slice due."""
    if part.startswith((KEYS_OF, TOTALS_OF, FRESHNESS_OF)):
        return f"other {part}"
    return WORDS.get(part, f"new content of {part}")
