"""Every row is accounted for: random files, rules and steps, several windows in one pass. What a
run says of its rows is held against what is in the files, in the tables and in quarantine."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from builders import Lab, csv_text
from headgate.core.results import Entry, Result

WINDOWS = tuple(f"2026-03-{day:02d}" for day in range(1, 8))
PLACE = ("_file", "_row")


def the_same_each_time(examples: int) -> settings:
    """So many examples, and no search for a smaller one: each takes seconds."""
    return settings(
        max_examples=examples, phases=[Phase.explicit, Phase.generate], derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )  # fmt: skip


# Every type of column with texts that fit and texts that do not.
KINDS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "n": ("int", ("-3", "0", "2", " 7 ", "40"), ("x", "1.5", "99999999999", "")),
    "big": ("bigint", ("1", "9223372036854775807"), ("9223372036854775808", "1e3")),
    "small": ("smallint", ("1", "-32768"), ("40000", "one")),
    "d": ("double", ("NaN", "-Infinity", "1.5", "1e300", "0"), ("abc", "1,5")),
    "f": ("float", ("NaN", "2.25", "-0.0"), ("--1",)),
    "m": ("decimal(8,2)", ("1.50", "-2", "999999.99"), ("1.999", "1000000", "EUR 2")),
    "ok": ("boolean", ("true", "false"), ("maybe", "2")),
    "day": ("date", ("2026-01-31", "1999-12-31"), ("2026-02-30", "31.1.2026")),
    "at": ("timestamp", ("2026-01-31 10:00:00", "2026-01-31"), ("2026-01-31 25:00:00", "soon")),
    "s": ("string", ("a", " b ", "ü\n'", 'say "hi"', "N/A", "c,d"), ()),
    "t": ("string", ("1", " 22 ", "-3"), ("four", "5.5")),
    "c": ("string", ("DE", "FR", "DE", "FR", "XX", "de"), ()),
    "xs": ("array<int>", ("[1,2]", "[]", "[3]"), ("{", "1;2")),
    "tag": ("string", (), ()),
}
COLUMNS = ("tag", *[name for name in KINDS if name != "tag"])
STEPS: dict[str, dict[str, Any]] = {
    "trim": {"trim": ["s"]},
    "cast": {"cast": {"t": "int"}},
    "cast more": {"cast": {"n": "smallint", "d": "decimal(10,3)"}},
    "derive": {"derive": {"twice": "try_multiply(n, 2)", "more": "twice + 1"}},
    "where": {"where": {"keep": "n > 0", "because": "not positive"}},
    "where null": {"where": {"keep": "d < 2 OR ok"}},
    "deduplicate": {"deduplicate": "exact"},
    "map": {"map": {"c": {"XX": "DE", "de": "DE"}}},
    "fill": {"fill": {"c": "??", "n": 0}},
    "lookup": {"lookup": {"table": "clean.countries", "on": {"c": "code"}, "take": ["name"]}},
    "sql": {"sql": "SELECT *, coalesce(m, 0) * 2 AS double_m FROM input"},
    "sql drops": {"sql": {"text": "SELECT * FROM input WHERE m IS NULL OR m <> 1.50",
                          "drops": "odd price"}},
    "sql adds": {"sql": {"text": "SELECT *, explode(array(1, 2)) AS copy FROM input",
                         "adds": "two of each"}},
    "sql by window": {"sql": "SELECT *, :window_start AS since FROM input"},
    "sql listed": {"sql": "SELECT tag, n, m, d, s, t, c, ok, day, at, big FROM input"},
    "python": {"step": "accounting_steps.marked"},
    "python drops": {"step": "accounting_steps.some_left", "drops": "every third tag"},
    "python by window": {"step": "accounting_steps.newest", "drops": "not the newest"},
}  # fmt: skip
FILTERS = {"where", "where null", "sql drops", "python drops", "python by window"}
PYTHON = """
from pyspark.sql import Window, functions as F

def marked(df):
    return df.withColumn("mark", F.length("tag"))

def some_left(df):
    return df.where(F.crc32(F.coalesce("tag", F.lit(""))) % 3 != 0)

