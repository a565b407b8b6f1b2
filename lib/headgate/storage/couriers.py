"""Those who carry a message out of the house: the web, a topic, a file, the log."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headgate.core.errors import HeadgateError, Usage
from headgate.core.lines import parted
from headgate.core.spec import AlertRoute
from headgate.storage.logs import Level, log
from headgate.storage.secrets import revealed

SECONDS = 4.0  # for one connection, and for each answer
PATIENCE = 2
_LEVELS: dict[str, Level] = {"critical": "error", "warning": "warning", "info": "info"}
Payload = dict[str, Any]


class UndeliveredError(Exception):
    """A message did not get through. It says why in words of ours: addresses are secrets."""


@dataclass(frozen=True)
class Load:
    """What goes one way."""

    route: AlertRoute
    payloads: Sequence[Payload]


def carried(loads: Sequence[Load], root: str, seconds: float) -> dict[str, str]:
    """Carry all, each way by itself. By id: empty where it got through, else why it did not.

    It ends in time whatever the others do: name servers, for one, keep no time limit of ours.
    """
    came: dict[str, str] = {}
    walkers = [
        threading.Thread(target=_walk, args=(load, root, came), name="alerts", daemon=True)
        for load in loads
    ]
    until = time.monotonic() + seconds
    for walker in walkers:
        walker.start()
    for walker in walkers:
        walker.join(max(until - time.monotonic(), 0.0))
    done = dict(came)
    late = f"no answer within {seconds:g} seconds"
    return {one["id"]: done.get(one["id"], late) for load in loads for one in load.payloads}


def _walk(load: Load, root: str, came: dict[str, str]) -> None:
    """One message after the other. Whoever fails twice in a row is left alone for now."""
    failed = 0
    for one in load.payloads:
        if failed == PATIENCE:
            came[one["id"]] = "not tried: the ones before it failed"
            continue
        try:
            carry(load.route, one, root)
        except UndeliveredError as error:
            came[one["id"]], failed = str(error), failed + 1
        else:
            came[one["id"]], failed = "", 0


def carry(route: AlertRoute, payload: Payload, root: str) -> None:
    """Take a message where a route leads; UndeliveredError where that cannot be done."""
    try:
        _COURIERS[route.kind](route, payload, root)
    except UndeliveredError:
        raise
    except HeadgateError as error:
        raise UndeliveredError(error.what) from None
    except urllib.error.HTTPError as error:
        error.close()
        raise UndeliveredError(f"it answered {error.code}") from None
    except Exception as error:  # whatever a library says may quote the address
        raise UndeliveredError(_reason(error)) from None


def lacking(route: AlertRoute) -> HeadgateError | None:
    """What a route needs and does not find here, without a message being sent."""
    try:
        revealed(route.to)
        revealed(route.smtp or "")
    except HeadgateError as error:
        return error
    if route.kind == "sns" and importlib.util.find_spec("boto3") is None:
        return Usage("boto3 is not installed", next="pip install 'headgate[aws]'")
    return None


def _reason(error: Exception) -> str:
    """What went wrong, by the kind of the error alone."""
    inner = getattr(error, "reason", None)
    cause = inner if isinstance(inner, Exception) else error
    if isinstance(cause, ssl.SSLError):
        return "it cannot be spoken to safely (TLS)"
    if isinstance(cause, socket.gaierror):
        return "no host of that name"
    if isinstance(cause, TimeoutError):
        return f"no answer within {SECONDS:.0f} seconds"
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno).lower()
    return type(cause).__name__


def _log(_: AlertRoute, payload: Payload, __: str) -> None:
    text, then = parted(payload["text"])
    log(
        "alert", level=_LEVELS[payload["severity"]], severity=payload["severity"],
        table=payload["table"], window=payload["window"], run=payload["run"], text=text,
        next=then or None,
    )  # fmt: skip


def _file(route: AlertRoute, payload: Payload, root: str) -> None:
    path = Path(root) / Path(revealed(route.address)).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(payload, ensure_ascii=False) + "\n"
    # One write at the end of the file: lines of two processes do not run into each other.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _slack(route: AlertRoute, payload: Payload, _: str) -> None:
    text = payload["text"]
    for sign, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):  # Slack's own markup
        text = text.replace(sign, instead)
    _post(revealed(route.address), {"text": text})


def _webhook(route: AlertRoute, payload: Payload, _: str) -> None:
    _post(revealed(route.address), payload)


def _post(url: str, content: Payload) -> None:
    if not url.startswith(("https://", "http://")):
        raise UndeliveredError("the address is none of the web")
    request = urllib.request.Request(  # noqa: S310 - looked at just above
        url.strip(),
        data=json.dumps(content).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "headgate"},
        method="POST",
    )
    with _web().open(request, timeout=SECONDS) as answer:
        answer.read(1024)


def _web() -> urllib.request.OpenerDirector:
    """Follows no redirect: a post would arrive elsewhere as a question, without the message."""
    web = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        web.add_handler(handler)
    return web


def _topic(route: AlertRoute, payload: Payload, _: str) -> None:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import ClientError
    except ImportError:
        raise UndeliveredError("it needs the extra 'aws' (boto3)") from None
    topic = revealed(route.address)
    patience = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"max_attempts": 1})
    client = boto3.client("sns", region_name=topic.split(":")[3], config=patience)
    texts = {name: payload[name] for name in ("suite", "severity", "state", "table")}
    attributes = {
        name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text
    }
    first_in_first_out = {
        "MessageGroupId": payload["table"] or payload["suite"],
        "MessageDeduplicationId": payload["id"],
    }
    try:
        client.publish(
            TopicArn=topic,
            Subject=subject(payload)[:100].encode("ascii", "replace").decode(),
            Message=payload["text"],
            MessageAttributes=attributes,
            **(first_in_first_out if topic.endswith(".fifo") else {}),
        )
    except ClientError as error:
        raise UndeliveredError(f"AWS answered {error.response['Error']['Code']}") from None


def subject(payload: Payload) -> str:
    """The head of a mail or a notification.

    >>> subject({"suite": "shop", "severity": "critical", "table": "clean.orders", "window": "X"})
    '[shop] critical: clean.orders X'
    """
    what = " ".join(payload[name] for name in ("table", "window") if payload[name])
    return f"[{payload['suite']}] {payload['severity']}: {what or payload['suite']}"


def _mail(route: AlertRoute, payload: Payload, _: str) -> None:
    from headgate.storage.mail import sent

    others = payload["lines"][1:]
    text = "\n\n".join([payload["text"], *(["\n".join(others)] if others else [])])
    sent(route, subject(payload), text, payload["id"])


_COURIERS: dict[str, Callable[[AlertRoute, Payload, str], None]] = {
    "log": _log,
    "file": _file,
    "slack": _slack,
    "webhook": _webhook,
    "sns": _topic,
    "mailto": _mail,
    "smtp": _mail,
    "smtps": _mail,
}
