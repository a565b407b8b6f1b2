"""Every mistake gets its file, line, path and the likely meant word, all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from headgate.conf import read_suite
from headgate.core.errors import Misconfigured
from unit.conf_files import laid_out

COLUMNS = "order_id, line, customer_id, ordered_at, country, quantity, unit_price, updated_at"


def faults(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: Mapping[str, str | None],
    *,
    env: str = "local",
    overrides: Sequence[str] = (),
) -> list[str]:
    laid_out(tmp_path, changes)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misconfigured) as caught:
        read_suite("conf", env=env, overrides=overrides, environ={"HOME": "/home/me"})
    return [str(fault) for fault in caught.value.faults]


# What clean/orders.yaml says after its first line, and the faults without the file's name.
CLEAN = {
    "a misspelt step": (
        "steps:\n  - trim: [country]\n  - derivee: {a: line}\nkey: [order_id]\n",
        [":4 steps[1]: unknown step 'derivee' (did you mean 'derive'?)"],
    ),
    "words of other tools": (
        "unique_key: order_id\ntests: []\npartition_by: x\n",
        [
            ":2 unique_key: unknown key 'unique_key' (did you mean 'key'?)",
            ":3 tests: unknown key 'tests' (did you mean 'quality'?)",
            ":4 partition_by: unknown key 'partition_by'",
        ],
    ),
    "a misspelt key": (
        "stpes: []\n",
        [":2 stpes: unknown key 'stpes' (did you mean 'steps'?)"],
    ),
    "a duplicate key": (
        "key: [order_id]\nkey: [line]\n",
        [":3 key: duplicate key 'key' (first in line 2)"],
    ),
    "an expression cut by YAML": (
        "steps:\n  - derive: {revenue: round(quantity, 2), x: greatest(1, 2, 3), y: line}\n",
        [
            ":3 steps[0].derive.revenue: YAML's comma cuts this in two: put it in quotes:"
            ' revenue: "round(quantity, 2)"',
            ":3 steps[0].derive.x: YAML's comma cuts this in two: put it in quotes:"
            ' x: "greatest(1, 2, 3)"',
        ],
    ),
    "a list item cut by YAML": (
        "steps:\n  - trim: [f(a, b)]\n",
        [':3 steps[0].trim[0]: YAML\'s comma cuts this in two: put it in quotes: "f(a, b)"'],
    ),
    "a text cut by YAML": (
        "steps:\n  - where: {keep: quantity > 0, because: empty, or nearly so}\n",
        [
            ":3 steps[0].where.or nearly so: 'or nearly so' is no key: if YAML's comma cut it"
            " off the text before it, put the whole text in quotes"
        ],
    ),
    "steps that are none": (
        "steps:\n  - trim\n  - filter: quantity > 0\n  - join: {}\n  - trim: country\n"
        "    drop: b\n",
        [
            ":3 steps[0]: a step is a name and what it takes, not 'trim': trim: [country]",
            ":4 steps[1]: unknown step 'filter' (did you mean 'where'?)",
            ":5 steps[2]: unknown step 'join' (did you mean 'lookup'?)",
            ":7 steps[3]: 'trim' and 'drop' are two steps: begin each with '- '",
        ],
    ),
    "drops where nothing drops": (
        "steps:\n  - trim: country\n    drops: x\n  - where: line > 0\n    drops: x\n",
        [
            ":4 steps[0]: 'drops' has no place here: trim keeps all rows",
            ":6 steps[1]: 'drops' has no place here: where counts its rows itself",
        ],
    ),
    "a key beside a step": (
        "steps:\n  - where: {keep: line > 0}\n    because: none\n"
        "  - step: shop.steps.known_country\n    add: x\n",
        [
            ":4 steps[0]: unknown key 'because' beside a step (is it indented too little?)",
            ":6 steps[1]: unknown key 'add' beside a step (did you mean 'adds'?)",
        ],
    ),
    "functions that are not there": (
        "steps:\n  - step: shop.steps.known_contry\n  - step: shop.stps.known_country\n"
        "  - step: nothing\n  - step: shop.steps.nothing\n  - step: nosuch.mod.fn\n"
        "  - step: shop.steps.inner.fn\n",
        [
            ":3 steps[0].step: the module 'shop.steps' has no function 'known_contry'"
            " (did you mean 'known_country'?)",
            ":4 steps[1].step: there is no module 'stps' in 'shop' (did you mean 'steps'?)",
            ":5 steps[2].step: must be a function written package.module.function, not 'nothing'",
            ":6 steps[3].step: 'shop.steps.nothing' takes no argument: it has to take a"
            " DataFrame and return one",
            ":7 steps[4].step: there is no module 'nosuch' below lib/ or on Python's path",
            ":8 steps[5].step: 'shop.steps' is a module, not a package: no 'inner' in it",
        ],
    ),
    "keys that need another": (
        "latest_by: updated_at\nwrite: upsert\n",
        [
            ":2 latest_by: 'latest_by' needs a 'key': which rows are the same one",
            ":3 write: 'write: upsert' needs a 'key'",
        ],
    ),
    "deletes without upsert": (
        "deletes: quantity < 0\n",
        [":2 deletes: 'deletes' needs 'write: upsert' or 'write: history'"],
    ),
    "values that do not fit": (
        "max_rejected: abc\nsince: 2026-02-30\nfresh_within: 2\nwrite: append\nowner: 5\n"
        "description: [a]\nsteps: {trim: a}\nkey:\n",
        [
            ":2 max_rejected: must be a share such as 5% or 0.05, not 'abc'",
            ":3 since: '2026-02-30' is not in the calendar",
            ":4 fresh_within: must be a stretch of time such as '2 days' or '6 hours', not '2'",
            ":5 write: must be one of replace, upsert, history, not 'append'",
            ":6 owner: must be text, not '5': put it in quotes",
            ":7 description: must be text, not a list",
            ":8 steps: must be a list, not a map: begin each item with '- '",
            ":9 key: must be a list, not empty: begin each item with '- '",
        ],
    ),
    "more than all": (
        "max_rejected: 20\n",
        [":2 max_rejected: 20 is more than all: write 20% or 0.2"],
    ),
    "later work": ("expects: x\n", [":2 expects: 'expects' is not supported yet"]),
    "a history without what it needs": (
        "write: history\nuntracked: [order_id]\n",
        [":2 write: 'write: history' needs a 'key'"],
    ),
    "a history of what it makes itself": (
        "key: [order_id]\nwrite: history\nuntracked: [order_id]\n"
        "steps:\n  - derive: {valid_to: updated_at}\n",
        [
            ":3 write: its rows have a column 'valid_to', which a history table makes",
            ":4 untracked[0]: 'order_id' is in the key: it tells rows apart",
        ],
    ),
    "the order of change data, where there is none": (
        "key: order_id\nlatest_by: [_sequence]\n",
        [f":3 latest_by[0]: unknown column '_sequence' (known: {COLUMNS})"],
    ),
    "untracked without a history": (
        "untracked: [country]\n",
        [":2 untracked: 'untracked' needs 'write: history'"],
    ),
    "a time for a table without versions": (
        "steps:\n  - lookup: {table: clean.customers, on: customer_id, take: [name],"
        " as_of: updated_at}\n",
        [":3 steps[0].lookup.as_of: clean.customers holds no versions: 'write: history'"],
    ),
    "unknown columns": (
        "steps:\n  - trim: [contry]\n  - rename: {line: row}\n  - drop: [country]\n"
        "  - derive: {a: line * 2, b: upper(Country)}\n"
        "key: [order_di, Order_Id, line]\nlatest_by: [updatedat]\n",
        [
            ":3 steps[0].trim[0]: unknown column 'contry' (did you mean 'country'?)",
            ":6 steps[3].derive.a: unknown column 'line': an earlier step renamed it or left it"
            " out",
            ":6 steps[3].derive.b: unknown column 'Country': an earlier step renamed it or left it"
            " out",
            ":7 key[0]: unknown column 'order_di' (did you mean 'order_id'?)",
            ":7 key[1]: unknown column 'Order_Id': it is written 'order_id'",
            ":7 key[2]: unknown column 'line': an earlier step renamed it or left it out",
            ":8 latest_by[0]: unknown column 'updatedat' (did you mean 'updated_at'?)",
        ],
    ),
    "columns after a SELECT": (
        "steps:\n  - sql: SELECT order_id, quantity + 1 AS q FROM input\nkey: [order_id, qu]\n",
        [":4 key[1]: unknown column 'qu' (did you mean 'q'?)"],
    ),
    "system columns": (
        "steps:\n  - drop: [_window]\n  - derive: {_row: 1}\n  - rename: {line: quantity}\n",
        [
            ":3 steps[0].drop: '_window' is a system column: it stays as it is",
            ":4 steps[1].derive._row: '_row' is a system column: give another name",
            ":5 steps[2].rename.line: there is a column 'quantity' already",
        ],
    ),
    "lookups": (
        "steps:\n  - lookup: {table: clean.customers, on: customer_id, take: [nme]}\n"
        "  - lookup: {table: clean.custmers, on: {customer_id: id}, take: name}\n"
        "  - lookup: {table: clean.customers, on: {customer_id: id}}\n",
        [
            ":3 steps[0].lookup.take[0]: unknown column 'nme' of clean.customers"
            " (did you mean 'name'?)",
            ":4 steps[1].lookup.table: unknown table 'clean.custmers'"
            " (did you mean 'clean.customers'?)",
            ":5 steps[2].lookup: key 'take' is missing: the columns taken from the other table",
        ],
    ),
    "SQL": (
        "steps:\n  - sql: SELECT * FROM other\n  - sql: DELETE FROM input\n"
        "  - sql: {file: clean/none.sql}\n  - sql: {text: SELECT 1 FROM input, file: a, rows: x}\n"
        "  - sql: SELECT (1 FROM input\n  - sql: SELECT 1 FROM input; SELECT 2 FROM input\n"
        "  - where: quantity > 'a\n",
        [
            ":3 steps[0].sql: does not read from 'input'",
            ":4 steps[1].sql: a SELECT is wanted, not 'DELETE FROM input'",
            ":5 steps[2].sql.file: there is no file 'clean/none.sql' below conf",
            ":6 steps[3].sql: a sql step takes one of 'text' and 'file'",
            ":6 steps[3].sql.rows: must be one of kept, regrouped, not 'x'",
            ":7 steps[4].sql: a '(' is not closed in 'SELECT (1 FROM input'",
            ":8 steps[5].sql: holds a ';': one statement is wanted",
            ":9 steps[6].where: a quote (') is not closed in 'quantity > 'a'",
        ],
    ),
    "what steps take": (
        "steps:\n  - fill: {country: null}\n  - cast: {line: strin}\n  - deduplicate: all\n"
        "  - trim: []\n  - map: {country: GB}\n  - derive: {a b: 1}\n",
        [
            ":3 steps[0].fill.country: is null",
            ":4 steps[1].cast.line: unknown type 'strin' (did you mean 'string'?)",
            ":5 steps[2].deduplicate: must be exact, not 'all'",
            ":6 steps[3].trim: is an empty list",
            ":7 steps[4].map.country: must be a map (name: value), not 'GB'",
            ":8 steps[5].derive.a b: a column name cannot hold a space: 'a b'",
        ],
    ),
    "examples": (
        "examples:\n  - given: {ordrs: [{order_id: 1}]}\n"
        "  - given: {orders: [{order_di: 1}]}\n    written: [{x: 1}]\n",
        [
            ":3 examples[0]: expects nothing: say what is 'written' or 'rejected'",
            ":4 examples[1].given.orders[0].order_di: unknown column 'order_di' of"
            " ingested.orders (did you mean 'order_id'?)",
            f":5 examples[1].written[0].x: unknown column 'x' (known: {COLUMNS})",
        ],
    ),
    "an unset variable": (
        "owner: ${TEAM}\ndescription: ${a-b}\n",
        [
            ":2 owner: the environment variable TEAM is not set: export TEAM=…",
            ":3 description: '${a-b}' is not understood: write ${NAME}, ${secret:name},"
            " or $${ for the two signs themselves",
        ],
    ),
    "a value from the environment is never shown": (
        "max_rejected: ${HOME}\n",
        [":2 max_rejected: must be a share such as 5% or 0.05, not '${HOME}'"],
    ),
}


@pytest.mark.parametrize("case", CLEAN)
def test_a_clean_table(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, expected = CLEAN[case]
    changes = {
        "clean/orders.yaml": f"reads: ingested.orders\n{text}",
        "features/activity.yaml": None,
        "marts/sales.yaml": None,
    }
    file = "conf/clean/orders.yaml"
    assert faults(tmp_path, monkeypatch, changes) == [f"{file}{fault}" for fault in expected]


RULES = {
    "expect_column_values_to_be_betwen: {column: line, min_value: 1}": (
        ": unknown rule 'expect_column_values_to_be_betwen'"
        " (did you mean 'expect_column_values_to_be_between'?)"
    ),
    "not_null: order_id": (
        ": unknown rule 'not_null' (did you mean 'expect_column_values_to_not_be_null'?)"
    ),
    "expect_column_values_to_be_between: {column: line}": (
        ": neither 'min_value' nor 'max_value' is given: one of them is wanted"
    ),
    "expect_column_values_to_be_between: {column: line, min_value: 3, max_value: 1}": (
        ": 'min_value' is greater than 'max_value'"
    ),
    "expect_column_values_to_be_between: {column: line, min_value: a, max_value: 1}": (
        ": 'min_value' and 'max_value' are not of one kind"
    ),
    "expect_column_values_to_be_between: {column: line, min_value: 1, max_value: 1, strict_min: true}":  # noqa: E501
    ": nothing fits: both bounds are equal, and strict",
    "expect_column_values_to_be_between: {column: line, min_value: 1, mostly: 95}": (
        ".mostly: 95 is more than all: write 95% or 0.95"
    ),
    "expect_column_values_to_not_be_null: {column: order_id, level: warning}": (
        ".level: unknown argument 'level' (did you mean 'severity'?)"
        " of expect_column_values_to_not_be_null"
    ),
    "expect_column_values_to_not_be_null: order_id": (
        ": expect_column_values_to_not_be_null takes a map ({column, …}), not 'order_id'"
    ),
    "expect_column_values_to_not_be_null: {}": (
        ": expect_column_values_to_not_be_null needs 'column': the column judged"
    ),
    "expect_column_values_to_not_be_null: {column: quantty}": (
        ": unknown column 'quantty' (did you mean 'quantity'?)"
    ),
    "expect_column_values_to_not_be_null: {column: Quantity}": (
        ": unknown column 'Quantity': it is written 'quantity'"
    ),
    "expect_compound_columns_to_be_unique: {column_list: [order_id, lin]}": (
        ": unknown column 'lin' (did you mean 'line'?)"
    ),
    "expect_column_pair_values_to_be_equal: {column_A: line, column_B: line}": (
        ": 'column_A' and 'column_B' are the same column"
    ),
    "expect_table_row_count_to_be_between: {min_value: 1, mostly: 0.5}": (
        ".mostly: expect_table_row_count_to_be_between judges the table as a whole"
        " and takes no 'mostly'"
    ),
    "expect_table_row_count_to_equal: {value: -1}": (
        ".value: must be a whole number from 0, not '-1'"
    ),
    "expect_column_mean_to_be_between: {column: line, min_value: x}": (
        ".min_value: must be a number, not 'x'"
    ),
    "expect_column_values_to_match_regex: {column: country, regex: '['}": (
        ".regex: is no regular expression: unterminated character set"
    ),
    "expect_column_values_to_be_in_set: {column: country, value_set: [DE, 1]}": (
        ": 'value_set' mixes texts with other values: put all in quotes, or none"
    ),
    "expect_column_values_to_be_in_set: {column: country, value_set: [DE, null]}": (
        ".value_set[1]: null is never judged: leave it out, or write '' for empty text"
    ),
    "expect_column_values_to_be_in_set: {column: country, value_set: DE}": (
        ".value_set: must be a list, not 'DE': begin each item with '- '"
    ),
    "expect_multicolumn_sum_to_equal: {column_list: [line], sum_total: 1, ignore_row_if: nevr}": (
        ".ignore_row_if: must be one of all_values_are_missing, any_value_is_missing, never,"
        " not 'nevr' (did you mean 'never'?)"
    ),
    "row: {a: unit_price > 0, severity: warning}": (
        ".row.severity: write 'severity' beside 'row', not in it"
    ),
    "row: {price is positive: unit_prce > 0}": (
        ".row.price is positive: unknown column 'unit_prce' (did you mean 'unit_price'?)"
    ),
    "row: {a: unit_price > (0}": (".row.a: a '(' is not closed in 'unit_price > (0'"),
    "row: []": ": row takes a map (name: SQL condition), not a list",
    "expectations: quality/none.json": ": there is no file 'quality/none.json' below conf",
    "expect_column_values_to_not_be_null": (
        ": a rule is a name and its arguments"
        " (expect_column_values_to_not_be_null: {column: order_id}), not"
        " 'expect_column_values_to_not_be_null'"
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule(rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"reads: ingested.orders\nquality:\n  - {rule}\n"
    changes = {
        "clean/orders.yaml": text,
        "features/activity.yaml": None,
        "marts/sales.yaml": None,
    }
    expected = f"conf/clean/orders.yaml:3 quality[0]{RULES[rule]}"
    assert faults(tmp_path, monkeypatch, changes) == [expected]


SAVED = """\
{
  "name": "orders",
  "expectations": [
    {"type": "expect_column_values_to_be_betwen", "kwargs": {"column": "line"}},
    {"type": "expect_column_values_to_not_be_null",
     "kwargs": {"column": "lin", "catch_exceptions": false}},
    {"type": "expect_column_values_to_not_be_null",
     "kwargs": {"column": "line", "row_condition": "line > 0", "condition_parser": "pandas"}},
    {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": {"$PARAMETER": "a"}}},
    {"kwargs": {}},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "line"},
     "severity": "fatal", "odd": 1}
  ]
}
"""


def test_a_saved_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "clean/orders.yaml": "reads: ingested.orders\nquality:\n  - expectations: quality/a.json\n"
        "  - expectations: quality/b.json\n",
        "quality/a.json": SAVED,
        "quality/b.json": '{"expectation": []}',
        "features/activity.yaml": None,
        "marts/sales.yaml": None,
    }
    file = "conf/quality/a.json"
    assert faults(tmp_path, monkeypatch, changes) == [
        f"{file}:4 expectations[0]: unknown rule 'expect_column_values_to_be_betwen'"
        " (did you mean 'expect_column_values_to_be_between'?)",
        f"{file}:5 expectations[1]: unknown column 'lin' (did you mean 'line'?)",
        f"{file}:8 expectations[2].condition_parser: 'pandas' reads no Spark rows: write the"
        " condition in SQL, and 'spark'",
        f"{file}:9 expectations[3].min_value: waits for the parameter 'a', which nobody gives:"
        " write it beside 'expectations' in the table's file, as `parameters: {a: …}`",
        f"{file}:10 expectations[4]: an expectation is a map with 'type' and 'kwargs'",
        f"{file}:12 expectations[5]: severity must be one of critical, warning, info",
        "conf/quality/b.json:1: is no suite of great-expectations: the list 'expectations' is"
        " missing",
    ]


INGESTED = {
    "types": (
        "source: {files: 'a/{window}'}\n"
        "columns: {a: integr, b: decimal, c: 'decimal(40,2)', d: array<strng>, e: text,"
        " f: {type: int, format: x}, _g: int, h i: int, j: decimal(10,2), k: {from: x}}\n",
        [
            ":2 columns._g: column names that begin with _ belong to Headgate: '_g'",
            ":2 columns.a: unknown type 'integr' (did you mean 'integer'?)",
            ":2 columns.b: 'decimal' needs its digits: decimal(18,2)",
            ":2 columns.c: 'decimal(40,2)': a decimal has 1 to 38 digits",
            ":2 columns.d: unknown type 'strng' (did you mean 'string'?)",
            ":2 columns.e: unknown type 'text' (did you mean 'string'?)",
            ":2 columns.f.format: int takes no format: dates and times do",
            ":2 columns.h i: a column name cannot hold a space: 'h i'",
            ':2 columns.j: YAML\'s comma cuts this in two: put it in quotes: j: "decimal(10, 2)"',
            ":2 columns.k: key 'type' is missing: its type in Spark",
        ],
    ),
    "a source": (
        "source: {files: /abs/x, format: avor}\ncolumns: {a: int}\n",
        [
            ":1 source.files: must lie below the raw zone: leave out what 'raw' of the env file"
            " says",
            ":1 source.format: must be one of csv, json, jsonl, parquet, avro, orc, debezium, dms,"
            " not 'avor' (did you mean 'avro'?)",
        ],
    ),
    "a reader beside a format": (
        "source: {files: 'x/{window}/*', format: csv, reader: headgate.readers.activity}\n"
        "columns: {a: int}\n",
        [":1 source.reader: stands beside 'format': a table has one of them"],
    ),
    "a reader that is not there": (
        "source: {files: 'x/{window}/*', reader: headgate.readers.activty}\ncolumns: {a: int}\n",
        [
            ":1 source.reader: the module 'headgate.readers' has no function 'activty'"
            " (did you mean 'activity'?)"
        ],
    ),
    "an encoding that nobody knows": (
        "source: {files: 'x/{window}/*', options: {encoding: utf-17}}\ncolumns: {a: int}\n",
        [":1 source.options: unknown encoding 'utf-17'"],
    ),
    "a key of no change log": (
        "source: {files: 'x/{window}/*', key: a}\ncolumns: {a: int}\n",
        [":1 source.key: is for 'format: debezium' only"],
    ),
    "a key that is no column": (
        "source: {files: 'x/{window}/*', format: debezium, key: b}\ncolumns: {a: int}\n",
        [":1 source.key: unknown column 'b' (known: a)"],
    ),
    "placeholders": (
        "source: {files: 'orders/{date}/*.csv'}\ncolumns: {a: int}\n",
        [":1 source.files: unknown placeholder '{date}' (did you mean '{window}'?)"],
    ),
    "a format that does not tell the window": (
        "source: {files: 'orders/{window:%Y/%m}/*.csv'}\ncolumns: {a: int}\n",
        [
            ":1 source.files: '{window:%Y/%m}' does not tell the day, and this suite's window is"
            " the day"
        ],
    ),
    "options": (
        "source: {files: 'o/{window}', options: {headr: true, mode: DROPMALFORMED}}\n"
        "columns: {a: int}\n",
        [
            ":1 source.options.headr: unknown option 'headr' of format csv"
            " (did you mean 'header'?)",
            ":1 source.options.mode: option 'mode' is Headgate's own: what cannot be read goes to"
            " quarantine",
        ],
    ),
    "what it does on change": (
        "source: {files: 'o/{window}'}\ncolumns: {a: int, A: int}\n"
        "on_change: {new_colum: add, missing_column: nul}\nwindow_by: a\n",
        [
            ":2 columns.A: 'A' and 'a' differ only in case",
            ":3 on_change.missing_column: must be one of block, null, not 'nul'"
            " (did you mean 'null'?)",
            ":3 on_change.new_colum: unknown key 'new_colum' (did you mean 'new_column'?)",
            ":4 window_by: the path tells the window already ({window}): leave one out",
        ],
    ),
    "window_by": (
        "source: {files: o.csv}\ncolumns: {a: int, b: timestamp}\nwindow_by: c\n",
        [":3 window_by: unknown column 'c' (known: a, b)"],
    ),
    "nothing of it": (
        "description: x\n",
        [
            ":1: key 'columns' is missing: the contract with the supplier: names and types, in"
            " order",
            ":1: key 'source' is missing: where its rows come from",
        ],
    ),
}


@pytest.mark.parametrize("case", INGESTED)
def test_an_ingested_table(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, expected = INGESTED[case]
    changes = {"ingested/extra.yaml": text}
    file = "conf/ingested/extra.yaml"
    assert faults(tmp_path, monkeypatch, changes) == [f"{file}{fault}" for fault in expected]


MEASURED = {
    "marts/sales.yaml": {
        "reads: {orders: clean.orders}\nperiod: {column: orderd_at, grain: dy}\n": [
            ":1: has neither 'measures' nor 'sql'",
            ":2 period.column: unknown column 'orderd_at' of clean.orders"
            " (did you mean 'ordered_at'?)",
            ":2 period.grain: must be one of hour, day, week, month, year, not 'dy'"
            " (did you mean 'day'?)",
        ],
        "reads: {orders: clean.orders}\nperiod: {column: ordered_at}\ngroup_by: [contry]\n"
        "measures: {a: revenue, b: sum(revnue), ordered_at: count(*)}\n": [
            ":3 group_by[0]: unknown column 'contry' of clean.orders (did you mean 'country'?)",
            ":4 measures.a: 'revenue' has no aggregate such as sum(…) or count(*)",
            ":4 measures.b: unknown column 'revnue' of clean.orders (did you mean 'revenue'?)",
            ":4 measures.ordered_at: there is a column 'ordered_at' already: give another name",
        ],
        "reads: {orders: clean.orders, c: clean.customers}\nperiod: {column: ordered_at}\n"
        "sql: SELECT 1 FROM elsewhere\nmeasures: {a: count(*)}\ngroup_by: [country]\n": [
            ":2 period.column: say of which input 'ordered_at' is a column: orders.ordered_at",
            ":3 sql: does not read from 'orders' or 'c'",
            ":3 sql: stands beside 'measures': a mart has one of them",
            ":4 measures: are taken of one input: with several, use 'sql'",
            ":5 group_by: stands beside 'sql', which has its own GROUP BY",
        ],
        "reads: {orders: clean.orders}\nperiod: {column: ordrs.ordered_at}\n"
        "measures: {a: count(*)}\nprivacy: {min_group: 0}\n": [
            ":2 period.column: unknown input 'ordrs' (did you mean 'orders'?)",
            ":4 privacy.min_group: must be a whole number from 1, not '0'",
        ],
    },
    "features/activity.yaml": {
        "entity: {key: custmer_id, from: clean.customrs}\nreads: {orders: clean.orders}\n"
        "time: orderd_at\nas_of: {every: week}\nfeatures:\n"
        "  a: {of: ordrs, measure: count(*), last: 30}\n"
        "  b: {of: orders, measure: revenue, next: 3 days}\n"
        "label: {c: {of: orders, measure: count(*) = 0}}\n"
        "format: {kind: labeled, label: x, columns: [q]}\n": [
            ":1 entity.from: unknown table 'clean.customrs' (did you mean 'clean.customers'?)",
            ":1 entity.key: unknown column 'custmer_id' of clean.orders"
            " (did you mean 'customer_id'?)",
            ":3 time: unknown column 'orderd_at' of clean.orders (did you mean 'ordered_at'?)",
            ":4 as_of.every: must be one of day, month, not 'week'",
            ":6 features.a.last: must be a number of days or weeks such as '30 days', not '30'"
            " (did you mean '30 days'?)",
            ":6 features.a.of: unknown input 'ordrs' (did you mean 'orders'?)",
            ":7 features.b.measure: 'revenue' has no aggregate such as sum(…) or count(*)",
            ":7 features.b.next: only a label looks ahead: a feature would see what is to be"
            " foretold",
            ":8 label.c: key 'next' is missing: the days from `as_of` on that count",
            ":9 format.columns[0]: unknown feature 'q' (known: a, b)",
            ":9 format.label: unknown label 'x' (known: c)",
        ],
        "entity: {key: customer_id}\nreads: {orders: clean.orders, c: clean.customers}\n"
        "time: {orders: ordered_at, d: since}\nfeatures: {a: {measure: count(*)}}\n": [
            ":3 time: says no column of the input 'c'",
            ":3 time.d: unknown input 'd' (known: orders, c)",
            ":4 features.a: key 'of' is missing: which input is measured",
        ],
    },
}


@pytest.mark.parametrize(
    ("file", "text"), [(file, text) for file, texts in MEASURED.items() for text in texts]
)
def test_a_table_that_measures(
    file: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [f"conf/{file}{fault}" for fault in MEASURED[file][text]]
    assert faults(tmp_path, monkeypatch, {file: text}) == expected


GRAPH = {
    "ingested.ordrs": ["unknown table 'ingested.ordrs' (did you mean 'ingested.orders'?)"],
    "orders": ["unknown table 'orders' (did you mean 'ingested.orders'?)"],
    "features.activity": ["a table of clean reads ingested and clean, not features.activity"],
    "raw.orders": ["the raw zone has no tables: describe its files in ingested/"],
    "clean.orders": ["reads itself"],
    "clean.circle": ["these tables read each other: clean.circle → clean.orders → clean.circle"],
}


@pytest.mark.parametrize("table", GRAPH)
def test_what_is_read(table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "clean/orders.yaml": f"reads: {table}\n",
        "clean/circle.yaml": "reads: clean.orders\n",
        "features/activity.yaml": None,
        "marts/sales.yaml": None,
    }
    if table == "features.activity":
        changes["features/activity.yaml"] = (
            "entity: {key: customer_id}\nreads: {c: clean.customers}\ntime: since\n"
            "features: {a: {measure: count(*)}}\n"
        )
    found = faults(tmp_path, monkeypatch, changes)
    assert found == [f"conf/clean/orders.yaml:1 reads: {what}" for what in GRAPH[table]]


def test_files_that_fit_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "clena/x.yaml": "a: b",
        "suit.yaml": "x: y",
        "clean/orders.yml": "reads: x",
        "clean/a-b.yaml": "reads: x",
        "clean/eu/orders.yaml": "reads: x",
        "raw/x.yaml": "a: 1",
        "quality/notes.txt": "not ours",
        "clean/.hidden.yaml": "not ours",
    }
    assert faults(tmp_path, monkeypatch, changes) == [
        "conf/clean/a-b.yaml: a table's name has letters, digits and _ only, and begins with no"
        " digit",
        "conf/clean/eu: holds table files: they lie in the folder of the layer itself",
        "conf/clean/orders.yml: two tables of one name: see conf/clean/orders.yaml",
        "conf/clena: unknown layer 'clena' (did you mean 'clean'?)",
        "conf/raw: the raw zone has no tables: describe its files in ingested/",
        "conf/suit.yaml: unknown file (did you mean 'suite.yaml'?)",
    ]


def test_names_that_differ_only_in_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "A").touch()
    if (tmp_path / "a").exists():
        pytest.skip("this disk does not tell upper from lower case")
    changes = {"clean/Customers.yaml": "reads: ingested.customers"}
    assert faults(tmp_path, monkeypatch, changes) == [
        "conf/clean/customers.yaml: two tables of names that differ only in case: see"
        " conf/clean/Customers.yaml"
    ]


def test_the_suite_and_all_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "suite.yaml": "name: a b\ntimezone: Europe/Berln\nwindow: week\n"
        "alerts: [{to: lgo}, {to: 'slack:${HOOK}', severity: [crit]}]\n",
        "env/local.yaml": "raw: x\nlake: ./x\nspark: {mastr: a, conf: {foo: 1}}\n",
        "env/prod.yaml": "rw: x\nlake: ${NOT_SET_HERE}\n",
    }
    assert faults(tmp_path, monkeypatch, changes) == [
        "conf/env/local.yaml:2 lake: is the raw zone as well: give it a folder of its own",
        "conf/env/local.yaml:3 spark.conf.foo: 'foo' is no setting of Spark: they begin with"
        " 'spark.'",
        "conf/env/local.yaml:3 spark.mastr: unknown key 'mastr' (did you mean 'master'?)",
        "conf/env/prod.yaml:1: key 'raw' is missing: the raw zone",
        "conf/env/prod.yaml:1 rw: unknown key 'rw' (did you mean 'raw'?)",
        "conf/suite.yaml:1 name: must be a name of letters, digits, - and _, not 'a b'",
        "conf/suite.yaml:2 timezone: unknown time zone 'Europe/Berln'"
        " (did you mean 'Europe/Berlin'?)",
        "conf/suite.yaml:3 window: must be one of hour, day, month, not 'week'",
        "conf/suite.yaml:4 alerts[0].to: 'lgo' is no route (did you mean 'log'?): 'log', or a kind"
        " and an address (slack:…)",
        "conf/suite.yaml:4 alerts[1].severity[0]: must be one of critical, warning, info, not"
        " 'crit' (did you mean 'critical'?)",
        "conf/suite.yaml:4 alerts[1].to: the environment variable HOOK is not set: export HOOK=…",
    ]


def test_routes_of_alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told without its address, which may be a secret."""
    changes = {
        "suite.yaml": """\
            name: shop
            alerts:
              - {to: "slak:https://hooks/S3CRET"}
              - https://hooks/S3CRET
              - {to: "slack:hooks/S3CRET"}
              - {url: "slack:https://hooks/S3CRET"}
              - {to: log:x}
              - slack
              - {to: log, smtp: "smtp://me:S3CRET@host", from: a@b.c}
              - {to: mailto:ann, tables: [clean.ordes], owner: crn}
              - {to: mailto:a@b.c, smtp: me:S3CRET@host}
              - {to: sns:S3CRET}
              - T00/B00/S3CRET
              - "file:"
            """,
        "clean/customers.yaml": "reads: ingested.customers\nowner: crm\n",
        "env/other.yaml": "raw: a\nlake: b\nalerts: ['${K}:${H}', 'slack:${H}', '${H}']\n",
    }
    assert faults(tmp_path, monkeypatch, changes) == [
        "conf/suite.yaml:3 alerts[0].to: 'slak' is no route (did you mean 'slack'?): 'log', or a"
        " kind and an address (slack:…)",
        "conf/suite.yaml:4 alerts[1]: 'https' is no kind of route: write webhook:https://… or"
        " slack:https://…",
        "conf/suite.yaml:5 alerts[2].to: has no address of the web: slack:https://…",
        "conf/suite.yaml:6 alerts[3]: key 'to' is missing: where alerts go: log, file, slack,"
        " webhook, sns, mailto, smtp, smtps; all but log with an address",
        "conf/suite.yaml:6 alerts[3].url: unknown key 'url' (did you mean 'to'?)",
        "conf/suite.yaml:7 alerts[4].to: 'log' takes no address: write log",
        "conf/suite.yaml:8 alerts[5]: 'slack' takes an address: write slack:https://…",
        "conf/suite.yaml:9 alerts[6].from: goes with mailto, smtp and smtps only",
        "conf/suite.yaml:9 alerts[6].smtp: goes with mailto only",
        "conf/suite.yaml:10 alerts[7].owner: unknown owner 'crn' (did you mean 'crm'?)",
        "conf/suite.yaml:10 alerts[7].tables[0]: unknown table 'clean.ordes'"
        " (did you mean 'clean.orders'?)",
        "conf/suite.yaml:10 alerts[7].to: has no mail address: mailto:ann@shop.example",
        "conf/suite.yaml:11 alerts[8].smtp: must be a mail server: smtp://USER:${NAME}@HOST:587,"
        " or smtps://…",
        "conf/suite.yaml:12 alerts[9].to: has no ARN of a topic:"
        " sns:arn:aws:sns:REGION:ACCOUNT:TOPIC",
        "conf/suite.yaml:13 alerts[10]: is no route: 'log', or a kind and an address (slack:…)",
        "conf/suite.yaml:14 alerts[11]: has no path of a file on this machine: file:PATH",
    ]


