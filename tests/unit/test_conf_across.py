"""Rules that name other tables: what is read, in which order, and what is refused before Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.conf import read_suite
from headgate.conf.across import type_of
from headgate.core.errors import Misconfigured
from headgate.core.selection import selected
from headgate.core.spec import Suite
from unit.conf_files import laid_out

EXISTS = "expect_column_values_to_exist_in"
COUNT = "expect_table_row_count_to_equal_other_table"
SUM = "expect_column_sum_to_equal_other_table"
FRESH = "expect_other_table_to_be_fresh"
ORDERS = "reads: ingested.orders\nsteps: [{derive: {revenue: quantity * unit_price}}]\nquality:\n"


def read(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> Suite:
    """The small suite with some files changed: `clean_orders` is clean/orders.yaml."""
    changes = {f"{name.replace('_', '/', 1)}.yaml": text for name, text in files.items()}
    laid_out(folder, changes)
    monkeypatch.chdir(folder)
    return read_suite("conf", environ={})


def test_other_tables_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = read(
        tmp_path,
        monkeypatch,
        clean_orders=ORDERS
        + f"  - {EXISTS}: {{column: customer_id, table: clean.visitors, key: customer_id}}\n"
        + f"  - {FRESH}: {{table: clean.customers, within: 1 day}}\n",
        clean_visitors="reads: ingested.customers\n",
        ingested_customers="source: {files: 'customers/{window}.csv'}\n"
        "columns: {customer_id: bigint, name: string, since: date}\n"
        f"quality:\n  - {COUNT}: {{other_table_name: ingested.orders}}\n",
    )
    orders = suite.tables["clean.orders"]
    assert orders.others == ("clean.visitors", "clean.customers")
    assert orders.inputs == ("ingested.orders", "clean.visitors", "clean.customers")
    (exists, _) = orders.quality
    assert (exists.columns, exists.other, exists.key) == (
        ("customer_id",), "clean.visitors", ("customer_id",),
    )  # fmt: skip
    order = list(suite.tables)
    assert order.index("ingested.orders") < order.index("ingested.customers")
    assert order.index("clean.visitors") < order.index("clean.orders")
    assert "clean.visitors" in selected(suite.tables, ["+clean.orders"])
    assert "marts.sales" in selected(suite.tables, ["clean.visitors+"])


BY_NAME = f"  - {EXISTS}: {{column: country, table: clean.customers, key: name}}\n"
FAULTS = {
    "an unknown table": (
        f"  - {EXISTS}: {{column: customer_id, table: clean.custmers}}\n",
        "unknown table 'clean.custmers' (did you mean 'clean.customers'?)",
    ),
    "a table without its layer": (
        f"  - {COUNT}: {{other_table_name: customers}}\n",
        "unknown table 'customers' (did you mean 'ingested.customers'?)",
    ),
    "a mart": (
        f"  - {FRESH}: {{table: marts.sales, within: 1 day}}\n",
        "a table of clean is held against tables of ingested and clean, not marts.sales",
    ),
    "itself": (
        f"  - {EXISTS}: {{column: line, table: clean.orders}}\n",
        "is held against itself",
    ),
    "an unknown column there": (
        f"  - {EXISTS}: {{column: customer_id, table: clean.customers, key: customer}}\n",
        "unknown column 'customer' of clean.customers (did you mean 'customer_id'?)",
    ),
    "an unknown column there, of the same name": (
        f"  - {EXISTS}: {{column: revenue, table: clean.customers}}\n",
        "unknown column 'revenue' of clean.customers (known: customer_id, name, since)",
    ),
    "an unknown column here": (
        f"  - {EXISTS}: {{column: [customer_id, linee], table: clean.orders_again, "
        "key: [order_id, line]}\n",
        "unknown column 'linee' (did you mean 'line'?)",
    ),
    "keys of two lengths": (
        f"  - {EXISTS}: {{column: [customer_id, line], table: clean.customers, key: name}}\n",
        "'column' and 'key' name 2 and 1 columns: one for each",
    ),
    "types that differ": (
        f"  - {EXISTS}: {{column: customer_id, table: clean.customers, key: name}}\n",
        "'customer_id' is bigint and clean.customers.name is string: cast one of them in a step",
    ),
    "a stretch of nothing": (
        f"  - {FRESH}: {{table: clean.customers, within: soon}}\n",
        "must be a stretch of time such as '2 days' or '6 hours', not 'soon'",
    ),
    "totals of a table that is kept by key": (
        f"  - {SUM}: {{column: line, other_table_name: clean.by_key}}\n",
        "clean.by_key is kept by key: later windows take its rows over, so none has a total",
    ),
    "an argument of another rule": (
        f"  - {COUNT}: {{table: clean.customers}}\n",
        f"{COUNT} needs 'other_table_name': the other table",
    ),
}


@pytest.mark.parametrize(("rules", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: str, said: str
) -> None:
    with pytest.raises(Misconfigured) as caught:
        read(
            tmp_path,
            monkeypatch,
            clean_orders=ORDERS + rules,
            clean_orders_again="reads: ingested.orders\n",
            clean_by_key="reads: ingested.orders\nkey: line\nwrite: upsert\n",
        )
    faults = [str(fault) for fault in caught.value.faults]
    assert any(said in fault for fault in faults), faults
    assert faults[0].startswith("conf/clean/orders.yaml:4 quality[0]")


def test_tables_that_are_held_against_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Misconfigured) as caught:
        read(
            tmp_path,
            monkeypatch,
            clean_orders=ORDERS
            + f"  - {EXISTS}: {{column: customer_id, table: clean.customers}}\n",
            clean_customers="reads: ingested.customers\nquality:\n"
            f"  - {EXISTS}: {{column: customer_id, table: clean.orders}}\n",
        )
    (fault,) = (str(fault) for fault in caught.value.faults)
    assert fault == (
        "conf/clean/orders.yaml:4 quality[0]: these tables read each other: "
        "clean.customers → clean.orders → clean.customers"
    )


def test_types_are_known_as_far_as_steps_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = read(
        tmp_path,
        monkeypatch,
        clean_orders="reads: ingested.orders\nsteps:\n  - rename: {line: row, quantity: line}\n"
        "  - cast: {row: string}\n  - derive: {country: upper(country), revenue: line}\n"
        "  - lookup: {table: clean.customers, on: [customer_id], take: [since]}\n",
    )
    names = ("row", "line", "country", "since", "order_id", "none")
    found = [type_of(suite.tables, "clean.orders", name) for name in names]
    assert found == ["string", "int", None, "date", "bigint", None]
