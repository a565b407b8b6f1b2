"""The suite's own steps: each takes a DataFrame and returns one."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from shop.names import DIAL_CODES

SPELT = (  # the channel, and what the tills write for it
    ("web", "^(web|online)"),
    ("app", "app$"),
    ("store", "(store|filiale)$"),
    ("phone", "^(phone|tel)"),
)


def tidy_channel(orders: DataFrame) -> DataFrame:
    """Bring the channel to one of web, app, store, phone, other; unknown (null) stays unknown."""
    written = F.lower(F.trim("channel"))
    channel = F.when(written.isNull(), None)
    for name, pattern in SPELT:
        channel = channel.when(written.rlike(pattern), name)
    return orders.withColumn("channel", channel.otherwise("other").cast("string"))


def without_test_orders(orders: DataFrame) -> DataFrame:
    """Leave out what the shops ordered from themselves to test a till."""
    is_test = F.coalesce(F.col("email").startswith("test@"), F.lit(False))
    return orders.where(~is_test)


def tidy_phone(customers: DataFrame) -> DataFrame:
    """Write all phone numbers the international way."""
    # A plain Python function on the executors; arrow would need pyarrow on each of them.
    international = F.udf(international_phone, StringType(), useArrow=False)
    return customers.withColumn("phone", international("phone", "country"))


def international_phone(phone: str | None, country: str | None) -> str | None:
    """A phone number as + and digits, or None where there is none or its country is not known.

    >>> international_phone("030 / 5551-2345", "DE"), international_phone("+49 (0)30 555", "DE")
    ('+493055512345', '+4930555')
    """
    if phone is None:
        return None
    text = phone.strip().replace("(0)", "")
    digits = "".join(sign for sign in text if sign in "0123456789")
    if text.startswith("+"):
        return f"+{digits}"
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    code = DIAL_CODES.get(country or "")
    return f"+{code}{digits.lstrip('0')}" if code and digits else None
