"""Addresses of databases, however a person writes them, and as their drivers want them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode

KINDS = {"mysql": "mysql", "mariadb": "mysql", "postgresql": "postgresql", "postgres": "postgresql"}
NAMES = {"mysql": "MariaDB or MySQL", "postgresql": "PostgreSQL"}
FORMS = "mysql://HOST:3306/DATABASE or postgresql://HOST:5432/DATABASE"
_FORM = re.compile(r"(?:jdbc:)?(\w+)://(?:([^@/?]*)@)?([^/?@]+)/([^?/]+)(?:\?(.*))?", re.DOTALL)
# What a driver has to do so that values come as they are: a tinyint(1) may hold more than 0 and 1.
_OURS = {"mysql": {"permitMysqlScheme": "true", "tinyInt1isBit": "false"}, "postgresql": {}}


@dataclass(frozen=True)
class Address:
    """Where a database is, and who asks. It is never shown whole."""

    kind: str  # mysql (MariaDB too) or postgresql
    host: str
    database: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def jdbc(self) -> str:
        """The URL for the driver, without user and password.

        MariaDB's driver is named by mysql: with mariadb: Spark would write names in quotes that
        MariaDB takes for texts, and find no rows.
        """
        said = urlencode({**self.options, **_OURS[self.kind]})
        return f"jdbc:{self.kind}://{self.host}/{self.database}" + (f"?{said}" if said else "")

    @property
    def shown(self) -> str:
        """For messages: the host and the database alone."""
        return f"{self.host}/{self.database}"


def address(text: str, options: Mapping[str, object] | None = None) -> Address:
    """An address as a person wrote it. ValueError says what is wrong, and quotes nothing of it.

    >>> address("jdbc:mariadb://db:3306/shop?user=ann&useSsl=true").jdbc
    'jdbc:mysql://db:3306/shop?useSsl=true&permitMysqlScheme=true&tinyInt1isBit=false'
    >>> address("postgres://ann:a%40b@db/shop").password
    'a@b'
    """
    fault = address_fault(text)
    found = _FORM.fullmatch(text.strip())
    if fault or found is None:
        raise ValueError(fault)
    kind, who, host, database, query = found.groups()
    user, _, password = (unquote(one) for one in (who or "").partition(":"))
    said = dict(parse_qsl(query or "", keep_blank_values=True))
    user, password = said.pop("user", user), said.pop("password", password)
    more = {name: _told(value) for name, value in (options or {}).items()}
    return Address(KINDS[kind], host, database, user or None, password or None, {**said, **more})


def address_fault(text: str) -> str | None:
    """What is wrong with an address; None where nothing is.

    >>> address_fault("jdbc:oracle:thin:@db:1521/x")
    "no driver is known for 'oracle': write mysql://HOST:3306/DATABASE or postgresql://HOST:5432/DATABASE"
    """
    kind = re.match(r"(?:jdbc:)?(\w+):", text.strip())
    if kind and kind[1] not in KINDS:
        return f"no driver is known for '{kind[1][:20]}': write {FORMS}"
    if not _FORM.fullmatch(text.strip()):
        return f"is no address of a database: write {FORMS}"
    return None


def _told(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
