"""A period of a mart of which an input window is held back: made without it, or held back too."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states

COLUMNS = ("id", "amount", "at")
MONTH: dict[str, Any] = {
    "reads": {"sales": "clean.sales"},
    "period": {"column": "at", "grain": "month"},
    "measures": {"amount": "sum(amount)"},
}
TABLES: dict[str, dict[str, Any]] = {
    "ingested.sales": {
        "source": {"files": "sales/{window}.csv", "format": "csv"},
        "columns": {"id": "bigint", "amount": "decimal(10,2)", "at": "timestamp"},
    },
    "clean.sales": {
        "reads": "ingested.sales",
        "quality": [{"expect_column_max_to_be_between": {"column": "amount", "max_value": 100}}],
    },
    "marts.month": MONTH,
    "marts.held": {**MONTH, "incomplete": "hold"},
}


def _day(lab: Lab, day: str, amount: str) -> None:
    lab.file(f"sales/{day}.csv", COLUMNS, [(int(day[-2:]), amount, f"{day} 08:00:00")])


def test_a_period_is_held_until_what_it_waits_for_has_come_through(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = Lab(spark, tmp_path, TABLES)
    _day(lab, "2026-10-31", "1.00")
    _day(lab, "2026-11-10", "2.00")
    _day(lab, "2026-11-11", "5000.00")
    result = lab.run()
    assert result.exit_code == 10
    assert states(result, "marts.month") == {"2026-10": "published", "2026-11": "published"}
    assert states(result, "marts.held") == {"2026-10": "published", "2026-11": "blocked"}
    said = entry(result, "marts.held", "2026-11")
    assert said.message == (
        "clean.sales 2026-11-11 is blocked, and incomplete periods are held"
        " Next: headgate status clean.sales"
    )
    assert said.exit_code == 10
    assert lab.rows("marts.held", "amount") == [(Decimal("1.00"),)]
    assert lab.rows("marts.month", "amount") == [(Decimal("1.00"),), (Decimal("2.00"),)]
    assert not lab.run().runs, "nothing has changed"

    _day(lab, "2026-11-11", "50.00")
    result = fine(lab.run())
    assert states(result, "marts.held") == {"2026-11": "published"}
    assert lab.rows("marts.held", "amount") == [(Decimal("1.00"),), (Decimal("52.00"),)]

    # Once it is published, readers keep it while a window is held back again.
    _day(lab, "2026-11-10", "9000.00")
    result = lab.run()
    assert states(result, "marts.held") == {"2026-11": "blocked"}
    assert lab.rows("marts.held", "amount") == [(Decimal("1.00"),), (Decimal("52.00"),)]
    _day(lab, "2026-11-10", "2.00")  # as it was before: no row differs, and the period goes on
    result = fine(lab.run())
    assert states(result, "marts.held") == {"2026-11": "published"}
    assert lab.rows("marts.held", "amount") == lab.rows("marts.month", "amount")
