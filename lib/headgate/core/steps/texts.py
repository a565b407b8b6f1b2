"""Steps on texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from headgate.core.steps.base import Columns, Otherwise, Step, followed_by

Case = Literal["lower", "upper", "title"]
Form = Literal["NFC", "NFD", "NFKC", "NFKD", "plain"]


class _OfTexts(Step):
    """Texts are changed where they stand."""

    takes = "text"
    columns: tuple[str, ...]

    def needs(self) -> tuple[str, ...]:
        return self.columns


class Trim(_OfTexts):
    """Cut white space from both ends of texts.

    ```yaml
    given: [{country: " DE "}]
    steps:
      - trim: [country]
    written: [{country: DE}]
    ```
    """

    name = "trim"
    takes = ""


class Collapse(_OfTexts):
    """Make one space of each stretch of white space, and cut it from both ends.

    Line breaks, tabs and the spaces that do not break are white space too.

    ```yaml
    given: [{name: "  Anna \\t Maria "}]
    steps:
      - collapse: [name]
    written: [{name: Anna Maria}]
    ```
    """

    name = "collapse"


class ChangeCase(Step):
    """Write texts in `lower` or `upper` case, or as a `title`: each word begins with a capital.

    ```yaml
    given: [{country: de, name: anna MARIA}]
    steps:
      - case: {country: upper, name: title}
    written: [{country: DE, name: Anna Maria}]
    ```
    """

    name = "case"
    takes = "text"
    columns: Mapping[str, Case]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Normalise(Step):
    """Bring texts to one form of Unicode, so that what looks the same is the same.

    `NFC`, `NFD`, `NFKC` and `NFKD` are Unicode's forms; `plain` leaves the accents out, and what
    has no letters below them (ß, ø) as it is. `normalize` is understood too.

    ```yaml
    given: [{city: "Malmo\\u0308", name: "ﬁne", street: Curaçao}]
    steps:
      - normalise: {city: NFC, name: NFKC, street: plain}
    written: [{city: "Malm\\u00f6", name: fine, street: Curacao}]
    ```
    """

    name = "normalise"
    takes = "text"
    columns: Mapping[str, Form]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class Replacement(BaseModel):
    """What stands for what: a text as it is, or all that a regular expression finds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    by: str
    text: str | None = None
    regex: str | None = None


class Replace(Step):
    """Replace parts of texts: a `text` as it is, or what a `regex` finds.

    Several replacements are done one after the other. In `by`, `$1` is what the first group of the
    expression found; write `\\$` for a dollar.

    ```yaml
    given: [{phone: (030) 12-34, street: Hauptstr. 5}]
    steps:
      - replace:
          phone: {regex: "[^0-9+]", by: ""}
          street: [{text: str., by: straße}, {regex: '(\\d+)$', by: 'Nr. $1'}]
    written: [{phone: "0301234", street: Hauptstraße Nr. 5}]
    ```
    """

    name = "replace"
    takes = "text"
    columns: Mapping[str, tuple[Replacement, ...]]

    def needs(self) -> tuple[str, ...]:
        return tuple(self.columns)


class _IntoParts(Step):
    """Parts of a text become columns."""

    column: str
    into: tuple[str, ...]
    otherwise: Otherwise = "reject"
    takes = "text"

    @property
    def rejects(self) -> bool:
        return self.otherwise == "reject"

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def touches(self) -> tuple[str, ...]:
        return ()

    def columns_after(self, before: Columns) -> Columns:
        return followed_by(before, self.into)

    def made(self) -> Mapping[str, tuple[str, ...]]:
        return dict.fromkeys(self.into, (self.column,))

    def type_after(self, column: str) -> str | None:
        return "string" if column in self.into else super().type_after(column)


class Split(_IntoParts):
    """Cut a text at a sign, into columns; the last one takes what is left.

    A text of fewer parts rejects its row; with `otherwise: null` what is missing is null.

    ```yaml
    given: [{name: "Lovelace, Ada"}, {name: Cher}]
    steps:
      - split: {column: name, by: ", ", into: [last, first]}
    written: [{name: "Lovelace, Ada", last: Lovelace, first: Ada}]
    rejected: [{name: Cher, reasons: ["split name: fewer than 2 parts"]}]
    ```
    """

    name = "split"
    by: str


class Extract(_IntoParts):
    """Take the groups of a regular expression out of a text, into columns.

    A text in which it finds nothing rejects its row; with `otherwise: null` the columns are null.
    A group that had no part in the match is an empty text.

    ```yaml
    given: [{sku: AB-12}, {sku: none}]
    steps:
      - extract: {column: sku, regex: '^([A-Z]+)-(\\d+)$', into: [kind, number]}
    written: [{sku: AB-12, kind: AB, number: "12"}]
    rejected: [{sku: none, reasons: ["extract sku: not of the form"]}]
    ```
    """

    name = "extract"
    regex: str
