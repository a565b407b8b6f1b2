"""What the files of ingested tables, features and marts may have wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.conf_files import faults

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
    "marts/to_date.yaml": {
        "reads: {orders: clean.orders}\nperiod: {column: ordered_at, grain: week}\n"
        "over: {to_date: year}\nmeasures: {a: count(*)}\n": [
            ":3 over.to_date: a period is a week, and a year does not begin with one",
        ],
        "reads: {orders: clean.orders}\nperiod: {column: ordered_at}\n"
        "over: {last: 7 days}\nmeasures: {a: count(*)}\n": [
            ":3 over.last: must be a number of periods such as '7 periods', not '7 days'",
        ],
        "reads: {orders: clean.orders}\nperiod: {column: ordered_at}\n"
        "over: {to_date: yaer}\nmeasures: {a: count(*)}\n": [
            ":3 over.to_date: must be one of week, month, year, not 'yaer' (did you mean 'year'?)",
        ],
        "reads: {orders: clean.orders}\nperiod: {column: ordered_at}\n"
        "over: {last: 2 periods, to_date: year}\nmeasures: {a: count(*)}\n": [
            ":3 over: takes one of 'last' and 'to_date'",
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


PAIRS = (
    "entity: {key: [customer_id, order_id]}\nreads: {orders: clean.orders}\ntime: ordered_at\n"
    "features: {spent: {measure: sum(revenue)}, ids: {measure: collect_set(line)}}\n"
)
FORMATS = {
    "{kind: ratings, user: custmer_id, item: spent}": [
        ": key 'rating' is missing: ratings: the feature that says how much",
        ".item: unknown column of the entity's key 'spent' (known: customer_id, order_id)",
        ".user: unknown column of the entity's key 'custmer_id' (did you mean 'customer_id'?)",
    ],
    "{kind: ratings, user: order_id, item: order_id, rating: spnt}": [
        ".item: is 'order_id', as 'user' is: they are two columns of the key",
        ".rating: unknown feature 'spnt' (did you mean 'spent'?)",
    ],
    "{kind: grph, src: a}": [
        ".kind: must be one of table, vector, labelled, ratings, graph, baskets, not 'grph'"
        " (did you mean 'graph'?)",
    ],
    "{kind: graph, src: customer_id, dst: order_id, wieght: spent}": [
        ": key 'weight' is missing: graph: the feature that weighs an edge",
        ".wieght: unknown key 'wieght' (did you mean 'weight'?)",
    ],
    "{kind: vector, encode: {spnt: onehot, ids: {as: hot, most: 0}}, weights: balanced}": [
        ".encode.ids.as: must be one of onehot, index, not 'hot' (did you mean 'onehot'?)",
        ".encode.ids.most: must be a whole number from 1, not '0'",
        ".encode.spnt: unknown feature 'spnt' (did you mean 'spent'?)",
        ".weights: is for the kind labelled, and this is 'vector'",
    ],
    "{split: {by: time, validation: 10%}}": [
        ".split.validation: by time it is a date: from when on",
    ],
    "{split: {by: time, validation: 2026-03-01, test: 2026-02-01}}": [
        ".split: 'test' has to come after 'validation'",
    ],
    "{split: {by: entity, validation: 60%, test: 0.4}}": [
        ".split: leaves nothing to train with",
    ],
    "{kind: baskets, items: spent, label: x}": [
        ".items: 'spent' collects nothing: its measure is to be collect_set(…)",
        ".label: is for the kind labelled, and this is 'baskets'",
    ],
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_format(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = "features/activity.yaml"
    expected = [f"conf/{file}:5 format{fault}" for fault in FORMATS[form]]
    assert faults(tmp_path, monkeypatch, {file: f"{PAIRS}format: {form}\n"}) == expected


def test_a_pair_has_two_columns_and_no_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAIRS.replace("order_id]", "order_id, line]") + (
        "label: {gone: {measure: count(*) = 0, next: 1 day}}\n"
        "format: {kind: graph, src: customer_id, dst: order_id, weight: spent}\n"
    )
    assert faults(tmp_path, monkeypatch, {"features/activity.yaml": text}) == [
        "conf/features/activity.yaml:1 entity.key: has 'line' beside src and dst: a pair has one"
        " row",
        "conf/features/activity.yaml:5 label: the kind 'graph' has no place for a label:"
        " 'labelled' has",
    ]


def test_what_was_known_is_asked_of_tables_that_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "entity: {key: order_id}\nreads: {orders: clean.orders, past: clean.past}\n"
        "time: ordered_at\nknown_at: _ingested_at\n"
        "features: {a: {of: past, measure: count_if(is_current)}}\n"
    )
    past = "reads: ingested.orders\nkey: order_id\nlatest_by: updated_at\nwrite: history\n"
    changes = {"features/activity.yaml": text, "clean/past.yaml": past}
    assert faults(tmp_path, monkeypatch, changes) == [
        "conf/features/activity.yaml:4 known_at: clean.orders is 'write: upsert', which keeps only"
        " what is known now: read one that is 'replace' or 'history'",
        "conf/features/activity.yaml:5 features.a.measure: 'is_current' says what came later, and"
        " 'known_at' asks what was known",
    ]
