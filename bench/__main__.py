"""`python -m bench`: every benchmark, each in a process of its own. Options go to all of them."""

from __future__ import annotations

import argparse
import subprocess
import sys

BENCHMARKS = ("start_up", "clean_run", "windows", "idle", "daily", "memory", "gate", "drift",
              "land", "databases", "privacy", "replay")  # fmt: skip


def main() -> int:
    """How many benchmarks failed. That a goal is missed is no failure."""
    parser = argparse.ArgumentParser(
        description=__doc__, usage="python -m bench [NAME …] [OPTION …]"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it still work?")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument("--repeats", type=int, help="samples of each side")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    told = parser.parse_args()
    unknown = [name for name in told.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark '{unknown[0]}'; there are {', '.join(BENCHMARKS)}")
    options = [f"--{name}" for name in ("quick", "json") if getattr(told, name)]
    options += ["--repeats", str(told.repeats)] if told.repeats else []
    failed = 0
    for name in told.names or BENCHMARKS:
        command = [sys.executable, "-m", f"bench.{name}", *options]
        failed += bool(subprocess.run(command, check=False).returncode)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
