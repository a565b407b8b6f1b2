"""The retail suite in small, on a lake of its own: what documents and notebooks are tried on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from headgate.app import opened
from headgate.core.results import Result
from shop.generate import arrive, generate

ROOT = Path(__file__).resolve().parent.parent
TABLES = (
    "ingested/order_lines",
    "ingested/products",
    "ingested/countries",
    "clean/order_lines",
    "clean/products",
    "marts/sales_by_country",
)
FIRST, WRONG = "2026-11-01", "2026-11-11"  # the second comes with prices ten times too high
_made: dict[str, Path] = {}


@dataclass(frozen=True)
class SmallShop:
    """A folder with `conf/`, `data/raw` and `data/lake`: two days of three sources."""

    folder: Path

    @property
    def lake(self) -> Path:
        return self.folder / "data" / "lake"


@contextmanager
def small_shop(
    spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch, *, blocked: bool
) -> Iterator[SmallShop]:
    """A copy of its own, which is the current folder meanwhile.

    `blocked`: the gate has closed on the second day, else that day came again and went through.
    """
    if not _made:
        _make(spark, folder / "made")
    here = folder / "shop"
    shutil.copytree(_made["blocked" if blocked else "corrected"], here)
    with monkeypatch.context() as patch:
        patch.chdir(here)
        yield SmallShop(here)


def shop_conf(shop: Path, tables: Sequence[str]) -> None:
    """The conf of the retail suite in a folder, with some of its tables."""
    for name in ("suite", "env/local", *tables):
        target = shop / "conf" / f"{name}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "conf" / f"{name}.yaml", target)


def _make(spark: SparkSession, folder: Path) -> None:
    """Once for all tests: two runs."""
    shop = folder / "shop"
    shop_conf(shop, TABLES)
    raw = shop / "data" / "raw"
    story = generate(raw, rows=2500, days=14, seed=7)
    arrive(raw, story, story.arrival("day-11"))
    for dump in raw.glob("*/*"):
        if dump.name not in (FIRST, WRONG) or dump.parent.name not in _sources():
            shutil.rmtree(dump)
    blocked = _run(shop)
    assert blocked.exit_code == 10, blocked.shown()
    _made["blocked"] = folder / "blocked"
    shutil.copytree(shop, _made["blocked"])
    arrive(raw, story, story.arrival("corrected-day-11"))
    corrected = _run(shop)
    assert corrected.exit_code == 0, corrected.shown()
    _made["corrected"] = shop


def _sources() -> set[str]:
    return {name.partition("/")[2] for name in TABLES if name.startswith("ingested/")}


def _run(shop: Path) -> Result:
    return opened(shop / "conf").run()
