"""`headgate init DIR --from FILES`: a suite from samples of one's own, which runs at once."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.conf import read_suite
from headgate.core.errors import Usage, worst
from headgate.core.landing import Offer
from headgate.core.spec import Suite
from headgate.doors.inferring import said
from headgate.doors.progress import Progress
from headgate.doors.starting import (
    OWN,
    filled,
    package_name,
    refuse_used,
    suite_files,
    template,
    write_all,
)
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.guessing.samples import Draft
    from headgate.stages.inferring import Family

BY = "headgate init --from"
_KEPT = (".gitignore", "conf/env/local.yaml")  # of the suite that `init` makes without samples


def init_from(arguments: argparse.Namespace) -> Answer:
    """Guess the tables, write them, copy the samples, run, and write the report."""
    from headgate.stages.inferring import below, draft_of, families, suite_texts, window_of

    os.environ.setdefault("HEADGATE_LOG", "error")  # what happens is told, not logged
    folder = Path(arguments.folder)
    refuse_used(folder)
    _refuse_within(folder, arguments.samples)
    made, unread = families(arguments.samples)
    grain = window_of(made)
    drafts = [draft_of(one, grain, below(one)) for one in made]
    tables = suite_texts(drafts, grain, BY)
    name = package_name(folder.resolve().name)
    first = f"clean.{drafts[0].name}"
    words = {"NAME": name, "WINDOW": grain.value, "FIRST": first, "BELOW": drafts[0].name}
    kept = suite_files(name, datetime.now(timezone.utc))
    texts = {path: kept[path] for path in _KEPT}
    texts |= filled(template(OWN), words)
    texts |= {f"conf/{table.replace('.', '/', 1)}.yaml": text for table, text in tables.items()}
    write_all(folder, texts)
    suite = read_suite(folder / "conf")
    if not arguments.json:
        print(f"{folder}: the suite '{name}', {len(tables)} tables: {', '.join(tables)}")
    for line in said(unread, (), drafts) if not arguments.json else ():
        print(line, file=sys.stderr)
    _copy(suite, made, drafts)
    shown: dict[str, Any] = {"suite": name, "files": sorted(texts), "tables": list(tables)}
    shown["unread"] = [dict(vars(one)) for one in unread]
    if arguments.no_run:
        here = (
            "headgate run" if _is_here(folder) else f"cd {shlex.quote(str(folder))} && headgate run"
        )
        if not arguments.json:
            print(f"Next: {here}")
        return {**shown, "next": here, "exit_code": 0, "errors": []}, 0
    return _ran(suite, shown, quiet=arguments.json)


def _is_here(folder: Path) -> bool:
    return folder.resolve() == Path.cwd().resolve()


def _refuse_within(folder: Path, samples: Sequence[str]) -> None:
    """A new suite inside the folder of its samples would be taken for one of them."""
    for name in samples:
        if Path(name).is_dir() and folder.resolve().is_relative_to(Path(name).resolve()):
            raise Usage("the suite would lie within its samples", where=name,
                        next="headgate init with a folder elsewhere")  # fmt: skip


def _copy(suite: Suite, made: Sequence[Family], drafts: Sequence[Draft]) -> None:
    """The samples into the raw zone, checked, each where its table looks for it."""
    from headgate.stages.inferring import below
    from headgate.stages.landing import Orders, landed
    from headgate.storage.landing import Meter, place_for

    place = place_for(suite.environment, None)
    place.ready()
    offers = []
    for one, draft in zip(made, drafts, strict=True):
        folder = below(one)
        for file, path in one.files:
            if file not in draft.others:
                size = Path(file).stat().st_size
                offers.append(Offer(file, f"{folder}/{path}" if folder else path, size))
    for done in landed(place, offers, Orders(), Meter()):
        if done.message:
            next_ = f"empty {suite.root}, and headgate init once more"
            raise Usage(done.message, where=done.offer.file, next=next_)


def _ran(suite: Suite, shown: dict[str, Any], *, quiet: bool) -> Answer:
    """What `headgate run` and `headgate report` would do now, in one session."""
    from headgate.doors.opening import on_its_lake
    from headgate.doors.page import page
    from headgate.doors.reporting import gathered, put, target
    from headgate.guessing.written import counted

    with Progress(quiet=quiet) as progress:
        app = on_its_lake(suite)
        progress.watch(app.spark)
        result = app.run(say=progress.say)
        report = put(page(gathered(app)), target(None, suite.environment.lake))
    progress.summary(result)
    rejected = sum(entry.rows.quarantined for entry in result.runs)
    if not quiet:
        where = f" --conf {shlex.quote(suite.conf)}"
        if rejected:
            print(f"{counted(rejected, 'row')} kept back. Next: headgate quarantine list{where}")
        print(f"the report: {report}")
    whole = {**result.shown(), **shown, "report": str(report)}
    return whole, worst([result.exit_code])
