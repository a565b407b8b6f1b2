"""The fixture `headgate_suite` and `headgate test`: rows of a test through a table, no lake."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest
from pyspark.sql import SparkSession

from headgate.core.errors import Misconfigured, StepFailed, Usage
from headgate.core.results import Rows
from headgate.doors.cli import main
from headgate.testing import GivenSuite
from headgate.testing import headgate_suite as headgate_suite

FILES = {
    "suite.yaml": "name: small\n",
    "env/local.yaml": "{raw: raw, lake: lake}\n",
    "ingested/orders.yaml": """\
        source: {files: "orders/{window}/*.csv"}
        columns:
          order_id: bigint
          customer_id: {type: bigint, from: Customer ID}
          ordered_at: {type: timestamp, format: "M/d/yyyy H:mm"}
          country: {type: string, nulls: ["", "N/A"]}
          quantity: int
          unit_price: decimal(10,2)
        quality:
          - expect_column_values_to_not_be_null: {column: order_id}
        examples:
          - given: {orders: [{order_id: "1", Customer ID: " 7 ", ordered_at: "11/20/2026 9:05",
                              country: N/A, quantity: "2", unit_price: "1.50", gift: "yes"}]}
            written: [{order_id: 1, customer_id: 7, ordered_at: "2026-11-20 09:05:00",
                       country: null, unit_price: 1.5, _rescued: '{"gift":"yes"}'}]
        """,
    "ingested/countries.yaml": """\
        source: {files: "countries/{window}.csv"}
        columns: {code: string, name: string}
        """,
    "clean/countries.yaml": """\
        reads: ingested.countries
        steps: [{rename: {name: label}}]
        key: code
        write: upsert
        """,
    "clean/orders.yaml": """\
        reads: {orders: ingested.orders}
        steps:
          - trim: [country]
          - derive: {revenue: quantity * unit_price}
          - where: {keep: "quantity <> 0", because: empty line}
          - lookup: {table: clean.countries, on: {country: code}, take: [label]}
        key: [order_id]
        latest_by: [ordered_at]
        write: upsert
        deletes: "country = 'XX'"
        quality:
          - expect_column_values_to_be_between: {column: quantity, min_value: 1, mostly: 0.95}
          - row: {price is positive: unit_price > 0}
        examples:
          - given: {orders: [{order_id: 1, quantity: -3, unit_price: "2.00"}]}
            written: []
            rejected: [{order_id: 1, reasons: [quantity]}]
        """,
    "marts/sales.yaml": """\
        reads: {orders: clean.orders}
        period: {column: ordered_at, grain: month}
        group_by: [country]
        measures: {revenue: sum(revenue), orders: count(DISTINCT order_id)}
        examples:
          - given:
              orders:
                - {order_id: 1, ordered_at: "2026-10-31 23:00:00", country: DE, revenue: 1}
                - {order_id: 2, ordered_at: "2026-11-01 00:00:00", country: DE, revenue: 2}
                - {order_id: 2, ordered_at: "2026-11-02 00:00:00", country: DE, revenue: 3}
            written:
              - {ordered_at: 2026-10-01, country: DE, revenue: 1, orders: 1}
              - {ordered_at: 2026-11-01, revenue: 5, orders: 1}
        """,
    "features/activity.yaml": """\
        entity: {key: customer_id}
        reads: {orders: clean.orders}
        time: ordered_at
        features:
          orders_7d: {of: orders, measure: count(*), last: 7 days}
        label:
          again: {of: orders, measure: count(*) > 0, next: 7 days}
        """,
}
Opened = Callable[..., GivenSuite]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """The suite above in files."""
    for name, text in FILES.items():
        file = tmp_path / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
    return tmp_path / "conf"


@pytest.fixture
def suite(spark: SparkSession, conf: Path, headgate_suite: Opened) -> GivenSuite:
    """The suite on rows of a test; `spark` is the session that it takes."""
    return headgate_suite(conf)


ORDER = {"order_id": 1, "quantity": 2, "unit_price": "3.50", "country": " DE "}


def test_rows_go_through_steps_rules_and_key(suite: GivenSuite) -> None:
    found = suite.table("clean.orders").given(
        orders=[
            {**ORDER, "ordered_at": "2026-11-01 10:00:00"},
            {**ORDER, "quantity": 3, "ordered_at": datetime(2026, 11, 1, 11)},  # noqa: DTZ001
            {"order_id": 2, "quantity": 0},
            {"order_id": 3, "quantity": -1, "unit_price": Decimal("0.00")},
            {"order_id": 4, "quantity": 1, "country": "XX"},
        ]
    )
    (written,) = found.written
    assert written == {
        "order_id": 1, "customer_id": None, "ordered_at": datetime(2026, 11, 1, 11),  # noqa: DTZ001
        "country": "DE", "quantity": 3, "unit_price": Decimal("3.50"),
        "revenue": Decimal("10.50"), "label": None,
    }  # fmt: skip
    (rejected,) = found.rejected
    assert rejected["order_id"] == 3
    assert len(rejected["reasons"]) == 2
    assert found.rows == Rows(read=5, written=2, quarantined=1, deduplicated=1, filtered=1)


def test_no_lake_is_touched(suite: GivenSuite, tmp_path: Path) -> None:
    suite.table("clean.orders").given(orders=[ORDER])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conf"]
    assert not Path("nowhere").exists()


def test_other_inputs_can_be_given_by_any_of_their_names(suite: GivenSuite) -> None:
    table = suite.table("clean.orders")
    for name in ("countries", "clean.countries"):
        found = table.given({"orders": [ORDER], name: [{"code": "DE", "label": "Germany"}]})
        assert found.written[0]["label"] == "Germany"


def test_an_ingested_table_takes_texts_under_the_names_of_the_file(suite: GivenSuite) -> None:
    found = suite.table("ingested.orders").given(
        orders=[
            {"order_id": "1", "Customer ID": "7", "ordered_at": "11/1/2026 9:00", "country": "N/A"},
            {"order_id": "2", "quantity": "many"},
            {"quantity": 1},
        ]
    )
    (written,) = found.written
    assert (written["customer_id"], written["country"]) == (7, None)
    assert written["ordered_at"] == datetime(2026, 11, 1, 9)  # noqa: DTZ001
    assert [row["reasons"] for row in found.rejected] == [
        ["quantity: not a int"],
        ["expect_column_values_to_not_be_null: {column: order_id}"],
    ]
    assert found.rejected[0]["quantity"] == "many"
    assert found.rows == Rows(read=3, written=1, quarantined=2)


def test_a_mart_is_made_of_given_rows(suite: GivenSuite) -> None:
    found = suite.table("marts.sales").given(
        orders=[{"order_id": 1, "ordered_at": "2026-11-05", "revenue": "2.50"}]
    )
    assert found.written == [
        {"ordered_at": date(2026, 11, 1), "country": None, "revenue": Decimal("2.50"), "orders": 1}
    ]
    assert found.rows == Rows(read=1, written=1)
    assert suite.table("marts.sales").given(orders=[]).written == []


def test_features_are_as_of_the_end_of_the_newest_window(suite: GivenSuite) -> None:
    def order(number: int, at: str, **more: str) -> dict[str, object]:
        return {"order_id": number, "customer_id": 7, "ordered_at": at, **more}

    table = suite.table("features.activity")
    found = table.given(orders=[order(1, "2026-11-01 10:00:00"), order(2, "2026-11-09 10:00:00")])
    assert found.written == [
        {"customer_id": 7, "as_of": datetime(2026, 11, 10), "orders_7d": 1, "again": None}  # noqa: DTZ001
    ]
    # A window that rows name is the one; what came later is known to the label only.
    rows = [order(1, "2026-11-01 10:00:00", _window="2026-11-01"), order(2, "2026-11-09 10:00:00")]
    (found_row,) = table.given(orders=rows).written
    assert (found_row["as_of"], found_row["orders_7d"]) == (datetime(2026, 11, 2), 1)  # noqa: DTZ001
    assert found_row["again"] is False


def test_windows_that_rows_name_are_apart(suite: GivenSuite) -> None:
    rows = [{**ORDER, "_window": f"2026-11-0{day}"} for day in (1, 2)]
    found = suite.table("clean.orders").given(orders=rows)
    assert found.rows == Rows(read=2, written=2)


def test_a_step_that_drops_rows_in_silence_is_an_error(
    conf: Path, spark: SparkSession, headgate_suite: Opened
) -> None:
    file = conf / "clean/orders.yaml"
    text = file.read_text().replace(
        '  - where: {keep: "quantity <> 0", because: empty line}\n',
        "  - sql: SELECT * FROM input WHERE quantity <> 0\n",
    )
    file.write_text(text)
    with pytest.raises(StepFailed, match="dropped rows without saying so: 2 rows in, 1 out"):
        headgate_suite(conf).table("clean.orders").given(
            orders=[ORDER, {**ORDER, "order_id": 2, "quantity": 0}]
        )


def test_what_cannot_be_given_is_told(suite: GivenSuite, headgate_suite: Opened) -> None:
    table = suite.table("clean.orders")
    with pytest.raises(Usage, match=r"unknown input 'order' \(did you mean 'orders'"):
        table.given(order=[ORDER])
    with pytest.raises(Usage, match=r"unknown column 'quantty' \(did you mean 'quantity'"):
        table.given(orders=[{"quantty": 1}])
    with pytest.raises(Usage, match="a given value of quantity is not a int"):
        table.given(orders=[{"quantity": "many"}])
    with pytest.raises(Usage, match=r"did you mean 'clean\.orders'"):
        suite.table("clean.order")
    with pytest.raises(Usage, match="'clean' is not one table"):
        suite.table("clean")
    with pytest.raises(Misconfigured, match="no such folder"):
        headgate_suite("nowhere")


def test_examples_that_come_out_as_written(
    conf: Path, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    file = conf / "ingested/orders.yaml"
    file.write_text(file.read_text().replace(', _rescued: \'{"gift":"yes"}\'', ""))
    assert main(["test", "--conf", str(conf)]) == 0
    assert capsys.readouterr().out == "small: 3 examples, all as written\n"
    assert main(["test", "marts", "--conf", str(conf), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(one["table"], one["problems"]) for one in told["examples"]] == [("marts.sales", [])]


def test_examples_that_come_out_otherwise_are_told_with_their_place(
    conf: Path, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    file = conf / "clean/orders.yaml"
    file.write_text(file.read_text().replace("reasons: [quantity]", "reasons: [country]"))
    line = (
        file.read_text()
        .splitlines()
        .index('  - given: {orders: [{order_id: 1, quantity: -3, unit_price: "2.00"}]}')
    )
    assert main(["test", "clean", "--conf", str(conf), "--json"]) == 30
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["exit_code"] == 30
    assert main(["test", "clean", "--conf", str(conf)]) == 30
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{file}:{line + 1}: clean.orders: the example comes out otherwise"
    assert out[1].strip() == 'rejected: no row is like {order_id: 1, reasons: ["country"]}'
    assert "expect_column_values_to_be_between: {column: quantity" in out[2]
    assert out[-1] == "small: 1 example, 1 not as written"


def test_the_fixture_is_registered_with_pytest() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[project.entry-points.pytest11]\n")[2].splitlines()
    assert section[0] == '"headgate.testing" = "headgate.testing"'
