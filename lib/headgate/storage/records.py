"""The `ops` tables: Headgate's own records, repaired from the tables' commits only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timezone
from functools import cache
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import Infrastructure
from headgate.core.records import CheckRecord, Dismissal, MetricRecord, RunRecord
from headgate.core.results import Metric
from headgate.storage.logs import log
from headgate.storage.parquet import parquet_of
from headgate.storage.staged import open_draft
from headgate.storage.tables import DeltaTable, null_filled
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
        found string, expectation string, arguments string, result string,
        judged_at timestamp""",
    "metrics": """run string, `table` string, window string, `column` string, metric string,
        value double, detail string, recorded_at timestamp""",
    "files": """`table` string, file string, window string, size bigint, modified bigint,
        content string, first_seen timestamp, state string, reason string, seen_at timestamp""",
    "alerts": """run string, `table` string, window string, severity string, text string,
        raised_at timestamp, cause string, news boolean""",
    "dismissals": """run string, `table` string, window string, `column` string, metric string,
        value double, content string, text string, because string, who string,
        dismissed_at timestamp""",
    "decisions": """`table` string, window string, state string, `rows` bigint, reason string,
        because string, decided_at timestamp""",
    "erasures": """erasure string, `table` string, columns string, key string, person string,
        windows string, state string, `rows` bigint, who string, erased_at timestamp""",
}
COMPACT_EVERY = 25  # commits: reading so many small files costs less than rewriting them each time
IN_LOG = ("runs", "files")  # what planning reads: recent rows stand in the commits themselves
_WHOLE: dict[str, tuple[str, list[dict[str, Any]]]] = {}  # by path: a version, and its rows
MOMENTS = ("started_at", "finished_at", "first_seen", "seen_at")
MOST_IN_LOG = 1000  # rows of one commit
PROPERTIES = {"delta.checkpointInterval": "50"}  # a checkpoint costs more than it saves here


