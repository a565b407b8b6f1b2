"""A correct suite becomes frozen values: shorthands, overlays, places, order."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import pytest

from headgate.conf import read_suite, suite_from
from headgate.core.errors import Misconfigured
from headgate.core.spec import Clean, Features, Ingested, Mart
from headgate.core.windows import Grain
from unit.conf_files import ENVIRON, laid_out


def test_shorthands_of_steps(tmp_path: Path) -> None:
    text = """\
        reads: {orders: ingested.orders, customers: clean.customers}
        steps:
          - trim: country
          - rename: {line: line_no}
          - cast: {quantity: BIGINT}
          - where: quantity > 0
          - fill: {country: NO, quantity: 0}
          - map: {country: {UK: GB, "": null, NO: Norway}}
          - lookup: {table: clean.customers, on: customer_id, take: name}
          - lookup: {table: clean.customers, on: [customer_id], take: [since]}
          - lookup: {table: clean.customers, on: {customer_id: customer_id}, take: [name]}
          - select: [order_id, line_no, country, name]
          - drop: country
          - sql: {text: SELECT order_id AS id FROM input, rows: regrouped, drops: many}
        key: id
        """
    changes = {"clean/orders.yaml": text, "marts/sales.yaml": None, "features/activity.yaml": None}
    table = read_suite(laid_out(tmp_path, changes)).tables["clean.orders"]
    assert isinstance(table, Clean)
    shown = [
        step.model_dump(exclude={"place", "written"}, exclude_defaults=True) for step in table.steps
    ]
    assert shown == [
        {"columns": ("country",)},
        {"columns": {"line": "line_no"}},
        {"columns": {"quantity": "bigint"}},
        {"keep": "quantity > 0"},
        {"columns": {"country": "NO", "quantity": 0}},
        {"columns": {"country": {"UK": "GB", "": None, "NO": "Norway"}}},
        {
            "table": "clean.customers",
            "on": {"customer_id": "customer_id"},
            "take": ("name",),
        },
        {
            "table": "clean.customers",
            "on": {"customer_id": "customer_id"},
            "take": ("since",),
        },
        {
            "table": "clean.customers",
            "on": {"customer_id": "customer_id"},
            "take": ("name",),
        },
        {"columns": ("order_id", "line_no", "country", "name")},
        {"columns": ("country",)},
        {
            "text": "SELECT order_id AS id FROM input",
            "drops_because": "many",
            "rows": "regrouped",
        },
    ]
    assert table.inputs == ("ingested.orders", "clean.customers")
    assert table.key == ("id",)


def test_rules_with_conditions_and_shares(tmp_path: Path) -> None:
    text = """\
        reads: ingested.orders
        quality:
          - row: {"a, b": "quantity > 0, or so = 1" , second: line > 0}
          - row:
              of a kind: quantity > 0 AND line > 0
              other: unit_price > 0
            severity: warning
            mostly: 95%
            row_condition: country = 'DE'
          - row: unit_price IS NOT NULL
          - expect_column_values_to_match_regex: {column: country, regex: '^\\p{L}{2}$'}
            severity: info
          - expect_column_values_to_be_between: {column: ordered_at, min_value: 2026-01-01}
        """.replace("quantity > 0, or so = 1", "quantity > 0")
    table = read_suite(
        laid_out(tmp_path, {"clean/orders.yaml": text, "marts/sales.yaml": None})
    ).tables["clean.orders"]
    first, second, third, fourth, bare, regex, between = table.quality
    assert first.written == "a, b: quantity > 0"
    assert (third.severity, third.mostly, third.row_condition) == (
        "warning",
        0.95,
        "country = 'DE'",
    )
    assert fourth.written == "other: unit_price > 0"
    assert fourth.place.endswith("orders.yaml:6")
    assert second.severity == "critical"
    assert bare.arguments == {
        "name": "unit_price IS NOT NULL",
        "condition": "unit_price IS NOT NULL",
    }
    assert regex.severity == "info"
    assert between.arguments["min_value"] == "2026-01-01"


def test_dependencies_come_first(tmp_path: Path) -> None:
    changes = {
        "clean/a_first.yaml": "reads: clean.z_last\n",
        "clean/z_last.yaml": "reads: ingested.orders\n",
    }
    order = list(read_suite(laid_out(tmp_path, changes)).tables)
    assert order.index("clean.z_last") < order.index("clean.a_first")
    assert order.index("clean.customers") < order.index("features.activity")
    assert order == list(read_suite(tmp_path / "conf").tables)


def test_overlays(tmp_path: Path) -> None:
    env = """\
        raw: ${N}/raw
        lake: "s3://bucket/lake/"
        timezone: Europe/Berlin
        spark: {quick: true, conf: {spark.a: true, spark.b: x}}
        tables:
          clean.orders: {max_rejected: 20%, owner: "${WORD}"}
        """
    conf = laid_out(tmp_path, {"env/emr.yaml": env})
    suite = read_suite(conf, env="emr", environ=ENVIRON)
    assert suite.environment.name == "emr"
    assert suite.environment.raw == f"{tmp_path}/3/raw"
    assert suite.environment.lake == "s3://bucket/lake"
    assert suite.timezone == "Europe/Berlin"
    assert suite.environment.spark.quick
    assert suite.environment.spark.conf == {"spark.a": "true", "spark.b": "x"}
    assert suite.tables["clean.orders"].max_rejected == 0.2
    assert suite.tables["clean.orders"].owner == "007"
    assert read_suite(conf).tables["clean.orders"].max_rejected == 0.10

    over = {
        "clean.orders.max_rejected": "30%",
        "ingested.orders.columns.quantity": "{type: bigint, from: Qty}",
        "ingested.orders.columns.line.type": "smallint",
        "suite.timezone": "UTC",
        "window": "month",
        "lake": "/tmp/lake",
        "raw": "data: odd",
        "spark.master": "local[1]",
        "spark.conf.spark.sql.shuffle.partitions": "4",
    }
    suite = read_suite(conf, env="emr", overrides=over, environ=ENVIRON)
    assert (suite.timezone, suite.window) == ("UTC", Grain.month)
    assert suite.environment.lake == "/tmp/lake"
    assert suite.environment.raw == f"{tmp_path}/data: odd"
    assert suite.environment.spark.master == "local[1]"
    assert suite.environment.spark.conf["spark.sql.shuffle.partitions"] == "4"
    assert suite.tables["clean.orders"].max_rejected == 0.3
    ingested = suite.tables["ingested.orders"]
    assert isinstance(ingested, Ingested)
    assert ingested.columns["quantity"].from_ == "Qty"
    assert ingested.columns["line"].type == "smallint"
    listed = [f"{key}={value}" for key, value in over.items()]
    assert read_suite(conf, env="emr", overrides=listed, environ=ENVIRON) == suite


def test_what_comes_from_the_environment(tmp_path: Path) -> None:
    changes = {
        "clean/orders.yaml": "reads: ingested.orders\nmax_rejected: 0.${N}\n"
        "description: '$${N} ${N} ${secret:db/key}'\nowner: ${WORD}\n"
        "quality:\n  - row:\n      few: quantity < ${N}\n",
        "marts/sales.yaml": None,
    }
    table = read_suite(laid_out(tmp_path, changes), environ=ENVIRON).tables["clean.orders"]
    assert table.max_rejected == 0.3
    assert table.description == "${N} 3 ${secret:db/key}"
    assert table.owner == "007"
    assert table.quality[0].arguments["condition"] == "quantity < 3"
    assert table.quality[0].written == "few: quantity < ${N}"  # as written: it may be a secret


def test_a_secret_never_shows_in_a_fault(tmp_path: Path) -> None:
    secret = "hunter2hunter2"
    changes = {
        "suite.yaml": "name: ${S}!\ntimezone: ${S}\nwindow: ${S}\nalerts: [{to: '${S}'}]\n",
        "clean/orders.yaml": "reads: ingested.orders\nsince: ${S}\nwrite: ${S}\nkey: {a: '${S}'}\n"
        "steps:\n  - where: ${S}(\n  - sql: ${S}\n  - step: ${S}\n  - cast: {line: '${S}'}\n"
        "quality:\n  - expect_table_row_count_to_be_between: {min_value: '${S}'}\n"
        "  - expect_column_values_to_match_regex: {column: line, regex: '(${S}'}\n",
    }
    with pytest.raises(Misconfigured) as caught:
        read_suite(laid_out(tmp_path, changes), environ={"S": secret})
    assert len(caught.value.faults) > 10
    assert secret not in "\n".join(str(fault) for fault in caught.value.faults)


def test_yaml_1_2(tmp_path: Path) -> None:
    changes = {
        "clean/orders.yaml": """\
            reads: ingested.orders
            description: on
            owner: NO
            steps:
              - map: {country: {NO: Norway, yes: 18:00, 1: one}}
            """,
        "marts/sales.yaml": None,
    }
    table = read_suite(laid_out(tmp_path, changes)).tables["clean.orders"]
    assert isinstance(table, Clean)
    assert (table.description, table.owner) == ("on", "NO")
    values = getattr(table.steps[0], "columns", {})
    assert values == {"country": {"NO": "Norway", "yes": "18:00", "1": "one"}}


def test_anchors_and_merges(tmp_path: Path) -> None:
    text = """\
        reads: ingested.orders
        quality:
          - expect_column_values_to_not_be_null: &few {column: order_id, mostly: 0.9}
          - expect_column_values_to_not_be_null: {<<: *few, column: line}
        """
    changes = {"clean/orders.yaml": text, "marts/sales.yaml": None}
    rules = read_suite(laid_out(tmp_path, changes)).tables["clean.orders"].quality
    assert [(rule.columns, rule.mostly) for rule in rules] == [
        (("order_id",), 0.9),
        (("line",), 0.9),
    ]


def test_marts_with_sql(tmp_path: Path) -> None:
    changes = {
        "marts/sales.yaml": """\
            reads: {orders: clean.orders, customers: clean.customers}
            period: {column: orders.ordered_at, grain: week}
            sql: {file: marts/sales.sql}
            quality:
              - expect_column_values_to_not_be_null: {column: revenue}
            """,
        "marts/sales.sql": "SELECT ordered_at, sum(o.revenue) AS revenue\nFROM orders o JOIN"
        " customers c USING (customer_id) -- by week\nGROUP BY ordered_at\n",
    }
    mart = read_suite(laid_out(tmp_path, changes)).tables["marts.sales"]
    assert isinstance(mart, Mart)
    assert mart.sql
    assert mart.sql.startswith("SELECT ordered_at")
    assert (mart.period_input, mart.period_column) == ("orders", "ordered_at")


def test_a_feature_table_needs_not_name_its_only_input(tmp_path: Path) -> None:
    text = """\
        entity: {key: [customer_id]}
        reads: clean.orders
        time: {orders: ordered_at}
        as_of: {every: month}
        features: {n: {measure: count(*), last: 2 weeks}}
        label: {gone: {measure: count(*) = 0, next: 1 day}}
        format: {kind: labeled}
        """
    table = read_suite(laid_out(tmp_path, {"features/activity.yaml": text})).tables[
        "features.activity"
    ]
    assert isinstance(table, Features)
    assert table.features["n"].of == "orders"
    assert table.features["n"].last == 14
    assert (table.format.kind, table.format.label, table.every) == ("labelled", "gone", "month")


def test_a_suite_in_python(tmp_path: Path) -> None:
    tables = {
        "clean.orders": {"reads": "ingested.orders", "key": ["order_id"], "max_rejected": 0.5},
        "ingested.orders": {
            "source": {"files": "orders/{window}.csv"},
            "columns": {"order_id": "bigint", "code": {"type": "string", "nulls": [""]}},
        },
    }
    suite = suite_from(tables, raw="raw", lake=tmp_path / "lake", root=tmp_path, timezone="UTC")
    assert list(suite.tables) == ["ingested.orders", "clean.orders"]
    assert suite.environment.raw == f"{tmp_path}/raw"
    assert suite.tables["clean.orders"].file == "<python>"


def test_faults_of_a_suite_in_python(tmp_path: Path) -> None:
    tables: dict[str, dict[str, Any]] = {
        "clean.orders": {
            "reads": "ingested.orders",
            "steps": [{"derivee": {}}],
            "key": ["order_di"],
        },
        "ingested.orders": {"source": {"files": "o/{window}"}, "columns": {"order_id": "bigint"}},
        "cleen.orders": {},
    }
    with pytest.raises(Misconfigured) as caught:
        suite_from(tables, raw="raw", lake="lake", root=tmp_path, windw="day")
    assert [str(fault) for fault in caught.value.faults] == [
        "<python>: 'cleen.orders' is not written layer.name (did you mean 'clean'?)",
        "<python> clean.orders.steps[0]: unknown step 'derivee' (did you mean 'derive'?)",
        "<python> windw: unknown key 'windw' (did you mean 'window'?)",
    ]


def test_a_conf_folder_named_in_other_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = laid_out(tmp_path)
    monkeypatch.chdir(conf)
    assert read_suite(".").root == str(tmp_path)
    assert read_suite(conf).tables.keys() == read_suite("../conf").tables.keys()


def test_fast_and_without_spark(tmp_path: Path) -> None:
    for place in range(10):
        laid_out(tmp_path, {f"clean/t{place}.yaml": "reads: ingested.orders\nkey: order_id\n"})
    script = """
        import sys, time
        start = time.perf_counter()
        from headgate.conf import read_suite
        suite = read_suite(sys.argv[1])
        assert len(suite.tables) == 16, suite.tables.keys()
        heavy = {"pyspark", "delta", "py4j", "pandas", "jsonschema"} & set(sys.modules)
        assert not heavy, heavy
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "conf")],
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "lib"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_user_code_is_not_run(tmp_path: Path) -> None:
    text = "reads: ingested.orders\nsteps:\n  - step: shop.loud.step\n"
    conf = laid_out(tmp_path, {"clean/orders.yaml": text, "marts/sales.yaml": None})
    (tmp_path / "lib/shop/loud.py").write_text("raise SystemExit\ndef step(df): return df\n")
    (tmp_path / "lib/shop/__init__.py").write_text("raise SystemExit\n")
    assert "clean.orders" in read_suite(conf).tables
    assert "shop.loud" not in sys.modules


def test_code_that_does_not_parse_and_code_in_a_zip(tmp_path: Path) -> None:
    text = (
        "reads: ingested.orders\nsteps:\n  - step: shop.broken.step\n  - step: packed.code.step\n"
    )
    conf = laid_out(tmp_path, {"clean/orders.yaml": text, "marts/sales.yaml": None})
    (tmp_path / "lib/shop/broken.py").write_text("def step(df)\n    return df\n")
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("packed/__init__.py", "")
        archive.writestr("packed/code.py", "def stop(df):\n    return df\n")
    sys.path.append(str(tmp_path / "code.zip"))
    try:
        with pytest.raises(Misconfigured) as caught:
            read_suite(conf)
    finally:
        sys.path.remove(str(tmp_path / "code.zip"))
    assert [fault.what for fault in caught.value.faults] == [
        "the module 'shop.broken' is no Python: line 1: expected ':'",
        "the module 'packed.code' has no function 'step' (did you mean 'stop'?)",
    ]
