"""The `training-set` command: labels with the features of their own time."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headgate.doors.looking import opened
from headgate.doors.words import Answer

if TYPE_CHECKING:
    from headgate.stages.training import Leak, Source, TrainingSet


def training(arguments: argparse.Namespace) -> Answer:
    """`headgate training-set`: what was known of each label's entity at the label's time."""
    app = opened(arguments, arguments.tables)
    made = app.training_set(
        arguments.labels, arguments.tables, arguments.time, arguments.within
    )  # fmt: skip
    if arguments.to:
        from headgate.storage.labels import as_parquet

        made = replace(made, rows=as_parquet(made.rows, arguments.to))
    leaks = made.leaks() if arguments.leakage else None
    if not arguments.json:
        print("\n".join([*said_of_labels(made), *said_of_leaks(made, leaks)]))
        print(f"Written to {arguments.to}" if arguments.to else "Next: --to set.parquet writes it")
    return {
        "suite": app.suite.name, "exit_code": 0, "labels": made.labels,
        "tables": [dict(vars(one)) for one in made.met], "to": arguments.to,
        "leakage": None if leaks is None else _plain(made, leaks),
    }, 0  # fmt: skip


def _plain(made: TrainingSet, leaks: list[Leak]) -> dict[str, Any]:
    return {"features": [dict(vars(one)) for one in leaks], "untold": dict(made.untold)}


def said_of_labels(made: TrainingSet) -> list[str]:
    """How many labels found features, a line a table."""
    lines = [f"{made.labels:,} labels"]
    for one, source in zip(made.met, made.sources, strict=True):
        more = [
            (one.before, f"from before its first features ({source.first:%Y-%m-%d %H:%M})"),
            (one.after, f"from after its data ({source.ended:%Y-%m-%d %H:%M} on)"),
            (one.none, f"of which nothing is known{_within(source)}"),
            (one.lacking, "without an entity or a time"),
        ]
        told = "".join(f"; {count:,} {what}" for count, what in more if count)
        lines.append(f"{one.table}: {one.found:,} with features{told}")
    return lines


def _within(source: Source) -> str:
    return f" within {source.within.days} days" if source.within and source.within.days else ""


def said_of_leaks(made: TrainingSet, leaks: list[Leak] | None) -> list[str]:
    """What the features knew too early."""
    if leaks is None:
        return []
    lines = [
        f"{one.table}.{one.feature}: {one.labels:,} of {one.of:,} labels have a value that was not"
        " known at the time: 'known_at: _ingested_at' leaves it out"
        for one in leaks
    ]
    told = [one.table.name for one in made.sources if one.table.name not in made.untold]
    if told and not leaks:
        lines.append(f"{', '.join(told)}: every value was known at the time")
    return lines + [f"{name}: it cannot be told, since {why}" for name, why in made.untold.items()]
