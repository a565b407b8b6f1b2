"""Steps on the shape of rows: which columns they have, and how many rows there are of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from headgate.core.steps.base import Columns, Step, followed_by

Measure = Literal["sum", "min", "max", "mean", "count"]


class Select(Step):
    """Keep these columns (and those that begin with _).

    ```yaml
    given: [{order_id: 1, line: 1, remark: urgent}]
    steps:
      - select: [order_id, line]
    written: [{order_id: 1, line: 1}]
    ```
    """

    name = "select"
    columns: tuple[str, ...]

    def needs(self) -> tuple[str, ...]:
        return self.columns

    def touches(self) -> tuple[str, ...]:
        return ()

    def columns_after(self, before: Columns) -> Columns:
        own = (name for name in before or () if name.startswith("_"))
        return tuple(dict.fromkeys((*self.columns, *own)))


class Drop(Step):
    """Leave columns out.

    ```yaml
    given: [{order_id: 1, remark: urgent}]
    steps:
      - drop: [remark]
    written: [{order_id: 1}]
    ```
    """

    name = "drop"
    columns: tuple[str, ...]

    def needs(self) -> tuple[str, ...]:
        return self.columns

    def columns_after(self, before: Columns) -> Columns:
        return None if before is None else tuple(c for c in before if c not in self.columns)


class Rename(Step):
    """Give columns other names: `{old: new}`.

    ```yaml
    given: [{id: 7}]
    steps:
      - rename: {id: order_id}
    written: [{order_id: 7}]
    ```
    """

    name = "rename"
    columns: Mapping[str, str]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def columns_after(self, before: Columns) -> Columns:
        return None if before is None else tuple(self.columns.get(c, c) for c in before)

    def made(self) -> Mapping[str, tuple[str, ...]]:
        return {new: (old,) for old, new in self.columns.items()}


class Derive(Step):
    """Add or replace columns by SQL expressions, in order; later ones see earlier ones.

    ```yaml
    given: [{quantity: 2, unit_price: 10}]
    steps:
      - derive: {revenue: quantity * unit_price, vat: "round(revenue * 0.2, 2)"}
    written: [{quantity: 2, unit_price: 10, revenue: 20, vat: 4.00}]
    ```
    """

    name = "derive"
    columns: Mapping[str, str]

    def columns_after(self, before: Columns) -> Columns:
        return followed_by(before, tuple(self.columns))

    def computed(self) -> Mapping[str, str]:
        return self.columns


class Flatten(Step):
    """Make columns of the fields of a struct: `address` gives `address_city`.

    With `{address: [city]}` only these fields; then what comes after is checked before Spark
    starts. The struct itself goes.

    ```yaml
    given: [{id: 1, address: {city: Ulm, zip: "89073"}}]
    types: {address: "struct<city:string,zip:string>"}
    steps:
      - flatten: {address: [city, zip]}
    written: [{id: 1, address_city: Ulm, address_zip: "89073"}]
    ```
    """

    name = "flatten"
    takes = "struct"
    columns: Mapping[str, tuple[str, ...]]  # none: all fields

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def columns_after(self, before: Columns) -> Columns:
        if before is None or not all(self.columns.values()):
            return None
        kept = [name for name in before if name not in self.columns]
        return tuple(dict.fromkeys((*kept, *self.made())))

    def made(self) -> Mapping[str, tuple[str, ...]]:
        return {
            f"{name}_{field}": (name,) for name, fields in self.columns.items() for field in fields
        }


class Explode(Step):
    """Make a row of each item of an array, or of each pair of a map (`into: [key, value]`).

    A row without items stays, with null, so that no row is lost; take it out by `where`. The rows
    that come from one row more than it was are counted as `added`. `position` gives a column that
    counts the items from 1.

    ```yaml
    given: [{id: 1, tags: [a, b]}, {id: 2, tags: []}]
    types: {tags: array<string>}
    steps:
      - explode: {column: tags, into: tag, position: place}
    written: [{id: 1, tag: a, place: 1}, {id: 1, tag: b, place: 2}, {id: 2, tag: null, place: null}]
    ```
    """

    name = "explode"
    takes = "array or map"
    column: str
    into: tuple[str, ...]
    position: str | None = None

    @property
    def adds(self) -> str | None:
        return f"items of {self.column}"

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def columns_after(self, before: Columns) -> Columns:
        kept = None if before is None else tuple(c for c in before if c != self.column)
        return followed_by(kept, tuple(self.made()))

    def made(self) -> Mapping[str, tuple[str, ...]]:
        names = (*self.into, *((self.position,) if self.position else ()))
        return dict.fromkeys(names, (self.column,))


class Unpivot(Step):
    """Make a row of each of some columns: its name in one column, its value in another.

    A row becomes as many as there are columns, also where they are null; the rows that come more
    are counted as `added`. Columns of different types have to be cast first.

    ```yaml
    given: [{shop: 1, jan: 10, feb: 12}]
    steps:
      - unpivot: {columns: [jan, feb], name: month, value: sales}
    written: [{shop: 1, month: jan, sales: 10}, {shop: 1, month: feb, sales: 12}]
    ```
    """

    name = "unpivot"
    columns: tuple[str, ...]
    into_name: str
    into_value: str

    @property
    def adds(self) -> str | None:
        return f"a row for each of {', '.join(self.columns)}"

    def needs(self) -> tuple[str, ...]:
        return self.columns

    def columns_after(self, before: Columns) -> Columns:
        kept = None if before is None else tuple(c for c in before if c not in self.columns)
        return followed_by(kept, (self.into_name, self.into_value))

    def made(self) -> Mapping[str, tuple[str, ...]]:
        return {self.into_name: (), self.into_value: self.columns}

    def type_after(self, column: str) -> str | None:
        return "string" if column == self.into_name else super().type_after(column)


class Pivot(Step):
    """Make one row of the rows that agree in `by`: a column for each of some values.

    One count of rows ends here and another begins; both are recorded. Windows stay apart. A row
    whose value is none of those listed is rejected: its measure would be lost without a word.
    `measure` says what becomes of several rows for one place: sum, min, max, mean or count.

    ```yaml
    given:
      - {order_id: 1, kind: net, amount: 100}
      - {order_id: 1, kind: tax, amount: 19}
      - {order_id: 1, kind: tip, amount: 5}
    steps:
      - pivot: {by: [order_id], column: kind, values: [net, tax], value: amount, measure: sum}
    written: [{order_id: 1, net: 100, tax: 19}]
    rejected: [{kind: tip, reasons: ["pivot: kind is none of net, tax"]}]
    ```
    """

    name = "pivot"
    by_row = False
    by: tuple[str, ...]
    column: str
    values: tuple[str, ...]
    value: str
    measure: Measure

    @property
    def regroups(self) -> bool:
        return True

    @property
    def rejects(self) -> bool:
        return True

    def needs(self) -> tuple[str, ...]:
        return (*self.by, self.column, self.value)

    def touches(self) -> tuple[str, ...]:
        return ()

    def columns_after(self, before: Columns) -> Columns:
        own = (name for name in ("_window", "_ingested_at") if name in (before or ()))
        return (*self.by, *self.values, *own)

    def made(self) -> Mapping[str, tuple[str, ...]]:
        return dict.fromkeys(self.values, (self.column, self.value))
