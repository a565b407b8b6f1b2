"""What is guessed from texts and paths, and what is left alone because nothing tells."""

from __future__ import annotations

from collections import Counter

import pytest

from headgate.core.windows import Grain
from headgate.guessing.dialect import NotATable, dialect_of, encoding_of
from headgate.guessing.paths import column_names, dated, pattern, table_name
from headgate.guessing.personal import suspicion
from headgate.guessing.samples import Sample, drafted
from headgate.guessing.values import guess
from headgate.guessing.written import ingested_text


@pytest.mark.parametrize(
    ("texts", "name", "kind", "form"),
    [
        (["1", "22", "-3"], "n", "int", None),
        (["1", "22"], "order_id", "bigint", None),
        (["9999999999"], "n", "bigint", None),
        (["99999999999999999999"], "n", "string", None),  # overflows a bigint
        (["007", "12"], "n", "string", None),  # a code
        (["+4917012345"], "n", "string", None),
        (["12345", "54321"], "zip", "string", None),  # a code by its name
        (["1.5", "2"], "x", "decimal(14,2)", None),
        (["1.12345678"], "x", "double", None),
        (["1e5", "2.5"], "x", "double", None),
        (["2,50", "1.200,00"], "x", "string", None),  # for a clean table to make a number of
        (["1,234", "5,678"], "x", "string", None),
        (["1.234", "5.678"], "x", "string", None),
        (["true", "FALSE"], "x", "boolean", None),
        (["no"], "country", "string", None),  # Norway
        (["0", "1"], "x", "int", None),
        (["2026-11-03"], "x", "date", None),
        (["2026-11-03T10:00:00Z", "2026-11-03"], "x", "timestamp", None),
        (["2026-02-30"], "x", "string", None),
        (["3.11.2026", "20.12.2026"], "x", "date", "d.M.yyyy"),
        (["13/04/2026", "03/04/2026"], "x", "date", "d/M/yyyy"),
        (["04/13/2026 7:05 PM"], "x", "timestamp", "M/d/yyyy h:mm a"),
        (["03/04/2026", "04/05/2026"], "x", "string", None),  # day or month first?
        (["13/04/2026", "04/13/2026"], "x", "string", None),
        (["20261103"], "day", "date", "yyyyMMdd"),
        (["20261103"], "n", "int", None),
        (["3-Nov-2026"], "x", "date", "d-MMM-yyyy"),
    ],
    ids=str,
)
def test_types(texts: list[str], name: str, kind: str, form: str | None) -> None:
    found = guess(Counter(texts), name)
    assert (found.type, found.format) == (kind, form)


def test_what_cannot_be_told_is_said() -> None:
    assert "d/M/yyyy or M/d/yyyy" in guess(Counter(["03/04/2026"]), "x").notes[0]
    assert "thousands or decimals" in guess(Counter(["1,234"]), "x").notes[0]
    many = guess(Counter({**{str(n): 1 for n in range(40)}, "oops": 1, "N/A": 3}), "n")
    assert (many.type, many.almost, many.misfits) == ("string", "whole number", frozenset({"oops"}))
    assert guess(Counter(["1", "N/A", " - "]), "n").nulls == (" - ", "N/A")
    assert guess(Counter(["12", "34"]), "n", numeric=False).type == "string"


def test_numbers_with_commas_know_how_they_are_made() -> None:
    comma, grouped = guess(Counter(["2,50", "13,125"]), "p"), guess(Counter(["1,234.50"]), "p")
    assert comma.number == "decimal(15,3)"
    assert comma.made("p") == (
        "try_cast(replace(replace(trim(p), '.', ''), ',', '.') AS decimal(15,3))"
    )
    assert grouped.made("p") == "try_cast(replace(trim(p), ',', '') AS decimal(14,2))"


@pytest.mark.parametrize(
    ("text", "options", "names"),
    [
        ("a,b\n1,2\n", {"header": True}, ("a", "b")),
        ("a;b\n1,5;2,5\n", {"header": True, "sep": ";"}, ("a", "b")),
        ("a\tb\nx y\t2\n", {"header": True, "sep": "\t"}, ("a", "b")),
        ("1,2026-11-03\n2,2026-11-04\n", {"header": False}, ("column_1", "column_2")),
        ("a;'b'\n1;'x;y'\n2;'z'\n3;'z'\n", {"header": True, "sep": ";", "quote": "'"}, ("a", "b")),
        ('a,b\n1,"x \\"y\\", z"\n', {"header": True, "escape": "\\"}, ("a", "b")),
        ("# made by X\na,b\n1,2\n", {"header": True, "comment": "#"}, ("a", "b")),
    ],
    ids=str,
)
def test_dialects(text: str, options: dict[str, object], names: tuple[str, ...]) -> None:
    found = dialect_of(text)
    assert (dict(found.options), found.names) == (options, names)


