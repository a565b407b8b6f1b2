"""The files of a conf folder: which there are, and which should not be there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from headgate.conf.words import meant
from headgate.core.errors import Fault
from headgate.core.results import LAYERS

_ENDINGS = (".yaml", ".yml")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class Folder:
    """What lies in a conf folder."""

    path: Path
    suite: Path | None = None
    environments: dict[str, Path] = field(default_factory=dict)
    tables: dict[str, Path] = field(default_factory=dict)  # layer.name -> file
    declared: set[str] = field(default_factory=set)  # tables, also those whose names clash


def listing(path: Path, faults: list[Fault]) -> Folder:
    """The files of a conf folder; names that fit nothing are faults."""
    folder = Folder(path)
    shown = path.as_posix()
    if not path.is_dir():
        what = "is a file: give the folder that holds suite.yaml"
        if not path.exists():
            what = "there is no such folder: give the folder that holds suite.yaml with --conf"
        faults.append(Fault(shown, 0, "", what))
        return folder
    for entry in sorted(path.iterdir()):
        if entry.name.startswith((".", "_")):
            continue
        if entry.is_dir():
            _sort_folder(folder, entry, faults)
        elif entry.suffix in _ENDINGS and entry.stem == "suite":
            if folder.suite is not None:
                faults.append(Fault(entry.as_posix(), 0, "", f"stands beside {folder.suite.name}"))
            folder.suite = folder.suite or entry
        elif entry.suffix in _ENDINGS:
            what = f"unknown file{_likely(entry.stem)}"
            faults.append(Fault(entry.as_posix(), 0, "", what))
    if folder.suite is None:
        what = "is missing: it names the suite (name: …)"
        faults.append(Fault((path / "suite.yaml").as_posix(), 0, "", what))
    return folder


def _likely(stem: str) -> str:
    if "did you mean" in meant(stem, ("suite",)):
        return " (did you mean 'suite.yaml'?)"
    return ": a table lies in the folder of its layer"


def _sort_folder(folder: Folder, entry: Path, faults: list[Fault]) -> None:
    if entry.name == "env":
        for file in _yaml_files(entry):
            if file.stem in folder.environments:
                _two(file, folder.environments[file.stem], "environments", faults)
            folder.environments.setdefault(file.stem, file)
    elif entry.name in LAYERS:
        _tables(folder, entry, faults)
    elif _yaml_files(entry):
        what = f"unknown layer '{entry.name}'{meant(entry.name, (*LAYERS, 'env'))}"
        if entry.name == "raw":
            what = "the raw zone has no tables: describe its files in ingested/"
        faults.append(Fault(entry.as_posix(), 0, "", what))


def _yaml_files(entry: Path) -> list[Path]:
    return [
        file
        for file in sorted(entry.iterdir())
        if file.suffix in _ENDINGS and not file.name.startswith((".", "_")) and file.is_file()
    ]


def _tables(folder: Folder, entry: Path, faults: list[Fault]) -> None:
    for inner in sorted(entry.iterdir()):
        if inner.is_dir() and not inner.name.startswith((".", "_")) and _yaml_files(inner):
            what = "holds table files: they lie in the folder of the layer itself"
            faults.append(Fault(inner.as_posix(), 0, "", what))
    by_case = {name.lower(): file for name, file in folder.tables.items()}
    for file in _yaml_files(entry):
        name = f"{entry.name}.{file.stem}"
        if not NAME.fullmatch(file.stem):
            what = "a table's name has letters, digits and _ only, and begins with no digit"
            faults.append(Fault(file.as_posix(), 0, "", what))
        elif name.lower() in by_case:
            folder.declared.add(name)
            _two(file, by_case[name.lower()], "tables", faults)
        else:
            folder.declared.add(name)
            folder.tables[name] = by_case[name.lower()] = file


def _two(file: Path, other: Path, what: str, faults: list[Fault]) -> None:
    same = "one name" if file.stem == other.stem else "names that differ only in case"
    faults.append(Fault(file.as_posix(), 0, "", f"two {what} of {same}: see {other.as_posix()}"))
