"""The report: facts of a lake to one HTML page that needs nothing else. Pure; no script in it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from headgate.core.results import LAYERS, Rows
from headgate.doors.cells import Cell, moment, number, row, table, word
from headgate.doors.facts import Alert, Batch, Facts, Rejected, Standing
from headgate.doors.markup import Html, tag, together
from headgate.doors.picture import FATES, SHOWN, fates_told, graph, share_bar, strip

ALERTS, BATCHES, REASONS, RANGES, DISMISSED = 20, 25, 100, 3, 50  # so many are shown
# No script, no picture, no font, no style from anywhere: what is in the page is all there is.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(facts: Facts) -> str:
    """The whole page."""
    title = f"{facts.suite}: Headgate report"
    body = tag(
        "main",
        _header(facts),
        _alerts(facts.open_alerts),
        _layers(facts),
        _gates(facts),
        _rejected(facts.rejected),
        _dismissed(facts),
        _history(facts),
        _runs(facts),
        tag("footer", "Made by headgate report. Holds counts and rules, no values of the data."),
    )
    head = (
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    )
    style = files("headgate.doors").joinpath("page.css").read_text(encoding="utf-8")
    made = together(
        [Html(f"<head>{head}"), tag("title", title), Html(f"<style>{style}</style></head>")]
    )
    return f'<!doctype html>\n<html lang="en">{made}<body>{body}</body></html>\n'


def verdict(facts: Facts) -> tuple[str, str]:
    """The page in a few words, and how bad it is."""
    critical = sum(one.severity == "critical" for one in facts.open_alerts)
    if critical:
        return f"{critical} critical alert{'s' if critical > 1 else ''}", "critical"
    warned = len({one.table for one in facts.open_alerts})
    if warned:
        return f"warnings in {warned} table{'s' if warned > 1 else ''}", "warning"
    if facts.records:
        return "nothing needs attention", "good"
    return "nothing has run yet", "warning"


def _header(facts: Facts) -> Html:
    said, kind = verdict(facts)
    windows = [one.window for s in facts.standings.values() for one in s.slices if one.visible]
    days = [window for window in windows if len(window) == 10]
    span = f" · windows {min(days)} to {max(days)}" if days else ""
    about = f"environment {facts.env} · {len(facts.tables)} tables{span} · as of {facts.made_at}"
    left = tag("div", tag("h1", facts.suite), tag("p", f"{about} {facts.timezone}", class_="soft"))
    return tag("header", left, tag("span", said, class_=f"verdict {kind}"), class_="head")


def _section(title: str, about: str, *parts: object) -> Html:
    return tag("section", tag("h2", title), tag("p", about, class_="soft small"), *parts)


def _alerts(alerts: Sequence[Alert]) -> Html | None:
    """Critical ones a box each, warnings a box for each table."""
    if not alerts:
        return None
    critical = [_critical(one) for one in alerts if one.severity == "critical"]
    tables = dict.fromkeys(one.table for one in alerts if one.severity != "critical")
    warned = [
        _warned([one for one in alerts if one.table == table and one.severity != "critical"])
        for table in tables
    ]
    about = "Runs that were kept back or warned, and were not mended by a later run."
    boxes = [*critical, *warned]
    return _section("Open alerts", about, *boxes[:ALERTS], _more(boxes[ALERTS:], "more alerts"))


def _critical(one: Alert) -> Html:
    return tag(
        "div",
        tag("p", tag("span", "critical", class_="word critical"), " ",
            tag("b", f"{one.table} {one.window}")),
        tag("p", one.what),
        tag("p", "Next: ", tag("code", one.next, class_="type")),
        class_="alert critical",
    )  # fmt: skip


def _warned(alerts: Sequence[Alert]) -> Html:
    newest = alerts[0]
    older = [tag("li", f"{one.window}: {one.what}") for one in alerts[1:]]
    return tag(
        "div",
        tag("p", tag("span", "warning", class_="word warning"), " ",
            tag("b", f"{newest.table} {newest.window}")),
        tag("p", newest.what),
        _more([tag("ul", *older)] if older else [], f"{len(older)} earlier windows"),
        class_="alert",
    )  # fmt: skip


def _more(parts: Sequence[object], said: str) -> Html | None:
    return tag("details", tag("summary", said), *parts) if parts else None


def _layers(facts: Facts) -> Html:
    sums = {layer: _of_layer(facts, layer) for layer in LAYERS}
    shown: list[Html] = [_layer("raw", f"{sums['ingested'].read:,}", "records read")]
    for layer in ("ingested", "clean"):
        shown += [_through(sums[layer]), _layer(layer, f"{sums[layer].written:,}", "rows")]
    last = [(layer, sums[layer].written) for layer in ("features", "marts")]
    said = " + ".join(f"{rows:,}" for _, rows in last)
    shown += [_through(Rows()), _layer(" + ".join(n for n, _ in last), said, "rows")]
    return _section(
        "Layers",
        "What the last run of each window let through, and what each gate kept back.",
        tag("div", *shown, class_="flow"),
        tag("div", graph(facts), class_="wide drawing"),
        _legend(),
    )


def _of_layer(facts: Facts, layer: str) -> Rows:
    standings = facts.standings.values()
    return Rows.together(one.rows for one in standings if one.table.layer == layer)


def _layer(name: str, number: str, unit: str) -> Html:
    return tag(
        "div", tag("span", name, class_="soft small"), tag("b", number),
        tag("span", unit, class_="soft small"), class_="layer",
    )  # fmt: skip


def _through(rows: Rows) -> Html:
    kinds = {"quarantined": "q", "withheld": "w"}
    said = [
        tag("span", f"{getattr(rows, name):,} {told}", class_=kinds.get(name))
        for name, told in FATES[1:]
        if getattr(rows, name)
    ]
    return tag("div", *said, class_="through")


def _legend() -> Html:
    marks = [tag("span", tag("i", class_=name), told) for name, told in FATES]
    return tag("div", *marks, class_="legend")


def _gates(facts: Facts) -> Html:
    names = [name for name, _ in FATES[1:]]
    added = any(one.rows.added for one in facts.standings.values())
    heads: list[Cell] = [("table", ""), ("state", ""), ("read", "n")]
    heads += [("added", "n")] if added else []
    heads += [("let through", "n"), *[(name, "n") for name in names], ("shares", "")]
    rows = []
    for layer in LAYERS:
        here = [one for one in facts.standings.values() if one.table.layer == layer]
        if here:
            whole = tag("th", layer, colspan=len(heads), scope="rowgroup")
            rows.append(tag("tr", whole, class_="layer-row"))
        for one in here:
            fates = ["read", *(["added"] if added else []), "written", *names]
            counts = [
                ("", "") if one.regroups and name in ("added", *names)
                else number(getattr(one.rows, name))
                for name in fates
            ]  # fmt: skip
            bar = tag("svg", *share_bar(one.rows, 0, 0, 120, 10), width=120, height=10)
            name = tag("a", one.table.short, href=f"#{one.table.name}")
            rows.append(row((name, "t"), (word(one.state), ""), *counts, (bar, "")))
    about = (
        "read + added = let through + withheld + quarantined + deduplicated + filtered, for every "
        "run. Features and marts regroup rows, so they have only the two ends."
    )
    return _section("Rows through each gate", about, table(heads, rows))


def _rejected(rejected: Sequence[Rejected]) -> Html:
    title = "What was rejected, and why"
    if not rejected:
        return _section(title, "No row has been rejected.")
    groups: dict[tuple[str, str], dict[str, int]] = {}
    windows: dict[tuple[str, str], frozenset[str]] = {}
    for one in rejected:
        states = groups.setdefault((one.table, one.reason), {})
        states[one.state] = states.get(one.state, 0) + one.rows
        key = (one.table, one.reason)
        windows[key] = windows.get(key, frozenset()) | one.windows
    ranked = sorted(groups.items(), key=lambda g: (-g[1].get("open", 0), -sum(g[1].values()), g[0]))
    rows = [
        row(
            (name, "t"), (tag("code", reason), "reason"), number(states.get("open", 0)),
            number(sum(states.values()) - states.get("open", 0)),
            number(len(windows[name, reason])),
        )
        for (name, reason), states in ranked[:REASONS]
    ]  # fmt: skip
    heads = [("table", ""), ("rule as written", ""), ("open", "n"), ("settled", "n"),
             ("windows", "n")]  # fmt: skip
    hidden = len(ranked) - len(rows)
    about = (
        "Rows by the rule that they broke; a row that broke two counts in both. Settled rows were "
        "replayed, dismissed, or superseded by a later run."
    ) + (f" {hidden} rarer reasons are left out." if hidden > 0 else "")
    next_ = tag("p", "See them: ", tag("code", f"headgate quarantine show {ranked[0][0][0]}",
                                       class_="type"), class_="soft small")  # fmt: skip
    return _section(title, about, table(heads, rows), next_)


def _dismissed(facts: Facts) -> Html | None:
    """What people called false alarms of drift, newest first."""
    if not facts.dismissals:
        return None
    heads: list[Cell] = [(name, "") for name in ("table", "window", "out of line", "who", "when",
                                                 "because")]  # fmt: skip
    rows = [
        row((one.table, "t"), (one.window, "t"), (one.text, "reason"), (one.who, ""),
            (moment(one.dismissed_at, facts.timezone), "t"), (one.because, "reason"))
        for one in reversed(facts.dismissals[-DISMISSED:])
    ]  # fmt: skip
    about = "Drift that a person has called a false alarm. Values like these are usual since."
    return _section("Dismissed", about, table(heads, rows))


def _history(facts: Facts) -> Html:
    about = (
        f"A bar for each of the newest {SHOWN} windows, as tall as its rows. A red foot: the last "
        "run was kept back. A ring: it was, and a later run mended it."
    )
    cards = [_card(one) for one in facts.standings.values()]
    return _section("History", about, _legend(), tag("div", *cards, class_="cards"))


def _card(one: Standing) -> Html:
    top = tag("div", tag("h3", one.table.name), word(one.state), class_="top")
    shown = one.slices[-SHOWN:]
    parts: list[object] = [top, tag("p", one.table.description or "", class_="soft small")]
    if shown:
        ends = {shown[0].window: None, shown[-1].window: None}
        parts.append(
            tag("div", strip(shown), tag("div", *[tag("span", end) for end in ends], class_="ends"),
                class_="strip-box")
        )  # fmt: skip
        parts.append(tag("p", fates_told(one.rows, one.regroups), class_="small"))
    else:
        parts.append(tag("p", tag("code", f"headgate run +{one.table.name}", class_="type")))
    said = [f"readers see up to {one.newest}"] if one.newest else []
    said += [f"owner {one.table.owner}"] if one.table.owner else []
    parts.append(tag("p", " · ".join(said), class_="soft small"))
    return tag("article", *parts, class_="card", id=one.table.name)


def _runs(facts: Facts) -> Html:
    batches = facts.batches(BATCHES)
    if not batches:
        return _section("Last runs", "None yet.", tag("p", tag("code", "headgate run")))
    heads = [("ended", ""), ("table", ""), ("windows", ""), ("", ""), ("read", "n"),
             ("let through", "n"), ("seconds", "n"), ("because", "")]  # fmt: skip
    rows = [_batch(one, facts.timezone) for one in batches]
    about = "The newest passes; windows that ran together are one line."
    return _section("Last runs", about, table(heads, rows))


def _batch(one: Batch, zone: str) -> Html:
    return row(
        (moment(one.at, zone), "t"), (one.table, "t"), (_ranges(one), ""),
        (word(one.status), ""), number(one.rows.read), number(one.rows.written),
        (f"{one.seconds:.1f}", "n"), (one.why, "reason"),
    )  # fmt: skip


def _ranges(one: Batch) -> Html:
    """Windows as ranges that are not broken over lines, the first few of them."""
    ranges = one.windows.split(", ")
    shown = [tag("div", each, class_="t") for each in ranges[:RANGES]]
    more = len(ranges) - len(shown)
    return together([*shown, tag("div", f"{one.count} windows in all") if more > 0 else None])
