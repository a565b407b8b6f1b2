"""The `infer` command: a first table file from samples, without Spark."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.conf import read_suite
from headgate.core.errors import Usage
from headgate.core.spec import Suite
from headgate.core.windows import Grain
from headgate.doors.words import Answer
from headgate.storage.files import unusable

if TYPE_CHECKING:
    from headgate.guessing.samples import Draft
    from headgate.stages.inferring import Family, Unread

BY = "headgate infer"


def infer(arguments: argparse.Namespace) -> Answer:
    """`headgate infer FILES`: YAML on standard output, or `--to` a file that is not there yet."""
    from headgate.stages.inferring import draft_of, families, inferred

    suite = _suite(arguments)
    made, unread = families(arguments.files)
    grain = suite.window if suite else Grain.day
    chosen = max(made, key=lambda one: len(one.files))
    draft = draft_of(chosen, grain, _place(chosen, suite))
    text = inferred(draft, grain, BY)
    target = _target(arguments.to, draft.name)
    if target is not None:
        _write(target, text)
    others = [one for one in made if one is not chosen]
    if not arguments.json:
        print(
            f"{target}: {len(draft.columns)} columns" if target else text, end="\n" * bool(target)
        )
        for line in said(unread, others, [draft]):
            print(line, file=sys.stderr)
    return {
        "suite": suite.name if suite else None, "exit_code": 0, "errors": [],
        "table": f"ingested.{draft.name}", "file": str(target) if target else None, "text": text,
        "columns": plain(draft), "unread": [dict(vars(one)) for one in unread],
        "not_of_it": dict(draft.others),
        "other_tables": {one.name: [file for file, _ in one.files] for one in others},
    }, 0  # fmt: skip


def _suite(arguments: argparse.Namespace) -> Suite | None:
    """The suite that the file is for, where there is one."""
    if not Path(arguments.conf).is_dir() and arguments.conf == "conf":
        return None
    return read_suite(arguments.conf, env=arguments.env, overrides=arguments.overrides)


def _place(one: Family, suite: Suite | None) -> str:
    """What stands in front of the samples' paths: files that lie in the raw zone stay there."""
    from headgate.stages.inferring import below

    file, path = one.files[0]
    whole = os.path.abspath(file)  # noqa: PTH100 - links stay as they are
    above = Path(whole.removesuffix(path))
    if suite is not None and ":" not in suite.environment.raw:
        raw = Path(suite.environment.raw)
        if above.is_relative_to(raw):
            folder = above.relative_to(raw).as_posix()
            return "" if folder == "." else folder
    return below(one)


def _target(to: str | None, name: str) -> Path | None:
    if to is None:
        return None
    path = Path(to)
    path = path / f"{name}.yaml" if path.is_dir() or to.endswith("/") else path
    if path.suffix not in (".yaml", ".yml"):
        raise Usage("a table's file ends in .yaml", where=f"--to {to}", next=f"--to {to}.yaml")
    if path.exists():
        raise Usage(
            "it is there already; nothing was written", where=str(path), next="--to another file"
        )
    return path


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise unusable(error, str(path)) from error


def said(unread: Sequence[Unread], others: Sequence[Family], drafts: Sequence[Draft]) -> list[str]:
    """What did not become a part of a table, and why: a line each."""
    from headgate.guessing.written import counted

    lines = [f"{one.file}: {one.why}{f' Next: {one.next}' if one.next else ''}" for one in unread]
    for draft in drafts:
        lines += [
            f"{file}: {why}: it is not of {draft.name}. Next: {BY} {shlex.quote(file)}"
            for file, why in draft.others.items()
        ]
    for other in others:
        files = shlex.join([file for file, _ in other.files][:3])
        count = counted(len(other.files), "file")
        lines.append(f"{other.name}: another table, {count}. Next: {BY} {files}")
    return lines


def plain(draft: Draft) -> list[dict[str, Any]]:
    """The columns for programs."""
    return [
        {
            "name": one.name, "from": one.source, "type": one.type, "format": one.guess.format,
            "nulls": list(one.guess.nulls), "evidence": list(one.evidence),
            "personal": one.personal.what if one.personal else None,
        }
        for one in draft.columns
    ]  # fmt: skip
