"""Columns that are likely personal: by their names, or because their values look so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MOSTLY = 0.7  # of the values


@dataclass(frozen=True)
class Suspicion:
    """What a column seems to hold, what speaks for it, and a fitting `privacy:`."""

    what: str
    by: str  # its name, its values
    privacy: str


_BY_NAME = (
    (r"e_?mail|(^|_)mail($|_)", "e-mail addresses", "tokenise"),
    (r"phone|telefon|(^|_)(tel|fax|mobile|handy)(_|$|nr|no)", "telephone numbers", "tokenise"),
    (r"(first|last|sur|full|middle|maiden|vor|nach|family|given)_?name|(^|_)(customer|client|patient"
     r"|employee|person|contact|user|member|guest|rider|driver)_?names?$",
     "names of people", "tokenise"),
    (r"birth|(^|_)dob($|_)|geburt", "dates of birth", "{generalise: {to: year}}"),
    (r"(^|_)(street|address|adresse|strasse|addr)(_|$|\d|line)|(?<!ip_)address$", "addresses",
     "drop"),
    (r"iban|(credit_?)?card_?(no|num)|account_?(no|num)|kontonummer", "bank accounts", "tokenise"),
    (r"(^|_)(ssn|passport|tax_?id|national_?id|social_security)", "numbers of people", "tokenise"),
    (r"(^|_)ip(_?addr(ess)?)?$", "network addresses", "tokenise"),
    (r"(^|_)name$", "names", "tokenise"),
)  # fmt: skip
_BY_VALUE = (
    (r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}", "e-mail addresses", "tokenise"),
    (r"(\+|00)\d[\d ()/.-]{6,18}\d|\(?0\d{2,5}\)?[ /-][\d -]{4,12}\d", "telephone numbers",
     "tokenise"),
    (r"[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?", "bank accounts", "tokenise"),
    (r"(\d{1,3}\.){3}\d{1,3}", "network addresses", "tokenise"),
)  # fmt: skip


def suspicion(name: str, values: Mapping[str, int], kind: str) -> Suspicion | None:
    """What is personal about a column, where something seems to be.

    >>> suspicion("Email", {}, "string").what, suspicion("price", {}, "decimal(14,2)") is None
    ('e-mail addresses', True)
    >>> suspicion("note", {"ann@example.org": 9, "none": 1}, "string").by
    'its values'
    """
    written = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    written = re.sub(r"\W+", "_", written)
    if kind == "string" and values:
        total = sum(values.values())
        for regex, what, privacy in _BY_VALUE:
            fits = sum(n for text, n in values.items() if re.fullmatch(regex, text.strip()))
            if fits >= MOSTLY * total:
                return Suspicion(what, "its values", privacy)
    for regex, what, privacy in _BY_NAME:
        if re.search(regex, written) and (
            kind == "string"
            or what in ("dates of birth", "telephone numbers", "bank accounts", "numbers of people")
        ):
            if privacy.startswith("{generalise") and kind not in ("date", "timestamp"):
                privacy = "drop"
            return Suspicion(what, "its name", privacy)
    return None
