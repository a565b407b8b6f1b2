"""A real S3 server on this machine, for the time of a test or a benchmark: versitygw."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEY, SECRET, REGION = "headgate", "not-a-secret", "us-east-1"
INSTALL = "go install github.com/versity/versitygw/cmd/versitygw@v1.8.0"
HOW = "make s3-server, or " + INSTALL


@dataclass(frozen=True)
class Server:
    """A server that runs; its buckets are folders."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bucket(self, name: str) -> Path:
        """A new empty bucket."""
        made = self.folder / name
        made.mkdir()
        return made

    def settings(self, *, port: int | None = None, secret: str = SECRET) -> dict[str, str]:
        """What an environment's `spark: conf:` says of it."""
        said = {
            "endpoint": f"http://127.0.0.1:{port or self.port}",
            "endpoint.region": REGION,
            "path.style.access": "true",
            "access.key": KEY,
            "secret.key": secret,
        }
        return {f"spark.hadoop.fs.s3a.{name}": value for name, value in said.items()}


def program() -> str | None:
    """Where versitygw is: on PATH, or where Go puts what it installs."""
    go = Path(os.environ.get("GOPATH") or "~/go").expanduser() / "bin"
    return shutil.which("versitygw", path=f"{os.environ.get('PATH', '')}{os.pathsep}{go}")


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server on a free port, with its buckets below a folder; gone afterwards."""
    found = program()
    if found is None:
        sys.exit(f"the S3 server is not installed: {HOW}")
    buckets, beside = folder / "buckets", folder / "meta"
    buckets.mkdir(parents=True)
    beside.mkdir()
    port = free_port()
    command = [found, "--port", f"127.0.0.1:{port}", "--region", REGION]
    command += ["posix", "--sidecar", str(beside), str(buckets)]
    keys = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **keys}, stdout=log, stderr=log)
    try:
        until_open(port, process)
        yield Server(port, buckets)
    finally:
        process.terminate()
        process.wait(10)


def install() -> int:
    """Build it with Go, unless it is there."""
    if program() is None:
        if shutil.which("go") is None:
            print("the S3 server is built with Go, which is not installed", file=sys.stderr)
            return 1
        print(f"building the S3 server, once: {INSTALL}", file=sys.stderr)
        subprocess.run(INSTALL.split(), check=False)
    print(program() or "the S3 server could not be built", file=sys.stderr)
    return program() is None


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server listens."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {process.args!r}")


if __name__ == "__main__":
    sys.exit(install())
