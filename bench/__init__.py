"""Benchmarks: Headgate and plain PySpark side by side in one run, each figure a ratio."""
