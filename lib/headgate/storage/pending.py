"""Files that were written and are in no commit yet: whose they are, and when they may go.

A process that dies in between leaves files that nobody reads. Beside them it has left a note with
their names and the token of its fence. Once the table has a commit with a higher token, Delta
refuses every later commit with the lower one: then, and not before, the files that no commit names
are proven to be nobody's, and whoever made that commit removes them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from urllib.parse import unquote

from headgate.storage.files import Files
from headgate.storage.tables import DeltaTable

FOLDER = "_pending"  # in the table's own folder; readers of Delta do not look there
STAGED = "_staged"  # rows that wait to be written by Delta's own writer, a folder a draft


@dataclass(frozen=True)
class Pending:
    """What one draft has written, by its own word."""

    fence: int
    after: int  # the version that it read: only later ones can name its files
    files: tuple[str, ...]  # below the table


def noted(files: Files, pending: Pending) -> str:
    """Leave word of files that were written; returns where."""
    path = f"{FOLDER}/{pending.fence}-{uuid.uuid4().hex}.json"
    files.write_atomic(path, json.dumps(asdict(pending)).encode())
    return path


def left_behind(files: Files, table: DeltaTable, fence: int) -> dict[str, list[str]]:
    """The files of dead drafts, by note, that may go now that a commit has this token."""
    found: dict[str, list[str]] = {}
    for info in list(files.listing(FOLDER)):
        pending = _read(files, info.path)
        if pending is None or pending.fence >= fence:
            continue
        versions = table.versions()
        if not versions or versions[0] > pending.after + 1:
            continue  # the log was cut: nothing proves that no commit named them
        named = {unquote(path) for one in table.commits(pending.after) for path in one.added}
        found[info.path] = [name for name in pending.files if name not in named]
    return found


def stage_of(fence: int | None) -> str:
    """A folder for the rows of one draft, which tells its token."""
    return f"{STAGED}/{'' if fence is None else f'{fence}-'}{uuid.uuid4().hex}"


def stages_left(files: Files, fence: int) -> set[str]:
    """The folders of dead drafts, now that a commit has this token."""
    folders = {"/".join(info.path.split("/")[:2]) for info in files.listing(STAGED)}
    tokens = {folder: folder.partition("/")[2].partition("-") for folder in folders}
    return {
        folder for folder, (token, dash, _) in tokens.items()
        if dash and token.isdigit() and int(token) < fence
    }  # fmt: skip


def _read(files: Files, path: str) -> Pending | None:
    """A note; None where it is damaged, or says what no draft says."""
    try:
        told = json.loads(files.read_bytes(path))
        pending = Pending(int(told["fence"]), int(told["after"]), tuple(told["files"]))
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return pending if _below(pending.files) else None


def _below(names: Sequence[object]) -> bool:
    """Whether these are data files below the table.

    >>> _below(["_window=a/part-0.parquet"]), _below(["../part-0.parquet"]), _below(["/a.parquet"])
    (True, False, False)
    """
    return all(
        isinstance(name, str) and name.endswith(".parquet")
        and not name.startswith("/") and ".." not in name.split("/")
        for name in names
    )  # fmt: skip
