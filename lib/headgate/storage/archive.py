"""An archive of Spark's loaded classes, with which a local session starts in half the time.

`python -m headgate.storage.archive` makes it once for this Java, Spark and Delta (145 MB, half a
minute). A session on one machine takes it when it is there; Java itself sees whether it fits the
class path, and goes without where it does not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from headgate.core.errors import HeadgateError, Infrastructure, Usage
from headgate.core.spec import SparkSettings
from headgate.storage import jars, java

VARIABLE: Final = "HEADGATE_ARCHIVE"  # off: neither taken nor made
_TARGET: Final = "HEADGATE_ARCHIVE_TARGET"  # of the process that makes it
_OLDEST_JAVA: Final = 13  # that can archive what it has loaded
_PATIENCE_SECONDS: Final = 900


def options(delta: Iterable[Path]) -> str:
    """The options with which a JVM takes the archive; none where there is none."""
    if target := os.environ.get(_TARGET):
        return f"-XX:ArchiveClassesAtExit={target} -Xlog:cds=off -Xlog:cds+dynamic=off"
    found = existing(delta)
    if found is None:
        return ""
    return f"-XX:SharedArchiveFile={found} -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off"


def existing(delta: Iterable[Path]) -> Path | None:
    """The archive for this Java, Spark and Delta."""
    name = _name(delta)
    if name is None or os.environ.get(VARIABLE) == "off":
        return None
    found = (path for folder in _folders() for path in folder.glob(f"{name}-*.jsa"))
    return next(filter(_is_whole, found), None)


def make() -> Path | None:
    """Make the archive in a process of its own; None where this machine cannot have one."""
    spark, version = jars.installed_pair()
    delta = jars.delta_jars(spark, version, fetch=True)
    name, found = _name(delta), existing(delta)
    if found is not None or name is None or os.environ.get(VARIABLE) == "off":
        return found
    folder = next((folder for folder in _folders() if _writable(folder)), None)
    if folder is None:
        raise Infrastructure("no folder for the archive can be written", where=str(_folders()[0]))
    unfinished = folder / f".{name}.{os.getpid()}"
    try:
        _let_train(unfinished)
        made = folder / f"{name}-{unfinished.stat().st_size}.jsa"
        unfinished.replace(made)
    except OSError as error:
        raise Infrastructure(f"no archive: {error.strerror}", where=str(folder)) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return made


def _let_train(target: Path) -> None:
    """Have another process make it; its JVM writes the file as it ends."""
    child = subprocess.Popen(
        [sys.executable, "-m", "headgate.storage.archive", "--train"],
        env={**os.environ, _TARGET: str(target), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, said = child.communicate(timeout=_PATIENCE_SECONDS)
    except BaseException as error:
        os.killpg(child.pid, signal.SIGKILL)  # the JVM too: it would still write
        child.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Infrastructure("the archive took too long to make", where=str(target)) from None
        raise
    if child.returncode != 0 or not target.is_file():
        last = (said.strip().splitlines() or ["Java wrote none"])[-1][:200]
        raise Infrastructure(f"the archive could not be made: {last}", where=str(target))


def _is_whole(path: Path) -> bool:
    """Java crashes on an archive that was cut off; its name tells its length."""
    length = path.stem.rpartition("-")[2]
    return " " not in str(path) and length == str(path.stat().st_size)


def _name(delta: Iterable[Path]) -> str | None:
    """One archive belongs to one Java and one class path."""
    home, found = jars.spark_home(), java.found()
    if home is None or found is None or found.major < _OLDEST_JAVA:
        return None
    parts = [found.version, str(Path(found.path).resolve()), str(home.resolve())]
    for path in [*(home / "jars").glob("spark-core*.jar"), *delta]:
        stat = path.stat()
        parts.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _folders() -> list[Path]:
    places = [Path(sys.prefix, "share")]
    cache = os.environ.get("XDG_CACHE_HOME")
    if cache or "HOME" in os.environ:
        places.append(Path(cache or Path.home() / ".cache"))
    return [place / "headgate" / "archive" for place in places]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK) and " " not in str(folder)


def _train() -> None:
    """Load what a run loads, then let the JVM end by itself: it writes the archive as it ends."""
    from pyspark import SparkContext

    from headgate.storage import session

    folder = Path(tempfile.mkdtemp(prefix="headgate-archive-"))
    try:
        spark = session.start(SparkSettings(master="local[2]"), timezone="UTC", app="archive")
        _exercise(spark, folder)
        session.stop_quietly(spark)
        process: Any = SparkContext._gateway.proc  # type: ignore[union-attr]
        process.stdin.close()
        process.wait(timeout=_PATIENCE_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _exercise(spark: Any, folder: Path) -> None:
    """A small run: read, split, count, write, merge, and read again."""
    from pyspark.sql import Observation, Window
    from pyspark.sql import functions as F

    from delta import DeltaTable

    lines = "\n".join(f"{n},{n % 3},2026-01-0{n % 3 + 1},x{n}" for n in range(50))
    (folder / "a.csv").write_text(f"id,kind,day,name\n{lines}\n")
    kind = "id STRING, kind STRING, day STRING, name STRING, broken STRING"
    reader = spark.read.schema(kind).option("header", True)
    rows = reader.option("columnNameOfCorruptRecord", "broken").csv(str(folder / "a.csv"))
    rows = rows.select(
        F.expr("try_cast(id as bigint)").alias("id"),
        F.trim("name").alias("name"),
        F.to_date("day").alias("day"),
        F.col("_metadata.file_path").alias("_file"),
        F.to_json(F.struct("id", "name")).alias("_record"),
        F.col("kind"),
    )
    newest = Window.partitionBy("id").orderBy(F.col("day").desc())
    rows = rows.withColumn("place", F.row_number().over(newest)).where("place = 1")
    table, seen = str(folder / "t"), Observation()
    counted = rows.observe(seen, F.count(F.lit(1)).alias("n"), F.sum("id").alias("s"))
    counted.write.format("delta").partitionBy("kind").save(table)
    seen.get  # noqa: B018 - waits for the counts
    again = spark.read.format("delta").load(table)
    again.groupBy("kind").agg(F.count("*"), F.avg("id"), F.countDistinct("name")).collect()
    one = rows.where("kind = '1'")
    one.write.format("delta").mode("overwrite").option("replaceWhere", "kind = '1'").save(table)
    target = DeltaTable.forPath(spark, table).alias("t")
    merge = target.merge(rows.alias("s"), "t.id = s.id").whenMatchedUpdateAll()
    merge.whenNotMatchedInsertAll().execute()
    again.join(F.broadcast(rows.select("id")), "id", "left").write.json(str(folder / "j"))
    spark.read.json(str(folder / "j")).count()
    spark.read.parquet(table).dropDuplicates(["id"]).count()


def _main(arguments: list[str]) -> int:
    try:
        if arguments == ["--train"]:
            _train()
            return 0
        if arguments not in ([], ["--quiet"]):
            raise Usage("unknown arguments", next="python -m headgate.storage.archive [--quiet]")
        made = make()
    except HeadgateError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return error.exit_code
    if not arguments:
        sys.stdout.write(f"{made or 'no archive: this Java cannot have one'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
