"""Every mistake gets its file, line, path and the likely meant word, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.conf import read_suite
from headgate.core.errors import Misconfigured
from unit.conf_files import faults

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
