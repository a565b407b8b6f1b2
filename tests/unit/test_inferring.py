"""`headgate infer` on files: what it writes is understood, and what it cannot read it says."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from pathlib import Path

import pytest

from headgate.doors.cli import main


def typed(*words: str | Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


def _columns(*words: str | Path) -> dict[str, str]:
    code, out, err = typed("infer", *words, "--json")
    assert code == 0, err
    return {one["name"]: one["type"] for one in json.loads(out)["columns"]}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_formats_and_encodings(tmp_path: Path) -> None:
    Path("a.csv").write_bytes("id;größe;preis\n1;klein;2,50\n2;groß;13,00\n".encode("utf-16"))
    assert _columns("a.csv") == {"id": "bigint", "groesse": "string", "preis": "string"}
    Path("z.csv.gz").write_bytes(gzip.compress(b"id,at\n1,2026-11-03 10:00:00\n"))
    assert _columns("z.csv.gz") == {"id": "bigint", "at": "timestamp"}
    records = [{"id": n, "code": "12", "price": 1.5, "tags": ["x"]} for n in range(3)]
    Path("j.jsonl").write_text("\n".join(map(json.dumps, records)))
    expected = {"id": "bigint", "code": "string", "price": "decimal(14,2)", "tags": "string"}
    assert _columns("j.jsonl") == expected
    Path("j.json").write_text(json.dumps(records, indent=1))
    assert _columns("j.json") == expected


def test_columnar_files() -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import orc, parquet

    table = pa.table({"id": [1, 2], "s": ["a", "b"], "l": [[1], [2]]})
    parquet.write_table(table, "t.parquet")
    orc.write_table(table.drop(["l"]), "t.orc")
    assert _columns("t.parquet") == {"id": "bigint", "s": "string", "l": "array<bigint>"}
    assert _columns("t.orc") == {"id": "bigint", "s": "string"}
    fastavro = pytest.importorskip("fastavro")
    fields = [{"name": "id", "type": "long"}, {"name": "v", "type": "double"}]
    schema = fastavro.parse_schema({"type": "record", "name": "r", "fields": fields})
    with Path("t.avro").open("wb") as file:
        fastavro.writer(file, schema, [{"id": 1, "v": 2.5}])
    assert _columns("t.avro") == {"id": "bigint", "v": "double"}


def test_no_value_of_a_misfit_or_a_personal_column_is_written() -> None:
    lines = [f"{n},p{n}@example.org,{'secret' if n == 7 else n}" for n in range(30)]
    Path("people.csv").write_text("\n".join(["id,contact,n", *lines]))
    code, out, _ = typed("infer", "people.csv")
    assert code == 0
    assert "1 of 30 values is no whole number (the first: record 8 of people.csv)" in out
    assert "  # contact: {type: string, privacy: tokenise}\n" in out
    assert "secret" not in out
    assert "example" not in out


def test_names_that_mean_something_in_yaml() -> None:
    header = '"a: b","c # d","e\nf","{g}","h\'i","no","[j]"'
    Path("x#y: z.csv").write_text(f"{header}\n1,2,3,4,5,6,- k\n")
    code, out, err = typed("infer", "x#y: z.csv")
    assert code == 0, err
    names = ["a_b", "c_d", "e_f", "g", "h_i", "no", "j"]
    assert list(_columns("x#y: z.csv")) == names
    assert '/x#y: z.csv"  # below the raw zone' in out


def test_a_target_is_written_once_and_never_over() -> None:
    Path("orders.csv").write_text("id,n\n1,2\n")
    code, out, _ = typed("infer", "orders.csv", "--to", "conf/ingested/")
    assert (code, out) == (0, "conf/ingested/orders.yaml: 2 columns\n")
    before = Path("conf/ingested/orders.yaml").read_text()
    assert "files: orders/orders.csv  # below the raw zone" in before
    code, _, err = typed("infer", "orders.csv", "--conf", "none", "--to", "orders.yaml")
    assert code == 2  # a folder that is named has to be there
    Path("orders.yaml").write_text("mine")
    Path("conf").rename("before")
    code, _, err = typed("infer", "orders.csv", "--to", "orders.yaml")
    assert (code, Path("orders.yaml").read_text()) == (2, "mine")
    assert "it is there already; nothing was written" in err


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("gone.csv", None, 2, "it is not there"),
        ("empty.csv", b"", 11, "the file is empty (0 bytes)"),
        ("blank.csv", b" \n\n", 11, "the file holds no text"),
        ("b.csv", bytes(range(256)) * 20, 11, "the file is binary, not text"),
        ("b.xlsx", b"PK\x03\x04", 11, "it is a spreadsheet or a zip archive"),
        ("b.parquet", b"PAR1xxxx", 11, "the file is not Parquet, or was cut off"),
        ("b.csv.gz", b"id,n", 11, "the file is not gzip, as its name says"),
        ("b.txt", b"some\nwords, here\n", 11, "nothing in it looks like a table"),
        ("b.json", b"[1, 2]", 11, "nothing in it looks like a table"),
        ("b.csv", b"a,A\n1,2\n", 11, "the header names 'a' twice, or in two cases"),
    ],
    ids=str,
)
def test_bad_input(name: str, content: bytes | None, code: int, says: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    ended, out, err = typed("infer", name)
    assert (ended, out) == (code, "")
    assert err.startswith(f"{name}: {says}")
    assert " Next: " in err


def test_an_empty_folder_and_files_that_are_left_out() -> None:
    Path("in").mkdir()
    code, _, err = typed("infer", "in")
    assert (code, "the folder holds no file" in err) == (2, True)
    for day in (1, 2):
        Path(f"in/o_2026-11-0{day}.csv").write_text("id,n\n1,2\n")
    Path("in/o_2026-11-03.csv").write_text("")
    Path("in/people.csv").write_text("name\nx\n")
    code, out, err = typed("infer", "in")
    assert code == 0
    assert "files: o/o_{window}.csv" in out or "files: in/o_{window}.csv" in out
    assert "o_2026-11-03.csv: the file is empty" in err
    assert "people: another table, 1 file. Next: headgate infer in/people.csv" in err
