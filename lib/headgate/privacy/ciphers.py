"""Texts into tokens, hashes and sealed texts, a column of a batch at a time. Runs on executors.

Each purpose has a key of its own, derived from the key that the suite was given. Of equal values
in a batch only one is worked on.
"""

from __future__ import annotations

import base64
import functools
import hmac
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from headgate.core.keys import OWNED, SEALED, TOKEN, key_id


def each_value(column: pa.Array, made: Callable[[str], str | None]) -> pa.Array:
    """The column with every different value worked on once; null stays null."""
    told = column.dictionary_encode()
    values = pa.array([made(text) for text in told.dictionary.to_pylist()], pa.string())
    return values.take(told.indices)


@functools.lru_cache(maxsize=64)
def purpose(secret: bytes, name: str, size: int = 32) -> bytes:
    """The key for one purpose."""
    digest = "sha512" if size > 32 else "sha256"
    return hmac.digest(secret, b"headgate " + name.encode(), digest)[:size]


def hashed(secret: bytes) -> Callable[[str], str]:
    """HMAC-SHA256 of a text, as 64 hex digits."""
    key = purpose(secret, "hash")
    return lambda text: hmac.digest(key, text.encode(), "sha256").hex()


def token(secret: bytes) -> Callable[[str], str]:
    """A token: 128 bits of an HMAC. Equal texts have one token, in every table and column."""
    key = purpose(secret, "token")
    return lambda text: TOKEN + hmac.digest(key, text.encode(), "sha256")[:16].hex()


def sealed(secret: bytes) -> Callable[[str], str]:
    """A text encrypted by AES-SIV, with the name of its key: equal texts stay equal."""
    return _sealing(_cipher(secret), f"{SEALED}{key_id(secret)}_")


def own_name(secret: bytes, table: str) -> Callable[[str], str]:
    """The name of a person's own key in a table: it tells who only to whoever has the secret."""
    key = purpose(secret, "own key")
    return lambda text: hmac.digest(key, f"{table}\x1f{text}".encode(), "sha256").hex()[:32]


def own_key(nonce: bytes, name: str) -> bytes:
    """A new key for a person. Once the pass is over whose nonce it is, nothing leads to it."""
    return hmac.digest(nonce, name.encode(), "sha512")


def own_sealed(data: bytes, name: str) -> Callable[[str], str]:
    """A text encrypted by a person's own key, with the name under which the vault has that key."""
    return _sealing(_aes(data), f"{SEALED}{OWNED}{name}_")


def own_opened(
    told: str | None, opened: Callable[[str], str | None]
) -> Callable[[str], str | None]:
    """What was sealed by the key that the vault tells like this; null once that is forgotten."""
    data = None if told is None else opened(told)
    cipher = None if data is None else _aes(bytes.fromhex(data))

    def open_(text: str) -> str | None:
        try:
            closed = base64.urlsafe_b64decode(text.split("_", 2)[2])
            return cipher.decrypt(closed, None)[1:].decode() if cipher else None
        except _unfitting():
            return None

    return open_


def _sealing(cipher: Any, told: str) -> Callable[[str], str]:
    head = told.encode()

    def seal(text: str) -> str:
        # Never nothing: older versions of the library refuse to encrypt an empty text.
        closed = cipher.encrypt(b"\x01" + text.encode(), None)
        return (head + base64.urlsafe_b64encode(closed)).decode()

    return seal


def opened_by(secrets: Sequence[bytes]) -> Callable[[str], str | None]:
    """What was sealed with one of these keys; what was not sealed is as it is, null else."""
    ciphers = {key_id(secret): _cipher(secret) for secret in secrets}

    def open_(text: str) -> str | None:
        if not text.startswith(SEALED):
            return text
        name, _, closed = text[len(SEALED) :].partition("_")
        cipher = ciphers.get(name)
        if cipher is None:
            return None
        try:
            plain: bytes = cipher.decrypt(base64.urlsafe_b64decode(closed), None)
            return plain[1:].decode()
        except _unfitting():
            return None

    return open_


def _cipher(secret: bytes) -> Any:
    return _aes(purpose(secret, "seal", 64))


def _aes(key: bytes) -> Any:
    """The cipher of a key. Its library is there only where columns are protected."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    return AESSIV(key)


def _unfitting() -> tuple[type[Exception], ...]:
    """What is raised where a text was not closed by this key."""
    from cryptography.exceptions import InvalidTag

    return InvalidTag, ValueError
