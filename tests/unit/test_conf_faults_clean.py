"""What a clean table's file may have wrong, one fault or several a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.conf_files import COLUMNS, faults

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
    "a key of marts": (
        "incomplete: hold\n",
        [":2 incomplete: keeps periods back: it is a key of marts"],
    ),
    "a key of another layer": (
        "expects: x\n",
        [
            ":2 expects: tells when a supplier's files come: it is a key of ingested tables",
        ],
    ),
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
