"""What judging adds to the write of a table: 21 rules, many row rules, rejected rows, drift.

`gate` takes the time that 21 rules add to a run, and compares it with the time that
great-expectations takes to validate the same rules on the same table. The other figures compare
runs of Headgate with each other, or with a bare copy of the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from bench.measure import (
    Figure,
    Spent,
    alternating,
    arguments,
    ground,
    median_of,
    say,
    seconds,
    show,
    spent,
)
from bench.suites import (
    SALES_INGESTED,
    SALES_WINDOW,
    app_on,
    lay,
    run_well,
    session,
    write_sales,
)
from headgate.app import App

Rules = Sequence[tuple[str, Mapping[str, Any]]]
# Rules of great-expectations in its own words: both sides are given the same.
UNIQUE: Rules = (
    ("expect_compound_columns_to_be_unique", {"column_list": ["order_id", "line", "updated_at"]}),
    ("expect_column_values_to_be_unique", {"column": "updated_at"}),
)
ROW: Rules = (
    ("expect_column_values_to_not_be_null", {"column": "order_id"}),
    ("expect_column_values_to_not_be_null", {"column": "customer_id"}),
    ("expect_column_values_to_not_be_null", {"column": "product"}),
    ("expect_column_values_to_be_between", {"column": "quantity", "min_value": -1,
                                            "max_value": 1000}),
    ("expect_column_values_to_be_between", {"column": "discount", "min_value": 0, "max_value": 1}),
    ("expect_column_values_to_be_between", {"column": "line", "min_value": 0, "max_value": 3}),
    ("expect_column_values_to_be_in_set", {"column": "channel",
                                           "value_set": ["web", "shop", "app"]}),
    ("expect_column_values_to_not_be_in_set", {"column": "status", "value_set": ["lost"]}),
    ("expect_column_values_to_match_regex", {"column": "product", "regex": "^P[0-9]{5}$"}),
    ("expect_column_values_to_not_match_regex", {"column": "country", "regex": "[0-9]"}),
    ("expect_column_value_lengths_to_be_between", {"column": "product", "min_value": 6,
                                                   "max_value": 6}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "updated_at",
                                                          "column_B": "ordered_at"}),
)  # fmt: skip
WHOLE: Rules = (
    ("expect_column_mean_to_be_between", {"column": "unit_price", "min_value": 1,
                                          "max_value": 200}),
    ("expect_column_max_to_be_between", {"column": "quantity", "min_value": 1, "max_value": 50}),
    ("expect_column_min_to_be_between", {"column": "discount", "min_value": 0, "max_value": 1}),
    ("expect_column_sum_to_be_between", {"column": "quantity", "min_value": 1}),
    ("expect_column_stdev_to_be_between", {"column": "discount", "min_value": 0, "max_value": 1}),
    ("expect_table_row_count_to_be_between", {"min_value": 1}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "channel",
                                                                   "min_value": 0.5}),
)  # fmt: skip
MIXED = (*ROW, *WHOLE)  # 19; with both of uniqueness 21
SHARES = {0: 1.10, 1: 1.25, 30: 1.6}  # rejected rows in a hundred, and the goal


def between(count: int) -> Rules:
    """Row rules, each another."""
    columns = ("quantity", "line", "discount", "order_id", "customer_id")
    name = "expect_column_values_to_be_between"
    return [
        (name, {"column": columns[at % len(columns)], "min_value": -2 - at, "max_value": 1 << 40})
        for at in range(count)
    ]


def table(rules: Rules, *more: str) -> str:
    """A clean table that copies its input, under some rules."""
    lines = [f"  - {name}: {dict(said)!r}".replace("'", '"') for name, said in rules]
    lines += [f"  - {text}" for text in more]
    quality = "\n".join(["quality:", *lines]) + "\n" if lines else ""
    return f"reads: ingested.sales\nwrite: replace\nmax_rejected: 100%\n{quality}"


def suite() -> dict[str, str]:
    """One input, and a table for each set of rules."""
    made = {
        "bare": table(()),
        "mixed": table(MIXED),
        "unique": table((*MIXED, *UNIQUE)),
        "ten": table(between(10)),
        "hundred": table(between(100)),
        "drift": table((), "drift: {}"),
    }
    for share in SHARES:
        made[f"share_{share}"] = table(
            (), f'row: {{kept: "pmod(order_id * 7 + line, 100) >= {share}"}}'
        )
    ingested = SALES_INGESTED.replace("NAME", "sales")
    return {"ingested/sales": ingested} | {f"clean/{name}": text for name, text in made.items()}


def validated(spark: SparkSession, path: str, rules: Rules) -> None:
    """great-expectations' own way, as its documentation shows it, with the least it can return."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_spark("spark").add_dataframe_asset("sales")
    definition = asset.add_batch_definition_whole_dataframe("whole")
    expected = gx.ExpectationSuite("sales")
    for name, said in rules:
        kind = "".join(part.capitalize() for part in name.split("_"))
        expected.add_expectation(getattr(gxe, kind)(**said))
    context.suites.add(expected)
    whole = gx.ValidationDefinition(name="all", data=definition, suite=expected)
    rows = spark.read.format("delta").load(path)
    result = context.validation_definitions.add(whole).run(
        batch_parameters={"dataframe": rows}, result_format="BASIC"
    )
    broken = [one.expectation_config.type for one in result.results if not one.success]
    if broken:
        raise SystemExit(f"great-expectations finds broken rules: {broken}")


