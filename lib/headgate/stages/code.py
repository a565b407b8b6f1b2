"""Names for the code of a table's own steps: a changed function makes its windows due."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from headgate.core.fingerprint import digest
from headgate.core.steps import Python, Step


def code_of(steps: Sequence[Step]) -> str:
    """A name for the source files of all Python steps."""
    modules = sorted({s.function.rpartition(".")[0] for s in steps if isinstance(s, Python)})
    return digest([[module, _text_of(module)] for module in modules])


def source_of(function: str) -> str:
    """A name for the source file of one function."""
    module = function.rpartition(".")[0]
    return digest([module, _text_of(module)])


def _text_of(module: str) -> str:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return ""
    if spec is None or not spec.origin or not Path(spec.origin).is_file():
        return ""
    return Path(spec.origin).read_text(encoding="utf-8", errors="replace")
