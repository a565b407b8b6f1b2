"""How languages write numbers: the sign before the fraction, and what stands between groups."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPACES = " \u00a0\u202f\u2009"
_POINT, _COMMA = (".", ","), (",", ".")
_SPACE = (",", _SPACES)
_SWISS = (".", "'’" + _SPACES)
_WRITTEN: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("en", "ja", "zh", "ko", "he", "th", "es_MX", "hi", "en_IN"), _POINT),
    **dict.fromkeys(("de", "da", "el", "es", "hr", "id", "it", "nl", "pt", "ro", "sl", "tr", "vi"),
                    _COMMA),
    **dict.fromkeys(("bg", "cs", "et", "fi", "fr", "hu", "lt", "lv", "nb", "no", "pl", "pt_PT",
                     "ru", "sk", "sv", "uk", "en_ZA"), _SPACE),
    **dict.fromkeys(("de_CH", "de_LI", "it_CH"), _SWISS),
    "de_AT": (",", "." + _SPACES),
    "fr_CH": (",", "'’" + _SPACES),
}  # fmt: skip
_BY_TWO = ("hi", "en_IN")  # of the groups, only the last has three digits: 12,34,567
LANGUAGES = tuple(sorted(_WRITTEN))


@dataclass(frozen=True)
class Signs:
    """How a language writes a number."""

    fraction: str
    groups: str  # each of these may stand between groups
    by_two: bool = False

    @property
    def regex(self) -> str:
        """A number as it is written, without its sign; Java and Python read it alike.

        >>> bool(re.fullmatch(signs_of("de").regex, "1.234,5"))
        True
        >>> bool(re.fullmatch(signs_of("de").regex, "1.5"))
        False
        """
        mark = "[" + re.escape(self.groups) + "]"
        grouped = rf"\d{{1,2}}({mark}\d{{2}})*{mark}\d{{3}}" if self.by_two else (
            rf"\d{{1,3}}({mark}\d{{3}})+"
        )  # fmt: skip
        fraction = re.escape(self.fraction)
        return rf"(({grouped}|\d+)({fraction}\d*)?|{fraction}\d+)"


def signs_of(locale: str) -> Signs:
    """The signs of a language, by its own name or that of its country's form.

    >>> signs_of("de_CH").fraction, signs_of("de-DE").fraction
    ('.', ',')
    """
    name = known_as(locale)
    if name is None:
        raise ValueError(f"unknown locale '{locale}'")
    return Signs(*_WRITTEN[name], by_two=name in _BY_TWO)


def known_as(locale: str) -> str | None:
    """The name under which a locale is known here: with its country, or its language alone."""
    language, _, country = locale.replace("-", "_").partition("_")
    whole = f"{language.lower()}_{country.upper()}" if country else language.lower()
    return next((name for name in (whole, language.lower()) if name in _WRITTEN), None)
