"""Landing: what is put where in the raw zone, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from headgate.core.errors import Infrastructure, Usage

MIB = 1 << 20
PART = 8 * MIB  # what larger files are cut into on their way to S3
MOST_PARTS = 10_000  # of one object, by the rules of S3

AGAIN = "run it again: it goes on where it stopped"
ENCRYPTIONS = ("AES256", "aws:kms")
State = Literal["landed", "replaced", "unchanged", "refused", "failed"]


@dataclass(frozen=True)
class Offer:
    """A local file, and where in the raw zone it is to be."""

    file: str
    path: str  # below the raw zone
    size: int
    changed_ns: int = 0  # its content, name or mode


@dataclass(frozen=True)
class Landed:
    """What became of one file."""

    offer: Offer
    status: State
    message: str = ""
    exit_code: int = 0

    def shown(self) -> dict[str, Any]:
        """The file as the result object writes it."""
        return {
            "file": self.offer.file,
            "path": self.offer.path,
            "status": self.status,
            "bytes": self.offer.size,
            "message": self.message or None,
        }


@dataclass(frozen=True)
class Encryption:
    """How S3 is to encrypt what lands."""

    kind: str  # one of ENCRYPTIONS
    key: str | None = None  # of KMS; none: the account's own


class Unlandable(Infrastructure):
    """One local file that cannot be landed now; the others can."""


class Occupied(Usage):
    """Other content has the place that a file was to take."""


def prefix_of(text: str) -> str:
    """A folder below the raw zone, as `--to` names it; "" is the raw zone itself.

    >>> prefix_of("orders/2026-11-20/"), prefix_of("./orders//x"), prefix_of(".")
    ('orders/2026-11-20', 'orders/x', '')
    >>> prefix_of("orders/../../etc")
    Traceback (most recent call last):
    headgate.core.errors.Usage: --to orders/../../etc: it leaves the raw zone Next: ...
    """
    where, such = f"--to {text}", "--to orders/2026-11-20"
    if not text.strip():
        raise Usage("it is empty", where="--to", next=f"{such}, or --to . for the raw zone itself")
    if text.startswith(("/", "~")) or "://" in text:
        what = "it is no folder below the raw zone"
        raise Usage(what, where=where, next=f"leave out where the raw zone is: {such}")
    names = [name for name in text.split("/") if name not in ("", ".")]
    if ".." in names:
        raise Usage("it leaves the raw zone", where=where, next=such)
    if "{" in text:
        raise Usage("it is a pattern", where=where, next=f"write the window itself: {such}")
    return "/".join(names)


def part_size(size: int) -> int:
    """How many bytes of a file go up at once: whole MiB, and never too many parts.

    >>> part_size(1000) // MIB, part_size(80_000 * MIB) // MIB, part_size(80_001 * MIB) // MIB
    (8, 8, 9)
    """
    least = -(-size // MOST_PARTS)
    return max(PART, -(-least // MIB) * MIB)


def bytes_told(count: float) -> str:
    """Bytes as a person reads them, in powers of ten.

    >>> bytes_told(999), bytes_told(5_000_000), bytes_told(1_234_000_000)
    ('999 bytes', '5.0 MB', '1.2 GB')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:.0f} byte{'' if count == 1 else 's'}"
