"""Folders as a revision of git has them."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

from headgate.core.errors import Usage


def commit_of(folder: Path, revision: str) -> str:
    """The commit that a revision of the folder's repository names."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.returncode:
        raise Usage(
            f"this folder is in no git repository that can be read{_said(top)}",
            where=str(folder),
            next="commit the suite to one: a diff compares it with another revision",
        )
    # What begins with a dash would be an option.
    found = None if revision.startswith("-") else _commit(folder, revision)
    if found is None:
        raise Usage(
            f"there is no revision '{revision[:80]}' in this repository",
            where=str(folder),
            next="git fetch, or one that git log shows: --against HEAD",
        )
    return found


def extracted(folder: Path, commit: str, names: list[str], into: Path) -> None:
    """Write files and folders below a folder as a commit has them; what it has not is left out."""
    listed = _git(folder, "ls-tree", "-z", "--name-only", commit, "--", *names)
    there = [name for name in listed.stdout.decode().split("\0") if name]
    if listed.returncode or not there:
        return
    packed = into / "revision.tar"
    made = _git(folder, "archive", "--format=tar", f"--output={packed}", commit, "--", *there)
    if made.returncode:
        what = f"git cannot hand out the revision {commit[:10]}{_said(made)}"
        raise Usage(what, where=str(folder), next="git fsck; a shallow clone wants git fetch")
    with tarfile.open(packed) as archive:
        if hasattr(tarfile, "tar_filter"):  # Python 3.10 has it from 3.10.12 on
            archive.extractall(into, filter="tar")
        else:
            archive.extractall(into)  # noqa: S202 - git's own archive of a person's repository
    packed.unlink()


def _commit(folder: Path, revision: str) -> str | None:
    done = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return None if done.returncode else done.stdout.decode().strip()


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - no shell; the words are git's own and a commit
            ["git", "-C", str(folder), *words],  # noqa: S607 - whichever git the person has
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise Usage("git is not on the PATH", next="install git, or put it there") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What git gave as the reason."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return f": {lines[0][:200]}" if lines else ""
