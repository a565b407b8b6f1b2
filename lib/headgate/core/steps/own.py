"""Steps of the user's own: SQL and Python. Only the analysed plan tells what they do to rows."""

from __future__ import annotations

from typing import Literal

from headgate.core.selects import columns_of
from headgate.core.steps.base import Columns, Step


class _Own(Step):
    by_row = False
    drops_because: str | None = None
    adds_because: str | None = None

    @property
    def drops(self) -> str | None:
        return self.drops_because

    @property
    def adds(self) -> str | None:
        return self.adds_because

    @property
    def opaque(self) -> bool:
        return True

    def type_after(self, column: str) -> str | None:
        return None


class Sql(_Own):
    """A SELECT from `input`; it sees :window_start and :window_end.

    One that drops or adds rows says so, by `drops: reason` or `adds: reason` beside it, or with
    `rows: regrouped` where it groups them; one that does it without a word stops the run.

    ```yaml
    given: [{revenue: 10}, {revenue: 0}]
    steps:
      - sql: SELECT *, revenue * 2 AS twice FROM input WHERE revenue > 0
        drops: no revenue
    written: [{revenue: 10, twice: 20}]
    ```
    """

    name = "sql"
    text: str
    rows: Literal["kept", "regrouped"] = "kept"

    @property
    def regroups(self) -> bool:
        return self.rows == "regrouped"

    def columns_after(self, before: Columns) -> Columns:
        listed = columns_of(self.text, before)
        if listed is None or self.rows == "regrouped":
            return listed
        own = (name for name in before or () if name.startswith("_"))
        return tuple(dict.fromkeys((*listed, *own)))


class Python(_Own):
    """A user's own function: DataFrame -> DataFrame.

    One that drops or adds rows says so, by `drops: reason` or `adds: reason` beside it. `leaves:
    [columns]` names the columns that it promises: one that is not there stops the run, what it
    brings beyond them is left out, and what comes after is checked before Spark starts. `twice:
    true` runs it a second time on up to 200 rows, and stops the run where the two differ. It costs
    a job each time.

    ```yaml
    given: [{channel: Online}, {channel: till 7}]
    steps:
      - step: shop.steps.tidy_channel
        leaves: [channel]
        twice: true
    written: [{channel: web}, {channel: other}]
    ```
    """

    name = "step"
    function: str  # package.module.function
    leaves: tuple[str, ...] = ()
    twice: bool = False

    def columns_after(self, before: Columns) -> Columns:
        if not self.leaves:
            return None
        own = (name for name in before or () if name.startswith("_"))
        return tuple(dict.fromkeys((*self.leaves, *own)))
