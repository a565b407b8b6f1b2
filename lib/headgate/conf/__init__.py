"""The reader of a conf/ folder: files in, one checked and frozen suite out. No Spark here."""

from headgate.conf.reading import read_suite, suite_from

__all__ = ["read_suite", "suite_from"]
