"""Names of files as Spark sees them: which it passes over, and how it writes the others."""

from __future__ import annotations

import unicodedata

_PATTERN = frozenset("{}[]*?\\")
# What java.net.URI leaves as it is in a path, beside letters, digits and all that is not ASCII.
_PLAIN = frozenset("_-!.~'()*:@&=+$,;/")


def hidden(name: str) -> bool:
    """Whether Spark too would pass over a file or folder of this name.

    >>> [name for name in ("a.csv", "_SUCCESS", ".a.crc", "b.csv._COPYING_") if hidden(name)]
    ['_SUCCESS', '.a.crc', 'b.csv._COPYING_']
    """
    return name.startswith(("_", ".")) or name.endswith("._COPYING_")


def escaped(path: str) -> str:
    """A path whose signs are not taken for a pattern.

    >>> escaped("/a/[x]{1}*.csv")
    '/a/\\\\[x\\\\]\\\\{1\\\\}\\\\*.csv'
    """
    return "".join("\\" + sign if sign in _PATTERN else sign for sign in path)


def encoded(path: str) -> str:
    """A path as java.net.URI writes it: other letters stay, signs and spaces do not.

    >>> encoded("/a b/50%/ü#1?.csv")
    '/a%20b/50%25/ü%231%3F.csv'
    """
    return "".join(_encoded(sign) for sign in path)


def _encoded(sign: str) -> str:
    if sign.isascii():
        plain = sign.isalnum() or sign in _PLAIN
    else:
        plain = unicodedata.category(sign) not in ("Zs", "Zl", "Zp", "Cc")
    return sign if plain else "".join(f"%{byte:02X}" for byte in sign.encode())


def is_text(path: str) -> bool:
    """Whether a name from the disk is UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
