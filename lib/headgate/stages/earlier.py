"""A suite as another revision of its repository has it: configuration and steps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copy, rmtree

from pyspark.sql import SparkSession

from headgate.conf import read_suite
from headgate.core.errors import Misconfigured, Usage
from headgate.core.spec import Clean, Suite, Table
from headgate.core.steps import Python
from headgate.storage.imports import OURS, code_from, same_code
from headgate.storage.revisions import commit_of, extracted


@dataclass(frozen=True)
class Earlier:
    """What stood in the repository. It is there as long as its folder is."""

    named: str  # as a person wrote the revision
    commit: str
    suite: Suite | None  # None where there was no conf folder
    folder: Path
    now: Path  # where the code lies that runs otherwise
    same_code: bool

    def table(self, name: str) -> Table | None:
        """The table as it was described; None where there was none."""
        return self.suite.tables.get(name) if self.suite else None

    def told(self, sentence: str) -> str:
        """What is said of files of then, with their places in that revision."""
        return sentence.replace(f"{self.folder.as_posix()}/", f"{self.named}:")

    def code(self, spark: SparkSession, table: Table) -> AbstractContextManager[None]:
        """The surroundings in which a table's plan is made by the steps of then."""
        steps = table.steps if isinstance(table, Clean) else ()
        if self.same_code or not any(isinstance(step, Python) for step in steps):
            return nullcontext()
        return code_from(spark, self.folder / "lib", self.now)


@contextmanager
def at_revision(suite: Suite, revision: str) -> Iterator[Earlier]:
    """The suite of another revision, on the raw zone and the lake of this one."""
    root, conf = Path(suite.root), Path(suite.conf).name
    commit = commit_of(root, revision)
    with tempfile.TemporaryDirectory(prefix="headgate-") as made:
        folder = Path(made)
        extracted(root, commit, [conf, "lib"], folder)
        lib = folder / "lib"
        lib.mkdir(exist_ok=True)
        rmtree(lib / OURS, ignore_errors=True)  # the Headgate that runs is the one of now
        then = _suite(suite, folder / conf, revision) if (folder / conf).is_dir() else None
        now = root / "lib"
        same = same_code(lib, now)
        yield Earlier(revision, commit, then, folder, now, same)


def _suite(now: Suite, conf: Path, revision: str) -> Suite:
    env = now.environment.name
    file = f"env/{env}.yaml"
    if not (conf / file).is_file():  # places come from the environment of now in any case
        (conf / "env").mkdir(exist_ok=True)
        copy(Path(now.root) / Path(now.conf).name / file, conf / file)
    try:
        then = read_suite(conf, env=env)
    except Misconfigured as error:
        told = [
            replace(one, file=one.file.replace(conf.as_posix(), f"{revision}:{conf.name}", 1))
            for one in error.faults
        ]
        hint = "compare with a revision that headgate check passes"
        raise Misconfigured(told, next=hint) from None
    if (then.window, then.timezone) != (now.window, now.timezone):
        raise Usage(
            f"windows were others then: {then.window.value} in {then.timezone}, and now "
            f"{now.window.value} in {now.timezone}",
            where=revision,
            next="compare with a revision that has the same windows",
        )
    return then.model_copy(update={"environment": now.environment, "conf": now.conf})