def test_a_folder_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misconfigured) as caught:
        read_suite("nowhere")
    assert str(caught.value) == (
        "nowhere: there is no such folder: give the folder that holds suite.yaml with --conf"
        " Next: headgate init DIR makes a small suite"
    )
    Path("file").write_text("")
    with pytest.raises(Misconfigured, match="file: is a file: give the folder that holds"):
        read_suite("file")


def test_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("conf").mkdir()
    with pytest.raises(Misconfigured) as caught:
        read_suite()
    assert [str(fault) for fault in caught.value.faults] == [
        "conf: holds no tables: a first one goes into ingested/, as <name>.yaml",
        "conf/env/local.yaml: there is no environment 'local' (there are none)",
        "conf/suite.yaml: is missing: it names the suite (name: …)",
    ]


def test_an_unknown_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"env/emr.yaml": "raw: s3://a/raw\nlake: s3://a/lake\n"}
    assert faults(tmp_path, monkeypatch, changes, env="prod") == [
        "conf/env/prod.yaml: there is no environment 'prod' (known: emr, local)"
    ]
    assert faults(tmp_path, monkeypatch, changes, env="locl") == [
        "conf/env/locl.yaml: there is no environment 'locl' (did you mean 'local'?; known: emr,"
        " local)"
    ]


