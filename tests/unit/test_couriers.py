"""Messages on their way: real servers on loopback that take them, refuse them, or say nothing."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from headgate.core.spec import AlertRoute
from headgate.storage.couriers import Load, UndeliveredError, carried, carry
from receivers import PUBLISHED, SECRET, Web, web

LINE = "clean.orders 2026-11-11 BLOCKED a < b & c > d. Next: headgate show 7f3a"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"


def payload(**more: Any) -> dict[str, Any]:
    given = {
        "text": LINE, "id": "1", "state": "raised", "severity": "critical",
        "table": "clean.orders", "window": "2026-11-11", "run": "7f3a", "suite": "shop",
        "lines": [LINE, "clean.t00 2026-11-11 FAILED for want of it"],
    }  # fmt: skip
    return {**given, **more}


def sent(to: str, root: str = "/", **more: Any) -> None:
    carry(AlertRoute(to=to, **more), payload(), root)


def refused(to: str, **more: Any) -> str:
    """Why it did not get through: without a word of the address."""
    with pytest.raises(UndeliveredError) as caught:
        sent(to, **more)
    assert caught.value.__cause__ is None
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_slack_gets_its_text_and_nothing_that_it_would_read_as_markup() -> None:
    with web() as server:
        sent(f"slack:{server.url}")
    assert server.said == [
        {"text": "clean.orders 2026-11-11 BLOCKED a &lt; b &amp; c &gt; d."
                 " Next: headgate show 7f3a"}
    ]  # fmt: skip
    assert server.headers[0]["Content-Type"] == "application/json"


def test_a_webhook_gets_all_that_a_program_needs() -> None:
    with web() as server:
        sent(f"webhook:{server.url}")
    assert server.said == [payload()]


@pytest.mark.parametrize("code", [400, 404, 429, 500])
def test_a_refusal_is_told_by_its_number(code: int) -> None:
    with web(answers=[code]) as server:
        assert refused(f"slack:{server.url}") == f"it answered {code}"


def test_a_redirect_is_a_refusal() -> None:
    with web() as elsewhere, web(answers=[302], location=elsewhere.url) as server:
        assert refused(f"webhook:{server.url}") == "it answered 302"
    assert elsewhere.bodies == []


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert refused(f"slack:http://127.0.0.1:{port}/{SECRET}") == "connection refused"
    assert refused(f"slack:http://no such host/{SECRET}") == "InvalidURL"


def test_the_log_and_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent("log")
    told = json.loads(capsys.readouterr().err)
    assert (told["event"], told["level"], told["run"]) == ("alert", "error", "7f3a")
    assert (told["text"], told["next"]) == (
        "clean.orders 2026-11-11 BLOCKED a < b & c > d.", "headgate show 7f3a",
    )  # fmt: skip
    sent("file:logs/alerts.jsonl", str(tmp_path))
    sent("file:logs/alerts.jsonl", str(tmp_path))
    lines = (tmp_path / "logs" / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [payload(), payload()]
    (tmp_path / "logs" / "taken").mkdir()
    assert refused("file:logs/taken", root=str(tmp_path)) == "is a directory"


def test_a_topic_of_sns(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3", reason="needs boto3")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with web(text=PUBLISHED) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", f"http://127.0.0.1:{server.port}")
        sent(f"sns:{TOPIC}")
        sent(f"sns:{TOPIC}.fifo")
    first, second = server.forms
    assert first["Action"] == "Publish"
    assert first["TopicArn"] == TOPIC
    assert first["Message"] == LINE
    assert first["Subject"] == "[shop] critical: clean.orders 2026-11-11"
    assert "MessageGroupId" not in first
    assert (second["MessageGroupId"], second["MessageDeduplicationId"]) == ("clean.orders", "1")
    assert "eu-west-1/sns/aws4_request" in server.headers[0]["Authorization"]
    denied = "<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>"
    with web(answers=[403], text=denied) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", f"http://127.0.0.1:{server.port}")
        assert refused(f"sns:{TOPIC}") == "AWS answered AuthorizationError"


class Mailbox:
    """What the mail server was handed."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.receivers: list[str] = []

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content))
        self.receivers = list(envelope.rcpt_tos)
        return "250 taken"

    async def handle_RCPT(  # noqa: N802
        self, _: Any, __: Any, envelope: Any, address: str, ___: Any
    ) -> str:
        if address.startswith("gone"):
            return "550 unknown"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def post() -> Iterator[tuple[Mailbox, int]]:
    controller = pytest.importorskip("aiosmtpd.controller", reason="needs aiosmtpd")
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    results = pytest.importorskip("aiosmtpd.smtp")

    def known(server: Any, session: Any, envelope: Any, mechanism: Any, data: Any) -> Any:
        good = data.login == b"me" and data.password == SECRET.encode()
        return results.AuthResult(success=good, handled=good)

    server = controller.Controller(
        box, hostname="127.0.0.1", port=port, authenticator=known, auth_require_tls=False
    )
    server.start()
    yield box, port
    server.stop()


