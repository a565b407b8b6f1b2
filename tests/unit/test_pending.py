"""Which files of a dead draft may be removed, and which may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headgate.storage.files import LocalFiles
from headgate.storage.pending import FOLDER, Pending, left_behind, noted, stage_of, stages_left
from headgate.storage.tables import DeltaTable

MINE, OTHER = "_window=2026-01-01/part-0.parquet", "part-1.parquet"


def table(folder: Path, *commits: list[str], first: int = 0) -> DeltaTable:
    """A log whose versions add these files."""
    log = folder / "_delta_log"
    log.mkdir()
    for version, names in enumerate(commits, start=first):
        actions = [json.dumps({"add": {"path": name}}) for name in names]
        (log / f"{version:020d}.json").write_text("\n".join(actions))
    none: Any = None
    return DeltaTable(none, str(folder))


def left(folder: Path, fence: int, there: DeltaTable) -> list[list[str]]:
    return list(left_behind(LocalFiles(str(folder)), there, fence).values())


def test_what_no_commit_names_may_go_once_a_higher_token_is_in(tmp_path: Path) -> None:
    noted(LocalFiles(str(tmp_path)), Pending(fence=4, after=0, files=(MINE, OTHER)))
    there = table(tmp_path, ["old.parquet"], [OTHER.replace("-", "%2D")])
    assert left(tmp_path, 5, there) == [[MINE]]
    assert left(tmp_path, 4, there) == []  # its writer could still commit them


def test_without_the_whole_log_nothing_is_proven(tmp_path: Path) -> None:
    noted(LocalFiles(str(tmp_path)), Pending(fence=4, after=0, files=(MINE,)))
    assert left(tmp_path, 5, table(tmp_path, ["new.parquet"], first=2)) == []


def test_a_note_that_is_no_note_is_left_alone(tmp_path: Path) -> None:
    files = LocalFiles(str(tmp_path))
    for name, text in {
        "cut": b'{"fence": 1, "after": 0, "files": ["a.par',
        "above": json.dumps({"fence": 1, "after": 0, "files": ["../b/a.parquet"]}).encode(),
        "log": json.dumps({"fence": 1, "after": 0, "files": ["_delta_log/0.json"]}).encode(),
        "list": b"[]",
    }.items():
        files.write_atomic(f"{FOLDER}/{name}.json", text)
    assert left(tmp_path, 5, table(tmp_path, ["new.parquet"])) == []


def test_only_stages_of_lower_tokens_are_left_by_the_dead(tmp_path: Path) -> None:
    files = LocalFiles(str(tmp_path))
    stages = {fence: stage_of(fence) for fence in (3, 5, 6, None)}
    for stage in (*stages.values(), "_staged/strange", "_staged/x-1"):
        files.write_atomic(f"{stage}/part-0.parquet", b"")
    assert stages_left(files, 5) == {stages[3]}
