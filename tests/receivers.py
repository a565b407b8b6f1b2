"""Those who take messages, on loopback: a web server that can misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

SECRET = "T0PSECRET"  # in the path of every address: it must show nowhere
PUBLISHED = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    "<MessageId>1</MessageId></PublishResult></PublishResponse>"
)


@dataclass
class Web:
    """A server that notes what is posted to it."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # the next ones; then 200
    text: str = "ok"
    location: str = ""
    hang: threading.Event | None = None  # it answers nothing before this is set

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/{SECRET}"

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    @property
    def texts(self) -> list[str]:
        return [one["text"] for one in self.said]

    @property
    def forms(self) -> list[dict[str, str]]:
        """What was posted as a form, as AWS' older services are spoken to."""
        return [{k: v[0] for k, v in parse_qs(body.decode()).items()} for body in self.bodies]


@contextmanager
def web(**how: Any) -> Iterator[Web]:
    """A server that runs meanwhile."""
    seen = Web(**how)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if seen.hang is not None:
                seen.hang.wait(30)
                return
            seen.bodies.append(body)
            seen.headers.append(dict(self.headers))
            self.send_response(seen.answers.pop(0) if seen.answers else 200)
            if seen.location:
                self.send_header("Location", seen.location)
            self.send_header("Content-Length", str(len(seen.text)))
            self.end_headers()
            self.wfile.write(seen.text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    seen.port = server.server_address[1]
    runs = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    runs.start()
    try:
        yield seen
    finally:
        if seen.hang is not None:
            seen.hang.set()
        server.shutdown()
        server.server_close()
        runs.join()
