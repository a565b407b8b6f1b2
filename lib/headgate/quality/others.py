"""Other tables as rules see them: their rows at one version, by the slices of the table judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame


@dataclass(frozen=True)
class Other:
    """One other table, pinned for a pass."""

    rows: DataFrame
    slice_of: Column | None = None  # what slice of the table judged a row falls into, as text
    until: datetime | None = None  # when its last published slice ends


Others = Mapping[str, Other]  # by name
