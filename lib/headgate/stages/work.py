"""The values that a layer hands to the flow: what to read, which steps, how to publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from pyspark.sql import DataFrame, SparkSession

from headgate.core.errors import Unreadable
from headgate.core.results import JOB_OF
from headgate.core.spec import Table
from headgate.core.steps import Step
from headgate.core.windows import Grain
from headgate.privacy.guard import Guard
from headgate.quality.others import Others
from headgate.quality.past import NO_PAST, Past
from headgate.stages.corrections import Repaired
from headgate.stages.counting import Counter
from headgate.stages.slices import Slices
from headgate.storage.quarantine import Quarantine
from headgate.storage.targets import Target
from headgate.storage.transaction import Draft
from headgate.storage.vault import Vault
from headgate.transforms.steps import Around

SMALL = "small"  # the point at which groups of a mart that are withheld are counted
Fails = tuple[int, str]  # exit code and sentence
A_READ = "read"  # the part of a due slice that names the read of a database which it takes first


class Reader(Protocol):
    """Reads the rows of slices; `counter` counts what went into them, where rows are regrouped."""

    def __call__(
        self, windows: Sequence[str], *, with_record: bool, counter: Counter | None
    ) -> DataFrame: ...


@dataclass(frozen=True)
class Due:
    """A slice that is to run, and why."""

    window: str
    why: str
    fingerprint: str
    parts: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False  # published, and nothing but the configuration differs: see `--rebuild`
    forced: bool = False  # a person asked for it, whatever it is made of

    def of_what_is_there(self) -> Due:
        """The same slice without a new read of its database."""
        return replace(
            self, parts={name: one for name, one in self.parts.items() if name != A_READ}
        )


@dataclass(frozen=True)
class Work:
    """One pass over slices of a table."""

    table: Table
    slices: Slices
    due: Mapping[str, Due]
    read: Reader
    target: Target
    steps: tuple[Step, ...] = ()
    around: Callable[[str | None], Around] = lambda _: Around({})
    together: bool = True  # whether the slices share a plan
    key: tuple[str, ...] = ()
    latest_by: tuple[str, ...] = ()
    deletes: str | None = None
    regroups: bool = False  # marts and features: what is written is not what was read
    slice_text: str = "`_window`"  # SQL for the slice of a written row
    inputs: Mapping[str, int] = field(default_factory=dict)
    through: bool = False
    ungated: frozenset[str] = frozenset()  # windows that left their input
    broken: Mapping[str, Fails] = field(default_factory=dict)  # slices that cannot be read
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by slice, of its input
    # Whether the file that a pass stumbled over is left out when the work is made anew.
    sets_aside: Callable[[Unreadable], bool] = lambda _: False
    waived: frozenset[str] = frozenset()
    records: bool = False  # whether rejected rows can be set aside by the write itself
    keeps_rescued: bool = False  # whether the table has the column that ingested rows have
    may_reject: bool = False  # whether reading or a step may reject rows, whatever the rules
    others: Others = field(default_factory=dict)  # what rules hold rows against
    past: Past = NO_PAST  # what drift holds its slices against
    sizes: Mapping[str, int] = field(default_factory=dict)  # bytes of raw files, by window
    guard: Guard = field(default_factory=Guard)  # protects what is written
    corrections: Mapping[str, Repaired] = field(default_factory=dict)  # by window
    # Keeps what rows are the first to have, such as their ids, before anybody sees them.
    keeps: Callable[[Draft, int], None] = lambda *_: None
    said: str = ""  # what the record adds to why it ran

    @staticmethod
    def nothing(table: Table, due: Mapping[str, Due]) -> Work:
        """Slices that do not run, to be put on record."""
        none: Any = None
        return Work(table, Slices((), Grain.day), due, none, none)

    @property
    def job(self) -> str:
        return JOB_OF[self.table.layer]

    def slice_name(self) -> str:
        """SQL for the name of a written row's slice."""
        return self.slices.text(self.slice_text)

    def only(self, names: Sequence[str]) -> Work:
        """The same work on fewer slices."""
        return replace(self, slices=self.slices.only(names), through=False)


@dataclass(frozen=True)
class Hands:
    """What a pass works with."""

    spark: SparkSession
    lake: str
    suite: str
    fence: int
    quarantine: Quarantine
    vault: Vault
    say: Callable[..., None]  # progress: an event and its numbers
    retried: Callable[[], bool]  # whether a stage of this pass was run again
    since: float = field(default_factory=time.monotonic)
