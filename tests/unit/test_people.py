"""Keys are followed from table to table by what the files say, and records taken out of files."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headgate.conf.reading import suite_from
from headgate.core.contract import FileSource
from headgate.core.traces import Traces
from headgate.doors.cli import main
from headgate.storage.rewriting import without
from unit.conf_files import laid_out

ORDERS: dict[str, Any] = {
    "ingested.customers": {
        "source": {"files": "c/{window}.csv"},
        "columns": {"id": "bigint", "mail": {"type": "string", "privacy": "mask"}},
    },
    "ingested.products": {"source": {"files": "p/{window}.csv"}, "columns": {"id": "bigint"}},
    "ingested.orders": {
        "source": {"files": "o/{window}.csv"},
        "columns": {"no": "bigint", "buyer": "bigint", "friend": "bigint", "mail": "string"},
    },
    "ingested.visits": {
        "source": {"files": "v/{window}.csv"},
        "columns": {"buyer": "bigint", "url": "string"},
    },
    "clean.customers": {"reads": "ingested.customers", "key": "id"},
    "clean.orders": {
        "reads": "ingested.orders",
        "steps": [
            {"derive": {"payer": "buyer", "friend": "friend + 1"}},
            {"rename": {"buyer": "customer"}},
            {"lookup": {"table": "clean.customers", "on": {"customer": "id"}, "take": ["mail"]}},
        ],
    },
}


def test_a_key_goes_through_steps_lookups_and_names() -> None:
    traces = Traces.of(suite_from(ORDERS, raw="raw", lake="lake").tables)
    found = {
        table: traces.like(("clean.customers", "id"), table)
        for table in ORDERS
    }  # fmt: skip
    assert found == {
        "ingested.customers": ("id",), "ingested.products": (), "ingested.orders": ("buyer",),
        "ingested.visits": ("buyer",), "clean.customers": ("id",),
        "clean.orders": ("customer", "payer"),
    }  # fmt: skip
    assert traces.hidden(("clean.orders", "mail")) == "masked"
    assert traces.hidden(("clean.orders", "customer")) is None
    assert traces.group(("ingested.orders", "buyer")) in traces.keys
    assert traces.group(("ingested.orders", "no")) not in traces.keys


CSV = b'id,name\r\n1,"a\r\n""x"\r\n\r\n42,"zorro,\nz"\r\n3,c'


def test_a_record_goes_and_the_others_stay_byte_for_byte() -> None:
    csv = FileSource(files="*")
    assert without(CSV, "a.csv", csv, {2}, ["42"], 3) == CSV.replace(b'42,"zorro,\nz"\r\n', b"")
    packed = without(gzip.compress(CSV), "a.csv.gz", csv, {3}, ["3"], 3)
    assert packed is not None
    assert gzip.decompress(packed) == CSV.removesuffix(b"3,c")
    lines = FileSource(files="*", format="jsonl")
    assert without(b'{"a": 1}\n\n{"a": 2}\n', "a", lines, {2}, ["2"], 2) == b'{"a": 1}\n\n'


def test_what_cannot_be_told_apart_for_sure_is_left_to_its_owner() -> None:
    csv = FileSource(files="*")
    assert without(CSV, "a.csv", csv, {2}, ["43"], 3) is None  # another record than was meant
    assert without(CSV, "a.csv", csv, {2}, ["42"], 4) is None  # Spark sees other records
    assert without(b"\xff", "a.csv", csv, {1}, ["x"], 1) is None
    assert without(CSV, "a.csv.bz2", csv, {2}, ["42"], 3) is None
    assert without(CSV, "a", FileSource(files="*", format="orc"), {2}, ["42"], 3) is None


def test_a_row_of_parquet_goes_and_the_types_stay() -> None:
    table = pa.table({"id": pa.array([1, 42, 3], pa.int32()), "d": pa.array([1, None, 3])})
    out = io.BytesIO()
    pq.write_table(table, out)
    source = FileSource(files="*", format="parquet")
    made = without(out.getvalue(), "a.parquet", source, {2}, ["42"], 3)
    assert made is not None
    assert pq.read_table(io.BytesIO(made)).equals(table.take([0, 2]))


@pytest.mark.parametrize("verb", ["erase", "subject"])
def test_a_slip_and_a_missing_key_are_told_before_spark_starts(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("Spark was started")

    laid_out(tmp_path)
    monkeypatch.setattr("headgate.storage.suite_session.start", refuse)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADGATE_KEY_MAIN")
    for words, told in (
        (("clean.orders", "--where", "order_id = 4711"), "openssl rand -hex 32"),
        (("clean.order", "--where", "order_id = 4711"), "did you mean 'clean.orders'?"),
        (("clean.orders", "--where", "(order_id = 4711"), "--where"),
    ):
        assert main([verb, *words, "--json"]) == 2
        said = capsys.readouterr()
        assert told in said.err
