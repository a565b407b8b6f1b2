"""great-expectations' Data Docs about a lake, from what its runs left on record."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.core.errors import Usage
from headgate.core.records import RunRecord
from headgate.storage.files import unusable

if TYPE_CHECKING:
    from headgate.app import App

FOLDER = "data-docs"
RUNS = 30  # of each table
NULL_RULE = "expect_column_values_to_not_be_null"  # what breaks it has no value to tell


def need_great_expectations() -> None:
    """Refuse what only great-expectations can do, where it is not installed."""
    if find_spec("great_expectations") is None:
        raise Usage(
            "Data Docs are made by great-expectations, which is not installed",
            next="pip install 'headgate[quality]'",
        )


def built(app: App, folder: Path, most: int = RUNS) -> Path:
    """Write the site about the newest runs of each table; the page to open."""
    need_great_expectations()
    from headgate.quality.data_docs import written

    runs = newest(app.lake.history.records, most)
    checks: dict[str, list[dict[str, Any]]] = {}
    for check in app.lake.records.checks_of([run.run for run in runs]):
        checks.setdefault(check["run"], []).append(check)
    values = broken_values(app, [one for some in checks.values() for one in some])
    try:
        return written(folder, runs, checks, values)
    except OSError as error:
        raise unusable(error, str(folder)) from error


def newest(records: Sequence[RunRecord], most: int) -> list[RunRecord]:
    """The last runs of each table that were judged, oldest first."""
    left: dict[str, int] = {}
    found = []
    for record in reversed(records):
        judged = record.status in ("published", "blocked") and bool(record.fingerprint)
        if judged and left.setdefault(record.table, most) > 0:
            left[record.table] -= 1
            found.append(record)
    return found[::-1]


def broken_values(app: App, checks: Sequence[dict[str, Any]]) -> Any:
    """Some of the values that rows were rejected for."""
    from headgate.quality.validation import columns_of
    from headgate.stages.unexpected import Asked, unexpected_values

    asked = [
        Asked(one["table"], one["run"], one["rule"], columns_of(one))
        for one in checks
        if one["severity"] == "critical" and one["unexpected"]
        and one.get("expectation") not in (None, NULL_RULE)
    ]  # fmt: skip
    return unexpected_values(app.lake, [one for one in asked if one.columns])