def test_what_is_no_table() -> None:
    with pytest.raises(NotATable, match="its first record has 1 field, the others 3"):
        dialect_of("Report\na,b,c\n1,2,3\n4,5,6\n")
    with pytest.raises(NotATable, match="the same number of fields"):
        dialect_of("It, has, commas\nand lines; of all; sorts\nno table\n")
    assert encoding_of("é".encode()[:1] + b"", whole=False) == "UTF-8"


@pytest.mark.parametrize(
    ("paths", "files", "windowed"),
    [
        (["o/2026-11-03/a.csv", "o/2026-11-04/b.csv"], "o/{window}/*.csv", True),
        (["o_20261103.csv", "o_20261104.csv"], "o_{window:%Y%m%d}.csv", True),
        (["2026/11/03/x.csv"], "{window:%Y/%m/%d}/x.csv", True),
        (["year=2026/month=11/day=03/x.csv"], "{window:year=%Y/month=%m/day=%d}/x.csv", True),
        (["o_03.11.2026.csv"], "o_{window:%d.%m.%Y}.csv", True),
        (["o_03-04-2026.csv"], "o_03-04-2026.csv", False),  # day or month first?
        (["o_2026-11.csv"], "o_2026-11.csv", False),  # tells no day
        (["o_99999999.csv"], "o_99999999.csv", False),
        (["o/eu.csv", "o/us.csv"], "o/*.csv", False),
    ],
    ids=str,
)
def test_patterns(paths: list[str], files: str, windowed: bool) -> None:
    assert pattern(paths, Grain.day) == (files, windowed)


def test_a_pattern_means_its_files() -> None:
    from headgate.core.paths import Pattern

    for paths in (
        ["a/2026-11-03/x-1.csv", "a/2026-11-04/x-22.csv"],
        ["r_20261103_0530.csv", "r_20261104_0610.csv"],
        ["a/x.csv", "b/deep/x.csv", "b/y.csv"],
        ["orders_eu_20261103.csv.gz", "orders_us_20261103.csv.gz"],
    ):
        text, windowed = pattern(paths, Grain.day)
        for path in paths:
            found = dated(path)
            day = f"{found.moment:%Y-%m-%d}" if found and windowed else ""
            assert Pattern(text, Grain.day).window_of(path) == day, (text, path)


def test_names() -> None:
    assert table_name("2026-11-03/part-00000-ab.csv", "Web Clicks") == "web_clicks"
    assert table_name("Bestellungen_20261103.csv") == "bestellungen"
    assert column_names(["Kunde-Nr", "kunde nr", "Id"]) == {
        "Kunde-Nr": "kunde_nr", "kunde nr": "kunde_nr_2", "Id": "Id",
    }  # fmt: skip


def test_personal_columns() -> None:
    told = {
        name: found.what
        for name in ("customerName", "E-Mail", "phone_no", "product", "birth_date", "ip")
        if (found := suspicion(name, {}, "string"))
    }
    assert told == {
        "customerName": "names of people", "E-Mail": "e-mail addresses",
        "phone_no": "telephone numbers", "birth_date": "dates of birth", "ip": "network addresses",
    }  # fmt: skip
    assert suspicion("note", Counter(["+49 170 1234567"] * 3), "string") is not None
    assert suspicion("note", Counter(["2026-11-03 10:00"] * 3), "string") is None


def _sample(path: str, names: tuple[str, ...], *rows: tuple[str | None, ...]) -> Sample:
    records = [(n, dict(zip(names, row, strict=True))) for n, row in enumerate(rows, 1)]
    return Sample(path, path, "csv", names, records, {"header": True})


def test_one_file_that_differs_from_the_others() -> None:
    draft = drafted(
        "orders",
        [
            _sample("o/2026-11-01.csv", ("id", "n"), ("1", "2")),
            _sample("o/2026-11-02.csv", ("id",), ("2",)),
            _sample("o/2026-11-03.csv", ("id", "n"), ("3", "x")),
            _sample("o/2026-11-04.csv", ("foo", "bar"), ("1", "2")),
        ],
        Grain.day,
    )
    text = ingested_text(draft, (), "headgate infer")
    assert [one.name for one in draft.columns] == ["id", "n"]
    assert '# n is not in o/2026-11-02.csv\non_change: {missing_column: "null"}' in text
    assert "# Not of this table: o/2026-11-04.csv: it has none of the columns" in text
