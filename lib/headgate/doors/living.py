"""What a person sees while long work runs: on a terminal one living line, elsewhere plain lines."""

from __future__ import annotations

import sys
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

L = TypeVar("L", bound="Living")


class Living(ABC):
    """A line that says how far the work is; `text` says what stands in it."""

    plain_every: float | None = None  # seconds between such lines where there is no terminal

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._living = sys.stderr.isatty() and not quiet
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self: L) -> L:
        if self._living or (self.plain_every and not self._quiet):
            self._thread = threading.Thread(target=self._live, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(2)
            self._clear()

    @abstractmethod
    def text(self) -> str:
        """How far it is, now."""

    def line(self, text: str) -> None:
        """One plain line."""
        if not self._quiet:
            self.trouble(text)

    def trouble(self, text: str) -> None:
        """A line that is said also where nothing else is."""
        self._clear()
        print(text, file=sys.stderr, flush=True)

    def _live(self) -> None:
        while not self._stop.wait(0.25 if self._living else self.plain_every):
            if self._living:
                print(f"\r\x1b[K{self.text()[:110]}", end="", file=sys.stderr, flush=True)
            elif text := self.text():
                self.line(text)

    def _clear(self) -> None:
        if self._living:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
