"""The `ops` tables: Headgate's own records, repaired from the tables' commits only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.core.errors import Infrastructure
from headgate.core.records import CheckRecord, RunRecord
from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable
from headgate.transforms.hidden import AS_JSON

_ROWS = ", ".join(
    f"{name}: bigint"
    for name in ("read", "added", "written", "quarantined", "deduplicated", "filtered", "withheld")
)
SCHEMAS = {
    "runs": f"""run string, suite string, job string, `table` string, window string, status string,
        started_at timestamp, finished_at timestamp, seconds double, rows struct<{_ROWS}>,
        gate struct<rules: int, failed: int, warned: int>, version bigint, message string,
        exit_code int, fingerprint string, causes string, parts map<string, string>,
        inputs map<string, bigint>, through boolean, sequence bigint""",
    "checks": """run string, `table` string, window string, rule string, severity string,
        success boolean, closed boolean, unexpected bigint, total bigint, observed double,
        found string, judged_at timestamp""",
    "files": """`table` string, file string, window string, size bigint, modified bigint,
        content string, first_seen timestamp, state string, reason string, seen_at timestamp""",
    "alerts": """run string, `table` string, window string, severity string, text string,
        raised_at timestamp""",
}
COMPACT_EVERY = 25  # commits: reading so many small files costs less than rewriting them each time
PROPERTIES = {"delta.checkpointInterval": "50"}  # a checkpoint costs more than it saves here


class Records:
    """The four tables below `<lake>/ops`."""

    def __init__(self, spark: SparkSession, lake: str) -> None:
        self.spark, self.lake = spark, lake

    def path(self, name: str) -> str:
        return f"{self.lake}/ops/{name}"

    def runs(self) -> list[RunRecord]:
        """Every run on record."""
        return [RunRecord.from_plain(row) for row in self._rows("runs")]

    def checks(self, run: str) -> list[dict[str, Any]]:
        """The rules judged by one run."""
        return self._rows("checks", F.col("run") == run)

    def files(self) -> dict[str, list[dict[str, Any]]]:
        """The file ledger of every table, oldest first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(self._rows("files"), key=lambda r: r["seen_at"]):
            found.setdefault(row["table"], []).append(row)
        return found

    def alerts(self) -> list[dict[str, Any]]:
        return sorted(self._rows("alerts"), key=lambda row: row["raised_at"])

    def add_runs(self, records: Sequence[RunRecord], checks: Sequence[CheckRecord] = ()) -> None:
        """Put runs and their checks on record, side by side: both are small and slow to start."""
        rows = [asdict(check) for check in checks]
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(self.add, "checks", rows) if rows else None
            self.add("runs", [record.plain() for record in records])
            if waiting:
                waiting.result()

    def add(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows to one of the tables."""
        if not rows:
            return
        df = literal_rows(self.spark, rows, SCHEMAS[name])
        for attempt in range(5):
            try:
                self._append(name, df, compact=attempt == 0)
                return
            except Infrastructure:
                if attempt == 4:
                    raise

    def _append(self, name: str, df: DataFrame, *, compact: bool) -> None:
        path = self.path(name)
        draft = open_draft(self.spark, path, fence=None, by_window=False, properties=PROPERTIES)
        version = draft.read_version
        crowded = compact and version > 0 and version % COMPACT_EVERY == 0
        if crowded:
            before = DeltaTable(self.spark, path).read(version)
            df = before.select(df.columns).unionAll(df)
        draft.write(df.coalesce(1))
        draft.commit(replace="true" if crowded else None, without=frozenset(), metadata={})

    def _rows(self, name: str, condition: Any = None) -> list[dict[str, Any]]:
        table = DeltaTable(self.spark, self.path(name))
        if table.latest() is None:
            return []
        df = table.read()
        if condition is not None:
            df = df.where(condition)
        # To JSON inside Spark: one flat column is cheaper to bring over than nested rows.
        text = df.select(
            F.to_json(F.struct("*"), {"timeZone": "UTC", **AS_JSON}).alias("row")
        ).collect()
        return [json.loads(row["row"]) for row in text]


def literal_rows(spark: SparkSession, rows: Iterable[Mapping[str, Any]], schema: str) -> DataFrame:
    """Rows that were made in Python, as a DataFrame without any Python worker."""
    text = json.dumps(list(rows), default=str)
    parsed = F.from_json(F.lit(text), f"array<struct<{_as_struct(schema)}>>")
    return spark.range(1).select(F.inline(parsed))


def _as_struct(schema: str) -> str:
    from pyspark.sql.types import StructType, _parse_datatype_string

    parsed = _parse_datatype_string(schema)
    assert isinstance(parsed, StructType)
    return ", ".join(f"`{field.name}`: {field.dataType.simpleString()}" for field in parsed.fields)
