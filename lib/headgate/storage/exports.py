"""Rows handed out: as one CSV or JSON-lines file on this machine, or as a Delta table anywhere."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from headgate.conf.settings import placed
from headgate.core.errors import Usage
from headgate.storage.files import files_for, unusable
from headgate.transforms.contract import as_text
from headgate.transforms.hidden import AS_JSON, column


def is_csv(place: str) -> bool:
    return place.lower().endswith(".csv")


def handed_out(rows: DataFrame, place: str) -> int:
    """Write rows where nothing is yet; how many they are."""
    if is_csv(place):
        return _as_csv(rows, Path(place))
    if place.lower().endswith(".jsonl"):
        return _as_lines(rows, Path(place))
    where = placed(place, Path.cwd())  # the JVM may have another folder for its own
    if any(True for _ in files_for(where, rows.sparkSession).listing("")):
        raise Usage("there is something already", where=place, next="--to another place")
    rows.write.format("delta").mode("errorifexists").save(where)
    return rows.sparkSession.read.format("delta").load(where).count()


def text_written(lines: Iterable[str], path: Path) -> None:
    """Write a text, line by line, where no file is yet."""
    with _made(path) as file:
        file.writelines(f"{line}\n" for line in lines)


def _as_csv(rows: DataFrame, path: Path) -> int:
    """Row by row through the driver."""
    shown = rows.select([_text(rows, name).alias(name) for name in rows.columns])
    count = 0
    with _made(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(shown.columns)
        for row in shown.toLocalIterator():
            writer.writerow(row)
            count += 1
    return count


def _as_lines(rows: DataFrame, path: Path) -> int:
    """An object a line, with every column, whole."""
    count = 0
    whole = F.to_json(F.struct(*map(column, rows.columns)), AS_JSON)
    with _made(path) as file:
        for row in rows.select(whole).toLocalIterator():
            file.write(f"{row[0]}\n")
            count += 1
    return count


@contextmanager
def _made(path: Path) -> Iterator[IO[str]]:
    """A new file that is whole, or not there; what a person has is not written over."""
    if path.exists():
        raise Usage("there is a file already", where=str(path), next="--to another file")
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        raise unusable(error, str(path)) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _text(rows: DataFrame, name: str) -> Column:
    """A column as a cell: several reasons side by side."""
    kind = rows.schema[name].dataType
    if isinstance(kind, T.ArrayType) and isinstance(kind.elementType, T.StringType):
        return F.array_join(column(name), "; ")
    return as_text(column(name), kind)
