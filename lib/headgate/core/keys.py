"""Keys as frozen values: the one in use, and those before it, which still open what they closed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field

MAIN = "main"  # the key that is meant where none is named
SEALED = "enc_"  # how what is encrypted begins
TOKEN = "tok_"  # noqa: S105 - how a token begins
OWN = "key_"  # how the vault calls a person's own key, before its name
OWNED = "p"  # and what stands before that name in what it closed
LEAST = 32  # bytes
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
HOW = "make one: openssl rand -hex 32"


@dataclass(frozen=True)
class Key:
    """One key. It does not show itself."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """A short name that tells keys apart and says nothing of them."""
        return key_id(self.secret)


def key_id(secret: bytes) -> str:
    """The name of a key.

    >>> key_id(bytes(32))
    'ad06eb2d'
    """
    return hashlib.sha256(b"headgate key id" + secret).hexdigest()[:8]


def keys_in(text: str) -> tuple[Key, ...]:
    """The keys of a text, the one in use first; ValueError says what is wrong, and no more.

    >>> [len(key.secret) for key in keys_in("ab" * 32 + ", " + "cd" * 40)]
    [32, 40]
    >>> keys_in("c2hvcnQ=")
    Traceback (most recent call last):
    ValueError: is too short: 5 bytes, and 32 are the least
    """
    words = [word for word in re.split(r"[\s,]+", text) if word]
    if not words:
        raise ValueError("is empty")
    return tuple(Key(_bytes(word)) for word in words)


def _bytes(word: str) -> bytes:
    try:
        if _HEX.fullmatch(word):
            made = bytes.fromhex(word)
        else:
            plain = word.replace("-", "+").replace("_", "/")
            made = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("is neither hex nor base64") from None
    if len(made) < LEAST:
        raise ValueError(f"is too short: {len(made)} bytes, and {LEAST} are the least")
    return made
