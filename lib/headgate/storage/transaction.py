"""One Delta transaction seen from Python: write files, look at them, then commit or abandon.

Delta's own writer commits as it writes. Its transaction object does not: the files can be
judged before anybody sees them. This is internal API of Delta, so all of it is in this module,
and `StagedDraft` (in `staged.py`) keeps the same promises without it.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import unquote

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.core.errors import Held, Infrastructure, StepFailed
from headgate.storage.faults import is_conflict
from headgate.storage.files import Files, files_for
from headgate.storage.logs import log
from headgate.storage.pending import Pending, left_behind, noted
from headgate.storage.tables import DeltaTable, as_nullable, null_filled, schema_after
from headgate.transforms.hidden import ASIDE, VAULT

FENCE = "headgate.fence"


@dataclass(frozen=True)
class WrittenFile:
    """A data file of the target that no commit names yet."""

    path: str  # below the table
    window: str | None  # its partition value, where the table is laid out by window
    rows: int


class Draft(Protocol):
    """What the flow needs of a publish that is not yet seen by anybody."""

    @property
    def read_version(self) -> int: ...

    def write(self, df: DataFrame, apart: Sequence[str] = ()) -> None:
        """Write the rows, unseen; those whose window has ASIDE or VAULT in front are set aside.

        Columns named in `apart` are for these rows only.
        """

    def place(self, content: bytes, rows: int, schema: T.StructType) -> None:
        """Take a finished Parquet file of a few rows, for a table that is not parted."""

    def aside(self, mark: str = ASIDE) -> DataFrame:
        """The rows that were set aside with this mark: they are gone after the commit."""

    def written(self) -> tuple[WrittenFile, ...]: ...

    def read_back(self) -> DataFrame:
        """The rows just written."""

    def survivors(self, replace: str) -> DataFrame | None:
        """Rows that share files with those to be replaced, but stay."""

    def commit(
        self, *, replace: str | None, without: frozenset[str], metadata: Mapping[str, Any]
    ) -> int:
        """Make the rows visible, but for some windows; returns the version."""

    def abandon(self) -> None:
        """Remove what was written."""


@dataclass(frozen=True)
class _Add:
    """Delta's word on a file, asked for once: each question is a call into the JVM."""

    file: WrittenFile
    text: Mapping[str, Any]
    action: Any

    @classmethod
    def of(cls, action: Any) -> _Add:
        text = json.loads(action.json())
        stats = json.loads(text["add"].get("stats") or "{}")
        window = (text["add"].get("partitionValues") or {}).get("_window")
        file = WrittenFile(unquote(text["add"]["path"]), window, int(stats.get("numRecords", 0)))
        return cls(file, text, action)