def test_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["lke=/x", "clean.ordrs.max_rejected=1", "clean.orders.max_rejected=abc"]
    given += ["clean.orders=1", "nothing", "suite.windw=day", "clean.orders.key=[order_id"]
    given += ["timezone=Mars", "spark.conf.foo=1", "clean.orders.kee=1"]
    assert faults(tmp_path, monkeypatch, {}, overrides=given) == [
        "--set clean.orders: names no key of clean.orders",
        "--set clean.orders.kee: unknown key 'kee' (did you mean 'key'?)",
        "--set clean.orders.key: the '[' here is not closed by ']': a value with quotes, brackets"
        " or commas needs quotes around all of it",
        "--set clean.orders.max_rejected: must be a share such as 5% or 0.05, not 'abc'",
        "--set clean.ordrs.max_rejected: there is no table 'clean.ordrs'"
        " (did you mean 'clean.orders'?)",
        "--set lke: there is no key 'lke' (did you mean 'lake'?)",
        "--set nothing: is not written key.path=value",
        "--set spark.conf.foo: 'foo' is no setting of Spark: they begin with 'spark.'",
        "--set suite.windw: there is no key 'windw' (did you mean 'window'?)",
        "--set timezone: unknown time zone 'Mars'",
    ]


def test_an_env_file_that_lies_over_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "raw: a\nlake: b\ntables:\n  clean.ordrs: {key: line}\n  clean.orders: {kee: line}\n"
    assert faults(tmp_path, monkeypatch, {"env/local.yaml": text}) == [
        "conf/env/local.yaml:4 tables.clean.ordrs: unknown table 'clean.ordrs'"
        " (did you mean 'clean.orders'?)",
        "conf/env/local.yaml:5 tables.clean.orders.kee: unknown key 'kee' (did you mean 'key'?)",
    ]


