"""Two ways of doing one thing, timed in turns; what came out, as one line or as JSON."""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any, TypeVar

from pyspark.sql import SparkSession

T = TypeVar("T")


@dataclass(frozen=True)
class Spent:
    """What one stretch of work cost."""

    seconds: float
    jobs: int = 0
    rows_read: int = 0  # by all stages, from all files
    cpu: float | None = None  # of Python and its JVM, where this machine tells


@dataclass(frozen=True)
class Figure:
    """One line of the result: Headgate, what it is compared with, and the goal."""

    name: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...] = ()  # empty: the goal is for our own value
    against: str = ""
    goal: float | None = None
    unit: str = "s"
    scale: float = 1.0  # what `theirs` is to be multiplied by
    note: str = ""

    @property
    def value(self) -> float:
        return median(self.ours)

    @property
    def other(self) -> float | None:
        return median(self.theirs) * self.scale if self.theirs else None

    @property
    def ratio(self) -> float | None:
        """Ours over theirs; below 1, Headgate is the faster."""
        return self.value / self.other if self.other else None

    def line(self) -> str:
        """The figure for a person.

        >>> print(Figure("a", (2.0, 4.0, 3.0), (2.0,), "bare", goal=1.1, note="twice").line())
        a                          headgate    3.00 s   bare    2.00 s   ratio  1.50   goal  1.10   twice
        """  # noqa: E501
        parts = [f"{self.name:<26} headgate {self.value:7.2f} {self.unit}"]
        if self.other is not None and self.ratio is not None:
            parts += [f"{self.against} {self.other:7.2f} {self.unit}", f"ratio {self.ratio:5.2f}"]
        if self.goal is not None:
            parts.append(f"goal {self.goal:5.2f}" + ("" if self.theirs else f" {self.unit}"))
        return "   ".join([*parts, self.note] if self.note else parts)

    def plain(self) -> dict[str, Any]:
        """The figure for a program, with every sample."""
        medians = {"value": self.value, "other": self.other, "ratio": self.ratio}
        return asdict(self) | {
            name: value if value is None else round(value, 4) for name, value in medians.items()
        }


def arguments(about: str | None) -> argparse.ArgumentParser:
    """What every benchmark can be told."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it still work?")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument("--repeats", type=int, help="samples of each side")
    parser.add_argument("--master", default="local[2]", help="Spark's master, for both sides")
    parser.add_argument("--folder", type=Path, help="where the data goes (default: temporary)")
    return parser


def show(figure: Figure, *, as_json: bool) -> None:
    """Print a figure as soon as it is known."""
    print(json.dumps(figure.plain()) if as_json else figure.line(), flush=True)


def say(text: str) -> None:
    """Progress, beside the figures."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def alternating(sides: Sequence[Callable[[int], T]], repeats: int, warm: int = 1) -> list[list[T]]:
    """Samples of each side, taken in turns (A B A B), so that a busy minute hits all alike.

    Each side is given the number of its turn. The first turns warm up and do not count.

    >>> alternating([lambda turn: turn, lambda turn: -turn], repeats=2)
    [[1, 2], [-1, -2]]
    """
    taken: list[list[T]] = [[] for _ in sides]
    for turn in range(warm + repeats):
        for side, samples in zip(sides, taken, strict=True):
            result = side(turn)
            if turn >= warm:
                samples.append(result)
    return taken


def spent(spark: SparkSession, work: Callable[[], object]) -> Spent:
    """Run some work, with the garbage of whatever was before it already gone."""
    jvm: Any = spark._jvm
    gc.collect()
    jvm.System.gc()
    context: Any = spark.sparkContext._jsc.sc()
    scheduler, before = context.dagScheduler(), _cpu_seconds()
    first, started = int(scheduler.nextJobId()), time.perf_counter()
    work()
    seconds, last = time.perf_counter() - started, int(scheduler.nextJobId())
    after = _cpu_seconds()
    cpu = after - before if after is not None and before is not None else None
    return Spent(seconds, last - first, _rows_read(context, range(first, last)), cpu)


def _rows_read(context: Any, jobs: range) -> int:
    """Input records of all stages; a stage that was skipped read nothing."""
    context.listenerBus().waitUntilEmpty()
    store, seen, total = context.statusStore(), set[int](), 0
    for job in jobs:
        ids = store.job(job).stageIds()
        seen |= {int(ids.apply(place)) for place in range(ids.size())}
    for stage in seen:
        data = store.lastStageAttempt(stage)
        if str(data.status()) == "COMPLETE":
            total += int(data.inputRecords())
    return total


def _cpu_seconds() -> float | None:
    """Processor time of this Python and of its JVM: steadier than seconds on a busy machine."""
    pid = jvm_pid()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    own = resource.getrusage(resource.RUSAGE_SELF)
    ticks = int(fields[11]) + int(fields[12])  # user and system time, in the order of proc(5)
    return ticks / os.sysconf("SC_CLK_TCK") + own.ru_utime + own.ru_stime


def jvm_pid() -> int | None:
    """The process of the JVM that this Python started."""
    from pyspark import SparkContext

    process = getattr(SparkContext._gateway, "proc", None)
    return process.pid if process is not None else None


def costs(ours: Sequence[Spent], theirs: Sequence[Spent], rows: int) -> str:
    """Jobs, passes over the input and processor time of both sides."""
    said = [
        f"jobs {median_of(ours, 'jobs'):.0f}/{median_of(theirs, 'jobs'):.0f}",
        f"passes {median_of(ours, 'rows_read') / rows:.1f}"
        f"/{median_of(theirs, 'rows_read') / rows:.1f}",
    ]
    cpu = [mean([one.cpu for one in side if one.cpu is not None] or [0]) for side in (ours, theirs)]
    if all(cpu):
        said.append(f"cpu {cpu[0]:.1f}/{cpu[1]:.1f} s")
    return "  ".join(said)


def median_of(side: Sequence[Spent], name: str) -> float:
    """The median of one kind of cost."""
    return float(median([getattr(one, name) for one in side]))


def seconds(side: Sequence[Spent]) -> tuple[float, ...]:
    """Only the times."""
    return tuple(round(one.seconds, 4) for one in side)


@contextmanager
def ground(folder: Path | None) -> Iterator[Path]:
    """An empty folder for the data, gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="headgate-bench-", dir=folder))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
