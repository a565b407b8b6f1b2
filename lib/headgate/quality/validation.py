"""Runs on record as great-expectations' own result objects.

great-expectations takes seconds to import: everything of it is imported where it is used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from headgate.core.labels import DRIFT, MAX_REJECTED, ON_EMPTY
from headgate.core.records import RunRecord
from headgate.core.spec import Rule

CheckRow = Mapping[str, Any]  # of `ops.checks`
Values = Mapping[tuple[str, str], Sequence[Any]]  # that broke a rule, by run and rule as written
OWN = "headgate_rule"  # the type of what great-expectations has no name for
SQL = "unexpected_rows_expectation"


def columns_of(check: CheckRow) -> tuple[str, ...]:
    """The columns that a check's rule looks at, as far as its arguments name them.

    >>> columns_of({"arguments": '{"column_A": "a", "column_B": "b"}'})
    ('a', 'b')
    >>> columns_of({"arguments": '{"column": ["a", "b"], "table": "clean.c"}'})
    ('a', 'b')
    """
    return Rule(expectation="", arguments=_read(check, "arguments")).columns


def described(check: CheckRow) -> str | None:
    """What a rule says, where great-expectations has no words of its own for it.

    >>> described({"expectation": "max_rejected", "arguments": '{"max_value": 0.05}'})
    'No more than 5 % of the rows judged may be rejected.'
    """
    name, given = check.get("expectation"), _read(check, "arguments")
    if name == "row":
        said = [given["condition"]]
        if given.get("name") != given["condition"]:
            said.insert(0, f"{given.get('name')}:")
        if given.get("row_condition"):
            said.append(f"where {given['row_condition']}")
        if given.get("mostly") is not None:
            said.append(f"for at least {100 * given['mostly']:g} % of the rows")
        return " ".join(said)
    if name == MAX_REJECTED:
        return f"No more than {100 * given['max_value']:g} % of the rows judged may be rejected."
    if name == ON_EMPTY:
        return "There has to be a row to publish."
    if name == DRIFT:
        what = ", ".join(given.get("metrics", ())) or "the usual metrics"
        where = ", ".join(given.get("columns", ())) or "every column that they fit"
        return f"In line with the table's own history: {what} of {where}."
    return None if name else str(check["rule"])  # of a release that did not tell the expectation


def configuration(check: CheckRow) -> Any:
    """The ExpectationConfiguration of a check; a rule that is Headgate's own is an `OWN`."""
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )

    name = check.get("expectation") or ""
    kind, kwargs = name, _read(check, "arguments")
    said = {
        "meta": {"headgate": {"rule": check["rule"], "closed_the_gate": check["closed"]}},
        "severity": check["severity"],
    }
    if name == "row":
        kind, kwargs = SQL, {"unexpected_rows_query": _query(kwargs)}
    elif not name.startswith("expect_"):
        return own_configuration({"rule": check["rule"]}, described(check), **said)
    if kwargs.get("row_condition"):  # SQL, which it passes through to Spark
        asked = {"type": "pass_through", "pass_through_filter": kwargs["row_condition"]}
        kwargs = {**kwargs, "row_condition": asked}
    made = ExpectationConfiguration(type=kind, kwargs=kwargs, description=described(check), **said)
    try:
        made.to_domain_obj()
    except (ValueError, TypeError, GreatExpectationsError):
        # Arguments that this release does not take are no reason to tell nothing.
        return own_configuration({"rule": check["rule"]}, str(check["rule"]), **said)
    return made


def own_configuration(kwargs: Mapping[str, Any], description: str | None, **more: Any) -> Any:
    """The configuration of what great-expectations has no name for."""
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )

    own_rule()  # makes the type known
    return ExpectationConfiguration(type=OWN, kwargs=dict(kwargs), description=description, **more)


def check_result(check: CheckRow, values: Sequence[Any] = ()) -> Any:
    """The ExpectationValidationResult of a check, with some of the values that broke its rule."""
    from great_expectations.core import ExpectationValidationResult

    found = _result(check)
    if values and found.get("unexpected_count"):
        found["partial_unexpected_list"] = list(values)
    return ExpectationValidationResult(
        success=bool(check["success"]), expectation_config=configuration(check), result=found
    )


def run_result(run: RunRecord, checks: Sequence[CheckRow], values: Values | None = None) -> Any:
    """The ExpectationSuiteValidationResult of a run: `checks` are its own."""
    from great_expectations import __version__
    from great_expectations.core import ExpectationSuiteValidationResult

    told = values or {}
    results = [check_result(one, told.get((run.run, one["rule"]), ())) for one in checks]
    good = sum(one.success for one in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": good,
        "unsuccessful_expectations": len(results) - good,
        "success_percent": good / len(results) * 100 if results else None,
    }
    about = {
        "data_asset_name": run.table,
        "window": run.window,
        "run": run.run,
        "status": run.status,
        "rows": {name: rows for name, rows in vars(run.rows).items() if rows},
        **({"version": run.version} if run.version is not None else {}),
    }
    return ExpectationSuiteValidationResult(
        success=good == len(results),
        results=results,
        suite_name=run.table,
        statistics=statistics,
        meta={
            "run_id": run_id(run),
            "great_expectations_version": __version__,
            "validation_time": run.finished_at,
            "batch_spec": about,
            "active_batch_definition": {"data_asset_name": run.table},
        },
    )


def run_id(run: RunRecord) -> Any:
    """What great-expectations calls a run: its window and its id, and when it ended."""
    from great_expectations.core.run_identifier import RunIdentifier

    at = datetime.fromisoformat(run.finished_at.replace("Z", "+00:00"))
    return RunIdentifier(run_name=f"{run.window}_{run.run}", run_time=at)


@lru_cache(maxsize=1)
def own_rule() -> Any:
    """The Expectation that stands for Headgate's own rules; its definition makes it known."""
    from great_expectations.expectations.expectation import BatchExpectation

    class HeadgateRule(BatchExpectation):  # type: ignore[misc]
        """A rule that Headgate judges by itself."""

        rule: str = ""
        column: str | None = None

        def _validate(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError("Headgate has judged it already")

    assert HeadgateRule.expectation_type == OWN
    return HeadgateRule


def _query(given: Mapping[str, Any]) -> str:
    """A SQL condition as a query for the rows that break it; braces stand for themselves."""
    asked = given.get("row_condition")
    breaks = f"NOT coalesce({given['condition']}, false)"
    where = f"({asked}) AND {breaks}" if asked else breaks
    where = where.replace("{", "{{").replace("}", "}}")
    return "SELECT * FROM {batch} WHERE " + where  # noqa: S608 (it is shown, and not run)


def _result(check: CheckRow) -> dict[str, Any]:
    """A check's result; of a release that did not tell it, from the numbers beside it."""
    if check.get("expectation"):
        return _read(check, "result")
    broken, total = check.get("unexpected"), check.get("total")
    if broken is not None and total is not None:
        share = broken / total * 100 if total else None
        return {
            "element_count": total,
            "unexpected_count": broken,
            "unexpected_percent": share,
        }
    observed = check.get("found") if check.get("observed") is None else check["observed"]
    return {} if observed is None else {"observed_value": observed}


def _read(check: CheckRow, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(check.get(name) or "{}")
    return found