def test_a_misspelt_key_does_not_blame_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "reads: ingested.orders\nstpes:\n  - derive: {revenue: quantity}\nkey: [revenue]\n"
    assert faults(tmp_path, monkeypatch, {"clean/orders.yaml": text}) == [
        "conf/clean/orders.yaml:2 stpes: unknown key 'stpes' (did you mean 'steps'?)"
    ]


def test_faults_of_several_files_come_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {
        "clean/orders.yaml": "reads: ingested.orders\nsteps: [\n",
        "clean/customers.yaml": "reads: ingested.customers\nkey: customer\n",
        "marts/sales.yaml": "reads: {orders: clean.orders}\nperiod: {column: x}\nmeasure: {}\n",
    }
    assert faults(tmp_path, monkeypatch, changes) == [
        "conf/clean/customers.yaml:2 key: unknown column 'customer' (did you mean 'customer_id'?)",
        "conf/clean/orders.yaml:2 steps: the '[' here is not closed by ']' (read up to line 3): a"
        " value with quotes, brackets or commas needs quotes around all of it",
        "conf/marts/sales.yaml:1: has neither 'measures' nor 'sql'",
        "conf/marts/sales.yaml:3 measure: unknown key 'measure' (did you mean 'measures'?)",
    ]


def test_what_a_table_must_have_for_a_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mart = (
        "reads: {orders: clean.orders}\nperiod: {column: ordered_at}\nmeasures: {n: count(*)}\n"
        "quality:\n  - expect_column_values_to_be_increasing: {column: n}\n"
        "  - expect_column_to_exist: {column: nowhere}\n"
    )
    assert faults(tmp_path, monkeypatch, {"marts/sales.yaml": mart}) == [
        "conf/marts/sales.yaml:5 quality[0]: the rows of this table are in no order: it has"
        " neither '_file' nor '_row'"
    ]
