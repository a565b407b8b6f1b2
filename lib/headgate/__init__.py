"""Headgate: a Spark job suite that takes raw files to clean Delta tables, features and marts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from headgate.doors.notebook import OpenSuite


def open(conf: str = "conf", *, env: str = "local", **overrides: Any) -> OpenSuite:
    """Open a suite for use from Python: `headgate.open("conf", env="local")`."""
    from headgate.doors.notebook import open_suite

    return open_suite(conf, env=env, **overrides)


__all__ = ["__version__", "open"]
