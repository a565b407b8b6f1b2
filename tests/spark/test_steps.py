"""The built-in steps: the example of each docstring runs, and what else they promise of rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headgate.conf.nodes import Listing, from_python, to_python
from headgate.conf.shapes import At
from headgate.conf.steps import STEPS, told
from headgate.core import steps as S
from headgate.core.errors import Fault, Usage
from headgate.stages.examples import same_value
from headgate.stages.shape import shape, together
from headgate.transforms.hidden import REASONS, RECORD, user_columns
from headgate.transforms.steps import Around

Row = Mapping[str, Any]
WINDOW = "2026-11-01"


def made(written: Any) -> tuple[S.Step, ...]:
    """Steps as a file writes them."""
    faults: list[Fault] = []
    node = written if isinstance(written, Listing) else from_python(written, "steps")
    found: tuple[S.Step, ...] = STEPS.read(node, At(faults))
    assert faults == []
    return found


def frame(spark: SparkSession, rows: Sequence[Row], types: Mapping[str, str]) -> DataFrame:
    """Rows as an ingested table holds them, of one window unless they say another."""
    kinds = {bool: "boolean", int: "int", float: "double", str: "string"}
    names = dict.fromkeys(name for row in rows for name in row)
    shown = {n: next((v for row in rows if (v := row.get(n)) is not None), "") for n in names}
    schema = {n: types.get(n) or kinds[type(value)] for n, value in shown.items()}
    texts = [[*(_as_text(row.get(n)) for n in names), str(at)] for at, row in enumerate(rows)]
    told_by = [F.from_json if kind[-1] == ">" else None for kind in schema.values()]
    raw = spark.createDataFrame(texts, ", ".join(f"`{n}` string" for n in [*names, "_row"]))
    columns = [
        (F.from_json(F.col(n), kind) if nested else F.col(n).cast(kind)).alias(n)
        for (n, kind), nested in zip(schema.items(), told_by, strict=True)
    ]
    own = [] if "_window" in names else [F.lit(WINDOW).alias("_window")]
    typed = raw.select(*columns, *own, F.lit("a.csv").alias("_file"), F.col("_row").cast("int"))
    return typed.select("*", F.struct("*").alias(RECORD)).localCheckpoint()


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def after(
    spark: SparkSession,
    steps: Any,
    rows: Sequence[Row],
    types: Mapping[str, str] | None = None,
    beside: Mapping[str, Sequence[Row]] | None = None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], DataFrame]:
    """The good rows and the rejected ones, and the frame that holds them."""
    tables = {name: frame(spark, given, {}) for name, given in (beside or {}).items()}
    given = frame(spark, rows, types or {})
    shaped = shape(given, made(steps), Around(tables), None, WINDOW)
    found = [row.asDict(recursive=True) for row in shaped.df.collect()]
    good = [row for row in found if row.get(REASONS) is None]
    thrown = [row for row in found if row.get(REASONS) is not None]
    came = [{**row, **row[RECORD]} for row in thrown]
    return good, came, shaped.df


def alike(expected: Row, actual: Row) -> bool:
    reasons = [expected["reasons"]] if "reasons" in expected else []
    named = {name: value for name, value in expected.items() if name != "reasons"}
    said = all(list(one) == actual[REASONS] for one in reasons)
    return said and all(n in actual and same_value(v, actual[n]) for n, v in named.items())


def assert_like(expected: Sequence[Row], actual: Sequence[Row]) -> None:
    left = list(actual)
    for one in expected:
        found = next((row for row in left if alike(one, row)), None)
        assert found is not None, (one, actual)
        left.remove(found)
    assert not left


@pytest.mark.parametrize("step", S.BUILT_IN, ids=lambda step: step.name)
def test_the_example_of_each_docstring(spark: SparkSession, step: type[S.Step]) -> None:
    node = told(step).node
    example = to_python(node)
    assert {*example} <= {"given", "types", "beside", "steps", "written", "rejected"}
    good, rejected, df = after(
        spark, node.get("steps"), example["given"], example.get("types"), example.get("beside")
    )
    assert_like(example["written"], good)
    assert_like(example.get("rejected", ()), rejected)
    columns: S.Columns = tuple(dict.fromkeys(n for row in example["given"] for n in row))
    for one in made(node.get("steps")):
        columns = one.columns_after(columns)
    assert columns is None or {*columns} == {*user_columns(df.columns)}


REJECTED = object()
# By how a text is read: texts, and what they are.
READINGS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "parse_number",
        {"type": "decimal(8,2)", "locale": "de"},
        {
            "1.234,50": "1234.50", " 7 ": "7.00", "-1.000": "-1000.00", "1000,5-": "-1000.50",
            "\u22125": "-5.00", "+3": "3.00", ",5": "0.50", "1.5": REJECTED, "1,005": REJECTED,
            "12.34.567": REJECTED, "1.000.000,00": REJECTED, "": REJECTED, "--1": REJECTED,
            "5 €": REJECTED, "NaN": REJECTED, "1e3": REJECTED, "-": REJECTED,
        },
    ),
    (
        "parse_number",
        {"type": "double", "locale": "fr"},
        {"1\u202f234,5": 1234.5, "1 234 567": 1234567, "1.5": REJECTED, "12 34": REJECTED},
    ),
    (
        "parse_number",
        {"type": "int", "locale": "en_IN"},
        {"12,34,567": 1234567, "999": 999, "1,234,567": REJECTED, "99,99,99,99,999": REJECTED},
    ),
    (
        "parse_number",
        {"type": "int", "locale": "de_CH", "otherwise": None},
        {"1'234": 1234, "1’234": 1234, "1.5": None, "x": None},
    ),
    (
        "parse_date",
        {"format": ["yyyy-MM-dd", "d.M.yyyy"]},
        {
            "2026-02-03": "2026-02-03", " 3.2.2026 ": "2026-02-03", "2026-2-3": REJECTED,
            "30.2.2026": REJECTED, "3.2.2026 or so": REJECTED, "": REJECTED,
        },
    ),
    (
        "parse_date",
        {"format": "dd.MM.yyyy HH:mm", "zone": "Europe/Berlin"},
        {
            "01.07.2026 12:00": "2026-07-01 10:00:00", "29.03.2026 02:30": "2026-03-29 01:30:00",
            "25.10.2026 02:30": "2026-10-25 00:30:00", "01.07.2026 24:30": REJECTED,
        },
    ),
    (
        "cast",
        {"type": "timestamp", "format": ["yyyy-MM-dd HH:mm", "d.M.yyyy"], "otherwise": None},
        {"2026-02-03 10:00": "2026-02-03 10:00:00", "3.2.2026": "2026-02-03", "2026-2-3 1": None},
    ),
    (
        "boolean",
        {"true": ["ja", 1], "false": "nein"},
        {" JA": True, "1": True, "Nein": False, "": REJECTED, "yes": REJECTED},
    ),
    (
        "parse_json",
        {"type": "array<int>"},
        {
            "[1, 2]": [1, 2], "[]": [], "null": None, "": REJECTED, "[1": REJECTED, "x": REJECTED,
            '["a"]': REJECTED, "[1] [2]": REJECTED, '{"a": 1}': REJECTED, "[1]}": REJECTED,
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("step", "how", "texts"), READINGS, ids=range(len(READINGS)))
def test_what_is_read_and_what_is_not(
    spark: SparkSession, step: str, how: dict[str, Any], texts: dict[str, Any]
) -> None:
    given = [{"text": text, "value": text} for text in texts]
    good, rejected, _ = after(spark, [{step: {"value": how}}], given)
    found = {row["text"]: row["value"] for row in good}
    wanted = {text: value for text, value in texts.items() if value is not REJECTED}
    assert {*found} == {*wanted}
    assert [t for t, value in wanted.items() if not same_value(value, found[t])] == []
    reasons = {reason for row in rejected for reason in row[REASONS]}
    assert not reasons or all(
        said.startswith((f"{step} value: ", "cast: {value:")) for said in reasons
    )


TWO: list[Row] = [
    {"_window": "2026-11-01", "id": 1, "name": "Ann Lee", "at": 2, "n": "4"},
    {"_window": "2026-11-01", "id": 1, "name": "ann  LEE!", "at": 1, "n": "x"},
    {"_window": "2026-11-01", "id": 2, "name": "Anne Lee", "at": 3, "n": "1"},
    {"_window": "2026-11-02", "id": 1, "name": "Ann Lee", "at": 1, "n": "8"},
    {"_window": "2026-11-02", "id": 1, "name": "Bob", "at": 4, "n": "2"},
    {"_window": "2026-11-02", "id": None, "name": None, "at": 5, "n": "3"},
    {"_window": "2026-11-02", "id": None, "name": None, "at": 6, "n": "3"},
]
AMONG_ROWS: list[tuple[dict[str, Any], Any]] = [
    (
        {"previous": {"columns": {"b": "n"}, "by": "id", "order": "at"}},
        [(1, 2, None), (2, 3, None), (1, 1, None), (1, 4, 8), (None, 5, None), (None, 6, 3)],
    ),
    (
        {"running": {"columns": {"b": "sum(n)"}, "order": "at"}},
        [(1, 2, 4), (2, 3, 5), (1, 1, 8), (1, 4, 10), (None, 5, 13), (None, 6, 16)],
    ),
    (
        {"deduplicate": {"by": "id", "latest_by": "at"}},
        [(1, 2), (2, 3), (1, 4), (None, 6)],
    ),
    (
        {"deduplicate": {"near": "name", "within": "_window", "distance": 1, "latest_by": "at"}},
        [(2, 3), (1, 1), (1, 4), (None, 5), (None, 6)],
    ),
]


@pytest.mark.parametrize(("step", "expected"), AMONG_ROWS, ids=range(len(AMONG_ROWS)))
def test_steps_among_rows_stay_in_their_window_and_pass_rejected_rows_over(
    spark: SparkSession, step: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    steps = [{"cast": {"n": "int"}}, step]
    good, rejected, df = after(spark, steps, TWO)
    names = ["id", "at", *(["b"] if "b" in df.columns else [])]
    assert sorted((tuple(row[n] for n in names) for row in good), key=repr) == sorted(
        expected, key=repr
    )
    assert [row["at"] for row in rejected] == [1]
    assert all(row.get("b") is None for row in rejected)
    empty = frame(spark, TWO, {}).limit(0)
    assert together(made(steps), empty, Around({}))


def test_a_lookup_says_what_becomes_of_a_row_without_match(spark: SparkSession) -> None:
    given: list[Row] = [{"c": "DE", "n": 1}, {"c": "XX", "n": 2}, {"c": None, "n": 3}]
    beside = {"clean.c": [{"c": "DE", "name": "Germany"}]}

    def tried(**more: Any) -> tuple[list[Any], list[Any]]:
        step = {"lookup": {"table": "clean.c", "on": "c", "take": "name", **more}}
        good, rejected, _ = after(spark, [step], given, beside=beside)
        return sorted((row["n"], row["name"]) for row in good), sorted(r["n"] for r in rejected)

    assert tried() == ([(1, "Germany"), (2, None), (3, None)], [])
    assert tried(must_match=True) == ([(1, "Germany")], [2, 3])
    assert tried(otherwise="drop") == ([(1, "Germany")], [])
    assert tried(otherwise={"name": "?"}) == ([(1, "Germany"), (2, "?"), (3, "?")], [])


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"flatten": {"n": ["a"]}}, "takes structs, and n is int"),
        ({"clip": {"n": {"min": 0.5}}}, "0.5 is no int as n is"),
        ({"unpivot": {"columns": ["n", "s"], "name": "k", "value": "v"}}, "columns of one type"),
        ({"explode": {"column": "m", "into": "one"}}, "an array, into one column"),
    ],
)
def test_a_column_of_another_type_ends_the_run_before_a_row_is_read(
    spark: SparkSession, step: dict[str, Any], said: str
) -> None:
    given = frame(spark, [{"n": 1, "s": "x", "m": {"a": 1}}], {"m": "map<string,int>"})
    with pytest.raises(Usage) as refused:
        shape(given, made([step]), Around({}), None, WINDOW)
    assert said in str(refused.value)