class Records:
    """The tables below `<lake>/ops`."""

    def __init__(self, spark: SparkSession, lake: str) -> None:
        self.spark, self.lake = spark, lake

    def path(self, name: str) -> str:
        return f"{self.lake}/ops/{name}"

    def runs(self) -> list[RunRecord]:
        """Every run on record."""
        return [RunRecord.from_plain(row) for row in self._recent("runs")]

    def checks(self, run: str) -> list[dict[str, Any]]:
        """The rules judged by one run."""
        return self.checks_of([run])

    def checks_of(self, runs: Sequence[str]) -> list[dict[str, Any]]:
        """The rules judged by some runs."""
        return self._rows("checks", F.col("run").isin(list(runs))) if runs else []

    def metrics(self, runs: Sequence[str]) -> dict[str, list[Metric]]:
        """What was measured by some runs."""
        return self._metrics(F.col("run").isin(list(runs))) if runs else {}

    def _metrics(self, condition: Any) -> dict[str, list[Metric]]:
        found: dict[str, list[Metric]] = {}
        for row in self._rows("metrics", condition):
            detail = json.loads(row["detail"] or "{}")
            one = Metric(row["column"], row["metric"], row["value"], detail)
            found.setdefault(row["run"], []).append(one)
        return found

    def dismissals(self) -> list[Dismissal]:
        """What people called false alarms, oldest first."""
        rows = sorted(self._rows("dismissals"), key=lambda row: row["dismissed_at"])
        return [Dismissal.from_plain(row) for row in rows]

    def erasures(self) -> list[dict[str, Any]]:
        """Who was erased, as keyed hashes, oldest first."""
        return sorted(self._rows("erasures"), key=lambda row: row["erased_at"])

    def metrics_in(self, state: str, tables: Sequence[str]) -> dict[str, list[Metric]]:
        """What runs of some tables measured that was judged like this, by run."""
        told = F.get_json_object("detail", "$.state") == state
        return self._metrics(F.col("table").isin(list(tables)) & told)

    def files(self) -> dict[str, list[dict[str, Any]]]:
        """The file ledger of every table, oldest first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(self._recent("files"), key=lambda r: r["seen_at"]):
            found.setdefault(row["table"], []).append(row)
        return found

    def alerts(self) -> list[dict[str, Any]]:
        return sorted(self._rows("alerts"), key=lambda row: row["raised_at"])

    def add_runs(
        self,
        records: Sequence[RunRecord],
        checks: Sequence[CheckRecord] = (),
        metrics: Sequence[MetricRecord] = (),
        alerts: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Put runs and what belongs to them on record."""
        # Metrics and alerts first: those of a run that is on record are there, or later verdicts
        # would differ, and what is open would not show.
        with ThreadPoolExecutor(1) as beside:  # commits are small, and slow to start
            waiting = beside.submit(self._add_alerts, alerts) if alerts else None
            self.add("metrics", [asdict(one) for one in metrics])
            if waiting:
                waiting.result()
            rows = [asdict(check) for check in checks]
            waiting = beside.submit(self.add, "checks", rows) if rows else None
            self.add("runs", [record.plain() for record in records])
            if waiting:
                waiting.result()

    def _add_alerts(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """No run fails for the sake of its alerts: they are in its record, and in the outbox."""
        try:
            self.add("alerts", rows)
        except Exception as error:
            log("unrecorded", level="warning", table="ops.alerts", error=type(error).__name__)

    def add(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows to one of the tables."""
        if not rows:
            return
        for attempt in range(5):
            try:
                self._append(name, rows, compact=attempt == 0)
                return
            except Infrastructure:
                if attempt == 4:
                    raise

    def _append(self, name: str, rows: Sequence[Mapping[str, Any]], *, compact: bool) -> None:
        path, schema = self.path(name), _schema_of(name)
        draft = open_draft(self.spark, path, fence=None, by_window=False, properties=PROPERTIES)
        version = draft.read_version
        crowded = compact and version > 0 and version % COMPACT_EVERY == 0
        if crowded:
            # Rows of an older release have fewer columns.
            df = null_filled(DeltaTable(self.spark, path).read(version), schema)
            draft.write(df.unionAll(literal_rows(self.spark, rows, SCHEMAS[name])).coalesce(1))
        else:
            draft.place(parquet_of(rows, schema), len(rows), schema)
        # A commit that says nothing of its rows stands for all rows there are so far.
        told = name in IN_LOG and len(rows) <= MOST_IN_LOG and not crowded
        said = {"headgate": {"records": list(rows)}} if told else {}
        draft.commit(replace="true" if crowded else None, without=frozenset(), metadata=said)

    def _recent(self, name: str) -> list[dict[str, Any]]:
        """All rows of a table; the newest straight from its log, which takes no Spark job."""
        table = DeltaTable(self.spark, self.path(name))
        tail: list[list[dict[str, Any]]] = []
        versions = table.versions()
        for version in reversed(versions):
            found = table.commit(version).metadata.get("records")
            if found is None:
                return self._whole(name, table, version) + _plain(reversed(tail))
            tail.append(found)
        if versions and versions[0] > 0:
            return self._rows(name)  # the log was cut
        return _plain(reversed(tail))

    def _whole(self, name: str, table: DeltaTable, version: int) -> list[dict[str, Any]]:
        """All rows at a version, read once by a process that opens the lake again and again."""
        stamp = table.stamp(version)
        known, rows = _WHOLE.get(table.path, ("", []))
        if known != stamp:
            rows = self._rows(name, version=version)
            _WHOLE[table.path] = (stamp, rows)
        return list(rows)

    def _rows(
        self, name: str, condition: Any = None, version: int | None = None
    ) -> list[dict[str, Any]]:
        table = DeltaTable(self.spark, self.path(name))
        if table.latest() is None:
            return []
        df = table.read(version)
        if condition is not None:
            df = df.where(condition)
        # To JSON inside Spark: one flat column is cheaper to bring over than nested rows.
        text = df.select(
            F.to_json(F.struct("*"), {"timeZone": "UTC", **AS_JSON}).alias("row")
        ).collect()
        return [json.loads(row["row"]) for row in text]


def _plain(commits: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Rows as a commit holds them, in the form in which Spark tells those of the files."""
    return [
        {k: _moment(v) if k in MOMENTS and v else v for k, v in row.items()}
        for rows in commits
        for row in rows
    ]


def _moment(text: str) -> str:
    """A moment as Spark writes it.

    >>> _moment("2026-01-02T03:04:05+00:00"), _moment("2026-01-02T03:04:05.060000Z")
    ('2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.060000Z')
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def literal_rows(spark: SparkSession, rows: Iterable[Mapping[str, Any]], schema: str) -> DataFrame:
    """Rows that were made in Python, as a DataFrame without any Python worker."""
    text = json.dumps(list(rows), default=str)
    parsed = F.from_json(F.lit(text), f"array<struct<{_as_struct(schema)}>>")
    return spark.range(1).select(F.inline(parsed))


@cache
def _schema_of(name: str) -> T.StructType:
    return _parsed(SCHEMAS[name])


def _parsed(schema: str) -> T.StructType:
    parsed = T._parse_datatype_string(schema)
    assert isinstance(parsed, T.StructType)
    return parsed


def _as_struct(schema: str) -> str:
    parsed = _parsed(schema)
    return ", ".join(f"`{field.name}`: {field.dataType.simpleString()}" for field in parsed.fields)