def copied(spark: SparkSession, source: str, target: str) -> None:
    """The table read and written by Delta alone."""
    rows = spark.read.format("delta").load(source).where(f"_window = '{SALES_WINDOW}'")
    (
        rows.write.format("delta").mode("overwrite").partitionBy("_window")
        .option("replaceWhere", f"_window = '{SALES_WINDOW}'").save(target)
    )  # fmt: skip


def added(runs: Sequence[Spent], bare: Sequence[Spent]) -> tuple[float, ...]:
    """The time that rules add, turn by turn."""
    return tuple(max(a - b, 0.001) for a, b in zip(seconds(runs), seconds(bare), strict=True))


def against_great_expectations(app: App, repeats: int, tell: Callable[[Figure], None]) -> None:
    source = app.lake.path("ingested.sales")
    for name, rules, goal in (("unique", (*MIXED, *UNIQUE), 0.25), ("mixed", MIXED, 0.05)):
        say(f"{len(rules)} rules, against great-expectations")
        runs, bare, theirs = alternating(
            [
                _run(app, f"clean.{name}"),
                _run(app, "clean.bare"),
                lambda _, rules=rules: spent(
                    app.spark, partial(validated, app.spark, source, rules)
                ),
            ],
            repeats,
        )
        more = median_of(runs, "jobs") - median_of(bare, "jobs")
        tell(Figure(
            f"gate, {len(rules)} rules", added(runs, bare), seconds(theirs), "great-expectations",
            goal, note=f"jobs added {more:.0f} / {median_of(theirs, 'jobs'):.0f}",
        ))  # fmt: skip


def _run(app: App, name: str) -> Callable[[int], Spent]:
    return lambda _: spent(app.spark, partial(run_well, app, name, force=True))


def among_themselves(app: App, folder: Path, repeats: int, tell: Callable[[Figure], None]) -> None:
    source, target = app.lake.path("ingested.sales"), str(folder / "copy")
    for name, against, goal in (("hundred", "ten", 1.5), ("drift", "bare", 1.10)):
        say(f"{name} against {against}")
        ours, theirs = alternating(
            [_run(app, f"clean.{name}"), _run(app, f"clean.{against}")], repeats
        )
        jobs = f"jobs {median_of(ours, 'jobs'):.0f}/{median_of(theirs, 'jobs'):.0f}"
        tell(Figure(f"gate, {name}", seconds(ours), seconds(theirs), against, goal, note=jobs))
    for share, goal in SHARES.items():
        say(f"{share} % rejected, against a bare copy")
        ours, theirs = alternating(
            [
                _run(app, f"clean.share_{share}"),
                lambda _: spent(app.spark, partial(copied, app.spark, source, target)),
            ],
            repeats,
        )
        jobs = f"jobs {median_of(ours, 'jobs'):.0f}/{median_of(theirs, 'jobs'):.0f}"
        figure = f"gate, {share} % rejected"
        tell(Figure(figure, seconds(ours), seconds(theirs), "bare copy", goal, note=jobs))


def main(given: Sequence[str] | None = None) -> None:
    parser: argparse.ArgumentParser = arguments(__doc__)
    parser.add_argument("--rows", type=int, help="2,000,000 unless told")
    told = parser.parse_args(given)
    rows, repeats = (40_000, 1) if told.quick else (2_000_000, 3)
    rows, repeats = told.rows or rows, told.repeats or repeats
    with ground(told.folder) as folder:
        conf = lay(folder, suite(), master=told.master, quick=False)
        with session(conf) as spark:
            app = app_on(conf, spark)
            say(f"{rows:,} rows into ingested.sales")
            write_sales(spark, folder / "raw", "sales", rows, 1)
            run_well(app, "ingested.sales")
            tell = partial(show, as_json=told.json)
            against_great_expectations(app, repeats, tell)
            among_themselves(app, folder, repeats, tell)


if __name__ == "__main__":
    main()
