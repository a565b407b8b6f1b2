"""HTML in which every text is escaped, unless it was made here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is HTML already. Any other text is escaped where it is put in."""

    __slots__ = ()


def tag(name: str, *parts: object, **attributes: object) -> Html:
    """One element; `class_` and `stroke_width` become `class` and `stroke-width`.

    >>> print(tag("p", "a < b ", tag("b", "&"), class_="note", title='"'))
    <p class="note" title="&quot;">a &lt; b <b>&amp;</b></p>
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{written}>{together(parts)}</{name}>")


def together(parts: Iterable[object]) -> Html:
    """Parts side by side; None is left out.

    >>> print(together(["<", None, Html("<br>")]))
    &lt;<br>
    """
    return Html("".join(_safe(part) for part in parts if part is not None))


def _safe(part: object) -> str:
    return part if isinstance(part, Html) else escape(str(part))
