"""The rules that hold rows against another table, by name and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.core import arguments as take
from headgate.core.expectation import Expectation, rule

EXISTS_IN = "expect_column_values_to_exist_in"
ROW_COUNT = "expect_table_row_count_to_equal_other_table"
SUM = "expect_column_sum_to_equal_other_table"
FRESH = "expect_other_table_to_be_fresh"
TOTALS = (ROW_COUNT, SUM)
_OURS = "great-expectations has no such expectation."

ACROSS_ROWS: Mapping[str, Expectation] = {
    EXISTS_IN: rule(
        "row",
        "Values are among those of a column of another table (a foreign key). A key of several "
        "columns that holds a null is not judged.",
        take.KEYS,
        take.EXISTS_IN,
        differs=_OURS,
    ),
}
_STRETCH = (
    "The other table's rows of the same window are meant; for a mart those of the same period, in "
    "its main input or a mart of the same grain."
)
ACROSS_TABLES: Mapping[str, Expectation] = {
    ROW_COUNT: rule(
        "across",
        "As many rows as another table has.",
        take.OTHER_TABLE,
        take.OTHER_COUNT,
        differs=f"great-expectations does not judge it on Spark. {_STRETCH}",
    ),
    SUM: rule(
        "across",
        "The sum is that of a column of another table.",
        take.COLUMN,
        take.OTHER_TABLE,
        take.OTHER_SUM,
        differs=f"{_OURS} {_STRETCH}",
    ),
    FRESH: rule(
        "across",
        "The last published window of another table ends not long before the window judged.",
        take.FRESH,
        differs=f"{_OURS} Windows are compared, not clocks: a window that is run again is judged "
        "by the same dates.",
    ),
}
