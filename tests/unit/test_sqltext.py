"""Reading just enough of a SELECT to carry columns through it."""

from __future__ import annotations

import pytest

from headgate.core.sqltext import bound, carrying, parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a FROM input", "SELECT a, `_row` FROM input"),
        ("select a from input", "select a, `_row` from input"),
        ("SELECT 'from' AS a FROM input", "SELECT 'from' AS a, `_row` FROM input"),
        ("SELECT `from` FROM input", "SELECT `from`, `_row` FROM input"),
        ('SELECT "from" FROM input', 'SELECT "from", `_row` FROM input'),
        ("SELECT 'it''s' FROM input", "SELECT 'it''s', `_row` FROM input"),
        ("SELECT 'a\\'b from' FROM input", "SELECT 'a\\'b from', `_row` FROM input"),
        ("SELECT extract(year FROM at) AS y FROM input",
         "SELECT extract(year FROM at) AS y, `_row` FROM input"),
        ("SELECT (SELECT max(x) FROM other) AS m FROM input",
         "SELECT (SELECT max(x) FROM other) AS m, `_row` FROM input"),
        ("SELECT a -- from here\nFROM input", "SELECT a -- from here, `_row` FROM input"),
        ("SELECT a /* FROM x */ FROM input", "SELECT a /* FROM x */, `_row` FROM input"),
        ("SELECT a[0] FROM input WHERE b", "SELECT a[0], `_row` FROM input WHERE b"),
    ],
)  # fmt: skip
def test_columns_go_to_the_end_of_the_list(text: str, expected: str) -> None:
    made = carrying(text, ["_row"])
    if "--" in text:
        assert made is None or "\n" in made.partition(", `_row`")[0]
    else:
        assert made == expected


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a, count(*) FROM input GROUP BY a",
        "SELECT DISTINCT a FROM input",
        "SELECT a FROM input UNION ALL SELECT a FROM input",
        "SELECT a FROM input EXCEPT SELECT a FROM input",
        "WITH t AS (SELECT a FROM input) SELECT a FROM t",
        "FROM input SELECT a",
        "SELECT a FROM input HAVING a > 1",
        "TABLE input",
        "",
        "SELECT 1",
    ],
)
def test_what_regroups_or_has_no_plain_list_is_left_alone(text: str) -> None:
    assert carrying(text, ["_row"]) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT :window_start", {"window_start"}),
        ("SELECT :a + :b, :a", {"a", "b"}),
        ("SELECT a::int", set()),
        ("SELECT ':a'", set()),
        ("SELECT 'it''s :a'", set()),
        ("SELECT x:y.z", set()),
        ('SELECT ":a", `:b` -- :c\n, :d /* :e */', {"d"}),
        ("SELECT at >= :window_start AND at<:window_end", {"window_start", "window_end"}),
    ],
)
def test_parameters_are_those_outside_of_texts(text: str, names: set[str]) -> None:
    assert parameters(text) == names
    values = {name: f"<{name}>" for name in names}
    made = bound(text, values)
    assert parameters(made) == set()
    for name, value in values.items():
        made = made.replace(value, f":{name}")
    assert made == text
