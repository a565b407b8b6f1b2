"""`${secret:name}`: taken from the secret store at the moment of use, and kept nowhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

from headgate.core.errors import Usage

FOLDER = "HEADGATE_SECRETS"  # a folder with a file for each secret, as containers mount them
PREFIX = "HEADGATE_SECRET_"
_REFERENCE = re.compile(r"\$\{secret:([^}]+)\}")


def revealed(text: str) -> str:
    """A text with its secrets put in. An error names the secret, never what it holds."""
    return _REFERENCE.sub(lambda match: _secret(match[1].strip()), text)


def _secret(name: str) -> str:
    variable = PREFIX + re.sub(r"\W", "_", name).upper()
    if variable in os.environ:
        return os.environ[variable]
    folder = os.environ.get(FOLDER)
    if folder and ".." not in Path(name).parts:
        try:
            return Path(folder, name.lstrip("/")).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError):
            pass
    raise Usage(
        f"there is no secret '{name[:60]}'",
        next=f"export {variable}, or put it into a file of that name below ${FOLDER}",
    )
