"""A proxy before a real server, which passes requests on, or does to them what networks do."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PASS, DROP, STALL, GARBLE = "pass", "drop the reply", "stall", "garble the body"
UNCONDITIONAL = "forget the conditions"  # as stores do that do not know them
Fate = str | int  # one of those, or the status to answer with instead


@dataclass
class Proxy:
    """What came through, and what is to become of what comes."""

    to: int
    port: int = 0
    fate: Callable[[str], Fate] = lambda _: PASS  # told "PUT /bucket/key?query"
    seen: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def count(self, word: str) -> int:
        """How many requests had this in them."""
        return sum(word in one for one in self.seen)

    def first(self, times: int, word: str, fate: Fate) -> None:
        """The first requests with a word in them get this fate, all others pass."""
        left = threading.Semaphore(times)
        self.fate = lambda one: fate if word in one and left.acquire(blocking=False) else PASS


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy on a port of its own."""
    proxy = Proxy(port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            _answer(self, proxy)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, proxy: Proxy) -> None:
    body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
    told = f"{request.command} {request.path}"
    proxy.seen.append(told)
    proxy.headers.append(dict(request.headers))
    fate = proxy.fate(told)
    if fate == STALL:
        proxy.released.wait(60)
    if fate == STALL or isinstance(fate, int):
        _said(request, fate if isinstance(fate, int) else 503, [("Content-Length", "0")], b"")
        return
    if fate == GARBLE and body:
        body = bytes([body[0] ^ 1]) + body[1:]
    server = http.client.HTTPConnection("127.0.0.1", proxy.to, timeout=60)
    server.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.items():
        left_out = ("if-match", "if-none-match") if fate == UNCONDITIONAL else ()
        if name.lower() not in ("expect", "connection", *left_out):
            server.putheader(name, value)
    server.endheaders(body)
    reply = server.getresponse()
    content = reply.read()
    server.close()
    if fate == DROP:
        request.close_connection = True
        return
    _said(request, reply.status, reply.getheaders(), content)


def _said(
    request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], content: bytes
) -> None:
    with suppress(OSError):  # the other side may have gone
        request.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection"):
                request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)
