"""stub"""
from __future__ import annotations
from collections.abc import Mapping
from pathlib import Path
def existing(settings: Mapping[str, str]) -> Path | None:
    return None
