"""The routes of `alerts:`. What a route says of an address is never repeated: it is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from headgate.conf.nodes import Entries, Listing, Node, Scalar
from headgate.conf.records import Key, Record
from headgate.conf.rules import SEVERITIES
from headgate.conf.shapes import FILLED, At, Listed, Parsed, Text, Word
from headgate.conf.words import meant, unknown
from headgate.core.alerts import covers
from headgate.core.results import LAYERS
from headgate.core.spec import AlertRoute

KINDS = {
    "log": "log",
    "file": "file:PATH",
    "slack": "slack:https://…",
    "webhook": "webhook:https://…",
    "sns": "sns:arn:aws:sns:REGION:ACCOUNT:TOPIC",
    "mailto": "mailto:ann@shop.example",
    "smtp": "smtp://SERVER/ann@shop.example",
    "smtps": "smtps://SERVER/ann@shop.example",
}
_ALSO = {
    "webhook": ("http", "https", "url", "hook", "teams", "post", "mattermost"),
    "mailto": ("email", "e-mail", "mail"),
    "sns": ("arn", "aws"),
    "log": ("logs", "stderr", "stdout", "console"),
    "file": ("path", "jsonl"),
}
_MAIL = ("mailto", "smtp", "smtps")
_ARN = re.compile(r"arn:[\w-]+:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?")
_PERSON = re.compile(r"[^@\s,;<>/]+@[^@\s,;<>/]+")
_WORD = re.compile(r"[A-Za-z-]{1,20}")


def route(text: str) -> str:
    """A route as it is written. What is wrong is told without its address.

    >>> route("log"), route("file:alerts.jsonl")
    ('log', 'file:alerts.jsonl')
    """
    kind, colon, address = text.partition(":")
    if "${" in kind:
        return text  # of another environment, where its value is not known
    if kind not in KINDS or bool(colon) == (kind == "log"):
        raise ValueError(_no_route(kind, colon))
    fault = _FAULTS[kind](address) if colon and "${" not in address else None
    if fault:
        raise ValueError(f"{fault}: {KINDS[kind]}")
    return text


def _no_route(kind: str, colon: str) -> str:
    if kind in KINDS:
        return f"'{kind}' takes {'no address' if colon else 'an address'}: write {KINDS[kind]}"
    forms = "'log', or a kind and an address (slack:…)"
    if not _WORD.fullmatch(kind):
        return f"is no route: {forms}"
    hint = meant(kind, KINDS, _ALSO)
    if kind in ("http", "https"):
        hint = f": write webhook:{kind}://… or slack:{kind}://…"
        return f"'{kind}' is no kind of route{hint}"
    return f"'{kind}' is no route{hint}: {forms}"


def _url(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        named = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        named = False
    return None if named and not re.search(r"\s", address) else "has no address of the web"


def _topic(address: str) -> str | None:
    return None if _ARN.fullmatch(address) else "has no ARN of a topic"


def _people(address: str) -> str | None:
    people = [one.strip() for one in address.split(",")]
    return None if all(_PERSON.fullmatch(one) for one in people) else "has no mail address"


def _server(address: str) -> str | None:
    """What is wrong with //user:password@host:port, where it is a server of mails."""
    try:
        parts = urlsplit(f"smtp:{address}")
        good = address.startswith("//") and parts.hostname and (parts.port or 1)
    except ValueError:
        good = False
    return None if good else "has no mail server"


def _server_and_people(address: str) -> str | None:
    return _server(address) or _people(urlsplit(f"smtp:{address}").path.strip("/"))


def _path(address: str) -> str | None:
    whole = address.strip() and "://" not in address and not address.endswith("/")
    return None if whole else "has no path of a file on this machine"


_FAULTS = {
    "file": _path,
    "slack": _url,
    "webhook": _url,
    "sns": _topic,
    "mailto": _people,
    "smtp": _server_and_people,
    "smtps": _server_and_people,
}


def _smtp(text: str) -> str:
    kind, _, address = text.partition(":")
    if "${" not in text and (kind not in ("smtp", "smtps") or _server(address)):
        raise ValueError("must be a mail server: smtp://USER:${NAME}@HOST:587, or smtps://…")
    return text


def _made(values: dict[str, object], node: Entries, at: At) -> AlertRoute:
    made = AlertRoute.model_validate(values)
    for name, kinds in (("smtp", ("mailto",)), ("from", _MAIL)):
        key = node.key(name)
        if key is not None and made.kind not in kinds and "${" not in made.kind:
            *others, last = kinds
            named = f"{', '.join(others)} and {last}" if others else last
            at.key(name).note(key, f"goes with {named} only")
    return made


_FORM = {
    "anyOf": [
        {"type": "string", "pattern": f"^(log$|({'|'.join(k for k in KINDS if k != 'log')}):.)"},
        FILLED,
    ]
}
ROUTE = Record(
    "an alert",
    {
        "to": Key(
            Parsed("a route such as log or slack:…", route, _FORM),
            f"where alerts go: {', '.join(KINDS)}; all but log with an address",
            required=True,
        ),
        "severity": Key(
            Listed(Word(SEVERITIES), unique=True),
            "of which severity; `info` is word that something is well again",
            default="all",
        ),
        "tables": Key(
            Listed(Text("a table"), unique=True),
            "of which tables: names, layers, patterns such as `clean.*`",
            default="all",
        ),
        "owner": Key(
            Listed(Text("an owner"), unique=True), "of tables with these owners", default="all"
        ),
        "smtp": Key(
            Parsed("a mail server such as smtp://HOST:587", _smtp),
            "with `mailto:`: the mail server, `smtp://USER:${NAME}@HOST:587` or `smtps://…`",
            default="smtp://localhost:25",
        ),
        "from": Key(
            Text("a mail address"),
            "who mails are from",
            default="headgate@ the first receiver's domain",
        ),
    },
    make=_made,
    short="to",
)


def check_routes(suite: Node | None, tables: Iterable[str], owners: Iterable[str], at: At) -> None:
    """Note names of tables and owners that no table has."""
    routes = suite.get("alerts") if isinstance(suite, Entries) else None
    if not isinstance(routes, Listing):
        return
    names, people = sorted(tables), sorted(set(owners))
    known: Mapping[str, list[str]] = {"tables": [*names, *LAYERS], "owner": people}
    for place, one in enumerate(routes.items):
        for key, found in known.items():
            for where, node in _texts(one, key, at.key("alerts").item(place)):
                said = node.said
                good = said in people if key == "owner" else any(covers(said, n) for n in names)
                if not good and "${" not in said:
                    kind = "owner" if key == "owner" else "table"
                    where.note(node, unknown(kind, node.text, found))


def _texts(route: Node, key: str, at: At) -> list[tuple[At, Scalar]]:
    node, at = route.get(key) if isinstance(route, Entries) else None, at.key(key)
    if isinstance(node, Listing):
        items = enumerate(node.items)
        return [(at.item(n), item) for n, item in items if isinstance(item, Scalar)]
    return [(at, node)] if isinstance(node, Scalar) else []
