"""Paths in the raw zone: which files a table reads, and which window each belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from headgate.core.windows import Grain

_PLACE = re.compile(r"\{window(?::([^}]*))?\}")
_DIRECTIVES = {
    "%Y": r"\d{4}", "%m": r"\d{2}", "%d": r"\d{2}", "%H": r"\d{2}", "%y": r"\d{2}",
    "%j": r"\d{3}", "%M": r"\d{2}", "%S": r"\d{2}", "%b": r"[A-Za-z]{3}", "%%": "%",
}  # fmt: skip
_DEFAULT = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}


@dataclass(frozen=True)
class Pattern:
    """A path with `*`, `?`, `**` and `{window}`, as `source.files` has it."""

    text: str
    grain: Grain

    @property
    def windowed(self) -> bool:
        """Whether the path tells the window."""
        return _PLACE.search(self.text) is not None

    @property
    def prefix(self) -> str:
        """The folder below which all matching files are: the part before the first wildcard.

        >>> Pattern("orders/{window}/*.csv", Grain.day).prefix
        'orders/'
        """
        first = re.search(r"[*?\[{]", self.text)
        head = self.text[: first.start()] if first else self.text
        return head[: head.rfind("/") + 1]

    def window_of(self, path: str) -> str | None:
        """The window of a file; '' where the path names none; None where it does not match.

        >>> Pattern("o/{window:%Y/%m/%d}/*.csv", Grain.day).window_of("o/2026/11/20/a.csv")
        '2026-11-20'
        >>> Pattern("o/*.csv", Grain.day).window_of("o/a.json") is None
        True
        """
        match = _regex(self.text, self.grain).fullmatch(path)
        if match is None:
            return None
        formats = self._formats()
        moments = []
        for place, form in enumerate(formats):
            try:
                moments.append(datetime.strptime(match[f"window{place}"], form))
            except ValueError:
                return None  # looks like a date and is none, such as 2026-02-30
        if not moments:
            return ""
        return self.grain.of(moments[0]) if len(set(moments)) == 1 else None

    def _formats(self) -> list[str]:
        default = _DEFAULT[self.grain.value]
        return [found[1] or default for found in _PLACE.finditer(self.text)]

    def folders(self, windows: Sequence[str]) -> list[str]:
        """The folders that can hold files of these windows, to list no more than these."""
        made = []
        for window in windows:
            start = self.grain.start(window)
            filled = _PLACE.sub(
                lambda found, at=start: at.strftime(found[1] or _DEFAULT[self.grain.value]),  # type: ignore[misc]
                self.text,
            )
            made.append(Pattern(filled, self.grain).prefix)
        return sorted(set(made))


def _regex(text: str, grain: Grain) -> re.Pattern[str]:
    made, at, count = [], 0, 0
    for found in _PLACE.finditer(text):
        made.append(_glob(text[at : found.start()]))
        form = found[1] or _DEFAULT[grain.value]
        made.append(f"(?P<window{count}>{_dated(form)})")
        at, count = found.end(), count + 1
    made.append(_glob(text[at:]))
    return re.compile("".join(made))


def _dated(form: str) -> str:
    return re.sub(
        r"%.|[^%]+",
        lambda part: _DIRECTIVES.get(part[0], re.escape(part[0])),
        form,
    )


def _glob(text: str) -> str:
    made, at = "", 0
    while at < len(text):
        if text.startswith("**/", at):
            made, at = made + "(?:.*/)?", at + 3
        elif text[at] == "*":
            made, at = made + "[^/]*", at + 1
        elif text[at] == "?":
            made, at = made + "[^/]", at + 1
        else:
            made, at = made + re.escape(text[at]), at + 1
    return made
