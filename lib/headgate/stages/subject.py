"""What is held on people, over all layers, in plain for whoever has the keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pyspark.sql import functions as F

from headgate.core.spec import Ingested, Table
from headgate.stages.asking import asked, nobody
from headgate.stages.finding import Trail
from headgate.stages.lake import Lake
from headgate.stages.rejected import unsealed
from headgate.stages.revealing import revealed_rows
from headgate.transforms.hidden import AS_JSON, THEIRS

Held = Mapping[str, list[dict[str, Any]]]  # by place: rows


def subject(lake: Lake, table: Table, where: str) -> Held:
    """The rows that are held on the people whom a condition means, by place."""
    trail = Trail(lake, asked(lake, table, where))
    found: dict[str, list[dict[str, Any]]] = {}
    for one in lake.suite.tables.values():
        rows = trail.in_table(one.name)
        if rows is not None:
            mine = rows.where(F.col(THEIRS)).drop(THEIRS)
            found[one.name] = _plain(revealed_rows(lake, one, mine))
        rejected = trail.in_quarantine(one)
        if rejected is not None:
            mine = unsealed(lake, one.name, rejected.where(F.col(THEIRS)).drop(THEIRS))
            found[f"quarantine of {one.name}"] = _plain(mine)
        if isinstance(one, Ingested):
            for records in trail.in_raw(one):
                mine = records.where(F.col(THEIRS)).drop(THEIRS)
                found.setdefault(f"raw files of {one.name}", []).extend(_plain(mine))
    held = {place: rows for place, rows in found.items() if rows}
    if not held:
        raise nobody(table)
    return held


def _plain(rows: Any) -> list[dict[str, Any]]:
    shown = [name for name in rows.columns if not name.startswith("__")]
    text = F.to_json(F.struct(*[F.col(f"`{name}`") for name in shown]), AS_JSON)
    return [json.loads(row[0]) for row in rows.select(text).collect()]
