"""What is told of SQL without Spark: columns named, columns left, what is not closed."""

from __future__ import annotations

import pytest

from headgate.conf.sparktypes import checked
from headgate.core.identifiers import columns_named
from headgate.core.selects import columns_of, tokens

NAMED = {
    "a + b * 2": ("a", "b"),
    "`a b` = 'x' -- c": ("a b",),
    "CASE WHEN a > 0 THEN b ELSE lower(c) END": ("a", "b", "c"),
    "CAST(a AS decimal(10, 2)) > b": ("a", "b"),
    "try_cast(a AS struct<x: int, y: array<date>>).x = b": ("a", "b"),
    "a::bigint + 1L": ("a",),
    "a + INTERVAL 3 DAYS > current_date": ("a",),
    "timestampdiff(MINUTE, a, b)": ("a", "b"),
    "DATE '2026-01-01' <= a AND x'1F' <> b": ("a", "b"),
    "a.b.c = 1 AND d[0] = m['k']": ("d", "m"),
    "transform(a, x -> x + 1)": (),
    "extract(YEAR FROM a)": (),
    "a IN (SELECT b FROM c)": (),
    "sum(a) OVER (PARTITION BY b)": (),
    "count(DISTINCT a) FILTER (WHERE b IS NOT NULL)": ("a", "b"),
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY a DESC NULLS LAST)": ("a",),
    "a BETWEEN :window_start AND :window_end": ("a",),
    "make_date(year => a, month => 1, day => 1)": ("a",),
    "struct(a AS x, b AS y)": ("a",),
    "name COLLATE UTF8_LCASE = 'x'": ("name",),
    "a LIKE 'x%' ESCAPE '!' OR NOT b RLIKE r'\\d'": ("a", "b"),
    "größe > 1.5e-3": ("größe",),
    "count(*)": (),
    "(": (),
}


@pytest.mark.parametrize("text", NAMED)
def test_columns_that_an_expression_names(text: str) -> None:
    assert columns_named(text) == NAMED[text]


BEFORE = ("id", "price", "_row")
LEFT = {
    "SELECT * FROM input": BEFORE,
    "select *, price * 0.2 as vat from input where id > 0": (*BEFORE, "vat"),
    "SELECT input.*, a.b AS c FROM input": (*BEFORE, "c"),
    "SELECT input.*, 1 AS c FROM input i ORDER BY id": (*BEFORE, "c"),
    "SELECT * EXCEPT (price), upper(x) AS y FROM input": ("id", "_row", "y"),
    "SELECT i.price, cast(a AS int) AS `a b` FROM input i JOIN c ON true": ("price", "a b"),
    "SELECT * FROM input JOIN other USING (id)": None,
    "SELECT * FROM input LATERAL VIEW explode(a) t AS b": None,
    "SELECT * FROM input, other": None,
    "SELECT upper(id) FROM input": None,
    "SELECT DISTINCT id, count(DISTINCT price) AS n FROM input GROUP BY id;": ("id", "n"),
    "WITH a AS (SELECT 1) SELECT * FROM input": None,
    "SELECT id, 1 one FROM input": None,
    "SELECT (": None,
}


@pytest.mark.parametrize("text", LEFT)
def test_columns_that_a_select_leaves(text: str) -> None:
    assert columns_of(text, BEFORE) == LEFT[text]


def test_a_star_of_unknown_columns_is_unknown() -> None:
    assert columns_of("SELECT *, 1 AS a FROM input", None) is None
    assert columns_of("SELECT id, 1 AS a FROM input", None) == ("id", "a")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("f(a", "a '(' is not closed"),
        ("a)", "a ')' closes what is not open"),
        ("f(a]", "a ']' closes what is not open"),
        ("'a", "a quote (') is not closed"),
        ("`a", "a quote (`) is not closed"),
    ],
)
def test_what_is_not_closed(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=r"closed|open") as caught:
        tokens(text)
    assert str(caught.value) == what


TYPES = {
    "BIGINT": "bigint",
    " decimal( 10 , 2 ) ": "decimal(10,2)",
    "decimal(10)": "decimal(10,0)",
    "array< int >": "array<int>",
    "map<string, array<double>>": "map<string,array<double>>",
    "struct<Id: bigint, when: timestamp_ntz>": "struct<Id:bigint,when:timestamp_ntz>",
    "struct<a int, b decimal(5,2)>": "struct<a:int,b:decimal(5,2)>",
}
NO_TYPES = {
    "integr": "unknown type 'integr' (did you mean 'integer'?)",
    "long": "unknown type 'long' (did you mean 'bigint'?)",
    "varchar(10)": "unknown type 'varchar(10)' (did you mean 'string'?)",
    "decimal(5,6)": "'decimal(5,6)': 6 digits after the point do not fit into 5",
    "array<int": "'array<int' has a '<' that is not closed by '>'",
    "map<int>": "'map<int>' is not written map<type,type>",
    "struct<a>": "'struct<a>' is not written struct<name:type,…>",
    "array<>": "'array<>' is not written array<type>",
    "": "unknown type ''",
}


@pytest.mark.parametrize("text", TYPES)
def test_types(text: str) -> None:
    assert checked(text) == TYPES[text]


@pytest.mark.parametrize("text", NO_TYPES)
def test_what_is_no_type(text: str) -> None:
    with pytest.raises(ValueError, match=r"type|decimal|<") as caught:
        checked(text)
    assert str(caught.value) == NO_TYPES[text]
