"""The examples of the documentation are read as they stand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from headgate.conf import read_suite
from headgate.core.spec import Clean, Features, Ingested, Mart
from headgate.core.windows import Grain
from unit.conf_files import ENVIRON, laid_out

# The examples of the documentation, as far as they work today.
DOCUMENTED = {
    "suite.yaml": """\
        name: shop
        timezone: UTC            # of windows, days and periods; also Spark's session zone
        window: day              # hour | day | month
        alerts:                  # routes; the first that matches by severity and table
          - {to: "slack:${SLACK_WEBHOOK}", severity: [critical, warning]}
          - {to: "mailto:ann@shop.example", smtp: "smtp://me:${secret:mail}@mail.example:587",
             from: night@shop.example, tables: [clean.*, marts], owner: [sales-data]}
          - log
        keys: env                # where privacy keys come from
        """,
    "ingested/orders.yaml": """\
        description: Order lines as the shops dump them every night.
        owner: sales-data                   # who is alerted;  fresh_within: 2 days
        fresh_within: 2 days
        since: 2026-01-01                   # no window before this is expected
        source:
          files: orders/{window}/*.csv
          format: csv
          options: {header: true}
        columns:                            # the contract with the supplier
          order_id:    bigint
          line:        int
          customer_id: {type: bigint, from: Customer ID}         # its name in the file
          ordered_at:  {type: timestamp, format: "M/d/yyyy H:mm"}
          email:       {type: string, description: where the receipt went}
          country:     {type: string, nulls: ["", "N/A"]}        # texts that mean null
          quantity:    int
          unit_price:  decimal(10,2)
          updated_at:  timestamp
        on_change:                          # these are the defaults
          new_column: rescue
          missing_column: block
          bad_value: quarantine
        quality:
          - expect_table_row_count_to_be_between: {min_value: 1}
          - expect_column_values_to_not_be_null: {column: order_id}
        """,
    "clean/vat.sql": "SELECT *, revenue * 0.2 AS vat FROM input;\n",
    "clean/orders.yaml": """\
        reads: ingested.orders
        steps:
          - trim: [country]
          - derive: {revenue: quantity * unit_price}
          - where: {keep: "quantity <> 0", because: empty line}      # NULL is not kept
          - deduplicate: exact
          - step: shop.steps.known_country
          - step: shop.steps.known_country
            drops: unpaid
          - sql: SELECT *, revenue * 0.2 AS vat FROM input
          - sql: {file: clean/vat.sql, adds: nothing really}
        key: [order_id, line]
        latest_by: [updated_at]
        write: upsert
        deletes: "_op = 'delete'"
        quality:
          - expect_column_values_to_be_between: {column: quantity, min_value: 1, mostly: 0.95}
          - expect_column_values_to_be_in_set: {column: country, value_set: [DE, FR, NO],
              severity: warning}
          - row: {price is positive: unit_price > 0}
          - expectations: quality/orders.json
        max_rejected: 5%
        examples:
          - given: {orders: [{order_id: 1, line: 1, quantity: -3, unit_price: "2.00"}]}
            rejected: [{order_id: 1, reasons: [quantity]}]
        """,
    "quality/orders.json": """\
        {
            "name": "orders",
            "expectations": [
                {"type": "expect_column_values_to_not_be_null",
                 "kwargs": {"column": "line", "mostly": 0.9, "row_condition": null},
                 "meta": {"notes": "\\ud83d\\ude00"}, "id": null, "severity": "warning"},
                {"expectation_type": "expect_column_mean_to_be_between",
                 "kwargs": {"column": "unit_price", "min_value": 1e0, "max_value": 10}}
            ],
            "meta": {"great_expectations_version": "1.15.0"}
        }
        """,
    "features/customer_activity.yaml": """\
        entity: {key: customer_id, from: clean.customers}
        as_of: {every: day}
        reads: {orders: clean.orders}
        time: ordered_at
        features:
          orders_30d:  {of: orders, measure: count(*), last: 30 days}
          revenue_90d: {of: orders, measure: sum(revenue), last: 90 days, else: 0}
          recency_days: {of: orders, measure: days_since_last}
        label:
          churned: {of: orders, measure: count(*) = 0, next: 90 days}
        format: {kind: labelled, label: churned, columns: [orders_30d, revenue_90d, recency_days]}
        """,
    "marts/sales_by_country.yaml": """\
        reads: {orders: clean.orders}
        period: {column: ordered_at, grain: day}
        group_by: [country]
        measures: {revenue: sum(revenue), orders: count(DISTINCT order_id)}
        """,
}


def test_the_documented_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out(tmp_path, DOCUMENTED)
    monkeypatch.chdir(tmp_path)
    suite = read_suite(environ=ENVIRON)
    assert (suite.name, suite.timezone, suite.window, suite.keys) == (
        "shop",
        "UTC",
        Grain.day,
        "env",
    )
    assert suite.alerts[0].to == "slack:https://hooks.example/secret"
    assert suite.alerts[0].severity == ("critical", "warning")
    assert suite.alerts[0].kind == "slack"
    mail = suite.alerts[1]
    assert (mail.tables, mail.owner) == (("clean.*", "marts"), ("sales-data",))
    assert mail.smtp == "smtp://me:${secret:mail}@mail.example:587"
    assert (mail.address, mail.from_) == ("ann@shop.example", "night@shop.example")
    assert suite.alerts[2].to == "log"
    assert "hooks.example" not in repr(suite)
    assert "mail.example" not in repr(suite)
    assert suite.root == str(tmp_path)
    assert suite.conf == "conf"
    assert suite.environment.raw == f"{tmp_path}/data/raw"
    assert suite.environment.spark.conf == {"spark.sql.shuffle.partitions": "8"}

    orders = suite.tables["ingested.orders"]
    assert isinstance(orders, Ingested)
    assert orders.since == date(2026, 1, 1)
    assert orders.columns["unit_price"].type == "decimal(10,2)"
    assert orders.columns["customer_id"].from_ == "Customer ID"
    assert orders.columns["country"].nulls == ("", "N/A")
    assert orders.source.options == {"header": True}
    assert orders.quality[0].arguments == {"min_value": 1}

    features = suite.tables["features.customer_activity"]
    assert isinstance(features, Features)
    assert features.features["revenue_90d"].last == 90
    assert features.features["revenue_90d"].else_ == 0
    assert features.label["churned"].next == 90
    assert (features.every, features.format.kind) == ("day", "labelled")

    mart = suite.tables["marts.sales_by_country"]
    assert isinstance(mart, Mart)
    assert mart.measures == {"revenue": "sum(revenue)", "orders": "count(DISTINCT order_id)"}


def test_the_documented_clean_table(tmp_path: Path) -> None:
    suite = read_suite(laid_out(tmp_path, DOCUMENTED), environ=ENVIRON)
    orders = suite.tables["clean.orders"]
    assert isinstance(orders, Clean)
    assert orders.reads == {"orders": "ingested.orders"}
    assert [step.name for step in orders.steps] == [
        "trim", "derive", "where", "deduplicate", "step", "step", "sql", "sql",
    ]  # fmt: skip
    assert [step.drops for step in orders.steps] == [
        None, None, "empty line", "duplicate", None, "unpaid", None, None,
    ]  # fmt: skip
    assert orders.steps[7].adds == "nothing really"
    assert getattr(orders.steps[7], "text", "") == "SELECT *, revenue * 0.2 AS vat FROM input"
    assert orders.steps[2].written == "where: {keep: quantity <> 0, because: empty line}"
    assert orders.steps[5].written == "step: shop.steps.known_country, drops: unpaid"
    assert orders.steps[5].place == f"{tmp_path}/conf/clean/orders.yaml:8"
    assert (orders.key, orders.latest_by, orders.write) == (
        ("order_id", "line"),
        ("updated_at",),
        "upsert",
    )
    assert orders.max_rejected == 0.05
    assert [rule.written for rule in orders.quality] == [
        "expect_column_values_to_be_between: {column: quantity, min_value: 1, mostly: 0.95}",
        "expect_column_values_to_be_in_set: {column: country, value_set: [DE, FR, NO],"
        " severity: warning}",
        "price is positive: unit_price > 0",
        "expect_column_values_to_not_be_null: {column: line, mostly: 0.9}",
        "expect_column_mean_to_be_between: {column: unit_price, min_value: 1e0, max_value: 10}",
    ]
    between, in_set, row, saved, mean = orders.quality
    assert (between.mostly, between.severity) == (0.95, "critical")
    assert (in_set.mostly, in_set.severity) == (None, "warning")
    assert in_set.arguments["value_set"] == ("DE", "FR", "NO")
    assert row.expectation == "row"
    assert row.arguments == {"name": "price is positive", "condition": "unit_price > 0"}
    assert (saved.severity, saved.place) == ("warning", f"{tmp_path}/conf/quality/orders.json:4")
    assert mean.arguments == {"column": "unit_price", "min_value": 1.0, "max_value": 10}
    assert orders.examples[0].given["orders"][0]["unit_price"] == "2.00"
