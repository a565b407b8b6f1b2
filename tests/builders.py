"""Small suites built in Python, with the raw files they read, and what their tables hold."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.app import App
from headgate.conf.reading import suite_from
from headgate.core.privacy import Privacy
from headgate.core.results import Entry, Result
from headgate.core.spec import Ingested, Suite

UNSTEADY = ("_ingested_at", "_run", "_file")  # not a function of the rows alone
Row = Sequence[Any]
Tables = Mapping[str, Mapping[str, Any]]

ORDERS = {
    "id": "bigint",
    "line": "int",
    "sku": "string",
    "country": "string",
    "quantity": "int",
    "price": "decimal(10,2)",
    "note": "string",
    "email": "string",
    "updated": "timestamp",
}


@dataclass
class Lab:
    """A suite on a raw zone and a lake of its own."""

    spark: SparkSession
    folder: Path
    tables: Tables
    suite_keys: Mapping[str, Any] = field(default_factory=dict)
    lake_name: str = "lake"

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    @property
    def lake(self) -> Path:
        return self.folder / self.lake_name

    @property
    def raw_at(self) -> str:
        """The raw zone as a suite names it."""
        return str(self.raw)

    @property
    def lake_at(self) -> str:
        """The lake as a suite names it."""
        return str(self.lake)

    def on(self, lake_name: str) -> Lab:
        """The same suite and files on another lake."""
        return replace(self, lake_name=lake_name)

    def having(self, tables: Tables) -> Lab:
        """The same lake with some tables described otherwise."""
        return replace(self, tables={**self.tables, **tables})

    def file(self, path: str, columns: Sequence[str], rows: Iterable[Row]) -> Path:
        """A CSV file of the raw zone; None is written as nothing."""
        return self.content(path, csv_text(columns, rows).encode())

    def content(self, path: str, content: bytes) -> Path:
        """A file of the raw zone as it is."""
        file = self.raw / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def app(self) -> App:
        """The suite, opened anew, as every command does."""
        suite = suite_from(
            self.tables, raw=self.raw_at, lake=self.lake_at, root=self.folder, **self.suite_keys
        )
        return App(suite, self.spark)

    def run(self, *what: str, **how: Any) -> Result:
        """Run what is due."""
        return self.app().run(what, **how)

    def read(self, table: str) -> DataFrame:
        """A table below the lake, by its folder or name."""
        return self.spark.read.format("delta").load(f"{self.lake_at}/{table.replace('.', '/', 1)}")

    def rows(self, table: str, *names: str) -> list[tuple[Any, ...]]:
        """Some columns of a table as sorted Python values."""
        found = self.read(table).select(*names).collect()
        return sorted((tuple(row) for row in found), key=repr)

    def rejected(self, table: str, *names: str) -> list[tuple[Any, ...]]:
        """Some columns of a table's quarantine."""
        if not (self.lake / "quarantine" / table).exists():
            return []
        path = f"{self.lake_at}/quarantine/{table}"
        found = self.spark.read.format("delta").load(path).select(*names).collect()
        return sorted((tuple(row) for row in found), key=repr)

    def ops(self, name: str, *names: str) -> list[tuple[Any, ...]]:
        """Some columns of a table of records."""
        found = self.spark.read.format("delta").load(f"{self.lake_at}/ops/{name}")
        return sorted((tuple(row) for row in found.select(*names).collect()), key=repr)

    def contents(self) -> dict[str, Counter[str]]:
        """What every table of the suite holds, whatever the order."""
        return {
            name: content(self.read(name))
            for name in self.tables
            if (self.lake / name.replace(".", "/", 1) / "_delta_log").exists()
        }


def ingested_orders(columns: Sequence[str], **keys: Any) -> dict[str, Any]:
    """An ingested table of orders with these of their columns, by window in the path."""
    kinds = {name: ORDERS[name] for name in columns}
    return {"source": {"files": "orders/{window}/*.csv"}, "columns": kinds, **keys}


def private(suite: Suite, table: str, *columns: str) -> Suite:
    """The suite with columns of a contract declared private."""
    contract = suite.tables[table]
    assert isinstance(contract, Ingested)
    token = {"privacy": Privacy(kind="tokenise")}
    hidden = {n: contract.columns[n].model_copy(update=token) for n in columns}
    declared = contract.model_copy(update={"columns": {**contract.columns, **hidden}})
    return suite.model_copy(update={"tables": {**suite.tables, table: declared}})


def csv_text(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """A CSV text with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def content(df: DataFrame, *, without: Sequence[str] = UNSTEADY) -> Counter[str]:
    """The rows of a table as texts, counted; columns in the order of their names."""
    names = sorted(name for name in df.columns if name not in without)
    row = F.to_json(
        F.struct(*[F.col(f"`{name}`") for name in names]), {"ignoreNullFields": "false"}
    )
    return Counter(found[0] for found in df.select(row).collect())


def without_moment(rows: DataFrame) -> DataFrame:
    """Rejected rows without the moment at which their content was first seen."""
    return rows.withColumn("_record", F.regexp_replace("_record", '"_ingested_at":"[^"]*"', ""))


def fates(result: Result, table: str) -> dict[str, tuple[int, int, int, int, int, int, int]]:
    """By window: read, added, written, quarantined, deduplicated, filtered, withheld."""
    found = {}
    for entry in result.runs:
        if entry.table == table:
            rows = entry.rows
            found[entry.window] = (
                rows.read, rows.added, rows.written, rows.quarantined, rows.deduplicated,
                rows.filtered, rows.withheld,
            )  # fmt: skip
    return found


def states(result: Result, table: str) -> dict[str, str]:
    """By window, how its run ended."""
    return {entry.window: entry.status for entry in result.runs if entry.table == table}


def entry(result: Result, table: str, window: str) -> Entry:
    """The one entry of a window."""
    (found,) = [e for e in result.runs if (e.table, e.window) == (table, window)]
    return found


def fine(result: Result) -> Result:
    """The result, when nothing went wrong."""
    wrong = [f"{e.table} {e.window}: {e.status} {e.message}" for e in result.runs if e.exit_code]
    assert result.exit_code == 0, (result.errors, wrong)
    return result


def plain(df: DataFrame, *names: str) -> list[dict[str, Any]]:
    """Rows as dictionaries."""
    text = F.to_json(F.struct(*names), {"ignoreNullFields": "false"})
    return [json.loads(row[0]) for row in df.select(text).collect()]


def written(folder: Path, tables: Tables, **env: Any) -> Path:
    """A conf folder with these tables, for a process of its own; YAML is written as JSON."""
    conf = folder / "conf"
    files: dict[str, Any] = {
        "suite": {"name": "suite"},
        "env/local": {
            "raw": "raw",
            "lake": "lake",
            "spark": {"master": "local[2]", "quick": True,
                      "conf": {"spark.sql.shuffle.partitions": 2}},
            **env,
        },
    }  # fmt: skip
    files |= {name.replace(".", "/", 1): dict(keys) for name, keys in tables.items()}
    for name, keys in files.items():
        file = conf / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(keys, indent=1))
    return conf


def committed(folder: Path, *below: str) -> None:
    """What is below a folder, or below some of its folders, as a commit of a repository there."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main")
    for words in (["init", "-q"], ["add", "-A", *below], ["commit", "-q", "-m", "as it is"]):
        subprocess.run(["git", *who, *words], cwd=folder, check=True)
