"""When something is news, who is told of it, and what becomes one message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headgate.core.alerts import (
    FOR_NOBODY,
    TOLD,
    WAITING,
    Alert,
    cause_of,
    news,
    noted,
    raised_by,
    recovered,
    route_for,
)
from headgate.core.messages import messages
from headgate.core.results import Check, Entry, Rows
from headgate.core.spec import AlertRoute, Clean, Environment, Mart, Period, Suite, Table
from headgate.stages.telling import lineage_of

AT = "2026-11-21T02:00:00+00:00"
DAY = "2026-11-11"


MEAN = "mean(unit_price) 41.2, usual 3.9 to 4.6; 1,000 rows kept back"


def blocked(run: str, message: str = MEAN, **more: Any) -> Entry:
    given: dict[str, Any] = {
        "job": "clean", "table": "clean.orders", "window": DAY, "status": "blocked",
        "exit_code": 10, "message": message,
    }  # fmt: skip
    return Entry(run, **{**given, **more})


def published(run: str, *warnings: str, **more: Any) -> Entry:
    return blocked(
        run, "", status="published", exit_code=0, warnings=warnings, rows=Rows(written=9), **more
    )


def after(known: list[Alert], entry: Entry) -> tuple[list[Alert], list[Alert]]:
    """What is known after a run, and what of it is news."""
    raised = raised_by(entry, AT)
    return noted(known, entry, raised, AT), news(known, raised)


def told(alerts: list[Alert]) -> list[Alert]:
    return [replace(one, state=TOLD) for one in alerts if one.open]


def test_a_closed_gate_is_one_line_as_the_command_says_it() -> None:
    (one,) = raised_by(blocked("7f3a"), AT)
    assert one.line == (
        "clean.orders 2026-11-11 BLOCKED mean(unit_price) 41.2, usual 3.9 to 4.6; 1,000 rows kept"
        " back; readers still see what was there before. Next: headgate show 7f3a"
    )
    (other,) = raised_by(published("7f3b", "country broken by 3 of 9 rows"), AT)
    assert other.line == (
        "clean.orders 2026-11-11 WARNING country broken by 3 of 9 rows. Next: headgate show 7f3b"
    )
    full = f"clean.orders {DAY}: the disk is full Next: make room"
    (third,) = raised_by(blocked("7f3c", full, status="failed", exit_code=20), AT)
    assert third.line == "clean.orders 2026-11-11 FAILED the disk is full. Next: make room"


def test_the_same_is_told_once_until_it_is_over() -> None:
    known, new = after([], blocked("1"))
    assert len(new) == 1
    known, new = after(
        told(known), blocked("2", "mean(unit_price) 41.7, usual 3.9 to 4.6; 990 rows kept back")
    )
    assert new == []  # other numbers, the same cause
    assert [one.state for one in known] == [TOLD]
    known, new = after(known, blocked("3", "row_count 0, usual 1,890 to 2,210"))
    assert [one.run for one in new] == ["3"]
    known, new = after(told(known), published("4"))
    assert new == []
    (well,) = known
    assert (well.severity, well.state, well.open) == ("info", WAITING, False)
    assert "well again: 9 rows published; it was blocked since 2026-11-21 02:00 UTC" in well.line
    known, new = after([], blocked("5"))
    assert len(new) == 1
    assert after(told(known), blocked("6", window="2026-11-12"))[1] != []


def test_rules_that_closed_the_gate_are_its_cause_whatever_they_found() -> None:
    def closed(run: str, *rules: str) -> Entry:
        checks = tuple(Check(r, "critical", False, True, expectation="row") for r in rules)
        return blocked(run, f"found {run}", checks=checks)

    known, _ = after([], closed("1", "b", "a"))
    assert after(told(known), closed("2", "a", "b"))[1] == []
    assert after(told(known), closed("3", "a", "b", "c"))[1] != []


def test_nobody_heard_of_it_yet_then_the_newer_run_is_named() -> None:
    known, _ = after([], blocked("1"))
    (one,), new = after([replace(known[0], tries=2)], blocked("2"))
    assert (one.run, one.tries, one.state, new) == ("2", 2, WAITING, [])


def test_what_is_over_before_anybody_heard_of_it_is_told_all_the_same() -> None:
    known, _ = after([], blocked("1"))
    known, _ = after(known, published("2"))
    assert [(one.severity, one.open, one.state) for one in known] == [
        ("critical", False, WAITING), ("info", False, WAITING),
    ]  # fmt: skip
    nobody = [replace(known[0], state=FOR_NOBODY, open=True)]
    assert after(nobody, published("3"))[0] == []


def test_an_unlike_column_is_another_cause() -> None:
    assert cause_of("line_1 broken by 3 rows", "t") != cause_of("line_2 broken by 3 rows", "t")


def test_the_first_route_that_fits_takes_it() -> None:
    routes = [
        AlertRoute(to="file:a", severity=("critical",), tables=("marts",)),
        AlertRoute(to="file:b", severity=("critical",), owner=("crm",)),
        AlertRoute(to="file:c", tables=("clean.o*",)),
    ]
    (one,) = raised_by(blocked("1"), AT)
    assert route_for(routes, one, None) == 2
    assert route_for(routes, one, "crm") == 1
    assert route_for(routes, replace(one, table="marts.sales"), "crm") == 0
    assert route_for(routes, replace(one, table="clean.sales"), None) is None
    assert route_for(routes, replace(one, table=""), None) is None  # the suite as a whole
    assert route_for([AlertRoute(to="log")], replace(one, table=""), None) == 0


def suite(*alerts: dict[str, Any]) -> Suite:
    """clean.orders is read by a hundred tables, and by a mart of months."""
    tables: dict[str, Table] = {"clean.orders": Clean(name="clean.orders", reads={"i": "i.i"})}
    for number in range(100):
        name = f"clean.t{number:02}"
        tables[name] = Clean(name=name, reads={"orders": "clean.orders"}, owner="crm")
    tables["marts.sales"] = Mart(
        name="marts.sales", reads={"t": "clean.t00"}, period=Period(column="at", grain="month")
    )
    tables["clean.alone"] = Clean(name="clean.alone", reads={"i": "i.i"})
    return Suite(
        name="shop", alerts=tuple(AlertRoute(**one) for one in alerts), tables=tables,
        environment=Environment(name="local", raw="/raw", lake="/lake"),
    )  # fmt: skip


def missing(table: str, window: str = DAY) -> Entry:
    text = f"clean.orders has not published this window Next: headgate run +{table}"
    return blocked(
        f"run-{table}", table=table, window=window, status="failed", exit_code=12, message=text
    )


def test_a_hundred_tables_stopped_by_one_fault_are_one_message() -> None:
    shop = suite()
    stopped = [missing(name) for name in shop.tables if name.startswith("clean.t")]
    entries = [*stopped, blocked("7f3a"), missing("marts.sales", "2026-11")]
    alerts = [one for entry in entries for one in raised_by(entry, AT)]
    (message,) = messages(alerts, lineage_of(shop))
    assert message.root.table == "clean.orders"
    assert len(message.alerts) == 102
    assert message.text == (
        "clean.orders 2026-11-11 BLOCKED mean(unit_price) 41.2, usual 3.9 to 4.6; 1,000 rows kept"
        " back; readers still see what was there before; and with it 101 tables that depend on it:"
        " clean.t00, clean.t01, clean.t02, clean.t03, clean.t04, and 96 more."
        " Next: headgate show 7f3a"
    )
    assert message.plain()["tables"][:2] == ["clean.orders", "clean.t00"]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (blocked("2", table="clean.alone"), "it does not read the first"),
        (missing("clean.t00", "2026-11-12"), "another day"),
        (missing("marts.sales", "2026-12"), "another month"),
    ],
)
def test_what_does_not_follow_is_a_message_of_its_own(other: Entry, why: str) -> None:
    alerts = [*raised_by(blocked("1"), AT), *raised_by(other, AT)]
    assert len(messages(alerts, lineage_of(suite()))) == 2, why


def test_a_warning_does_not_swallow_what_closed_a_gate() -> None:
    alerts = [
        *raised_by(blocked("2", table="clean.t00"), AT),
        *raised_by(published("1", "country has new values"), AT),
    ]
    assert [one.root.table for one in messages(alerts, lineage_of(suite()))] == [
        "clean.t00", "clean.orders",
    ]  # fmt: skip


def test_all_warnings_of_a_window_are_one_message() -> None:
    warned = published("1", "country broken by 3 of 9 rows", "vat broken by 1 of 9 rows")
    (message,) = messages(raised_by(warned, AT), lineage_of(suite()))
    assert message.text == (
        "clean.orders 2026-11-11 WARNING country broken by 3 of 9 rows; vat broken by 1 of 9 rows."
        " Next: headgate show 1"
    )


def test_windows_and_tables_that_share_a_fault_share_a_message() -> None:
    days = [blocked(day, window=f"2026-11-{day}") for day in ("11", "12", "13")]
    (message,) = messages([a for d in days for a in raised_by(d, AT)], lineage_of(suite()))
    assert message.text.endswith(
        "; the same in 2 more windows up to 2026-11-13. Next: headgate show 11"
    )
    full = [
        blocked(name, table=name, status="failed", exit_code=20, message=f"/lake/{path}: no room")
        for name, path in (("clean.alone", "clean/alone"), ("clean.orders", "clean/orders"))
    ]
    (message,) = messages([a for d in full for a in raised_by(d, AT)], lineage_of(suite()))
    assert "; the same for 1 more table: clean.alone" in message.text


def test_good_news_goes_together_too() -> None:
    over = [
        recovered(raised_by(missing(name), AT)[0], published("9", table=name), AT)
        for name in ("clean.t00", "clean.orders")
    ]
    (message,) = messages(over, lineage_of(suite()))
    assert message.plain()["state"] == "recovered"
    assert "and with it 1 table that depends on it: clean.t00" in message.text