def newest(df):
    place = F.row_number().over(Window.partitionBy("c").orderBy("tag", "_file", "_row"))
    return df.select("*", place.alias("place")).where("place <= 3").drop("place")
"""
# Each with a condition that every accepted row has to fulfil, where it rejects rows.
RULES: dict[str, tuple[dict[str, Any], str]] = {
    "not null": ({"expect_column_values_to_not_be_null": {"column": "n"}}, "n IS NOT NULL"),
    "between": (
        {"expect_column_values_to_be_between": {"column": "d", "max_value": 1e6}},
        "d IS NULL OR d <= 1e6D",
    ),
    "set": (
        {"expect_column_values_to_be_in_set": {"column": "c", "value_set": ["DE", "FR"]}},
        "c IS NULL OR c IN ('DE', 'FR')",
    ),
    "row": ({"row": {"m is positive": "m > 0"}}, "coalesce(m > 0, false)"),
    "mostly": (
        {"expect_column_values_to_not_be_null": {"column": "m", "mostly": 0.75}},
        "m IS NOT NULL",
    ),
    "if": (
        {"expect_column_values_to_be_between":
            {"column": "big", "max_value": 5, "row_condition": "ok"}},
        "NOT coalesce(ok, false) OR big IS NULL OR big <= 5",
    ),
    "warning": (
        {"expect_column_values_to_not_be_null": {"column": "day", "severity": "warning"}}, "true",
    ),
    "info": ({"row": {"always broken": "1 = 2"}, "severity": "info"}, "true"),
    "count": ({"expect_table_row_count_to_be_between": {"min_value": 5}}, "true"),
    "mean": ({"expect_column_mean_to_be_between": {"column": "m", "max_value": 1e5}}, "true"),
    "unique": (
        {"expect_column_values_to_be_unique": {"column": "tag", "severity": "warning"}}, "true",
    ),
    "unique closes": ({"expect_column_values_to_be_unique": {"column": "tag"}}, "true"),
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What one example is made of."""

    seed: int
    format: str
    steps: tuple[str, ...]
    rules: tuple[str, ...]
    shares: tuple[str, str]  # max_rejected of both layers
    key: bool
    again: bool  # whether some windows come a second time
    bad: float  # how often a text does not fit, or a record is malformed


PLANS = st.builds(
    Plan,
    seed=st.integers(0, 2**32),
    format=st.sampled_from(["csv", "jsonl"]),
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=3, max_size=7, unique=True).map(tuple),
    rules=st.lists(st.sampled_from(sorted(RULES)), min_size=2, max_size=6, unique=True).map(tuple),
    shares=st.tuples(*[st.sampled_from(["100%", "60%", "20%"])] * 2),
    key=st.booleans(),
    again=st.booleans(),
    bad=st.sampled_from([0.02, 0.005, 0.1]),
)
EVERYTHING = Plan(
    7, "csv", tuple(STEPS), tuple(name for name in RULES if name != "unique closes"),
    ("60%", "100%"), key=True, again=False, bad=0.02,
)  # fmt: skip
NO_DUPLICATES = Plan(  # so that what is counted as one is seen
    11, "jsonl", ("cast", "where", "sql drops", "python drops"), ("between", "if", "warning"),
    ("60%", "100%"), key=False, again=True, bad=0.02,
)  # fmt: skip


@dataclass
class Sent:
    """What is in the files: for each window, the origin of every record and its tag."""

    windows: dict[str, dict[tuple[str, int], str]] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)  # files of which there were others before


def tables_of(plan: Plan) -> dict[str, dict[str, Any]]:
    steps = [STEPS[name] for name in plan.steps]
    return {
        "ingested.rows": {
            "source": {"files": f"rows/{{window}}/*.{plan.format}", "format": plan.format},
            "columns": {
                name: {"type": KINDS[name][0], **({"nulls": ["N/A"]} if name == "s" else {})}
                for name in COLUMNS
            },
            "max_rejected": plan.shares[0],
        },
        "ingested.countries": {
            "source": {"files": "countries/{window}.csv"},
            "columns": {"code": "string", "name": "string"},
        },
        "clean.countries": {"reads": "ingested.countries", "key": ["code"]},
        "clean.rows": {
            "reads": "ingested.rows",
            "steps": steps,
            "quality": [RULES[name][0] for name in plan.rules],
            "max_rejected": plan.shares[1],
            **({"key": ["tag", "c"], "latest_by": ["at"]} if plan.key else {}),
        },
    }


