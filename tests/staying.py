"""A command that stays up: what it says meanwhile, and how it ends by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from commands import ROOT


class Staying:
    """A command at work in a process of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._err, self._out = folder / "err", folder / "out"
        with self._err.open("w") as err, self._out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "headgate", *words], cwd=folder, stdout=out, stderr=err,
                env={**os.environ, "PYTHONPATH": str(ROOT / "lib"), "HEADGATE_LOG": "error"},
            )  # fmt: skip

    def said(self) -> str:
        return self._err.read_text()

    def printed(self) -> list[str]:
        """Standard output, line by line."""
        return self._out.read_text().splitlines()

    def until(self, true: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)

    def stopped(self, how: signal.Signals, code: int = 130) -> list[str]:
        """What it had printed when a signal had ended it."""
        self.process.send_signal(how)
        assert self.process.wait(timeout=60) == code, self.said()
        assert "Traceback" not in self.said()
        return self.printed()

    def killed(self) -> None:
        self.process.kill()
        self.process.wait()
