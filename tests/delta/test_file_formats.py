"""Formats and encodings: the same rows, with their numbers, whatever the supplier's file is."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from builders import Lab, entry, fine, states

ROWS = [(1, "Ann\r\nLee"), (2, "Bö; €"), (3, None)]
COLUMNS = {"id": "bigint", "name": {"type": "string", "from": "Full Name"}}
NESTED = {"at": "struct<x: double, n: array<int>>"}
DAY = "2026-11-01"


def _csv(sep: str = ",", header: bool = True, swapped: bool = False) -> str:
    rows = [("id", "Full Name"), *[(str(i), f'"{n}"' if n else "") for i, n in ROWS]]
    lines = [sep.join(reversed(row)) if swapped else sep.join(row) for row in rows]
    return "\r\n".join(lines if header else lines[1:]) + "\r\n"


def _records() -> list[dict[str, Any]]:
    return [{"id": i, "Full Name": n, "at": {"x": 0.25, "n": [1]}} for i, n in ROWS]


def _lines() -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _records())


def _zst(text: str) -> bytes:
    zstandard = pytest.importorskip("zstandard", reason="zstandard is not installed")
    done: bytes = zstandard.ZstdCompressor().compress(text.encode())
    return done


Kind = tuple[str, dict[str, Any], str, Callable[[], bytes]]
KINDS: dict[str, Kind] = {
    "utf16": ("csv", {"encoding": "UTF-16"}, "a.csv", lambda: _csv().encode("utf-16")),
    "utf16le": ("csv", {"encoding": "UTF-16LE", "sep": ";"}, "a.csv",
                lambda: ("\ufeff" + _csv(";")).encode("utf-16-le")),
    "cp1252": ("csv", {"encoding": "windows-1252", "sep": "\\t"}, "a.tsv",
               lambda: _csv("\t").encode("cp1252")),
    "bz2": ("csv", {}, "a.csv.bz2", lambda: bz2.compress(_csv().encode())),
    "bare": ("csv", {"header": False}, "a.csv.gz",
             lambda: gzip.compress(_csv(header=False).encode())),
    "zst": ("csv", {}, "a.csv.zst", lambda: _zst(_csv(swapped=True))),
    "lines16": ("jsonl", {"encoding": "UTF-16"}, "a.jsonl", lambda: _lines().encode("utf-16")),
    "lineszst": ("jsonl", {}, "a.jsonl.zst", lambda: _zst(_lines())),
    "json1252": ("json", {"encoding": "cp1252"}, "a.json",
                 lambda: json.dumps(_records(), ensure_ascii=False).encode("cp1252")),
}  # fmt: skip


def test_encodings_and_compression(spark: SparkSession, tmp_path: Path) -> None:
    tables = {
        f"ingested.{name}": {
            "source": {"files": f"{name}/{{window}}/*", "format": kind, "options": options},
            "columns": COLUMNS | (NESTED if kind.startswith("json") else {}),
        }
        for name, (kind, options, _, _) in KINDS.items()
    }
    lab = Lab(spark, tmp_path, tables)
    for name, (_, _, file, made) in KINDS.items():
        lab.content(f"{name}/{DAY}/{file}", made())
        if file.endswith(".zst"):  # beside one that Spark reads
            plain = _csv() if ".csv" in file else _lines()
            lab.content(f"{name}/{DAY}/b.{file.split('.')[1]}", plain.encode("utf-8-sig"))
    fine(lab.run())
    for name in KINDS:
        again = 2 if name.endswith("zst") else 1
        found = lab.rows(f"ingested.{name}", "_row", "id", "name")
        # Spark's CSV reader makes one sign of a line's end inside a text.
        told = [(i, i, n.replace("\r\n", "\n") if n else n) for i, n in ROWS for _ in range(again)]
        assert [(r, i, n.replace("\r\n", "\n") if n else n) for r, i, n in found] == told, name
        if "json" in KINDS[name][0]:
            nested = lab.rows(f"ingested.{name}", "at.x", "at.n")
            assert nested == [(0.25, [1])] * len(found), name


def test_bytes_that_are_no_text_cost_their_row(spark: SparkSession, tmp_path: Path) -> None:
    tables = {
        f"ingested.{kind}": {
            "source": {"files": f"{kind}/{{window}}/*", "format": kind},
            "columns": {"id": "int", "name": "string"},
            "max_rejected": "80%",
        }
        for kind in ("csv", "jsonl")
    }
    lab = Lab(spark, tmp_path, tables)
    lab.content(f"csv/{DAY}/a.csv", b"id,name\n1,B\xf6\n2,a\x00b\n3,fine \xc3\xb6\n\xf6,n\n")
    lab.content(f"jsonl/{DAY}/a.jsonl", b'{"id":1,"name":"B\xf6"}\n{"id":3,"name":"fine"}\n')
    fine(lab.run())
    assert lab.rows("ingested.csv", "_row", "name") == [(3, "fine ö")]
    why = "name: holds bytes that are not UTF-8"
    assert lab.rejected("ingested.csv", "_row", "_reasons") == [
        (1, [why]), (2, [why]), (4, ["id: not a int"]),
    ]  # fmt: skip
    assert lab.rejected("ingested.jsonl", "_row", "_reasons") == [(1, [why])]


def test_avro_and_orc(spark: SparkSession, tmp_path: Path) -> None:
    fastavro = pytest.importorskip("fastavro", reason="fastavro is not installed")
    columns = {"id": "bigint", "at": "timestamp", "price": "decimal(8,2)", "tags": "array<string>"}
    tables = {
        f"ingested.{kind}": {
            "source": {"files": f"{kind}/{{window}}/**/*.{kind}", "format": kind},
            "columns": columns,
        }
        for kind in ("avro", "orc")
    }
    lab = Lab(spark, tmp_path, tables)
    text = ("SELECT id, TIMESTAMP'2026-11-01 10:00:00.25' AS at, CAST(1.5 AS decimal(8,2)) AS "
            "price, array('a', 'b') AS tags, id * 2 AS more FROM range(1, 4)")  # fmt: skip
    rows = spark.sql(text).coalesce(1)
    rows.write.orc(str(lab.raw / "orc" / DAY / "part"))
    fields = [
        {"name": "id", "type": ["null", "long"]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8,
                                   "scale": 2}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "more", "type": "long"},
    ]  # fmt: skip
    out, schema = io.BytesIO(), {"type": "record", "name": "r", "fields": fields}
    spoken = [{**row.asDict(), "at": 1_793_527_200_250_000} for row in rows.collect()]
    fastavro.writer(out, schema, spoken, codec="deflate")
    whole = out.getvalue()
    lab.content(f"avro/{DAY}/a.avro", whole)
    lab.content(f"avro/{DAY}/cut.avro", whole[:-7])
    lab.content(f"avro/{DAY}/none.avro", b"{}")
    result = fine(lab.run())
    told = " ".join(entry(result, "ingested.avro", DAY).warnings)
    assert "cut.avro was set aside: the file cannot be read" in told
    assert "none.avro was set aside: the file is not Avro" in told
    moment = "2026-11-01T10:00:00.250000"
    for kind in ("avro", "orc"):
        found = lab.rows(f"ingested.{kind}", "_row", "id", "at", "price", "tags", "_rescued")
        assert [(r, i, a.isoformat(), p, t, m) for r, i, a, p, t, m in found] == [
            (i, i, moment, Decimal("1.50"), ["a", "b"], f'{{"more":"{i * 2}"}}') for i in (1, 2, 3)
        ]


def test_a_reader_of_ones_own(spark: SparkSession, tmp_path: Path) -> None:
    table = {"columns": {"id": "int", "name": "string"}, "max_rejected": "50%"}
    tables = {
        "ingested.fixed": {
            **table,
            "source": {"files": "f/{window}/*", "reader": "own_reader.columns_of_ten"},
        },
        "ingested.wrong": {
            **table,
            "source": {"files": "f/{window}/*", "reader": "own_reader.that_is_wrong"},
        },
    }
    lab = Lab(spark, tmp_path, tables)
    lab.content(f"f/{DAY}/a b.dat", b"FIXED\n001Ann    \nshort\n002Bo     \n")
    lab.content(f"f/{DAY}/bad.dat", b"nothing of the kind")
    result = lab.run()
    assert lab.rows("ingested.fixed", "_row", "id", "name", "_rescued") == [
        (1, 1, "Ann", '{"more":"{\\"from\\": \\"a b.dat\\"}"}'),
        (3, 2, "Bo", '{"more":"{\\"from\\": \\"a b.dat\\"}"}'),
    ]
    assert lab.rejected("ingested.fixed", "_row", "_record") == [(2, "short")]
    (line,) = entry(result, "ingested.fixed", DAY).warnings
    assert line.startswith(f"f/{DAY}/bad.dat was set aside: the file cannot be read")
    assert (result.exit_code, states(result, "ingested.wrong")) == (30, {DAY: "failed"})
    message = entry(result, "ingested.wrong", DAY).message or ""
    assert "own_reader.py" in message
    assert "KeyError" in message
    assert "4711" not in message


GPX = b"""<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="47.1" lon="8.5"><ele>400.5</ele><time>2026-11-01T10:00:00Z</time>
<extensions><g:hr xmlns:g="urn:g">120</g:hr></extensions></trkpt>
<trkpt lat="47.2" lon="8.6"/></trkseg></trk></gpx>"""
TCX = b"""<TrainingCenterDatabase><Activities><Activity><Lap><Track><Trackpoint>
<Time>2026-11-01T10:00:00Z</Time><Position><LatitudeDegrees>47.1</LatitudeDegrees>
<LongitudeDegrees>8.5</LongitudeDegrees></Position><AltitudeMeters>400.5</AltitudeMeters>
<HeartRateBpm><Value>120</Value></HeartRateBpm></Trackpoint></Track></Lap>
</Activity></Activities></TrainingCenterDatabase>"""
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gpx>&b;</gpx>'


def fit_file() -> bytes:
    """A FIT file with one point, written by the format's own rules."""
    definition = struct.pack("<BBBHB", 0x40, 0, 0, 20, 4) + bytes(
        [253, 4, 0x86, 0, 4, 0x85, 1, 4, 0x85, 3, 1, 0x02]
    )
    degrees = [int(value / 180 * 2**31) for value in (47.1, 8.5)]
    moment = 1_793_527_200 - 631_065_600  # FIT counts from the last day of 1989
    data = definition + struct.pack("<BIiiB", 0, moment, *degrees, 120)
    head = struct.pack("<BBHI4s", 14, 0x20, 2100, len(data), b".FIT")
    head += struct.pack("<H", _crc(head))
    return head + data + struct.pack("<H", _crc(head + data))