def some_records(dice: random.Random, plan: Plan, count: int) -> list[list[str | None]]:
    """Records of texts: nulls, odd values, texts that do not fit; some records come twice."""
    made: list[list[str | None]] = []
    for number in range(count):
        if made and dice.random() < 0.15:
            made.append(list(dice.choice(made)))
            continue
        record: list[str | None] = [f"tag{number}" if dice.random() < 0.95 else "tag"]
        for name in COLUMNS[1:]:
            _, fits, others = KINDS[name]
            if dice.random() < 0.08:
                record.append(None)
            else:
                record.append(dice.choice(others if others and dice.random() < plan.bad else fits))
        made.append(record)
    return made


def text_of(dice: random.Random, plan: Plan, records: Sequence[Sequence[Any]]) -> str:
    """A file; some of its records are malformed."""
    lines = []
    for record in records:
        broken = dice.random() < plan.bad
        if plan.format == "jsonl":
            keys = {name: value for name, value in zip(COLUMNS, record, strict=True) if value}
            if dice.random() < 0.1:
                keys["unknown"] = "more"
            line = json.dumps(keys, ensure_ascii=False)
            lines.append(line[:-1] + "\n" if broken else line + "\n")
        else:
            cut = [*record, "too", "many"] if dice.random() < 0.5 else list(record[:3])
            lines.append(csv_text(cut if broken else record, ()))
    head = csv_text(COLUMNS, ()) if plan.format == "csv" else ""
    return head + "".join(lines)


def send(lab: Lab, dice: random.Random, plan: Plan, windows: Sequence[str], sent: Sent) -> None:
    """Write the files of some windows anew."""
    for window in windows:
        before = sent.windows.get(window, {})
        now: dict[tuple[str, int], str] = {}
        for name in dice.choice(("a", "b", "ab")):
            records = some_records(dice, plan, dice.choice((0, 1, 30, 90)) or 1)
            path = f"rows/{window}/{name}.{plan.format}"
            if (lab.raw / path).exists():
                sent.again.add(path)
            lab.content(path, text_of(dice, plan, records).encode())
            for place, record in enumerate(records, start=1):
                now[path, place] = str(record[0])
            before = {origin: tag for origin, tag in before.items() if origin[0] != path}
        sent.windows[window] = before | now


def published(path: Path) -> bool:
    return any((path / "_delta_log").glob("*.json"))


def origins(lab: Lab, path: Path, *where: str) -> Counter[tuple[str, str, int]]:
    """(window, file, row) of the rows of a table, counted."""
    if not published(path):
        return Counter()
    rows = lab.spark.read.format("delta").load(str(path))
    for condition in where:
        rows = rows.where(condition)
    return Counter(tuple(row) for row in rows.select("_window", *PLACE).collect())


def among(runs: Sequence[Entry]) -> str:
    return f"_run IN ({', '.join(repr(run.run) for run in runs) or repr('')})"


def accounted(
    lab: Lab, table: str, runs: Sequence[Entry], came: dict[str, Counter[tuple[str, int]]]
) -> None:
    """What these runs say of their rows is so; `came` is what each window was made of."""
    written = origins(lab, lab.lake / table.replace(".", "/", 1))
    rejected = origins(lab, lab.lake / "quarantine" / table, among(runs), "_state = 'open'")
    for run in runs:
        rows, there = run.rows, came[run.window]
        assert run.status in ("published", "blocked"), run.message
        assert rows.read == there.total(), run
        assert rows.read + rows.added == (
            rows.written + rows.withheld + rows.quarantined + rows.deduplicated + rows.filtered
        ), run
        good = Counter({(f, r): n for (w, f, r), n in written.items() if w == run.window})
        bad = Counter({(f, r): n for (w, f, r), n in rejected.items() if w == run.window})
        assert bad.total() == rows.quarantined, run
        assert set(bad) <= set(there), run
        if run.status == "blocked":
            assert rows.written == 0, run
            continue
        assert good.total() == rows.written, run
        assert rows.withheld == 0, run
        assert set(good) <= set(there), run
        if not rows.added:  # each row is one row still: in one place at most
            both = good + bad
            assert both <= there, run
            assert (there - both).total() == rows.deduplicated + rows.filtered, run


