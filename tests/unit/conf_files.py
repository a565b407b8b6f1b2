"""A small suite in files, for the tests of the reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from headgate.conf import read_suite
from headgate.core.errors import Misconfigured

SUITE = {
    "suite.yaml": """\
        name: shop
        timezone: UTC
        """,
    "env/local.yaml": """\
        raw: data/raw
        lake: data/lake
        spark: {master: "local[*]", conf: {spark.sql.shuffle.partitions: 8}}
        """,
    "ingested/orders.yaml": """\
        source:
          files: orders/{window}/*.csv
          options: {header: true}
        columns:
          order_id: bigint
          line: int
          customer_id: {type: bigint, from: Customer ID}
          ordered_at: {type: timestamp, format: "M/d/yyyy H:mm"}
          country: {type: string, nulls: ["", "N/A"]}
          quantity: int
          unit_price: decimal(10,2)
          updated_at: timestamp
        """,
    "ingested/customers.yaml": """\
        source: {files: "customers/{window}.csv"}
        columns: {customer_id: bigint, name: string, since: date}
        """,
    "clean/orders.yaml": """\
        reads: ingested.orders
        steps:
          - trim: [country]
          - derive: {revenue: quantity * unit_price}
          - where: {keep: "quantity <> 0", because: empty line}
        key: [order_id, line]
        latest_by: [updated_at]
        write: upsert
        quality:
          - expect_column_values_to_not_be_null: {column: order_id}
        """,
    "clean/customers.yaml": """\
        reads: ingested.customers
        key: customer_id
        """,
    "features/activity.yaml": """\
        entity: {key: customer_id, from: clean.customers}
        reads: {orders: clean.orders}
        time: ordered_at
        features:
          orders_30d: {of: orders, measure: count(*), last: 30 days}
        """,
    "marts/sales.yaml": """\
        reads: {orders: clean.orders}
        period: {column: ordered_at, grain: day}
        group_by: [country]
        measures: {revenue: sum(revenue)}
        """,
}
STEPS = """\
def known_country(df):
    return df


def nothing():
    return None


from os.path import join as joined
"""


def laid_out(folder: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """The suite's files below a folder, some changed, added or (None) left out."""
    texts: dict[str, str | None] = {**SUITE, **(changes or {})}
    for name, text in texts.items():
        if text is None:
            continue
        file = folder / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    package = folder / "lib" / "shop"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "steps.py").write_text(STEPS)
    return folder / "conf"


# What the tests' own environment holds.
ENVIRON = {"SLACK_WEBHOOK": "https://hooks.example/secret", "N": "3", "WORD": "007"}

# The columns of ingested.orders, as faults name them.
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
