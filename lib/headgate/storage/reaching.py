"""Where a database is and who asks, at the moment of use: with its secrets put in."""

from __future__ import annotations

from headgate.core.addresses import Address, address
from headgate.core.contract import Database
from headgate.core.errors import Usage
from headgate.storage.secrets import revealed


def address_of(database: Database, where: str) -> Address:
    """Where a database is, with its secrets put in."""
    try:
        found = address(revealed(database.url), database.options)
    except ValueError as error:
        raise Usage(
            f"the address of its database {error}", where=where, next="headgate check"
        ) from None
    user = revealed(database.user) if database.user is not None else found.user
    password = revealed(database.password) if database.password is not None else found.password
    return Address(found.kind, found.host, found.database, user, password, found.options)
