"""Names for the code of a table's own steps: a changed function makes its windows due."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

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
    load = getattr(spec.loader, "get_data", None) if spec else None
    if spec is None or load is None or not spec.origin:
        return ""
    try:
        text = bytes(load(spec.origin)).decode("utf-8", errors="replace")  # out of a zip, too
    except OSError:
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")
