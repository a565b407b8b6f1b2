"""Readers of files in plain Python: from a file's bytes to its records. They run on executors."""

from headgate.readers.activities import activity

__all__ = ["activity"]