def _crc(content: bytes) -> int:
    table = (0x0, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
             0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400)  # fmt: skip
    crc = 0
    for byte in content:
        for nibble in (byte & 0xF, byte >> 4):
            crc = (crc >> 4) & 0x0FFF ^ table[crc & 0xF] ^ table[nibble]
    return crc


def test_activities_of_sports_devices(spark: SparkSession, tmp_path: Path) -> None:
    pytest.importorskip("fitdecode", reason="fitdecode is not installed")
    columns = {"time": "timestamp", "lat": "double", "lon": "double", "altitude": "double",
               "heart_rate": "int"}  # fmt: skip
    source = {"files": "d/{window}/*", "reader": "headgate.readers.activity"}
    lab = Lab(spark, tmp_path, {"ingested.points": {"source": source, "columns": columns}})
    for name, content in {
        "a.gpx": GPX, "b.tcx": TCX, "c.fit": fit_file(), "bomb.gpx": BOMB, "cut.tcx": TCX[:-40],
        "cut.fit": fit_file()[:-9],
    }.items():  # fmt: skip
        lab.content(f"d/{DAY}/{name}", content)
    result = fine(lab.run())
    told = entry(result, "ingested.points", DAY).warnings
    assert sorted(line.split(" ")[0].rpartition("/")[2] for line in told) == [
        "bomb.gpx", "cut.fit", "cut.tcx",
    ]  # fmt: skip
    found = lab.rows("ingested.points", "_file", "_row", "lat", "heart_rate", "time")
    assert [(f[-5:], n, round(lat, 5), hr, str(at)) for f, n, lat, hr, at in found] == [
        ("a.gpx", 1, 47.1, 120, "2026-11-01 10:00:00"),
        ("a.gpx", 2, 47.2, None, "None"),
        ("b.tcx", 1, 47.1, 120, "2026-11-01 10:00:00"),
        ("c.fit", 1, 47.1, 120, "2026-11-01 10:00:00"),
    ]
