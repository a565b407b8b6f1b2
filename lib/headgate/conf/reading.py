"""The one strict reader: a conf folder, or Python values, into a suite; or all of its faults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headgate.conf import settings
from headgate.conf.across import check_slices
from headgate.conf.alerts import check_routes
from headgate.conf.columns import Known
from headgate.conf.databases import asked_for, brings_several, brought, named_of, wants_every
from headgate.conf.documents import CUT, read_file
from headgate.conf.folder import Folder, listing
from headgate.conf.functions import Functions
from headgate.conf.graph import check_references, ordered
from headgate.conf.nodes import Entries, Node, from_python
from headgate.conf.overlays import Override, filled, merged, overrides_of, texts_of
from headgate.conf.shapes import At
from headgate.conf.steps import UNKNOWN
from headgate.conf.tables import Draft, check_window, draft
from headgate.conf.words import meant
from headgate.core.errors import Fault, Misconfigured
from headgate.core.results import LAYERS
from headgate.core.spec import Clean, Ingested, Suite
from headgate.core.steps import Python

PYTHON = "<python>"
Listed = Mapping[str, Sequence[str]]


@dataclass
class _Trees:
    """What the files say, before it is checked."""

    conf: Path
    suite: Node | None = None
    env: Node | None = None
    tables: dict[str, Node] = field(default_factory=dict)
    declared: tuple[str, ...] = ()  # tables, also those whose files cannot be read
    every: dict[str, Node] = field(default_factory=dict)  # files that want a whole database
    prefixed: bool = False  # whether paths have to name the table


def read_suite(
    conf: str | Path = "conf",
    *,
    env: str = "local",
    overrides: Mapping[str, str] | Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    listed: Listed | None = None,
) -> Suite:
    """The suite of a conf folder; raises Misconfigured with all its faults.

    `listed` are the tables of databases of which files want all (`tables: "*"`), by file.
    """
    environ = os.environ if environ is None else environ
    path, faults = Path(conf), list[Fault]()
    folder = listing(path, faults)
    if not path.is_dir():
        raise Misconfigured(faults, next="headgate init DIR makes a small suite")
    trees = _parsed(folder, env, faults, listed or {})
    given = overrides_of(
        overrides,
        suite=tuple(settings.SUITE.keys),
        env=tuple(name for name in settings.ENVIRONMENT.keys if name != "tables"),
        tables=trees.declared,
        faults=faults,
    )
    root = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links
    made = _suite(_laid_over(trees, given, faults), env, root, environ, faults, path.as_posix())
    return made.model_copy(update={"overrides": tuple(texts_of(overrides))})


def suite_from(
    tables: Mapping[str, Mapping[str, Any]],
    *,
    raw: str | Path,
    lake: str | Path,
    root: str | Path = ".",
    spark: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    listed: Listed | None = None,
    **suite_keys: Any,
) -> Suite:
    """A suite from Python values (tables by layer.name), by the same checks as from files."""
    faults: list[Fault] = []
    where = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow links
    known: dict[str, Node] = {}
    names = {name for name in tables if _table_name(name, faults)}
    for name in names:
        known[name] = from_python(tables[name], PYTHON)
    places = {"raw": str(raw), "lake": str(lake), "spark": spark or {}}
    trees = _Trees(
        where / "conf",
        suite=from_python({"name": "suite", **suite_keys}, PYTHON),
        env=from_python(places, PYTHON),
        tables=known,
        declared=tuple(known),
        prefixed=True,
    )
    _take_apart(trees, faults, listed or {})
    environ = os.environ if environ is None else environ
    return _suite(trees, "local", where, environ, faults, PYTHON)


def _table_name(name: str, faults: list[Fault]) -> bool:
    layer, _, short = name.partition(".")
    if layer in LAYERS and short.isidentifier():
        return True
    what = f"'{name[:60]}' is not written layer.name"
    faults.append(
        Fault(PYTHON, 0, "", what + (meant(layer, LAYERS) if layer not in LAYERS else ""))
    )
    return False


def _parsed(folder: Folder, env: str, faults: list[Fault], listed: Listed) -> _Trees:
    """All files as trees. Other environments are read as well: their keys are checked here."""
    trees = _Trees(folder.path)
    if folder.suite is not None:
        trees.suite = read_file(folder.suite, folder.suite.as_posix(), faults)
    for name, file in folder.environments.items():
        node = read_file(file, file.as_posix(), faults)
        if name == env:
            trees.env = node
        elif node is not None:
            at = At(faults)
            settings.ENVIRONMENT.values(filled(node, at, None), at)
    if env not in folder.environments:
        file = folder.path / "env" / f"{env}.yaml"
        known = ", ".join(folder.environments)
        hint = meant(env, folder.environments) if known else " (there are none)"
        hint = hint if not known or "did you mean" not in hint else f"{hint[:-1]}; known: {known})"
        what = f"there is no environment '{env}'{hint}"
        faults.append(Fault(file.as_posix(), 0, "", what))
    if not folder.tables:
        what = "holds no tables: a first one goes into ingested/, as <name>.yaml"
        faults.append(Fault(folder.path.as_posix(), 0, "", what))
    for name, file in folder.tables.items():
        node = read_file(file, file.as_posix(), faults)
        if node is not None:
            trees.tables[name] = node
    trees.declared = tuple(sorted(folder.declared))
    _take_apart(trees, faults, listed)
    return trees


def _take_apart(trees: _Trees, faults: list[Fault], listed: Listed) -> None:
    """Put the tables of a database in the place of the file that brings them.

    Where all are wanted and the database was not asked yet, they are those that others name.
    """
    several = {
        name: node
        for name, node in trees.tables.items()
        if name.startswith("ingested.") and brings_several(node)
    }
    declared = set(trees.declared) - several.keys()
    needed = named_of(trees.tables.values(), "ingested")
    for name, node in several.items():
        del trees.tables[name]
        short, at = name.partition(".")[2], At(faults)
        names = listed.get(short)
        if wants_every(node):
            trees.every[short] = node
            each = node.get("each") if isinstance(node, Entries) else None
            own = [key.text for key, _ in each.entries] if isinstance(each, Entries) else []
            others = sorted(n for n in needed if f"ingested.{n}" not in declared)
            names = list(dict.fromkeys((*own, *others))) if names is None else names
        for one, tree in brought(node, at, names).items():
            inner = f"ingested.{one}"
            if inner in declared and not wants_every(node):
                what = f"{inner} is described elsewhere, too: leave it out here or there"
                at.key("tables").note(node, what)
            elif inner not in declared:
                trees.tables[inner] = tree
                declared.add(inner)
    trees.declared = tuple(sorted(declared))


def _laid_over(trees: _Trees, given: list[Override], faults: list[Fault]) -> _Trees:
    """The trees with what the env file and `--set` say instead."""
    if isinstance(trees.env, Entries):
        shared = [pair for pair in trees.env.entries if pair[0].text in settings.SHARED]
        if trees.suite is not None and shared:
            over = Entries(trees.env.file, trees.env.line, tuple(shared))
            trees.suite = merged(trees.suite, over)
        tables = trees.env.get("tables")
        for key, value in tables.entries if isinstance(tables, Entries) else ():
            if key.text in trees.tables:
                trees.tables[key.text] = merged(trees.tables[key.text], value)
            elif key.text not in trees.declared:
                what = f"unknown table '{key.text[:60]}'{meant(key.text, trees.declared)}"
                At(faults).key("tables").key(key.text).note(key, what)
    for override in given:
        if override.target == "suite" and trees.suite is not None:
            trees.suite = merged(trees.suite, override.tree)
        elif override.target == "env" and trees.env is not None:
            trees.env = merged(trees.env, override.tree)
        elif override.target in trees.tables:
            trees.tables[override.target] = merged(trees.tables[override.target], override.tree)
    return trees


def _suite(
    trees: _Trees,
    env: str,
    root: Path,
    environ: Mapping[str, str],
    faults: list[Fault],
    conf: str,
) -> Suite:
    at = At(faults, conf=trees.conf)
    suite_values = _settings(trees.suite, settings.SUITE, at, environ)
    env_values = _settings(trees.env, settings.ENVIRONMENT, at, environ)
    if env_values is not None and trees.env is not None:
        placed = {key: settings.placed(env_values[key], root) for key in ("raw", "lake")}
        settings.same_folder(placed, trees.env, at)
    drafts: dict[str, Draft] = {}
    for name in sorted(trees.tables):
        own = At(
            [],
            prefix=name if trees.prefixed else "",
            conf=trees.conf,
            home=trees.tables[name].file,
            elsewhere=f"tables.{name}",
        )
        drafts[name] = draft(name, filled(trees.tables[name], own, environ), own)
    order = _checked(drafts, trees.declared, root)
    check_slices(drafts, (suite_values or {}).get("window", "day"))
    owners = [one.table.owner for one in drafts.values() if one.table and one.table.owner]
    check_routes(trees.suite, trees.declared, owners, at)
    for each in drafts.values():
        check_window(each, (suite_values or {}).get("window", "day"))
        faults.extend(each.at.faults)
    found = {name: asked_for(node, at, environ) for name, node in trees.every.items()}
    every = {name: one for name, one in found.items() if one is not None}
    faults = _told_once(faults)
    if faults or suite_values is None or env_values is None:
        raise Misconfigured(faults)
    made = ((name, drafts[name].table) for name in order)
    return Suite(
        **suite_values,
        environment=settings.environment(env, env_values, root),
        tables={name: table for name, table in made if table is not None},
        root=root.as_posix(),
        conf=conf,
        every=every,
    )


def _told_once(faults: list[Fault]) -> list[Fault]:
    """The faults without those that follow from a text that YAML cut in two."""
    cut = {(each.file, each.line, each.path) for each in faults if each.what.startswith(CUT)}
    return [
        each
        for each in faults
        if each.what.startswith(CUT) or (each.file, each.line, each.path) not in cut
    ]


def _settings(
    node: Node | None, record: Any, at: At, environ: Mapping[str, str]
) -> dict[str, Any] | None:
    if node is None:
        return None
    values: dict[str, Any] | None = record.values(filled(node, at, environ), at)
    return values


def _checked(drafts: Mapping[str, Draft], declared: Sequence[str], root: Path) -> list[str]:
    """The order of the tables, after the checks that need several files."""
    faulty = check_references(drafts, declared)
    order = ordered(drafts)
    known = Known(faulty)
    for name in order:
        known.check(drafts[name])
    functions: Functions | None = None
    for each in drafts.values():
        for place, step in enumerate(each.table.steps if isinstance(each.table, Clean) else ()):
            if isinstance(step, Python) and step is not UNKNOWN:
                functions = functions or Functions(root)
                what = functions.fault(step.function)
                if what:
                    each.note(what, "steps", place, "step")
        if isinstance(each.table, Ingested) and each.table.source.reader:
            functions = functions or Functions(root)
            what = functions.fault(each.table.source.reader)
            if what:
                each.note(what, "source", "reader")
    return order
