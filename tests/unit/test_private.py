"""What was declared personal is told from what was not, step by step; in doubt it is hidden."""

from __future__ import annotations

from typing import Any

from builders import private
from headgate.conf.reading import suite_from
from headgate.core.private import private_in

PEOPLE = {
    "source": {"files": "people/{window}.csv"},
    "columns": {
        "id": "bigint",
        "name": "string",
        "country": "string",
    },
}
PLACES = {
    "source": {"files": "places/{window}.csv"},
    "columns": {"code": "string", "region": "string"},
}


def hidden(steps: list[Any], *names: str, **more: Any) -> list[str]:
    """Which of these columns of a clean table are hidden."""
    tables: dict[str, Any] = {
        "ingested.people": PEOPLE,
        "ingested.places": PLACES,
        "clean.people": {"reads": "ingested.people", "steps": steps},
        **more,
    }
    suite = private(suite_from(tables, raw="raw", lake="lake"), "ingested.people", "name")
    found = private_in(suite.tables[next(iter(more), "clean.people")], suite.tables)
    return [name for name in names if found.hides(name)]


def test_what_steps_make_of_a_private_column_is_private() -> None:
    steps = [
        {"rename": {"name": "who"}},
        {"derive": {"first": "split(who, ' ')[0]", "low": "lower(country)"}},
        {"derive": {"again": "upper(First)"}},
    ]
    assert hidden(steps, "id", "who", "first", "low", "again", "country") == [
        "who", "first", "again",
    ]  # fmt: skip


def test_what_sql_makes_of_it_cannot_be_told() -> None:
    sql = {"sql": "SELECT id, upper(name) AS country FROM input"}
    assert hidden([sql], "id", "country") == ["id", "country"]
    places = {
        "clean.places": {"reads": "ingested.places", "steps": [{"sql": "SELECT * FROM input"}]}
    }
    assert hidden([], "code", "region", **places) == []


def test_a_lookup_and_a_mart_bring_it_along() -> None:
    look = {"lookup": {"table": "clean.people", "on": {"code": "country"}, "take": ["name", "id"]}}
    places = {"clean.places": {"reads": "ingested.places", "steps": [look]}}
    assert hidden([], "code", "name", "id", **places) == ["name"]
    mart = {
        "reads": {"people": "clean.people"},
        "period": {"column": "at", "grain": "day"},
        "measures": {"people": "count(*)", "longest": "max(name)"},
    }
    at = [{"derive": {"at": "DATE'2026-11-01'"}}]
    assert hidden(at, "people", "longest", **{"marts.people": mart}) == ["longest"]
