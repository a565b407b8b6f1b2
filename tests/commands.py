"""Headgate's commands, typed as a person would: a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Typed:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """The last line of standard output, which `--json` asks for."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


def headgate(*words: str | Path, cwd: Path, timeout: float = 1200, **environ: str) -> Typed:
    """Run one command in a folder."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "HEADGATE_LOG": "error", **environ}
    done = subprocess.run(
        [sys.executable, "-m", "headgate", *map(str, words)],
        cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    return Typed(done.returncode, done.stdout, done.stderr)
