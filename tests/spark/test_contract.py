"""Values that are brought to a type, and those that do not fit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from headgate.transforms.contract import cast_text

LONG = "0.12345678901234567890"


@pytest.mark.parametrize(
    ("given", "kind", "precision", "scale", "fits"),
    [
        ("'1.99'", "string", 10, 2, "1.99"),
        ("' 1.990 '", "string", 10, 2, "1.99"),
        ("'1.999'", "string", 10, 2, None),
        ("'123456789.00'", "string", 10, 2, None),
        ("'x'", "string", 10, 2, None),
        ("0.1234D", "double", 5, 4, "0.1234"),
        ("0.12345D", "double", 5, 4, None),
        ("7", "int", 3, 1, "7.0"),
        ("700", "int", 3, 1, None),
        (f"'{LONG}'", "string", 38, 20, LONG),
        (f"'{LONG}1'", "string", 30, 20, None),
        (f"'{LONG}'", "string", 38, 38, LONG + "0" * 18),
        ("CAST(NULL AS STRING)", "string", 10, 2, None),
    ],
)
def test_a_decimal_is_never_rounded(
    spark: SparkSession, given: str, kind: str, precision: int, scale: int, fits: str | None
) -> None:
    wanted = T.DecimalType(precision, scale)
    text = cast_text("v", T._parse_datatype_string(kind), wanted, None)
    found = spark.sql(f"SELECT {given} AS v").selectExpr(f"{text} AS made").collect()[0].made
    assert found == (None if fits is None else Decimal(fits))
