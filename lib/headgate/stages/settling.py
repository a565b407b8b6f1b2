"""Rejected rows that a person is done with: dismissed for a reason, or expired by their age."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone

from pyspark.sql import Column
from pyspark.sql import functions as F

from headgate.core.errors import HeadgateError
from headgate.core.spec import Table
from headgate.stages.holding import holding
from headgate.stages.lake import Lake
from headgate.storage.faults import classify


@dataclass(frozen=True)
class Choice:
    """Which open rows a person means, what becomes of them, and why."""

    state: str  # dismissed, expired
    because: str
    windows: Sequence[str] | None = None
    reason: str | None = None  # of rejection, or how it begins
    before: date | None = None  # windows that began before this day

    def means(self, window: str, start: date) -> bool:
        named = self.windows is None or window in self.windows
        return named and (self.before is None or start < self.before)

    def of_rows(self) -> Column:
        """Rows that were rejected for the reason."""
        return rejected_for(self.reason)


def rejected_for(reason: str | None) -> Column:
    """Rows that were rejected for a reason, whatever else is wrong with them; none: for any."""
    if reason is None:
        return F.lit(True)
    wanted = F.lit(reason)
    return F.exists("_reasons", lambda one: (one == wanted) | F.startswith(one, wanted))


def settled(lake: Lake, table: Table, choice: Choice) -> dict[str, int]:
    """Set rows aside, under the table's lease: no run comes in between. Rows by window."""
    if not lake.quarantine(table.name).exists():
        return {}
    try:
        with holding(lake, table, secrets.token_hex(6)):
            counts = _counted(lake, table, choice)
            if counts:
                _decided(lake, table, choice, counts)
                which = choice.of_rows() & F.col("_window").isin(list(counts))
                lake.quarantine(table.name).settle(which, choice.state)
    except HeadgateError:
        raise
    except Exception as error:
        raise classify(error) from error
    return counts


def _counted(lake: Lake, table: Table, choice: Choice) -> dict[str, int]:
    rows = lake.quarantine(table.name).rows()
    if rows is None:
        return {}
    grain = lake.grain(table)
    mine = rows.where((F.col("_state") == "open") & choice.of_rows())
    found = mine.groupBy("_window").count().orderBy("_window").collect()
    counts = {row["_window"]: row["count"] for row in found}
    return {w: n for w, n in counts.items() if choice.means(w, grain.start(w).date())}


def _decided(lake: Lake, table: Table, choice: Choice, counts: dict[str, int]) -> None:
    at = datetime.now(timezone.utc).isoformat()
    lake.records.add(
        "decisions",
        [
            {
                "table": table.name,
                "window": window,
                "state": choice.state,
                "rows": count,
                "reason": choice.reason,
                "because": choice.because,
                "decided_at": at,
            }
            for window, count in counts.items()
        ],
    )
