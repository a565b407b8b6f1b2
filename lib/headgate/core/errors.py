"""Errors are data first (what, where, what to type next), then a sentence."""

from __future__ import annotations

from dataclasses import dataclass

# Where several occur in one call, the first of these that occurred is the exit code.
PRECEDENCE = (30, 64, 2, 11, 10, 20, 21, 12)
SENTENCE_LIMIT = 2_000


def worst(codes: list[int]) -> int:
    """The exit code of a call in which all of these occurred.

    >>> worst([0, 10, 30]), worst([12, 20]), worst([]), worst([0])
    (30, 20, 0, 0)
    """
    present = set(codes)
    if 130 in present:
        return 130
    return next((code for code in PRECEDENCE if code in present), 0)


class HeadgateError(Exception):
    """Something a person can act on. The sentence never holds values of the data."""

    exit_code = 30

    def __init__(self, what: str, *, where: str = "", next: str = "") -> None:
        self.what = what
        self.where = where
        self.next = next
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """One line: where, what, next."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        tail = f" Next: {self.next}" if self.next else ""
        return (head[:SENTENCE_LIMIT] + tail).replace("\n", " ")


class Usage(HeadgateError):
    """The command cannot be understood."""

    exit_code = 2


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a configuration, with its place."""

    file: str
    line: int
    path: str
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} {self.path}: {self.what}" if self.path else f"{place}: {self.what}"


class Misconfigured(HeadgateError):
    """The suite has faults; all of them are in `faults`."""

    exit_code = 2

    def __init__(self, faults: list[Fault], *, next: str = "headgate check") -> None:
        self.faults = tuple(sorted(set(faults)))
        count = len(self.faults)
        first = str(self.faults[0]) if self.faults else "the configuration is faulty"
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(first + more, next=next)


class GateClosed(HeadgateError):
    """A gate closed: nothing was published."""

    exit_code = 10


class ShapeBroken(HeadgateError):
    """The source's shape broke the contract."""

    exit_code = 11


class Unreadable(ShapeBroken):
    """One file cannot be read at all: it is set aside, the others of its batch go on."""


class InputMissing(HeadgateError):
    """An input that this run needs is not there."""

    exit_code = 12


class Late(InputMissing):
    """A window that is expected has not come by its time."""


class Infrastructure(HeadgateError):
    """Storage, network, memory, cluster: worth a retry."""

    exit_code = 20


class Held(HeadgateError):
    """Another run holds the table."""

    exit_code = 21


class StepFailed(HeadgateError):
    """A fault of a user's step, or of Headgate itself."""

    exit_code = 30


class Refused(HeadgateError):
    """This storage cannot keep the promises."""

    exit_code = 64


class Interrupted(HeadgateError):
    """Ctrl-C or SIGTERM: the lake is as it was."""

    exit_code = 130