class FileDraft:
    """A draft in Delta's own transaction: the data is written once."""

    def __init__(
        self,
        spark: SparkSession,
        path: str,
        *,
        fence: int | None,
        by_window: bool,
        properties: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._spark, self._path, self._fence, self._by_window = spark, path, fence, by_window
        self._properties = properties
        jvm: Any = spark._jvm
        self._jvm = jvm
        session: Any = spark._jsparkSession
        self._log: Any = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(session, path)
        self._txn: Any = self._log.startTransaction()
        self._adds: list[_Add] = []
        self._aside: list[_Add] = []
        self._matched: dict[str, list[_Add]] = {}  # asking twice would run the same jobs again
        self._schema: T.StructType | None = None
        self._whole: T.StructType | None = None  # with what only the rows set aside have
        self._note: str | None = None  # where the names of the files written stand

    @property
    def read_version(self) -> int:
        return int(self._txn.readVersion())

    def _table_schema(self) -> T.StructType | None:
        if self.read_version < 0:
            return None
        return T.StructType.fromJson(json.loads(self._txn.metadata().schemaString()))

    def write(self, df: DataFrame, apart: Sequence[str] = ()) -> None:
        before = self._table_schema()
        schema = schema_after(before, df.drop(*apart).schema, where=self._path)
        self._describe(self._txn, before, schema)
        writer, whole = self._txn, schema
        if apart:
            # The files get these columns, the table does not: a transaction that is never
            # committed writes them, and readers take the columns that the table names.
            writer = self._log.startTransaction()
            whole = T.StructType([*schema.fields, *(df.schema[name] for name in apart)])
            self._describe(writer, before, whole)
        self._schema, self._whole = schema, whole
        found = writer.writeFiles(null_filled(df, whole)._jdf).toIndexedSeq()
        for action in (found.apply(place) for place in range(found.size())):
            if action.getClass().getSimpleName() != "AddFile":
                continue
            add = _Add.of(action)
            if (add.file.window or "").startswith((ASIDE, VAULT)):
                self._aside.append(add)
            else:
                self._adds.append(self._stripped(add, apart) if apart else add)
        names = tuple(add.file.path for add in (*self._adds, *self._aside))
        if self._fence is not None and names:
            self._note = noted(self._files, Pending(self._fence, self.read_version, names))

    def _describe(self, txn: Any, before: T.StructType | None, schema: T.StructType) -> None:
        if before is None:
            txn.updateMetadataForNewTable(self._metadata(schema))
        elif schema != before:
            txn.updateMetadata(self._grown(schema), False)

    def _stripped(self, add: _Add, apart: Sequence[str]) -> _Add:
        """The file without what its statistics say of columns that the table does not name."""
        stats = json.loads(add.text["add"].get("stats") or "{}")
        for part in stats.values():
            for name in apart if isinstance(part, dict) else ():
                part.pop(name, None)
        text = {"add": add.text["add"] | {"stats": json.dumps(stats)}}
        return _Add(add.file, text, self._actions.fromJson(json.dumps(text)))

    def place(self, content: bytes, rows: int, schema: T.StructType) -> None:
        before = self._table_schema()
        self._schema = self._whole = schema_after(before, schema, where=self._path)
        self._describe(self._txn, before, self._schema)
        name = f"part-00000-{uuid.uuid4()}-c000.snappy.parquet"
        self._files.create_exclusive(name, content)
        add = {
            "path": name, "partitionValues": {}, "size": len(content), "dataChange": True,
            "modificationTime": int(time.time() * 1000), "stats": json.dumps({"numRecords": rows}),
        }  # fmt: skip
        self._adds.append(_Add.of(self._actions.fromJson(json.dumps({"add": add}))))

    def aside(self, mark: str = ASIDE) -> DataFrame:
        assert self._whole is not None  # write comes first
        files = [add.file for add in self._aside if (add.file.window or "").startswith(mark)]
        if not files:
            return self._spark.createDataFrame([], self._whole)
        paths = [f"{self._path}/{file.path}" for file in files]
        reader = self._spark.read.schema(self._whole).option("basePath", self._path)
        return in_own_windows(reader.parquet(*paths), mark)

    def written(self) -> tuple[WrittenFile, ...]:
        return tuple(add.file for add in self._adds)

    def read_back(self) -> DataFrame:
        if self._schema is None:
            raise StepFailed("nothing was written that could be read back", where=self._path)
        names = [file.path for file in self.written()]
        if not names:
            return self._spark.createDataFrame([], self._schema)
        paths = [f"{self._path}/{name}" for name in names]
        reader = self._spark.read.schema(self._schema).option("basePath", self._path)
        return reader.parquet(*paths)

    def survivors(self, replace: str) -> DataFrame | None:
        if self.read_version < 0:
            return None
        names = [add.file.path for add in self._matching(replace)]
        if not names:
            return None
        schema = self._table_schema()
        assert schema is not None  # a table with files has a schema
        reader = self._spark.read.schema(schema).option("basePath", self._path)
        rows = reader.parquet(*[f"{self._path}/{name}" for name in names])
        return rows.where(~F.coalesce(F.expr(replace), F.lit(False)))

    def commit(
        self, *, replace: str | None, without: frozenset[str], metadata: Mapping[str, Any]
    ) -> int:
        left_out = [add for add in self._adds if add.file.window in without]
        kept = [add.action for add in self._adds if add.file.window not in without]
        actions = [*self._fence_action(), *kept]
        if replace is not None and self.read_version >= 0:
            actions += [add.action.remove() for add in self._matching(replace)]
        text = json.dumps(metadata, sort_keys=True)
        try:
            version = self._txn.commit(self._seq(actions), self._operation(replace, text))
        except Exception as error:
            if is_conflict(error):
                raise Infrastructure(
                    "another writer changed the table while this run wrote to it",
                    where=self._path,
                    next="run it again",
                ) from None
            raise
        self._forget([*left_out, *self._aside])
        self._clear_up()
        return int(version)

    def _clear_up(self) -> None:
        """Remove what dead drafts have left; this one is committed, whatever comes of that."""
        if self._fence is None:
            return
        try:
            table = DeltaTable(self._spark, self._path)
            for note, names in left_behind(self._files, table, self._fence).items():
                self._remove(names)
                self._files.delete(note)
        except Exception as error:
            log("left.behind", level="warning", table=self._path, error=type(error).__name__)

    def abandon(self) -> None:
        self._forget([*self._adds, *self._aside])

    def _forget(self, adds: Iterable[_Add]) -> None:
        """Remove files that will be in no commit, and then the word of them."""
        names = [add.file.path for add in adds]
        self._adds, self._aside = [], []  # first: what is committed is not to be abandoned any more
        self._remove(names)
        if self._note is not None:
            self._files.delete(self._note)
            self._note = None

    def _remove(self, names: Iterable[str]) -> None:
        paths = [f"{self._path}/{name}" for name in names]
        if not paths:
            return
        hadoop = self._jvm.org.apache.hadoop.fs
        conf: Any = self._spark._jsc.hadoopConfiguration()
        files = hadoop.Path(self._path).getFileSystem(conf)
        for path in paths:
            files.delete(hadoop.Path(path), False)

    def _matching(self, replace: str) -> list[_Add]:
        if replace not in self._matched:
            self._matched[replace] = self._filtered(replace)
        return self._matched[replace]

    def _filtered(self, replace: str) -> list[_Add]:
        session: Any = self._spark._jsparkSession
        predicate = session.sessionState().sqlParser().parseExpression(replace)
        found = self._txn.filterFiles(self._seq([predicate]), False).toIndexedSeq()
        return [_Add.of(found.apply(place)) for place in range(found.size())]

    def _fence_action(self) -> list[Any]:
        if self._fence is None:
            return []
        if self._fence_seen() >= self._fence:
            raise Held(
                "a newer run has taken this table over: this one may not publish any more",
                where=self._path,
                next="nothing; the newer run does the work",
            )
        option = self._jvm.scala.Option.apply
        return [self._delta.actions.SetTransaction(FENCE, self._fence, option(None))]

    def _fence_seen(self) -> int:
        """The newest token in the table; from here on a commit of another one is a conflict."""
        told = _told(DeltaTable(self._spark, self._path), self.read_version)
        if told is None:
            return int(self._txn.txnVersion(FENCE))
        getattr(self._txn.readTxn(), "$plus$eq")(FENCE)  # as txnVersion does, without its job
        return told

    @cached_property
    def _files(self) -> Files:
        return files_for(self._path, self._spark)

    @cached_property
    def _delta(self) -> Any:
        return self._jvm.org.apache.spark.sql.delta

    @cached_property
    def _actions(self) -> Any:
        return getattr(getattr(self._delta.actions, "Action$"), "MODULE$")

    def _seq(self, items: Iterable[Any]) -> Any:
        listed = self._jvm.java.util.ArrayList()
        for item in items:
            listed.add(item)
        return self._jvm.org.apache.spark.api.python.PythonUtils.toSeq(listed)

    def _metadata(self, schema: T.StructType) -> Any:
        kind = self._delta.actions.Metadata
        listed = self._jvm.java.util.HashMap()
        for name, value in self._properties.items():
            listed.put(name, value)
        properties = self._jvm.org.apache.spark.api.python.PythonUtils.toScalaMap(listed)

        def default(place: int) -> Any:
            return getattr(kind, f"apply$default${place}")()

        by = self._seq(["_window"] if self._by_window else [])
        text = as_nullable(schema).json()
        return kind(default(1), None, None, default(4), text, by, properties, default(8))

    def _grown(self, schema: T.StructType) -> Any:
        old = self._txn.metadata()
        return self._delta.actions.Metadata(
            old.id(), old.name(), old.description(), old.format(), schema.json(),
            old.partitionColumns(), old.configuration(), old.createdTime(),
        )  # fmt: skip

    def _operation(self, replace: str | None, metadata: str) -> Any:
        """DeltaOperations.Write; its parameters differ between versions of Delta."""
        loader = self._log.getClass().getClassLoader()
        kind = loader.loadClass("org.apache.spark.sql.delta.DeltaOperations$Write")
        constructor = max(kind.getConstructors(), key=lambda c: c.getParameterCount())
        option = self._jvm.scala.Option.apply
        modes = self._jvm.org.apache.spark.sql.SaveMode
        options = iter([None, replace, metadata])  # partitionBy, predicate, userMetadata
        types = list(constructor.getParameterTypes())
        gateway: Any = self._spark.sparkContext._gateway
        values = gateway.new_array(self._jvm.java.lang.Object, len(types))
        for place, parameter in enumerate(types):
            name = parameter.getName()
            if name.endswith("SaveMode"):
                values[place] = modes.Append if replace is None else modes.Overwrite
            elif name == "scala.Option":
                values[place] = option(next(options, None))
            elif name == "boolean":
                values[place] = False
            else:
                values[place] = self._seq([])
        operation = constructor.newInstance(values)
        kept = operation.userMetadata()
        if kept.isEmpty() or kept.get() != metadata:
            raise Infrastructure("this build of Delta keeps no user metadata", where=self._path)
        return operation


def fence_of(spark: SparkSession, path: str) -> int:
    """The token of the newest writer that a table knows; 0 where there is no table."""
    table = DeltaTable(spark, path)
    latest = table.latest()
    told = None if latest is None else _told(table, latest)
    if told is not None:
        return max(told, 0)
    jvm: Any = spark._jvm
    session: Any = spark._jsparkSession
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(session, path)
    return max(int(log.startTransaction().txnVersion(FENCE)), 0)


def _told(table: DeltaTable, version: int) -> int | None:
    """The newest token at a version, where its checksum tells it."""
    checksum = table.checksum(version) if version >= 0 else None
    return checksum.transaction(FENCE) if checksum else None


def in_own_windows(aside: DataFrame, mark: str) -> DataFrame:
    """Rows that were set aside, with the window that they came in."""
    return aside.withColumn("_window", F.expr(f"substring(`_window`, {len(mark) + 1})"))
