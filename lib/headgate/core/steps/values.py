"""Steps on values, where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from headgate.core.steps.base import Step
from headgate.core.steps.reading import Rounding

# What stands for nothing in many files. "NA" is not among them: it is Namibia, too.
PLACEHOLDERS = ("", "-", "--", "?", "n/a", "#n/a", "null", "(null)", "none", "nan")


class Fill(Step):
    """Put a value where a column is null: `{column: value}`.

    ```yaml
    given: [{id: 1, discount: null}, {id: 2, discount: 5}]
    types: {discount: int}
    steps:
      - fill: {discount: 0}
    written: [{id: 1, discount: 0}, {id: 2, discount: 5}]
    ```
    """

    name = "fill"
    columns: Mapping[str, Any]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Map(Step):
    """Replace values by others: `{column: {from: to}}`; what is not listed stays.

    ```yaml
    given: [{country: UK}, {country: DE}]
    steps:
      - map: {country: {UK: GB}}
    written: [{country: GB}, {country: DE}]
    ```
    """

    name = "map"
    columns: Mapping[str, Mapping[str, Any]]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Nullify(Step):
    """Make null of what only stands for it, such as `N/A`.

    A list of columns takes the usual placeholders: an empty text, -, --, ?, n/a, #n/a, null,
    (null), none, nan; `{column: [values]}` takes your own. White space around a text and its case
    do not matter.

    ```yaml
    given: [{country: n/a, degrees: -999}, {country: NA, degrees: 21}]
    steps:
      - nullify: [country]
      - nullify: {degrees: [-999]}
    written: [{country: null, degrees: null}, {country: NA, degrees: 21}]
    ```
    """

    name = "nullify"
    columns: Mapping[str, tuple[Any, ...]]  # none: the usual placeholders

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def needed_as(self) -> Mapping[str, str]:
        return {name: "text" for name, values in self.columns.items() if not values}


class Bounds(BaseModel):
    """The least and the greatest value."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    min: int | float | None = None
    max: int | float | None = None


class Clip(Step):
    """Bring numbers that lie outside of bounds to the nearest bound; NaN stays.

    ```yaml
    given: [{age: -1}, {age: 40}, {age: 300}]
    steps:
      - clip: {age: {min: 0, max: 120}}
    written: [{age: 0}, {age: 40}, {age: 120}]
    ```
    """

    name = "clip"
    takes = "number"
    columns: Mapping[str, Bounds]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Digits(BaseModel):
    """How many digits stay after the point; -2 rounds to hundreds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    digits: int = 0
    rounding: Rounding = "half_up"


class Round(Step):
    """Round numbers, which keep their type: `{column: digits after the point}`.

    `half_even` rounds halves to the even digit. A rounded number that its type has no room for
    rejects its row.

    ```yaml
    given: [{price: 2.345, share: 0.125, people: 1234}]
    types: {price: "decimal(6,3)", share: "decimal(6,3)"}
    steps:
      - round: {price: 2, share: {digits: 2, rounding: half_even}, people: -2}
    written: [{price: 2.350, share: 0.120, people: 1200}]
    ```
    """

    name = "round"
    takes = "number"
    columns: Mapping[str, Digits]

    @property
    def rejects(self) -> bool:
        return True

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Units(BaseModel):
    """From one unit to another of its kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    given: str
    wanted: str


class Convert(Step):
    """Convert numbers from one unit to another; the result is a double.

    ```yaml
    given: [{weight: 10, heat: 68.0}]
    steps:
      - convert: {weight: {from: lb, to: kg}, heat: {from: degF, to: degC}}
      - round: {weight: 3, heat: 1}
    written: [{weight: 4.536, heat: 20.0}]
    ```
    """

    name = "convert"
    takes = "number"
    columns: Mapping[str, Units]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def type_after(self, column: str) -> str | None:
        return "double" if column in self.columns else super().type_after(column)
