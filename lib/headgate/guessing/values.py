"""Texts as values: the narrowest type that all of a column's values have, and its evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from headgate.guessing.dates import form_of, timely

ABSENT = (
    "n/a",
    "na",
    "#n/a",
    "null",
    "(null)",
    "none",
    "nil",
    "nan",
    "-",
    "--",
    "?",
    "\\n",
    "n.a.",
)
NEVER_WORDS = ("n/a", "#n/a", "null", "(null)", "\\n")  # and which no text column means otherwise
ALMOST = 0.9  # of the values fit: then those that do not are told
_INT = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_DOUBLE = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?", re.ASCII)
_DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.ASCII)
_GROUPED = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?", re.ASCII)
_CODE = re.compile(r"[+-]?0\d+(\.\d+)?|\+\d{6,}", re.ASCII)
_CODES = re.compile(
    r"(^|_)(zip|plz|postal|postcode|postleitzahl|phone|tel|telefon|fax|mobile|iban|bic|ean|gtin"
    r"|isbn|ssn)",
    re.IGNORECASE,
)
_MONEY = 4  # digits after the point, beyond which a number is measured rather than counted
_WHOLE = 12  # digits before a decimal comma
INT, BIGINT = 2**31 - 1, 2**63 - 1


@dataclass(frozen=True)
class Guess:
    """A column's type, and what is to be said of it."""

    type: str = "string"
    format: str | None = None
    nulls: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    almost: str = ""  # a type that nearly all values have
    misfits: frozenset[str] = frozenset()  # those that do not
    number: str = ""  # SQL type of numbers that are written with commas
    sign: str = ""  # what stands before their decimals
    regex: str = ""  # the form that they have

    def made(self, column: str) -> str:
        """SQL that makes a number of such a text.

        >>> Guess(number="decimal(14,2)", sign=",").made("price")
        "try_cast(replace(replace(trim(price), '.', ''), ',', '.') AS decimal(14,2))"
        """
        plain = f"replace(trim({column}), ',', '')"
        if self.sign == ",":
            plain = f"replace(replace(trim({column}), '.', ''), ',', '.')"
        return f"try_cast({plain} AS {self.number})"


Fits = Callable[[str], bool]


def plain_word(text: str) -> bool:
    """Whether a text could name a column: it is no number, no date, nothing long.

    >>> plain_word("Unit price (EUR)"), plain_word("2,50"), plain_word("2026-11-03")
    (True, False, False)
    """
    if not text or len(text) > 100 or text.lower() in ABSENT:
        return False
    return bool(re.search(r"[^\W\d]", text)) and form_of([text], "") is None and "@" not in text


def guess(counts: Mapping[str, int], name: str, *, numeric: bool = True) -> Guess:
    """The type of a column from its values, with how often each comes.

    `numeric`: whether texts may be numbers; in JSON they would have come as such.

    >>> guess(Counter(["1", "22"]), "n").type, guess(Counter(["007", "12"]), "n").type
    ('int', 'string')
    >>> guess(Counter(["1.5", "2.25", "-"]), "x")
    Guess(type='decimal(14,2)', format=None, nulls=('-',), notes=(), almost='', ...)
    """
    absent = tuple(sorted(text for text in counts if text.strip(" ").lower() in ("", *ABSENT)))
    there: Counter[str] = Counter()
    for text, count in counts.items():
        if text not in absent:
            there[text.strip(" ")] += count
    if not there:
        return Guess(notes=("no value in the samples",)) if not absent else Guess()
    found = _typed(there, name, numeric)
    if found.type != "string" or found.number:
        return replace(found, nulls=absent)
    words = [text for text in absent if text.strip(" ").lower() in NEVER_WORDS]
    if words and not found.almost:
        listed = ", ".join(f'"{text}"' for text in words)
        return replace(found, notes=(*found.notes, f"nulls: [{listed}] would make these null"))
    return found


def _typed(there: Mapping[str, int], name: str, numeric: bool) -> Guess:
    lowered = {text.lower() for text in there}
    if lowered <= {"true", "false"} or lowered == {"yes", "no"}:
        return Guess("boolean")
    if (dated := _dated(there, name)) is not None:
        return dated
    if numeric and (number := _number(there, name)) is not None:
        return number
    return _almost(there, name, numeric)


def _dated(there: Mapping[str, int], name: str) -> Guess | None:
    form = form_of(there, name)
    if form is None:
        return None
    if form.either:
        one, other = form.either
        note = f"day or month first? format: {one} or {other}; a string until the supplier has said"
        return Guess(notes=(note,))
    return Guess(form.type, form.format, notes=(form.note,) if form.note else ())


