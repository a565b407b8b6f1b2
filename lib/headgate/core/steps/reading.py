"""Steps that read values as types. What cannot be read rejects its row, or is null where said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from headgate.core.steps.base import Otherwise, Step

Rounding = Literal["half_up", "half_even"]


class Read(BaseModel):
    """How the values of one column are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: str
    otherwise: Otherwise = "reject"


class _Reading(Step):
    """Columns whose values are read; one that cannot be read rejects its row."""

    def _read(self) -> Mapping[str, Read]:
        raise NotImplementedError

    def needs(self) -> tuple[str, ...]:
        return tuple(self._read())

    @property
    def rejects(self) -> bool:
        return any(one.otherwise == "reject" for one in self._read().values())

    def type_after(self, column: str) -> str | None:
        read = self._read()
        return read[column].type if column in read else super().type_after(column)


class Cast(_Reading):
    """Change types; a value that does not fit rejects its row, with the reason.

    Dates and times may be written in several formats, which are tried in order. Nothing is
    rounded: 1.999 does not fit `decimal(10,2)`. With `otherwise: null` what does not fit is null.

    ```yaml
    given: [{n: "7", day: 31.1.2026}, {n: many, day: 2026-02-01}, {n: "8", day: soon}]
    steps:
      - cast: {n: {type: int, otherwise: null}, day: {type: date, format: [yyyy-MM-dd, d.M.yyyy]}}
    written: [{n: 7, day: 2026-01-31}, {n: null, day: 2026-02-01}]
    rejected: [{day: soon, reasons: ["cast: {day: date}"]}]
    ```
    """

    name = "cast"
    columns: Mapping[str, str]
    formats: Mapping[str, tuple[str, ...]] = {}
    otherwise: Mapping[str, Otherwise] = {}

    def _read(self) -> Mapping[str, Read]:
        return {
            name: Read(type=kind, otherwise=self.otherwise.get(name, "reject"))
            for name, kind in self.columns.items()
        }


class Number(Read):
    """How a number is written."""

    locale: str


class ParseNumber(_Reading):
    """Read numbers as a language writes them: `1.234,50` in German, `1 234,50` in French.

    Groups of digits have to be whole: `1.5` is no German number. A sign may stand at either end.
    Nothing is rounded.

    ```yaml
    given: [{amount: "1.234,50"}, {amount: "12,5-"}, {amount: "1.5"}]
    steps:
      - parse_number: {amount: {type: "decimal(10,2)", locale: de}}
    written: [{amount: 1234.50}, {amount: -12.50}]
    rejected:
      - {amount: "1.5", reasons: ["parse_number amount: not a decimal(10,2) as de writes it"]}
    ```
    """

    name = "parse_number"
    takes = "text"
    columns: Mapping[str, Number]

    def _read(self) -> Mapping[str, Read]:
        return self.columns


class Moment(Read):
    """How a date or time is written."""

    formats: tuple[str, ...]
    locale: str = "en"
    zone: str | None = None  # None: the suite's


class ParseDate(_Reading):
    """Read dates and times as a language and a time zone write them.

    Formats are Spark's patterns and tried in order. A time of a `zone` becomes the moment that it
    means; without one it is of the suite's zone. Where clocks jump ahead, a time that they left
    out is taken for one hour later; where they go back, for the first of two.

    ```yaml
    given: [{day: 3. März 2026, at: 3/8/2026 09:30}, {day: 3. March 2026, at: null}]
    steps:
      - parse_date:
          day: {format: d. MMMM yyyy, locale: de}
          at: {format: M/d/yyyy HH:mm, zone: America/New_York}
    written: [{day: 2026-03-03, at: 2026-03-08 13:30:00}]
    rejected: [{day: 3. March 2026, reasons: ["parse_date day: not a date written d. MMMM yyyy"]}]
    ```
    """

    name = "parse_date"
    takes = "text"
    columns: Mapping[str, Moment]

    def _read(self) -> Mapping[str, Read]:
        return self.columns


class Scaled(Read):
    """A decimal type, and how more digits are rounded to it."""

    rounding: Rounding = "half_up"


class Scale(_Reading):
    """Round numbers to a decimal type; one that is too great for it rejects its row.

    `half_even` rounds halves to the even digit, as banks do.

    ```yaml
    given: [{price: 1.005, net: 0.125}]
    types: {price: "decimal(10,4)", net: "decimal(10,4)"}
    steps:
      - scale: {price: "decimal(6,2)", net: {type: "decimal(6,2)", rounding: half_even}}
    written: [{price: 1.01, net: 0.12}]
    ```
    """

    name = "scale"
    takes = "number"
    columns: Mapping[str, Scaled]

    def _read(self) -> Mapping[str, Read]:
        return self.columns


class Words(Read):
    """The texts that mean true, and those that mean false."""

    type: str = "boolean"
    true: tuple[str, ...] = ("true", "t", "yes", "y", "on", "1")
    false: tuple[str, ...] = ("false", "f", "no", "n", "off", "0")


class Boolean(_Reading):
    """Read words as true or false, whatever their case; any other word rejects its row.

    Without words of your own they are true, t, yes, y, on, 1 and false, f, no, n, off, 0.

    ```yaml
    given: [{paid: Yes, sent: ja}, {paid: "0", sent: Nein}, {paid: "1", sent: yes}]
    steps:
      - boolean: {paid: {}, sent: {true: ja, false: nein}}
    written: [{paid: true, sent: true}, {paid: false, sent: false}]
    rejected: [{sent: yes, reasons: ["boolean sent: neither true nor false"]}]
    ```
    """

    name = "boolean"
    takes = "text"
    columns: Mapping[str, Words]

    def _read(self) -> Mapping[str, Read]:
        return self.columns


class ParseJson(_Reading):
    """Read texts of JSON as a type; one that is no JSON, or of another shape, rejects its row.

    A key that the type does not name is left out, one that the text does not have is null.

    ```yaml
    given: [{more: '{"size": 3, "tags": ["a"]}'}, {more: '{"size": "big"}'}]
    steps:
      - parse_json: {more: "struct<size:int,tags:array<string>>"}
    written: [{more: {size: 3, tags: [a]}}]
    rejected: [{reasons: ["parse_json more: not a struct<size:int,tags:array<string>>"]}]
    ```
    """

    name = "parse_json"
    takes = "text"
    columns: Mapping[str, Read]

    def _read(self) -> Mapping[str, Read]:
        return self.columns
