"""Where a suite's keys come from: the environment, a folder of files, or a store of secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from headgate.core.errors import Usage
from headgate.core.keys import HOW, Key, keys_in
from headgate.core.privacy import keys_for
from headgate.core.spec import Suite
from headgate.storage.secrets import revealed

PREFIX = "HEADGATE_KEY_"
LIBRARIES = ("cryptography", "pandas", "pyarrow")  # pandas: PySpark asks for it
Ring = Mapping[str, tuple[Key, ...]]


def keys_of(source: str, names: Iterable[str], root: str = "") -> Ring:
    """The keys of these names, the one in use first. An error names a key, never what it is."""
    return {name: _read(source, name, root) for name in dict.fromkeys(names)}


def lacking(suite: Suite, names: Iterable[str] | None = None) -> list[Usage]:
    """What keys and libraries that tables need for personal data lack, each told once."""
    tables = [suite.tables[name] for name in (suite.tables if names is None else names)]
    needed = {key for table in tables for key in keys_for(table.protection)}
    absent = [name for name in LIBRARIES if needed and find_spec(name) is None]
    how = "pip install 'headgate[privacy]'"
    wrong = [Usage(f"personal data needs the Python package {one}", next=how) for one in absent]
    for name in sorted(needed):
        try:
            _read(suite.keys, name, suite.root)
        except Usage as error:
            wrong.append(error)
    return wrong


def _read(source: str, name: str, root: str) -> tuple[Key, ...]:
    where, text = _found(source, name, root)
    try:
        return keys_in(text)
    except ValueError as error:
        raise Usage(f"the privacy key '{name}' {error}", where=where, next=HOW) from None


def _found(source: str, name: str, root: str) -> tuple[str, str]:
    """Where the key is, and its text."""
    kind, _, rest = source.partition(":")
    if kind == "env":
        variable = PREFIX + re.sub(r"\W", "_", name).upper()
        if not os.environ.get(variable, "").strip():
            raise Usage(f"the privacy key '{name}' is missing", next=f"export {variable}=…; {HOW}")
        return variable, os.environ[variable]
    if kind == "file":
        path = Path(root, rest).expanduser() / name
        try:
            return str(path), path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise Usage(f"the privacy key '{name}' is missing", where=str(path), next=HOW) from None
    store = rest.replace("{key}", name) if "{key}" in rest else f"{rest}/{name}"
    return f"secret {store}", revealed(f"${{secret:{store}}}")