def first_accounted(lab: Lab, result: Result, sent: Sent) -> None:
    """The first layer loses nothing: each record of the files is in the table or in quarantine."""
    runs = [run for run in result.runs if run.table == "ingested.rows"]
    came = {window: Counter(set(rows)) for window, rows in sent.windows.items()}
    accounted(lab, "ingested.rows", runs, came)
    assert all(run.rows.filtered == run.rows.deduplicated == run.rows.added == 0 for run in runs)
    if not published(lab.lake / "ingested/rows"):
        return
    tags = {o: tag for rows in sent.windows.values() for o, tag in rows.items()}
    for file, row, tag in lab.rows("ingested.rows", *PLACE, "tag"):
        assert tag == tags[file, row]
    for file, row, record in lab.rejected("ingested.rows", *PLACE, "_record"):
        if (file, row) in tags and file not in sent.again:
            assert tags[file, row] in record, (file, row)


def second_accounted(lab: Lab, plan: Plan, result: Result) -> None:
    """The second layer is made of what the first has published, and holds no row that is bad."""
    came: dict[str, Counter[tuple[str, int]]] = {}
    for (window, file, row), count in origins(lab, lab.lake / "ingested/rows").items():
        came.setdefault(window, Counter())[file, row] += count
    runs = [run for run in result.runs if run.table == "clean.rows"]
    accounted(lab, "clean.rows", runs, came | {w: Counter() for w in WINDOWS if w not in came})
    for run in runs:
        assert plan.key or "deduplicate" in plan.steps or run.rows.deduplicated == 0, run
        assert FILTERS & set(plan.steps) or run.rows.filtered == 0, run
        assert "sql adds" in plan.steps or run.rows.added == 0, run
    if not published(lab.lake / "clean/rows"):
        return
    rows = lab.read("clean.rows")
    for name in plan.rules:
        assert rows.where(~F.expr(RULES[name][1])).count() == 0, name
    if plan.key:
        keys = rows.groupBy("_window", "tag", "c").count()
        assert keys.where("count > 1").count() == 0


@pytest.fixture(scope="module")
def python_steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("steps")
    (folder / "accounting_steps.py").write_text(PYTHON)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


def tried(spark: SparkSession, folder: Path, plan: Plan) -> None:
    note(str(plan))
    dice = random.Random(plan.seed)
    lab = Lab(spark, folder, tables_of(plan))
    lab.file("countries/2026-03-01.csv", ("code", "name"), [("DE", "Germany"), ("FR", "France")])
    sent = Sent()
    apart = any("by window" in step for step in plan.steps)  # each window has a plan of its own
    send(lab, dice, plan, dice.sample(WINDOWS, 3 if apart else 5), sent)
    for again in (False, True)[: 1 + plan.again]:
        if again:  # some windows come once more, a new one with them
            send(lab, dice, plan, [*dice.sample(sorted(sent.windows), 1), WINDOWS[-1]], sent)
        result = lab.run()
        assert result.exit_code in (0, 10), [run.message for run in result.runs]
        assert not result.errors
        first_accounted(lab, result, sent)
        second_accounted(lab, plan, result)
    assert not lab.run().runs


@pytest.mark.usefixtures("python_steps")
@the_same_each_time(1)
@example(plan=EVERYTHING)
@example(plan=NO_DUPLICATES)
@given(plan=PLANS)
def test_every_row_has_one_fate(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, plan: Plan
) -> None:
    tried(spark, tmp_path_factory.mktemp("accounting"), plan)


@pytest.mark.slow
@pytest.mark.usefixtures("python_steps")
@the_same_each_time(40)
@given(plan=PLANS)
def test_every_row_has_one_fate_many_times(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, plan: Plan
) -> None:
    tried(spark, tmp_path_factory.mktemp("accounting"), plan)
