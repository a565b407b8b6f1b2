"""For pytest: `headgate_suite("conf").table("clean.orders").given(orders=[{…}])`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # a plugin is imported before any test is chosen: Spark can wait
    from pyspark.sql import SparkSession

    from headgate.core.spec import Suite, Table
    from headgate.stages.examples import Outcome


@dataclass(frozen=True)
class GivenTable:
    """One table of a suite, to be tried on rows of a test."""

    spark: SparkSession
    suite: Suite
    table: Table

    def given(
        self, inputs: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, /, **more: Any
    ) -> Outcome:
        """What is written and rejected of these rows, by the names of the table's inputs.

        Columns that a row leaves out are null, inputs that are left out are empty. An ingested
        table takes texts under the names that the file has.
        """
        from headgate.stages.examples import outcome

        return outcome(self.spark, self.suite, self.table, {**(inputs or {}), **more})


@dataclass(frozen=True)
class GivenSuite:
    """A suite whose lake is never touched."""

    spark: SparkSession
    suite: Suite

    def table(self, name: str) -> GivenTable:
        """One of its tables."""
        from headgate.core.errors import Usage
        from headgate.core.selection import selected

        if name not in self.suite.tables:
            named = selected(self.suite.tables, [name])
            raise Usage(f"'{name}' is not one table", next=f"one of {', '.join(named)}")
        return GivenTable(self.spark, self.suite, self.suite.tables[name])


def given_suite(conf: str | Path = "conf", *, env: str = "local", **overrides: Any) -> GivenSuite:
    """A suite's steps and rules, to be run on rows of a test."""
    from headgate.conf import read_suite
    from headgate.storage.suite_session import small_session

    places = {key: str(value) for key, value in overrides.items()}
    suite = read_suite(conf, env=env, overrides=places)
    return GivenSuite(small_session(suite), suite)


@pytest.fixture(scope="session")
def headgate_suite() -> Callable[..., GivenSuite]:
    """Opens a suite on rows of a test; all tests share one small Spark session."""
    return given_suite
