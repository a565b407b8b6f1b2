"""Steps on rows: which of them stay, what they take from other rows and tables, keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from headgate.core.steps.base import Columns, Step, followed_by


class Where(Step):
    """Keep the rows for which a SQL condition is true; NULL is not kept.

    The others are counted as `filtered`, under the reason.

    ```yaml
    given: [{quantity: 2}, {quantity: 0}, {quantity: null}]
    steps:
      - where: {keep: "quantity <> 0", because: empty line}
    written: [{quantity: 2}]
    ```
    """

    name = "where"
    keep: str
    because: str = ""

    @property
    def drops(self) -> str | None:
        return self.because or f"where {self.keep}"

    def conditions(self) -> Mapping[tuple[str, ...], str]:
        return {("keep",): self.keep}


class Deduplicate(Step):
    """Keep one of rows that are alike, within a window.

    `exact`: alike in all columns but those with _ (null equals null). `{by: [columns]}`: alike in
    these. `{near: [columns]}`: alike in the letters and digits of these texts, whatever their case
    and all else between them; with `distance: 2` also where two letters have to be changed, added
    or left out. Near rows are looked for among those that agree in `within`; a row without a text
    is near to none. The greatest by `latest_by` stays, then by the other columns. Rejected rows are
    no duplicates.

    ```yaml
    given:
      - {id: 1, name: Anna Meier, town: Ulm, at: 1}
      - {id: 1, name: Anna Meier, town: Ulm, at: 2}
      - {id: 2, name: anna-maier, town: Ulm, at: 3}
      - {id: 3, name: Anna Meier, town: Bonn, at: 4}
    steps:
      - deduplicate: {by: [id], latest_by: [at]}
      - deduplicate: {near: [name], within: [town], distance: 1, latest_by: [at]}
    written: [{id: 2, town: Ulm}, {id: 3, town: Bonn}]
    ```
    """

    name = "deduplicate"
    by_row = False
    kind: Literal["exact", "by", "near"] = "exact"
    by: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    distance: int = 0
    latest_by: tuple[str, ...] = ()

    @property
    def drops(self) -> str | None:
        if self.near:
            return f"near duplicate by {', '.join(self.near)}"
        return f"duplicate by {', '.join(self.by)}" if self.by else "duplicate"

    def needs(self) -> tuple[str, ...]:
        return (*self.by, *self.near, *self.within, *self.latest_by)

    def touches(self) -> tuple[str, ...]:
        return ()

    def needed_as(self) -> Mapping[str, str]:
        return dict.fromkeys(self.near, "text")


class Lookup(Step):
    """Take columns from another table by key; its rows have to be unique in that key.

    Of a history table, the version that holds now, or the one that held at the time in `as_of`.
    `otherwise` says what becomes of a row that matches nothing, also for lack of a key: `null`
    stands in the columns (the default), `reject` or `drop` the row, or take values of your own:
    `otherwise: {continent: unknown}`. `must_match: true` rejects it.

    ```yaml
    given: [{country: DE}, {country: XX}]
    beside: {clean.countries: [{country: DE, continent: Europe}]}
    steps:
      - lookup: {table: clean.countries, on: country, take: [continent], must_match: true}
    written: [{country: DE, continent: Europe}]
    rejected: [{country: XX, reasons: ["lookup: no match in clean.countries by country"]}]
    ```
    """

    name = "lookup"
    by_row = False
    table: str
    on: Mapping[str, str]  # column here -> column there
    take: tuple[str, ...]
    as_of: str | None = None  # a column here
    otherwise: Literal["null", "reject", "drop"] = "null"
    instead: Mapping[str, Any] = {}

    @property
    def drops(self) -> str | None:
        return self.unmatched if self.otherwise == "drop" else None

    @property
    def rejects(self) -> bool:
        return self.otherwise == "reject"

    @property
    def unmatched(self) -> str:
        """What is said of a row that matches nothing."""
        return f"no match in {self.table} by {', '.join(self.on)}"

    def needs(self) -> tuple[str, ...]:
        return (*self.on, *([self.as_of] if self.as_of else []))

    def touches(self) -> tuple[str, ...]:
        return ()

    def columns_after(self, before: Columns) -> Columns:
        return followed_by(before, self.take)

    def type_after(self, column: str) -> str | None:
        return None if column in self.take else super().type_after(column)


class _AmongRows(Step):
    """Columns made from other rows of the window that agree in `by`, in an order."""

    by_row = False
    by: tuple[str, ...] = ()
    order: tuple[str, ...]

    def needs(self) -> tuple[str, ...]:
        return (*self.by, *self.order)

    def touches(self) -> tuple[str, ...]:
        return ()


class Previous(_AmongRows):
    """Take values of the row before, in an order: `columns: {new: old}`.

    It looks at rows of its own window only, and of these at those that agree in `by`; rejected rows
    are passed over. `back: 2` takes the row before that one. Where there is none, null.

    ```yaml
    given: [{meter: 1, at: 1, count: 10}, {meter: 1, at: 2, count: 14}, {meter: 2, at: 1, count: 3}]
    steps:
      - previous: {columns: {before: count}, by: [meter], order: [at]}
    written: [{meter: 1, at: 1, before: null}, {at: 2, before: 10}, {meter: 2, before: null}]
    ```
    """

    name = "previous"
    columns: Mapping[str, str]
    back: int = 1

    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.columns.values(), *super().needs())))

    def columns_after(self, before: Columns) -> Columns:
        return followed_by(before, tuple(self.columns))

    def made(self) -> Mapping[str, tuple[str, ...]]:
        return {new: (old, *super(Previous, self).needs()) for new, old in self.columns.items()}


class Running(_AmongRows):
    """Aggregate from the first row up to each, in an order: `columns: {new: aggregate}`.

    It looks at rows of its own window only, and of these at those that agree in `by`; rejected rows
    are passed over. Rows that are equal in `order` follow each other by their other columns.

    ```yaml
    given: [{account: 1, at: 1, amount: 5}, {account: 1, at: 2, amount: -2}]
    steps:
      - running: {columns: {balance: sum(amount), n: count(*)}, by: [account], order: [at]}
    written: [{at: 1, balance: 5, n: 1}, {at: 2, balance: 3, n: 2}]
    ```
    """

    name = "running"
    columns: Mapping[str, str]

    def columns_after(self, before: Columns) -> Columns:
        return followed_by(before, tuple(self.columns))

    def computed(self) -> Mapping[str, str]:
        named = " ".join(f"`{name}`" for name in self.needs())
        return {new: f"{text} {named}" for new, text in self.columns.items()}

    def conditions(self) -> Mapping[tuple[str, ...], str]:
        return {("columns", name): text for name, text in self.columns.items()}


class Sessionize(Step):
    """Number the sessions of each `by`: a row that comes more than `gap` later begins another.

    Sessions are numbered from 1 within their window, as no step looks beyond it. A row without a
    time has no session; rejected rows are passed over.

    ```yaml
    given: [{user: a, at: 2026-11-01 10:00:00}, {user: a, at: 2026-11-01 10:20:00},
      {user: a, at: 2026-11-01 12:00:00}, {user: b, at: 2026-11-01 12:01:00}]
    types: {at: timestamp}
    steps:
      - sessionize: {by: [user], time: at, gap: 30 minutes, into: session}
    written: [{at: 2026-11-01 10:00:00, session: 1}, {at: 2026-11-01 10:20:00, session: 1},
      {at: 2026-11-01 12:00:00, session: 2}, {user: b, session: 1}]
    ```
    """

    name = "sessionize"
    by_row = False
    by: tuple[str, ...] = ()
    time: str
    gap: str  # a stretch, as 30 minutes
    into: str

    def needs(self) -> tuple[str, ...]:
        return (*self.by, self.time)

    def needed_as(self) -> Mapping[str, str]:
        return {self.time: "time"}

    def touches(self) -> tuple[str, ...]:
        return ()

    def columns_after(self, before: Columns) -> Columns:
        return followed_by(before, (self.into,))

    def made(self) -> Mapping[str, tuple[str, ...]]:
        return {self.into: self.needs()}

    def type_after(self, column: str) -> str | None:
        return "bigint" if column == self.into else super().type_after(column)


class Surrogate(Step):
    """Make a key of other columns by a hash, the same for the same values wherever it is made.

    SHA-256 as text (64 hex digits), or with `type: bigint` 64 bits, of which two of five million
    different keys are equal once in a million tables. Null is a value of its own. A value is hashed
    as its text: 1 and 1.0 are different, so cast first.

    ```yaml
    given: [{shop: 1, receipt: 2}, {shop: 1, receipt: null}]
    types: {receipt: int}
    steps:
      - surrogate: {into: sale_id, of: [shop, receipt], type: bigint}
    written: [{sale_id: -4691390070822957544}, {receipt: null, sale_id: -1765241539463175893}]
    ```
    """

    name = "surrogate"
    of: tuple[str, ...]
    into: str
    type: Literal["string", "bigint"] = "string"

    def needs(self) -> tuple[str, ...]:
        return self.of

    def touches(self) -> tuple[str, ...]:
        return ()

    def columns_after(self, before: Columns) -> Columns:
        return followed_by(before, (self.into,))

    def made(self) -> Mapping[str, tuple[str, ...]]:
        return {self.into: self.of}

    def type_after(self, column: str) -> str | None:
        return self.type if column == self.into else super().type_after(column)


class ChangedKeys(Step):
    """Change data: a row that changed its key becomes two. No file names this step."""

    name = "changed keys"
    key: tuple[str, ...]

    @property
    def adds(self) -> str | None:
        return "a changed key: the old row is deleted, the new one inserted"