def _number(there: Mapping[str, int], name: str) -> Guess | None:
    if all(_INT.fullmatch(text) for text in there):
        return _whole(there, name)
    if all(_DOTTED.fullmatch(text) for text in there):
        note = "does the dot part thousands or decimals? a string until the supplier has said"
        return Guess(notes=(note,))
    if all(_NUMBER.fullmatch(text) for text in there):
        if any(_CODE.fullmatch(text) for text in there):
            return Guess(notes=("numbers with leading zeros: codes, so a string",))
        return Guess(_decimal(there))
    if all(_DOUBLE.fullmatch(text) for text in there):
        return Guess("double")
    return _with_commas(there)


def _whole(there: Mapping[str, int], name: str) -> Guess:
    if any(_CODE.fullmatch(text) for text in there):
        return Guess(notes=("numbers with leading zeros or a plus: codes, so a string",))
    if _CODES.search(name):
        return Guess(notes=("digits, but a code by its name, so a string",))
    most = max(abs(int(text)) for text in there)
    if most > BIGINT:
        digits = len(str(most))
        return Guess(notes=(f"up to {digits} digits, more than a bigint holds, so a string",))
    notes: tuple[str, ...] = ()
    for unit, power in (("seconds", 9), ("millis", 12)):
        if timely(name) and all(10**power <= int(text) < 3 * 10**power for text in there):
            notes = (f"moments? a clean table makes them: timestamp_{unit}({name})",)
    small = most <= INT // 20 and not re.search(r"(^|[_ ])id$|[a-z]Id$|^ID$", name)
    return Guess("int" if small else "bigint", notes=notes)


def _decimal(there: Mapping[str, int]) -> str:
    """Money keeps its digits; what is measured finer is a double."""
    numbers = [Decimal(text) for text in there]
    scale = max(2, *(max(0, -int(one.as_tuple().exponent)) for one in numbers))
    whole = max(len(str(int(abs(one)))) for one in numbers)
    if scale > _MONEY or whole > _WHOLE:
        return "double"
    return f"decimal({max(_WHOLE, whole) + scale},{scale})"


def _with_commas(there: Mapping[str, int]) -> Guess | None:
    """Numbers with commas: decimals or thousands, where that can be told."""
    if not any("," in text for text in there):
        return None
    comma = all(_COMMA.fullmatch(text) for text in there)
    grouped = all(_GROUPED.fullmatch(text) for text in there)
    if comma and grouped:
        note = "does the comma part thousands or decimals? a string until the supplier has said"
        return Guess(notes=(note,))
    if not comma and not grouped:
        return None
    sign = "," if comma else "."
    scale = max([2, *(len(text.partition(sign)[2]) for text in there)])
    regex = comma_regex(scale) if comma else grouped_regex(scale)
    what = "a decimal comma" if comma else "commas between thousands"
    number = f"decimal({_WHOLE + scale},{scale})"
    return Guess(notes=(f"numbers with {what}: a clean table makes them {number}",),
                 number=number, sign=sign, regex=regex)  # fmt: skip


def comma_regex(scale: int) -> str:
    """Numbers with a decimal comma that a decimal of this scale holds."""
    return (
        f"^ *[+-]?([0-9]{{1,{_WHOLE}}}|[0-9]{{1,3}}([.][0-9]{{3}}){{1,3}})(,[0-9]{{1,{scale}}})? *$"
    )


def grouped_regex(scale: int) -> str:
    """Numbers with commas between thousands that a decimal of this scale holds."""
    return (
        f"^ *[+-]?([0-9]{{1,{_WHOLE}}}|[0-9]{{1,3}}(,[0-9]{{3}}){{1,3}})([.][0-9]{{1,{scale}}})? *$"
    )


_KINDS: Mapping[str, Fits] = {
    "whole number": lambda text: bool(_INT.fullmatch(text)) and not _CODE.fullmatch(text),
    "number": lambda text: bool(_DOUBLE.fullmatch(text)) and not _CODE.fullmatch(text),
    "number with a decimal comma": lambda text: bool(_COMMA.fullmatch(text)),
    "date": lambda text: form_of([text], "") is not None,
}


def _almost(there: Mapping[str, int], name: str, numeric: bool) -> Guess:
    """A string, though nearly all values are something narrower."""
    total = sum(there.values())
    if total < 10 or _CODES.search(name):
        return Guess()
    for what, fits in _KINDS.items():
        if what != "date" and not numeric:
            continue
        misfits = frozenset(text for text in there if not fits(text))
        lost = sum(there[text] for text in misfits)
        if lost <= (1 - ALMOST) * total:
            if not lost:
                return Guess(notes=(f"{what}s in several forms, so a string",))
            return Guess(almost=what, misfits=misfits)
    return Guess()
