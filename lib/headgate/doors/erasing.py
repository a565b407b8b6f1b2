"""The commands `erase` and `subject`: a person out of every layer, and what is held on one."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.conf.typed import condition_typed
from headgate.core.errors import Interrupted, Refused, Usage, worst
from headgate.core.keys import MAIN
from headgate.doors.opening import on_its_lake, understood
from headgate.doors.progress import Progress
from headgate.doors.tables import Grid, grid
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.core.erasure import Erasure
    from headgate.core.spec import Suite

STILL_THERE = 30  # the proof found somebody: a fault, as a difference is to `verify`
SHOWN = 5  # windows of one place, records of one file


def erase(arguments: argparse.Namespace) -> Answer:
    """`headgate erase`: the plan; with --yes it is carried out, and proved."""
    from headgate.stages.erasing import Wish

    where = condition_typed(arguments.where, "--where")
    suite = _with_key(arguments)
    with Progress(quiet=arguments.json) as progress:
        app = on_its_lake(suite)
        progress.watch(app.spark)
        wish = Wish(
            yes=arguments.yes, raw=arguments.raw, break_lease=arguments.break_lease,
            say=progress.say,
        )  # fmt: skip
        try:
            made = app.erase(arguments.table, where, wish)
        except KeyboardInterrupt:
            if not arguments.yes:
                raise
            what = "interrupted: they are out of some places, and of others not yet"
            raise Interrupted(what, next="the same command again: it goes on") from None
    code = code_of(made, kept=arguments.raw == "keep")
    then = next_line(made, arguments)
    if not arguments.json:
        print("\n".join([str(places_sheet(made)), *said_of(made), *([then] if then else [])]))
    return {
        "suite": suite.name, "exit_code": code, **made.plain(),
        "next": then.removeprefix("Next: "),
    }, code  # fmt: skip


def _with_key(arguments: argparse.Namespace) -> Suite:
    """The suite, when the key is at hand by which people are listed and found."""
    from headgate.storage.keys import keys_of, lacking

    suite = understood(arguments, [arguments.table])
    if arguments.table not in suite.tables:
        raise Usage(f"'{arguments.table}' is not one table", next="name it whole: layer.name")
    keys_of(suite.keys, [MAIN], suite.root)
    if wrong := lacking(suite):
        raise wrong[0]
    return suite


def code_of(made: Erasure, *, kept: bool = False) -> int:
    """The exit code: a proof that fails, records that are left, runs that ended badly."""
    if made.proof is None:
        return 0
    if not made.proof.holds:
        return STILL_THERE
    if (made.left or made.unread) and not kept:
        return Refused.exit_code
    return worst([one.exit_code for one in made.runs])


def places_sheet(made: Erasure) -> Grid:
    """A line for each place that holds rows of them."""
    rows = [
        {
            "place": one.place,
            "rows": one.rows,
            "windows": _some(one.windows),
            "files": _files(one.records),
        }
        for one in made.spots
    ]
    who = "1 person" if made.people == 1 else f"{made.people:,} people"
    known = f"{who}, known by {', '.join(made.columns)}" if made.columns else ""
    return grid(rows, ["place", "rows", "windows", "files"], empty="no row is held", title=known)


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _files(records: Mapping[str, Sequence[int]]) -> str:
    return _some(
        [f"{file} record {_some([str(n) for n in rows])}" for file, rows in records.items()]
    )


def said_of(made: Erasure) -> list[str]:
    """What else is to be said, a line each."""
    told = []
    if made.before:
        told.append(f"erased before, {made.before}")
    if made.proof is None and made.again:
        told.append(f"made again, and cut to their newest version: {', '.join(made.again)}")
    told += [
        f"{name} is {how}: nobody can be found by it there" for name, how in made.untraced.items()
    ]
    told += [
        f"{file} cannot be read: {why}; look into it yourself" for file, why in made.unread.items()
    ]
    if made.proof is None:
        return told
    told += [
        f"{file}: record {_some([str(n) for n in rows])} is still there; take it out yourself"
        for file, rows in made.left.items()
    ]
    bad = [one for one in made.runs if one.exit_code]
    told += [f"{one.table} {one.window} {one.status.upper()} {one.message}" for one in bad]
    looked = f"{made.proof.files:,} data files and {made.proof.logs:,} files of logs were read"
    if made.proof.holds:
        told.append(f"PROVED: {looked}; nobody of them is in any")
    else:
        told.append(f"NOT ERASED: {looked}; they are still in")
        told += [f"  {place}" for place in made.proof.found]
    return told


def next_line(made: Erasure, arguments: argparse.Namespace) -> str:
    """What to type next."""
    same = f"headgate erase {arguments.table} --where …"
    if made.proof is None:
        return f"Next: {same} --yes" if made.spots else ""
    if not made.proof.holds:
        return f"Next: {same} --yes, once more; if they stay, report this"
    return "Next: headgate status" if any(one.exit_code for one in made.runs) else ""


def subject(arguments: argparse.Namespace) -> Answer:
    """`headgate subject`: what is held on a person, counted; with --to handed out."""
    where = condition_typed(arguments.where, "--where")
    suite = _with_key(arguments)
    with Progress(quiet=arguments.json):
        app = on_its_lake(suite)
        held = app.subject(arguments.table, where)
    rows = [{"place": place, "rows": len(found)} for place, found in held.items()]
    if arguments.to:
        handed_out(held, Path(arguments.to))
    if not arguments.json:
        then = "--to person.json, or to a folder, hands it out in plain"
        print(grid(rows, ["place", "rows"], note=f"Next: {then}" if not arguments.to else ""))
    shown: dict[str, Any] = {"suite": suite.name, "exit_code": 0, "places": rows}
    return {**shown, "to": arguments.to, "held": None if arguments.to else held}, 0


def handed_out(held: Mapping[str, Sequence[Mapping[str, Any]]], place: Path) -> None:
    """One JSON file, or a folder with a CSV file for each place; only the owner may read them."""
    if place.exists():
        raise Usage("there is something already", where=str(place), next="--to another place")
    if place.suffix == ".json":
        _write(place, [json.dumps(held, indent=1, ensure_ascii=False, default=str)])
        return
    place.mkdir(parents=True, mode=0o700)
    for name, rows in held.items():
        _write(place / f"{name.replace(' ', '-')}.csv", [_csv(rows)])


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(n for row in rows for n in row)))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _write(path: Path, texts: Iterable[str]) -> None:
    from headgate.storage.files import unusable

    try:
        path.touch(mode=0o600, exist_ok=False)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(texts)
    except OSError as error:
        raise unusable(error, str(path)) from error
