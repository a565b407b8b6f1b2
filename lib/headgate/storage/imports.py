"""A suite's own Python code from another folder than usual: here, and on Spark's workers."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from pyspark.sql import SparkSession

from headgate.core.errors import Usage
from headgate.storage.code_zips import code_files

OURS = "headgate"  # may lie beside a suite's code, and stays the one that runs
_WORKERS = "PYTHONPATH"


def same_code(one: Path, other: Path) -> bool:
    """Whether two folders of code hold the same files."""
    return _files(one) == _files(other)


def _files(folder: Path) -> dict[str, bytes]:
    found = {file.relative_to(folder): file for file in code_files(folder)}
    return {
        path.as_posix(): file.read_bytes() for path, file in found.items() if path.parts[0] != OURS
    }


@contextmanager
def code_from(spark: SparkSession, folder: Path, instead: Path) -> Iterator[None]:
    """While plans are made, the modules of one folder stand in for those of another.

    Two revisions of a module share its name, so here they take turns. A function that Spark runs is
    pickled by the name of its module as a rule: what is made meanwhile is given to workers of their
    own, since Spark keeps apart workers whose environment differs, and theirs find this folder.
    """
    context = spark.sparkContext
    if not str(context.master).startswith("local"):
        raise Usage(
            "Python steps of two revisions need workers that find both on this machine's disk",
            where=f"spark.master {context.master}",
            next="--set 'spark.master=local[*]'",
        )
    names = {path.stem for root in (folder, instead) if root.is_dir() for path in root.iterdir()}
    names -= {OURS, *sys.stdlib_module_names}
    mine = _taken(names)
    path, before = list(sys.path), context.environment.get(_WORKERS)
    others = (entry for entry in path if Path(entry).absolute() != instead.absolute())
    sys.path[:] = [str(folder), *others]
    context.environment[_WORKERS] = os.pathsep.join(filter(None, (str(folder), before)))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = path
        context.environment.pop(_WORKERS)
        if before is not None:
            context.environment[_WORKERS] = before
        _taken(names)
        sys.modules.update(mine)
        importlib.invalidate_caches()


def _taken(names: set[str]) -> dict[str, ModuleType]:
    """The loaded modules of these packages, which are not loaded any more."""
    loaded = [name for name in sys.modules if name.partition(".")[0] in names]
    return {name: sys.modules.pop(name) for name in loaded}