def test_a_mail(post: tuple[Mailbox, int], monkeypatch: pytest.MonkeyPatch) -> None:
    box, port = post
    monkeypatch.setenv("HEADGATE_SECRET_SMTP_PASSWORD", SECRET)
    server = f"smtp://me:${{secret:smtp-password}}@127.0.0.1:{port}"
    sent("mailto:ann@shop.example, bob@shop.example", smtp=server)
    (mail,) = box.mails
    assert box.receivers == ["ann@shop.example", "bob@shop.example"]
    assert mail["Subject"] == "[shop] critical: clean.orders 2026-11-11"
    assert mail["From"] == "headgate@shop.example"
    text = mail.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode().split("\r\n") == [LINE, "", payload()["lines"][1], ""]
    sent(f"smtp://127.0.0.1:{port}/ann@shop.example", **{"from": "night@shop.example"})
    assert box.mails[1]["From"] == "night@shop.example"
    assert box.mails[1]["Message-ID"] == mail["Message-ID"]  # of one alert, however often


def test_mails_that_are_not_taken(
    post: tuple[Mailbox, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, port = post
    wrong = f"smtp://me:{SECRET}x@127.0.0.1:{port}"
    assert (
        refused("mailto:ann@shop.example", smtp=wrong)
        == "the mail server refuses user and password"
    )
    gone = f"smtp://127.0.0.1:{port}/gone@shop.example"
    assert refused(gone) == "the mail server takes no mail for these addresses"
    sent(f"smtp://127.0.0.1:{port}/ann@shop.example,gone@shop.example")  # ann has it
    assert box.receivers == ["ann@shop.example"]
    monkeypatch.setattr("headgate.storage.mail.HERE", ())  # as if it stood elsewhere
    plain = f"smtp://me:{SECRET}@127.0.0.1:{port}"
    assert refused("mailto:ann@shop.example", smtp=plain) == (
        "the mail server offers no TLS: no password is sent to it"
    )
    missing = "smtp://me:${secret:nobody}@127.0.0.1"
    assert refused("mailto:ann@shop.example", smtp=missing) == "there is no secret 'nobody'"


def test_a_secret_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADGATE_SECRETS", str(tmp_path))
    with web() as server:
        (tmp_path / "hook").write_text(server.url + "\n")
        sent("slack:${secret:hook}")
        assert refused("slack:${secret:../hook}") == "there is no secret '../hook'"
    assert len(server.bodies) == 1


def ways(*servers: Web) -> list[Load]:
    return [
        Load(AlertRoute(to=f"webhook:{one.url}"), [payload(id=f"{place}-{n}") for n in range(4)])
        for place, one in enumerate(servers)
    ]


def test_one_that_says_nothing_holds_up_nobody() -> None:
    """Neither the others, nor the call, nor the end of the process."""
    with web(hang=threading.Event()) as silent, web() as good:
        began = time.monotonic()
        came = carried(ways(silent, good), "/", seconds=0.5)
        assert time.monotonic() - began < 2
    assert {id for id, why in came.items() if not why} == {f"1-{n}" for n in range(4)}
    assert came["0-0"] == "no answer within 0.5 seconds"
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "alerts")


def test_one_that_fails_twice_is_left_alone_for_now() -> None:
    with web(answers=[500, 200, 500, 500, 500]) as server:
        load = ways(server)[0]
        came = carried([Load(load.route, [*load.payloads, payload(id="5")])], "/", 9)
    assert [bool(why) for why in came.values()] == [True, False, True, True, True]
    assert came["5"] == "not tried: the ones before it failed"
    assert len(server.bodies) == 4
