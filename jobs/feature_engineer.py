"""Write the layer `features`: `headgate feature-engineer`, as spark-submit starts it."""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("headgate") is None:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))

if __name__ == "__main__":
    from headgate.doors.cli import main
    from headgate.doors.lifeline import end_with_launcher

    end_with_launcher()
    sys.exit(main(["feature-engineer", *sys.argv[1:]], always_json=True))
