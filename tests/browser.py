"""A headless Chromium that looks at pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in BROWSERS if (found := shutil.which(name))), None)


def chromium(
    page: Path, *options: str, size: str = "1280,1600", complaining: Sequence[str] = ()
) -> str:
    """Open a page with no network at all; what the browser prints.

    It may complain of nothing but what is named.
    """
    assert CHROMIUM
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
            f"--user-data-dir={page.parent / 'chromium'}", f"--window-size={size}", *options,
            page.as_uri(),
        ],
        capture_output=True, text=True, timeout=180, check=True,
        env={**os.environ, "HOME": str(page.parent)},
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert [line for line in complaints if not any(one in line for one in complaining)] == []
    return done.stdout
