"""A driver does not outlive what started it: its lease and its writes would outlive it too.

Run as a script (`python -I lifeline.py COMMAND …`) it becomes that command, which then ends with
its parent. Plain Python, no other module of Headgate: it runs before anything is on the path.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1  # Linux's <sys/prctl.h>
_LOOK_SECONDS = 1.0
_GRACE_SECONDS = 20.0


def end_with_launcher() -> None:
    """End this driver when the spark-submit that launched it is gone.

    In client mode the driver is a child of spark-submit's JVM. When that JVM is killed, Python
    goes on alone (seen with Spark 3.5 to 4.1).
    """
    if "PYSPARK_GATEWAY_PORT" not in os.environ:  # nobody's child: it has a JVM of its own
        return
    launcher = os.getppid()
    threading.Thread(target=_end_without, args=(launcher,), daemon=True, name="lifeline").start()


def _end_without(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)  # as if a person had: what is half done is left undone
    time.sleep(_GRACE_SECONDS)
    os._exit(130)


def become(command: list[str]) -> None:
    """Become a command that listens to Ctrl-C and, on Linux, ends when its parent does."""
    # A shell starts what runs in its background deaf to these.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before we had asked to be told
        sys.exit(143)
    try:
        os.execvp(command[0], command)  # noqa: S606 - arguments as given, no shell
    except OSError as error:
        sys.exit(f"headgate: {command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    become(sys.argv[1:])
