"""Real database servers for tests; where one is not installed, its tests are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bench import database_servers
from bench.database_servers import PASSWORD, NotInstalledError, Server

__all__ = ["PASSWORD", "Server", "mariadb", "postgresql"]


@contextmanager
def mariadb() -> Iterator[Server]:
    """MariaDB with a database `shop`."""
    try:
        with database_servers.mariadb() as server:
            yield server
    except NotInstalledError as error:
        pytest.skip(str(error))


@contextmanager
def postgresql() -> Iterator[Server]:
    """PostgreSQL with a database `shop`."""
    try:
        with database_servers.postgresql() as server:
            yield server
    except NotInstalledError as error:
        pytest.skip(str(error))
