"""Why a slice is due: from what its last try was made of to what it would be made of now."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.core.fingerprint import differing, whole
from headgate.core.records import ERASED, KEYS, History, RunRecord
from headgate.stages.corrections import CORRECTED
from headgate.stages.work import Due

# And a table: the parts that rules across tables are judged by.
KEYS_OF, TOTALS_OF, FRESHNESS_OF = "keys of ", "totals of ", "freshness of "
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
}


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
    return Due(window, why, fingerprint, dict(parts)) if why else None


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
