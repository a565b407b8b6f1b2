"""Real database servers from Debian's packages, on loopback, in a folder of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60
WHO = "reader"  # a user with a password, who may read `shop` alone
PASSWORD = "Tr0ub4dor&3"  # noqa: S105 - of a server that lives for minutes, on loopback


class NotInstalledError(Exception):
    """A server that this machine does not have."""


@dataclass(frozen=True)
class Server:
    """A server that runs, and how its own client is called."""

    kind: str
    port: int
    client: tuple[str, ...]

    @property
    def address(self) -> str:
        return f"{self.kind}://127.0.0.1:{self.port}/shop"

    def source(self, **more: object) -> dict[str, object]:
        """`source:` of a table."""
        return {"jdbc": {"url": self.address, "user": WHO, "password": PASSWORD, **more}}

    def do(self, *statements: str) -> None:
        """Run statements as the server's owner."""
        text = ";\n".join(statements) + ";\n"
        done = subprocess.run(self.client, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@contextmanager
def mariadb() -> Iterator[Server]:
    """MariaDB with a database `shop`."""
    with _folder() as folder, _mariadb_in(folder) as server:
        yield server


@contextmanager
def postgresql() -> Iterator[Server]:
    """PostgreSQL with a database `shop`."""
    with _folder() as folder, _postgresql_in(folder) as server:
        yield server


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that the servers' own users can go through; pytest's are for its user alone."""
    with tempfile.TemporaryDirectory(prefix="headgate-database-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


@contextmanager
def _mariadb_in(folder: Path) -> Iterator[Server]:
    _need("mariadbd", "mariadb-install-db", "mariadb")
    data, port = folder / "data", _free_port()
    user = pwd.getpwuid(os.getuid()).pw_name
    how = ("--no-defaults", f"--datadir={data}", f"--user={user}")
    _done("mariadb-install-db", *how, "--auth-root-authentication-method=normal", "--skip-test-db")
    quick = ("--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0",
             "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M")  # fmt: skip
    where = ("--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/socket")
    client = ("mariadb", "--no-defaults", "--user=root", f"--socket={folder}/socket",
              "--default-character-set=utf8mb4")  # fmt: skip
    with _running(("mariadbd", *how, *where, *quick), folder / "log"):
        server = Server("mariadb", port, (*client, "shop"))
        _until(lambda: _said((*client, "--execute=CREATE DATABASE shop CHARACTER SET utf8mb4")))
        server.do(
            f"CREATE USER {WHO}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT SELECT ON shop.* TO {WHO}@'127.0.0.1'",
        )
        yield server


@contextmanager
def _postgresql_in(folder: Path) -> Iterator[Server]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise NotInstalledError("needs PostgreSQL: apt-get install postgresql")
    here, data, port = programs[-1], folder / "data", _free_port()
    as_owner: tuple[str, ...] = ()
    data.mkdir()
    if os.getuid() == 0:  # which it refuses to run as
        as_owner = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        shutil.chown(data, "postgres", "postgres")
    secret = folder / "secret"
    secret.write_text("owner")
    secret.chmod(0o644)
    _done(*as_owner, str(here / "initdb"), "-D", str(data), "-U", "owner", "-E", "UTF8",
          "--no-sync", "--locale=C.UTF-8", "--auth=scram-sha-256",
          f"--pwfile={secret}")  # fmt: skip
    server = (str(here / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", "",
              "-F")  # fmt: skip
    address = f"postgresql://owner:owner@127.0.0.1:{port}"
    client = (str(here / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-X")
    with _running((*as_owner, *server), folder / "log"):
        _until(lambda: _said((*client, f"{address}/postgres", "-c", "CREATE DATABASE shop")))
        made = Server("postgresql", port, (*client, f"{address}/shop"))
        made.do(
            f"CREATE USER {WHO} PASSWORD '{PASSWORD}'",
            f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {WHO}",
        )
        yield made


def _need(*programs: str) -> None:
    lacking = [program for program in programs if shutil.which(program) is None]
    if lacking:
        raise NotInstalledError("needs MariaDB: apt-get install mariadb-server")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _done(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr


def _said(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _until(there: object) -> None:
    assert callable(there)
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end, "the server did not come up"
        time.sleep(0.2)


@contextmanager
def _running(command: Sequence[str], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd="/")
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
